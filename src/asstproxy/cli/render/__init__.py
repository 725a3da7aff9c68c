"""Views: subscribers that turn the records of a conversation into something to read, and do nothing else.

`plain`, `json_output`, `safe_text` and `status_text` import neither Rich nor markdown-it: `asst ask` into a pipe does not pay
for them.
"""

"""Views: subscribers that fold the records of a conversation into something to see, and nothing else.

`plain`, `jsonl` and `safe` import neither Rich nor markdown-it: `asst ask` into a pipe does not pay for them.
"""

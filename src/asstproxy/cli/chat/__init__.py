"""`asst chat`: the prompt loop and its slash commands."""

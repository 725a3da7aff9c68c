"""`asst chat`: the REPL and its slash commands."""

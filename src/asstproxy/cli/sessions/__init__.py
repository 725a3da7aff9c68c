"""`asst sessions` and `asst replay`: saved sessions, shown, searched, played, exported, imported and changed."""

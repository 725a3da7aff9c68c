"""`asst sessions`: what was kept, seen, searched, exported and changed."""

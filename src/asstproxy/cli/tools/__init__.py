"""`asst tools`: what an assistant may call, seen and tried by a person."""

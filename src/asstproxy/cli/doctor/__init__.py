"""`asst doctor`: what is installed, set up and reachable."""

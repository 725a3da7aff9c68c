"""`asst setup`: the wizard, its verbs, and what it writes."""

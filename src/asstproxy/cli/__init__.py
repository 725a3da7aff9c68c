"""The command line: `app` holds signatures and help only; the body of a command imports what it needs."""

"""Templates on the command line: applied to `ask` and `chat`, saved, listed, edited, imported."""

"""Sessions on disk: the journal is the truth, all else is folded from it."""

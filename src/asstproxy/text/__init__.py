"""Words and figures for a person: foreign text made harmless, endings and calls in words, times."""

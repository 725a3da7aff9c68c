"""Tests of reading, fetching and recognising files."""

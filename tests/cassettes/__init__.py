"""Cassettes: HTTP as real servers spoke it, played again. `scenarios` is the one table; scripts/record_cassettes.py records it."""

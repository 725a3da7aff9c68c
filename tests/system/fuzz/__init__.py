"""Fuzzing: each module has a `target(data: bytes)` that only ever raises `AssertionError`, and `SEEDS`, data that is right.

`test_fuzz.py` drives the targets with Hypothesis, in every run; `test_atheris.py` guided by coverage, with `-m slow`. What was
found once stands in `FOUND` of a target's module, and is tried again in every run.
"""

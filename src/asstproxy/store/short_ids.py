"""Short ids: the end of a session's id. Its beginning is a clock: sessions made one after the other share it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from .directory import SessionDirectory

__all__ = ["SHORTEST", "short_ids"]

SHORTEST = 4
"""Letters of a short id at least."""


def short_ids(directory: SessionDirectory, sessions: Iterable[str]) -> dict[str, str]:
    """For each of these ids the shortest ending, in small letters, that `find` takes for no other session.

    All names of the folder are read once; memory grows with `sessions` only.
    """
    lengths = dict.fromkeys(sessions, SHORTEST)
    by_ending: defaultdict[str, list[str]] = defaultdict(list)
    for session in lengths:
        by_ending[session[-SHORTEST:]].append(session)
    for other in directory.ids_with_end(by_ending, SHORTEST):
        for session in by_ending[other[-SHORTEST:]]:
            if other != session:
                lengths[session] = max(lengths[session], _common_end(session, other) + 1)
    return {session: _not_a_beginning(session, length).lower() for session, length in lengths.items()}


def _common_end(one: str, other: str) -> int:
    return next((n for n, (a, b) in enumerate(zip(reversed(one), reversed(other), strict=False)) if a != b), len(one))


def _not_a_beginning(session: str, length: int) -> str:
    """`find` prefers beginnings, and all ids of these decades begin alike."""
    while session[-length:].startswith(session[:2]) and length < len(session):
        length += 1
    return session[-length:]

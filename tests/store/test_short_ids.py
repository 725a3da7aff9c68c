"""Short ids: endings that are unique, of four letters or more."""

from __future__ import annotations

from pathlib import Path

import pytest

from asstproxy.core.errors import SessionError
from asstproxy.store import ulid
from asstproxy.store.short_ids import short_ids
from asstproxy.store.store import Store

FIRST = "01M8HVH8"


def folder(root: Path, *endings: str) -> tuple[Store, list[str]]:
    """A store with sessions that begin alike."""
    store, ids = Store(root), [FIRST + "0" * (18 - len(ending)) + ending for ending in endings]
    for session in ids:
        path = root / ulid.month(session) / f"{session}.jsonl"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return store, ids


def test_an_ending_is_as_long_as_it_must_be(tmp_path: Path) -> None:
    """Four letters; more where sessions that are not in the list end alike; each is found again, also in capitals."""
    store, ids = folder(tmp_path, "ABCD7QK2", "XBCD7QK2", "ZZZZ9999", "1234Q01M")
    short = short_ids(store, ids[:1] + ids[2:])
    assert list(short.values()) == ["abcd7qk2", "9999", "q01m"]
    for session, name in short_ids(store, ids).items():
        assert store.find(name) == store.find(name.upper()) == session
    assert store.find(ids[0][:19]) == ids[0]  # beginnings go on working
    with pytest.raises(SessionError, match="fits more than one"):
        store.find("7qk2")


def test_an_ending_that_looks_like_a_beginning_is_longer(tmp_path: Path) -> None:
    """`find` looks at beginnings first."""
    store, ids = folder(tmp_path, "ZZ01M8", "AAAAAA")
    short = short_ids(store, ids)
    assert short[ids[0]] == "z01m8"
    assert store.find(short[ids[0]]) == ids[0]

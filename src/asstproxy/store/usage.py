"""The tokens of all sessions, added up: for `asst usage`. They are in the search index, so that no journal is read twice."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from typing import Literal, NamedTuple

import msgspec

from ..core.codec import from_unix_time, to_unix_time
from ..core.script import State
from . import ulid
from .transcript import RequestEntry, Tokens

__all__ = [
    "SCHEMA",
    "By",
    "IndexedRequest",
    "UsageRow",
    "delete_requests",
    "indexed_requests",
    "put_requests",
    "usage_rows",
]

By = Literal["model", "day", "profile", "session"]
SCHEMA = """
CREATE TABLE requests (session TEXT, number INTEGER, turn INTEGER, reported INTEGER, at TEXT, profile TEXT, provider TEXT,
                       model TEXT, input INTEGER, output INTEGER, cached INTEGER, cache_write INTEGER, cost REAL, tier TEXT,
                       PRIMARY KEY (session, number)) WITHOUT ROWID;
"""
_KEYS: dict[By, str] = {
    "model": "coalesce(nullif(model, ''), provider)",
    "day": "date(at, 'localtime')",
    "profile": "coalesce(nullif(profile, ''), provider)",
    "session": "session",
}


class ExchangeUsage(msgspec.Struct):
    """The fields of an exchange in a transcript that say what it used."""

    answer: str = ""
    state: State = State.NEW
    started: str = ""
    provider: str = ""
    model: str = ""
    usage: Tokens = msgspec.field(default_factory=Tokens)
    requests: list[RequestEntry] = []


class IndexedRequest(NamedTuple):
    """A request to a provider. `turn`: 1 for the last one of its exchange. `reported`: 0 if its tokens are unknown."""

    turn: int
    reported: int
    entry: RequestEntry


class UsageRow(NamedTuple):
    """`requests` of one kind that cost as many of average size do: `total` has their tokens, summed.

    `key` is the model, day, profile or session; `turns` are the exchanges that end with one of them.
    """

    key: str
    turns: int
    requests: int
    reported: bool
    total: RequestEntry


def indexed_requests(
    session: str, forked_from: str, exchanges: Sequence[ExchangeUsage], profile: str
) -> list[IndexedRequest]:
    """The requests of a session. Those that a fork took over from its original are the original's."""
    began = ulid.time_of(session) / 1000 if forked_from else 0.0
    found = []
    for exchange in exchanges:
        entries = _entries(exchange, profile)
        if began:
            entries = [entry for entry in entries if to_unix_time(entry.at) >= began]
        for number, entry in enumerate(entries, 1):
            reported = bool(entry.input or entry.output or entry.cost is not None)
            found.append(IndexedRequest(int(number == len(entries)), int(reported or not exchange.answer), entry))
    return found


def _entries(exchange: ExchangeUsage, profile: str) -> list[RequestEntry]:
    """The requests of an exchange; one with all its tokens if the transcript is older than that list, or they are unknown."""
    if exchange.requests or not exchange.provider:
        return exchange.requests
    used = exchange.usage
    return [
        RequestEntry(
            exchange.started,
            profile,
            exchange.provider,
            exchange.model,
            used.input,
            used.output,
            used.cached,
            used.reasoning,
        )
    ]


def put_requests(db: sqlite3.Connection, session: str, requests: Sequence[IndexedRequest]) -> None:
    """Replace the requests of a session."""
    delete_requests(db, session)
    db.executemany(
        "INSERT INTO requests VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [
            (
                session, number, turn, reported, one.at, one.profile, one.provider, one.model,
                one.input, one.output, one.cached, one.cache_write, one.cost, one.service_tier,
            )
            for number, (turn, reported, one) in enumerate(requests)
        ],
    )  # fmt: skip


def delete_requests(db: sqlite3.Connection, session: str) -> None:
    """Forget the requests of a session."""
    db.execute("DELETE FROM requests WHERE session = ?", (session,))


def usage_rows(db: sqlite3.Connection, by: By, since: int, steps: Sequence[int]) -> Iterator[UsageRow]:
    """What all requests since then (milliseconds since 1970) used.

    A row holds requests of one model, tier and hour whose sizes lie between the same two of `steps` (input tokens), because the
    price may depend on all of these. Those that failed without using a token are apart: they cost nothing.
    """
    size = " + ".join(f"(input > {int(step)})" for step in steps) or "0"
    rows = db.execute(
        f"SELECT {_KEYS[by]} AS key, sum(turn), count(*), reported, min(at), profile, provider, model, sum(input),"  # noqa: S608 - our own words
        " sum(output), sum(cached), sum(cache_write), sum(cost), tier FROM requests WHERE at >= ?"
        f" GROUP BY key, reported, profile, provider, model, tier, cost IS NULL, input + output > 0,"
        f" substr(at, 1, 13), {size}",
        (from_unix_time(since / 1000) if since else "",),
    )
    for key, turns, count, reported, at, profile, provider, model, read, written, cached, stored, cost, tier in rows:
        total = RequestEntry(at, profile, provider, model, read, written, cached, 0, stored, cost, tier)
        yield UsageRow(key, turns, count, bool(reported), total)

"""A store of made-up sessions: mostly short ones over two years, some of them with a thousand exchanges."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from pathlib import Path

from asstproxy.core.codec import encode, from_unix_time
from asstproxy.core.events import (
    ActionRequired,
    AssistantMessageRetrieved,
    ChunkReceived,
    Configured,
    Event,
    Record,
    SessionOpened,
    SetUserMessage,
    Started,
    ToolCall,
    ToolFinished,
    ToolOutputsSubmitted,
    ToolResult,
    ToolsExecuted,
    Usage,
)
from asstproxy.core.script import STEPS, State
from asstproxy.store import ulid
from asstproxy.store.transcript import TranscriptBuilder
from asstproxy.store.transcript_file import to_json

__all__ = ["make", "make_session"]

YEARS = 2
LONG = 1000
"""Exchanges of a long session; one session in five thousand is long."""
_IDEOGRAPHS = [chr(0x4E00 + 7 * number) for number in range(2_500)]
"""One session in fifty is in Chinese."""
SYLLABLES = (
    "ba",
    "co",
    "di",
    "fu",
    "ge",
    "ha",
    "jo",
    "ki",
    "lu",
    "me",
    "no",
    "pa",
    "qui",
    "ro",
    "su",
    "ta",
    "ve",
    "wa",
    "xi",
)


def _vocabulary(chance: random.Random) -> list[str]:
    return ["".join(chance.choices(SYLLABLES, k=chance.randint(2, 4))) for _ in range(20_000)]


def make(root: Path, count: int, *, seed: int = 5) -> None:
    """Make so many sessions in an empty folder."""
    chance = random.Random(seed)
    words = _vocabulary(chance)
    chinese = ["".join(chance.choices(_IDEOGRAPHS, k=chance.randint(4, 12))) for _ in range(5_000)]
    now = time.time_ns() // 1_000_000
    span = YEARS * 365 * 24 * 3600 * 1000
    for number in range(count):
        at = now - span + span * number // count
        exchanges = LONG if number % 5000 == 2500 else chance.choice((1, 1, 1, 2, 3))
        make_session(root, at, exchanges, chance, chinese if number % 50 == 7 else words)


def make_session(root: Path, at: int, exchanges: int, chance: random.Random, words: list[str] | None = None) -> Path:
    """One session: its journal and its transcript."""
    words = words or _vocabulary(chance)
    session = ulid.new(at)
    path = root / ulid.month(session) / f"{session}.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    fold, out, state = TranscriptBuilder(session), [], State.NEW
    for seq, event in enumerate(_events(session, exchanges, chance, words), 1):
        state = STEPS[event.type].dest if event.type in STEPS else state
        record = Record(seq, from_unix_time(at / 1000 + seq / 20), state, event)
        out.append(encode(record))
        fold.feed(record)
    journal = b"\n".join(out) + b"\n"
    path.write_bytes(journal)
    path.with_suffix(".json").write_bytes(to_json(fold.transcript, len(journal)))
    return path


def _events(session: str, exchanges: int, chance: random.Random, words: list[str]) -> Iterator[Event]:
    yield SessionOpened(session)
    yield Configured(profile="gpt", provider="gpt", model="gpt-6-luna")
    for number in range(exchanges):
        yield SetUserMessage(" ".join(chance.choices(words, k=12)))
        yield Started("gpt", "gpt-6-luna")
        if chance.random() < 0.15:
            call = ToolCall(f"c{number}", "search_notes", '{"query": "x"}')
            result = ToolResult(call.call_id, " ".join(chance.choices(words, k=8)))
            yield ActionRequired((call,))
            yield ToolFinished(result, 0.1)
            yield ToolsExecuted((result,))
            yield ToolOutputsSubmitted()
        pieces = [" ".join(chance.choices(words, k=8)) + " and " for _ in range(4)]
        yield from map(ChunkReceived, pieces)
        yield Usage(100, 50)
        yield AssistantMessageRetrieved("".join(pieces))

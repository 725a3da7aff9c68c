"""A journal that was damaged: what can be read is read; repairing it only adds to that, and takes no whole line away."""

from __future__ import annotations

import contextlib

from asstproxy import Record, SessionError, Store
from asstproxy.core.codec import encode
from asstproxy.core.events import (
    ActionRequired,
    AssistantMessageRetrieved,
    ChunkReceived,
    Configured,
    Event,
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
from asstproxy.export.html import page
from asstproxy.store.recovery import read_journal

from .place import place

SESSION = "01JD0000000000000000000000"
CALL, RESULT = ToolCall("c", "add", '{"a": 1}'), ToolResult("c", "1")


def _journal(*events: Event) -> bytes:
    state, lines = State.NEW, []
    for seq, event in enumerate(events, 1):
        state = STEPS[event.type].dest if event.type in STEPS else state
        lines.append(encode(Record(seq, f"2026-11-22T19:45:00.{seq:03}Z", state, event)) + b"\n")
    return b"".join(lines)


_HEAD = (SessionOpened(SESSION), Configured("gpt", "gpt", "luna"), SetUserMessage("hi"), Started("gpt", "luna"))
_TOOLS = (ActionRequired((CALL,)), ToolFinished(RESULT, 0.1), ToolsExecuted((RESULT,)), ToolOutputsSubmitted())
_END = (ChunkReceived("Hel"), ChunkReceived("lo"), Usage(1, 2), AssistantMessageRetrieved("Hello"))
SEEDS = [
    _journal(*_HEAD, *_TOOLS, *_END),
    _journal(*_HEAD, *_END, SetUserMessage("again"), Started("gpt", "luna"), ChunkReceived("a")),
    _journal(*_HEAD, *_TOOLS[:2]),
]
FOUND: list[bytes] = []


def target(data: bytes) -> None:
    """Read it, show it, go on with it, and read it again."""
    store = Store(place() / "sessions")
    path = store.path(SESSION)
    path.parent.mkdir(parents=True, exist_ok=True)
    for old in path.parent.glob(f"{SESSION}.*"):
        old.unlink()
    path.write_bytes(data)
    try:
        before = read_journal(path)
    except SessionError:
        before = None
    for look in (store.transcript, store.summary, store.records):
        with contextlib.suppress(SessionError):
            look(SESSION)
    assert path.read_bytes() == data  # nobody who only looks changes it
    if before is not None:
        page(store.transcript(SESSION), store.records(SESSION))
    try:
        store.open(SESSION).close()
    except SessionError:
        assert before is None or before.is_newer
        assert path.read_bytes() == data
        return
    assert before is not None
    assert path.read_bytes().startswith(data[: before.whole])
    after = read_journal(path)
    assert after.records[: len(before.records)] == before.records
    assert not after.torn
    store.open(SESSION).close()
    assert read_journal(path).records == after.records  # it is repaired once

"""`--events`: every record as one line."""

from __future__ import annotations

import io

import pytest

from asstproxy.cli.render.json_output import JsonLinesView
from asstproxy.core.codec import decode, encode
from asstproxy.core.events import AssistantMessageRetrieved, ChunkReceived, SetUserMessage, Started, Unknown

from .screen import Script

EVENTS = (
    SetUserMessage("hi\u2028"),
    Started("gpt"),
    ChunkReceived("a\nb"),
    Unknown({"type": "hologram", "depth": 3}),
    AssistantMessageRetrieved("a\nb"),
)


class Pipe(io.BytesIO):
    """Records each write, and how many are flushed."""

    def __init__(self) -> None:
        super().__init__()
        self.writes: list[bytes] = []
        self.flushed = 0

    def write(self, data: bytes) -> int:  # type: ignore[override]
        self.writes.append(data)
        return len(data)

    def flush(self) -> None:
        self.flushed = len(self.writes)


def test_one_write_per_record() -> None:
    """Each record is one flushed write of one line, which reads back as the record."""
    pipe = Pipe()
    view = JsonLinesView(pipe, encode)
    records = Script().play(EVENTS)
    for count, record in enumerate(records, 1):
        view(record)
        assert (len(pipe.writes), pipe.flushed) == (count, count)
    assert all(line.endswith(b"\n") and line.count(b"\n") == 1 for line in pipe.writes)
    assert [decode(line) for line in pipe.writes] == records


def test_a_closed_pipe_is_told() -> None:
    """The view lets the error through: the caller ends the command."""

    class Closed(Pipe):
        def flush(self) -> None:
            raise BrokenPipeError

    with pytest.raises(BrokenPipeError):
        JsonLinesView(Closed(), encode)(Script()(EVENTS[0]))

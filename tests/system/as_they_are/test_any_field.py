"""Any field of any event may be anything: nothing breaks, nothing of it is taken for text, and the text that came is kept."""

from __future__ import annotations

import asyncio
import copy
import functools
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asstproxy.core.errors import AssistantError
from asstproxy.core.events import ActionRequired, ChunkReceived, Event, Notice, Reasoning, Usage
from asstproxy.providers.anthropic import Reader as AnthropicReader
from asstproxy.providers.assistants import Reader as AssistantsReader
from asstproxy.providers.chat_completions import Reader as ChatReader
from asstproxy.providers.gemini.generate_reader import Reader as GenerateReader
from asstproxy.providers.gemini.interactions_reader import Reader as InteractionsReader
from asstproxy.providers.openai.reader import Reader as ResponsesReader
from asstproxy.providers.stream import StreamReader, read_reply, read_stream
from asstproxy.providers.transport import JSON
from asstproxy.providers.transport.body import decode_json

from .streams import RECORDED

READERS: dict[str, Callable[[], StreamReader]] = {
    "responses": ResponsesReader,
    "anthropic": AnthropicReader,
    "chat": ChatReader,
    "generate": GenerateReader,
    "interactions": InteractionsReader,
    "assistants": lambda: AssistantsReader("thread_1", set()),
}
MARK = 987654321
WORD = "zebra"


def nested(depth: int) -> Any:
    value: Any = MARK
    for level in range(depth):
        value = {WORD: value} if level % 2 else [value]
    return value


REPLACEMENTS: dict[str, Any] = {
    "null": None,
    "true": True,
    "number": MARK,
    "negative": -MARK,
    "float": float(MARK) + 0.5,
    "nan": float("nan"),
    "huge": 10**400,
    "list": [MARK, WORD, {"text": MARK}],
    "empty list": [],
    "object": {WORD: MARK, "message": MARK},
    "empty object": {},
    "nested": nested(60),
    "deep": nested(5000),
}
Path = tuple[Any, ...]


def fields(value: Any, path: Path = ()) -> Iterator[Path]:
    """The path of every field and of every item in a JSON value."""
    entries = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in entries:
        yield (*path, key)
        yield from fields(inner, (*path, key))


def replaced(events: list[Any], path: Path, value: Any) -> list[Any]:
    """The events, with another value at one place."""
    changed = copy.deepcopy(events)
    holder = functools.reduce(lambda inner, key: inner[key], path[:-1], changed)
    holder[path[-1]] = value
    return changed


class Wire:
    """A transport that plays events, as they are after a journey as JSON text."""

    def __init__(self, events: list[Any]) -> None:
        self._events = [decode_json(event) for event in map(_dumped, events)]

    async def events(self, *_: Any) -> Any:
        for event in self._events:
            if isinstance(event, dict):  # our transport skips the others
                yield [event]

    async def call(self, *_: Any) -> JSON:
        assert isinstance(self._events[-1], dict)
        return self._events[-1]


def _dumped(event: Any) -> bytes:
    try:
        return json.dumps(event).encode()
    except (RecursionError, ValueError):  # too deep, or too long a number, for the standard library: by its shape
        text = json.dumps(_shallow(event))
        return text.replace('"%deep"', "[" * 5000 + str(MARK) + "]" * 5000).replace('"%huge"', "1" + "0" * 400).encode()


def _shallow(value: Any) -> Any:
    if value is REPLACEMENTS["deep"]:
        return "%deep"
    if isinstance(value, dict):
        return {key: _shallow(inner) for key, inner in value.items()}
    return [_shallow(inner) for inner in value] if isinstance(value, list) else value


async def read(reader: StreamReader, events: list[Any]) -> tuple[list[Event], AssistantError | None]:
    """Our events for a stream, and how it failed."""
    got: list[Event] = []
    try:
        async for event in read_stream(Wire(events).events(), reader):
            got.append(event)  # noqa: PERF401 - what came before a failure counts
    except AssistantError as error:
        return got, error
    return got, None


def text_in(events: list[Event]) -> str:
    return "".join(event.text for event in events if isinstance(event, ChunkReceived))


def shown(events: list[Event], error: AssistantError | None) -> str:
    """Everything of it that a person reads, or a tool gets."""
    texts = [event.text for event in events if isinstance(event, ChunkReceived | Reasoning | Notice)]
    texts += [getattr(events[-1], "text", "")] if events else []
    names = [call.name + call.call_id for event in events if isinstance(event, ActionRequired) for call in event.calls]
    return "\n".join([*texts, *names, str(error or ""), *(error.hint for error in (error,) if error)])


CASES = [(key, path) for key, events in RECORDED.items() for path in fields(events) if len(path) > 1]


@pytest.mark.parametrize("key", RECORDED, ids="-".join)
@pytest.mark.parametrize("name", REPLACEMENTS)
async def test_one_field_is_something_else(key: tuple[str, str], name: str) -> None:
    """Every field of every event, one by one: an AssistantError at most, and nothing of the value is shown."""
    recorded, value = RECORDED[key], REPLACEMENTS[name]
    pieces = [event.text for event in (await read(READERS[key[0]](), recorded))[0] if isinstance(event, ChunkReceived)]
    for path in (path for own, path in CASES if own == key):
        got, error = await read(READERS[key[0]](), replaced(recorded, path, value))
        said = shown(got, error)
        assert str(MARK) not in said, (path, said)
        assert WORD not in said, (path, said)
        assert "None" not in said, (path, said)
        for event in got:
            if isinstance(event, Usage):
                counted = "tokens" in str(path[-1]) or "Count" in str(path[-1])
                assert counted or MARK not in (event.input_tokens, event.output_tokens), path
        lost = len(pieces) - sum(piece in text_in(got) for piece in pieces)
        assert lost <= 1 or error is not None, (path, text_in(got))
        if error is None:
            assert isinstance(got[-1], Event)


@given(data=st.data())
def test_several_fields_are_something_else(data: st.DataObject) -> None:
    """Any fields together, streamed and as a single reply: still nothing but an AssistantError."""
    key = data.draw(st.sampled_from(sorted(RECORDED)))
    events = RECORDED[key]
    for _ in range(data.draw(st.integers(1, 4))):
        path = data.draw(st.sampled_from([path for path in fields(events) if len(path) > 1]))
        value = data.draw(st.sampled_from([one for name, one in REPLACEMENTS.items() if name != "deep"]))
        events = replaced(events, path, value)

    async def converse() -> None:
        await read(READERS[key[0]](), events)
        try:
            async for _ in read_reply(Wire(events), "", {}, READERS[key[0]]()):  # type: ignore[arg-type]
                pass
        except AssistantError as error:
            assert str(MARK) not in str(error)  # noqa: PT017 - either outcome is fine, and this holds for one

    asyncio.run(converse())

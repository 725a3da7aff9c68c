"""What providers share: tolerant fields, the stream loop, the base, and how a profile leads to address and key."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asstproxy.provider import (
    JSON,
    AssistantError,
    AssistantMessageRetrieved,
    ChunkReceived,
    Event,
    Item,
    NotSetUpError,
    Profile,
    ProviderInfo,
    ServerOptions,
    StatelessProvider,
    StreamReader,
    ToolCallBuffer,
    Turn,
    api_key,
    base_url,
    get_arguments,
    get_content,
    get_count,
    get_object,
    get_objects,
    get_text,
    read_stream,
)

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["a", "text"]), inner, max_size=2),
    max_leaves=6,
)


@given(st.dictionaries(st.sampled_from(["a", "text"]), ANYTHING))
def test_a_field_of_the_wrong_type_is_empty(value: JSON) -> None:
    """Whatever a server sends in the place of a field, the reader gets the type that it asked for, along any path."""
    for path in (("a",), ("a", "text"), ("b", "c")):
        assert isinstance(get_text(value, *path), str)
        assert isinstance(get_content(value, *path), str)
        assert isinstance(get_arguments(value, *path), str)
        assert type(get_count(value, *path)) is int
        assert isinstance(get_object(value, *path), dict)
        assert all(isinstance(one, dict) for one in get_objects(value, *path))


def test_what_a_field_may_hold() -> None:
    """Counts are positive integers, content is a text or parts with texts, arguments are a text or an object."""
    odd: list[Any] = [True, -1, 1.0, "1", None, float("nan"), [1], {}]
    assert [get_count({"n": value}, "n") for value in (3, *odd)] == [3, *([0] * len(odd))]
    assert get_content({"c": ["x", {"text": "a"}, {"text": 1}, {"text": "b"}]}, "c") == "ab"
    assert get_arguments({"f": {"arguments": {"ä": 1}}}, "f", "arguments") == '{"ä": 1}'


def test_calls_in_pieces() -> None:
    """By number, in its order; without one, by id or else by name. Each call has an id of its own."""
    calls = ToolCallBuffer()
    for piece in ((1, "b", "two", "{"), (0, "a", "one", ""), (1, "", "", "}"), (0, "a", "", "")):
        calls.add(*piece)
    assert [(c.call_id, c.name, c.arguments) for c in calls.finish()] == [("a", "one", "{}"), ("b", "two", "{}")]
    calls = ToolCallBuffer()
    odd: list[tuple[Any, str, str, str]] = [
        (None, "", "one", "{"),
        ([], "", "", "}"),
        (None, "", "two", ""),
        (None, "c", "", ""),
    ]
    for piece in odd:
        calls.add(*piece)
    assert [(c.name, c.arguments) for c in calls.finish()] == [("one", "{}"), ("two", "{}"), ("", "{}")]
    assert len({call.call_id for call in calls.finish()}) == 3


# ---- the stream loop -----------------------------------------------------------------------------------------------------


class Letters(StreamReader):
    """A text in letters; `end` makes it whole."""

    linger = 0.05

    def __init__(self) -> None:
        self.text = ""

    def feed(self, event: JSON) -> Iterator[Event]:
        if event.get("error"):
            raise AssistantError("server", "It failed.")
        self.done = self.done or bool(event.get("end"))
        self.text += event.get("letter", "")
        if event.get("letter"):
            yield ChunkReceived(event["letter"])

    def end(self) -> Iterator[Event]:
        yield AssistantMessageRetrieved(self.text)


class Source:
    """A stream of these lists; an exception is raised, a number is silence in seconds."""

    def __init__(self, *parts: Any) -> None:
        self.parts, self.closed = parts, False

    async def __call__(self) -> AsyncGenerator[list[JSON]]:
        try:
            for part in self.parts:
                if isinstance(part, Exception):
                    raise part
                if isinstance(part, float):
                    await asyncio.sleep(part)
                else:
                    yield part
        finally:
            self.closed = True


def letters(text: str) -> list[JSON]:
    return [{"letter": letter} for letter in text]


END: list[JSON] = [{"end": True}]
CUT = AssistantError("connection", "It broke.")


@pytest.mark.parametrize("after", [[], [letters("c")], [CUT], [3600.0]], ids=["end", "more", "cut", "silence"])
async def test_what_follows_a_whole_answer_is_waited_for_but_not_needed(after: list[Any]) -> None:
    """What still comes is read; a stream that breaks or falls silent then is whole all the same. It is closed in any case."""
    source = Source(letters("ab"), END, *after)
    events = [event async for event in read_stream(source(), Letters())]
    more = "c" if after and isinstance(after[0], list) else ""
    assert events[0] == ChunkReceived("ab")
    assert events[-1] == AssistantMessageRetrieved(f"ab{more}")
    assert source.closed


@pytest.mark.parametrize("last", [[], [CUT], [[{"error": True}]]], ids=["end", "cut", "reported"])
async def test_a_stream_that_is_not_whole_fails(last: list[Any]) -> None:
    """What came before is yielded first; an error that the API reports is never taken for a connection that broke."""
    reopened: list[AssistantError] = []

    async def reopen(broken: AssistantError) -> None:
        reopened.append(broken)

    reported = bool(last) and isinstance(last[0], list)
    events = read_stream(Source(letters("ab"), *last)(), Letters(), reopen=reopen if reported else None)
    assert await anext(events) == ChunkReceived("ab")
    with pytest.raises(AssistantError, match="It failed" if reported else "broke"):
        await anext(events)
    assert not reopened


async def test_a_stream_that_broke_is_opened_again() -> None:
    """The reader goes on where it stands; without another stream, there is no closing event."""
    rest: list[Any] = [Source(letters("cd"), END)(), None]

    async def reopen(broken: AssistantError) -> Any:
        assert broken.kind == "connection"
        return rest.pop(0)

    for expected in (
        [ChunkReceived("ab"), ChunkReceived("cd"), AssistantMessageRetrieved("abcd")],
        [ChunkReceived("ab")],
    ):
        assert [
            event async for event in read_stream(Source(letters("ab"), CUT)(), Letters(), reopen=reopen)
        ] == expected


# ---- the base ------------------------------------------------------------------------------------------------------------


class Again(StatelessProvider):
    """Its first request is refused, and it knows another way."""

    provider, reader, optional = "again", Letters, ("extra",)

    def request(self, turn: Turn, items: Sequence[Item]) -> tuple[str, JSON]:
        return "/ask", {"extra": 1, "items": len(items)} | turn.settings


class Bodies:
    """A transport that refuses `extra`, and what it was sent."""

    def __init__(self) -> None:
        self.sent: list[JSON] = []

    async def call(self, method: str, path: str, body: JSON | None = None) -> JSON:
        raise NotImplementedError

    async def events(self, method: str, path: str, body: JSON | None = None) -> AsyncGenerator[list[JSON]]:
        self.sent.append(body or {})
        if "extra" in (body or {}):
            raise AssistantError("invalid_request", "Unknown parameter: extra.")
        yield [{"letter": "a"}, {"end": True}]

    async def aclose(self) -> None:
        pass


async def test_an_optional_key_is_left_out_where_it_is_refused() -> None:
    """Once for a server; a setting of the person's stays, and its refusal is raised."""
    transport = Bodies()
    provider = Again(transport, "m")
    for _ in range(2):
        assert [event async for event in provider.start_processing(Turn("hi"))][-1] == AssistantMessageRetrieved("a")
    assert ["extra" in body for body in transport.sent] == [True, False, False]
    provider = Again(transport, "m")
    with pytest.raises(AssistantError, match="extra"):
        [event async for event in provider.start_processing(Turn("hi", settings={"extra": 2}))]


# ---- from a profile to address and key -----------------------------------------------------------------------------------

INFO = ProviderInfo(
    "Example", key_variables=("OLD_KEY", "NEW_KEY"), keys_url="https://example.org/keys", base_url="https://example.org",
    base_url_variables=("EXAMPLE_URL",),
)  # fmt: skip


def test_the_address_and_the_key_of_a_profile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The profile goes before the environment, and that before the usual; of several variables, one that is set counts."""
    monkeypatch.setenv("ASST_CONFIG_DIR", str(tmp_path))
    profile = Profile("p", "example")
    assert base_url(profile, INFO) == "https://example.org"
    monkeypatch.setenv("EXAMPLE_URL", "http://e")
    assert base_url(profile, INFO) == "http://e"
    assert base_url(Profile("p", "example", options={"base_url": "http://p/"}), INFO) == "http://p"
    with pytest.raises(NotSetUpError, match="NEW_KEY is not set") as caught:
        api_key(profile, ServerOptions(), INFO)
    assert "https://example.org/keys" in caught.value.hint
    monkeypatch.setenv("OLD_KEY", "old-0123456789")
    assert api_key(profile, ServerOptions(), INFO) == "old-0123456789"
    monkeypatch.setenv("MINE", "mine-0123456789")
    assert api_key(profile, ServerOptions(api_key_env="MINE"), INFO) == "mine-0123456789"
    assert api_key(profile, ServerOptions(), ProviderInfo("no key")) == ""

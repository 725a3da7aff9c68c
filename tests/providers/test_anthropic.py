"""Anthropic's Messages API: the contract over a local server, what is sent, and what servers send, as pure data."""

from __future__ import annotations

import json
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from itertools import pairwise
from typing import Any, ClassVar
from unittest import mock

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asstproxy.config.profiles import Profile
from asstproxy.core.errors import AssistantError, Kind, NotSetUpError
from asstproxy.core.events import (
    ActionRequired,
    AssistantMessageRetrieved,
    ChunkReceived,
    Configured,
    Event,
    MessageIncomplete,
    Notice,
    Reasoning,
    ToolCall,
    ToolResult,
    Usage,
)
from asstproxy.core.history import AssistantMessage, Item, ToolOutputs, UserMessage
from asstproxy.core.turn import Options, ToolSpec, Turn
from asstproxy.providers import connect
from asstproxy.providers.anthropic import Reader, messages, models
from asstproxy.testing import Backend, Filtered, ProviderContract
from core.stage import Stage
from servers import AnthropicServer, Call, Cut, Fail, Fault, Html, Incomplete, Say, Status, Think

from .backends import Api, ServerBackend

JSON = dict[str, Any]
ASKED = "POST /v1/messages$"
ADD = ToolSpec("add", "Add.", {"type": "object", "properties": {"a": {"type": "integer"}}})

# ---- the contract --------------------------------------------------------------------------------------------------------

FAULTS: dict[Kind, Fault] = {
    "authentication": Status(401, message="invalid x-api-key sk-ant-test-0123456789", on=ASKED),
    "not_found": Status(404, message="model: claude-gone", on=ASKED),
    "invalid_request": Status(400, message="Two\nlines.", on=ASKED),
    "rate_limit": Status(429, on=ASKED),
    "quota": Status(429, code="enforced_spend_limit_reached", on=ASKED),
    "context_length": Status(400, message="prompt is too long: 210000 tokens > 200000 maximum", on=ASKED),
    "server": Status(529, on=ASKED),
    "connection": Cut(on=ASKED),
    "protocol": Html(on=ASKED),
}


def profile(server: AnthropicServer, **options: Any) -> Profile:
    return Profile("p", "anthropic", model="claude-sonnet-5-5", options={"base_url": server.base_url} | options)


class TestAnthropic(ProviderContract):
    failures = frozenset(FAULTS)
    another_model = "claude-opus-5-5"
    unsupported: ClassVar = {Filtered: "a refused answer must not go back to the API"}
    api: ClassVar[Api] = Api(ASKED, FAULTS, [Cut(4, how="end")], {})

    @asynccontextmanager
    async def backend(self) -> AsyncIterator[Backend]:
        with AnthropicServer() as server, mock.patch.dict(os.environ, {"ANTHROPIC_API_KEY": server.key}):
            yield ServerBackend(server, self.api, lambda: connect(profile(server)))
            await server.eventually(lambda server: server.open_connections == 0)


class TestAnthropicInOneReply(TestAnthropic):
    options: ClassVar = Options(stream=False)
    api = Api(ASKED, FAULTS, [Cut(byte=40)], {})


# ---- what is sent --------------------------------------------------------------------------------------------------------


@contextmanager
def asked(*turns: Any, **server_options: Any) -> Iterator[AnthropicServer]:
    """A server whose key is in the environment."""
    server = AnthropicServer(turns or None, **server_options)
    with server, mock.patch.dict(os.environ, {"ANTHROPIC_API_KEY": server.key}):
        yield server


def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


def stage(server: AnthropicServer, settings: JSON | None = None, **options: Any) -> Stage:
    made = Stage(assistant=connect(profile(server)), tools=[add], **options)
    made.conversation.configure(Configured(settings=settings or {}))
    return made


CALL = ToolCall("call:1.x", "add", '{"a": 1}')
HISTORY: list[Item] = [
    UserMessage("hi"),
    AssistantMessage("well", (CALL, ToolCall("c2", "add", ""))),
    ToolOutputs((ToolResult("call:1.x", "1"), ToolResult("c2", error="no"))),
    AssistantMessage("two"),
    UserMessage("and?"),
]


def test_messages_are_accepted_by_the_sdk() -> None:
    """The types of the official SDK take what is sent, blocks of the API itself included."""
    types = pytest.importorskip("anthropic.types", reason="the anthropic SDK is not installed")
    from pydantic import TypeAdapter

    raw = [
        {"type": "thinking", "thinking": "", "signature": "s"},
        {"type": "redacted_thinking", "data": "d"},
        {"type": "text", "text": "x", "citations": None},
        {"type": "tool_use", "id": "c", "name": "add", "input": {}, "caller": {"type": "direct"}},
    ]
    own = [*HISTORY, AssistantMessage("x", (ToolCall("c", "add", "{}"),), {"content": raw})]
    sent = messages([*own, ToolOutputs((ToolResult("c", "2"),))])
    body = {"model": "m", "max_tokens": 9, "messages": sent}
    tools = [{"name": ADD.name, "description": ADD.description, "input_schema": ADD.parameters}]
    TypeAdapter(types.message_create_params.MessageCreateParamsNonStreaming).validate_python(body | {"tools": tools})


def test_messages_alternate_and_ids_fit() -> None:
    """All results are in one message, ids of other providers have no odd characters, and nothing empty is sent."""
    sent = messages([UserMessage(" "), AssistantMessage(""), *HISTORY, UserMessage("now")])
    assert [message["role"] for message in sent] == ["user", "assistant", "user", "assistant", "user"]
    assert [block.get("id") for block in sent[1]["content"]] == [None, "call_1_x", "c2"]
    assert sent[2]["content"] == [
        {"type": "tool_result", "tool_use_id": "call_1_x", "content": "1"},
        {"type": "tool_result", "tool_use_id": "c2", "content": "no", "is_error": True},
    ]
    assert [block["text"] for block in sent[4]["content"]] == ["and?", "now"]


async def test_nothing_is_sent_that_was_not_set() -> None:
    """The least request has model, messages and the limit that the API demands; settings have the last word."""
    with asked([Say("ok")], [Say("ok")]) as server:
        assistant: Any = connect(profile(server, headers={"anthropic-beta": "one,two"}))
        cache, search = {"type": "ephemeral"}, {"type": "web_search_20260318", "name": "web_search"}
        settings = {"max_tokens": 9, "temperature": 0, "cache_control": cache, "tools": [search]}
        for turn in (Turn("hi", stream=False), Turn("hi", instructions="Be brief.", tools=(ADD,), settings=settings)):
            assert [event async for event in assistant.start_processing(turn)][-1] == AssistantMessageRetrieved("ok")
        await assistant.aclose()
        least, most = (request.json for request in server.requests)
        headers = server.requests[0].headers
    assert least == {
        "model": "claude-sonnet-5-5",
        "max_tokens": 21_333,
        "messages": [{"role": "user", "content": [{"type": "text", "text": "hi"}]}],
    }
    assert (most["system"], most["stream"], most["max_tokens"]) == ("Be brief.", True, 9)
    assert (most["temperature"], most["cache_control"]) == (0, cache)
    assert [tool["name"] for tool in most["tools"]] == ["add", "web_search"]
    assert (headers["anthropic-version"], headers["anthropic-beta"]) == ("2023-06-01", "one,two")


@pytest.mark.parametrize("path", ["", "/", "/v1", "/v1/"])
async def test_any_form_of_the_address(path: str) -> None:
    """With or without `/v1`, from the profile or from ANTHROPIC_BASE_URL."""
    with asked() as server:
        assert "claude-opus-5-5" in [model.id for model in await models(profile(server, base_url=server.url + path))]
        with mock.patch.dict(os.environ, {"ANTHROPIC_BASE_URL": server.url + path}):
            talk = Stage(assistant=connect(Profile("anthropic", "anthropic")))
            assert isinstance((await talk.conversation.exchange("hi")).event, AssistantMessageRetrieved)
            await talk.conversation.aclose()


def test_without_a_key_nothing_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error names the variable and the page where keys are made."""
    monkeypatch.delenv("ANTHROPIC_API_KEY", raising=False)
    with pytest.raises(NotSetUpError, match="ANTHROPIC_API_KEY") as caught:
        connect(Profile("anthropic", "anthropic"))
    assert "platform.claude.com" in caught.value.hint


@pytest.mark.parametrize("stream", [True, False])
async def test_reasoning_goes_back_unchanged(stream: bool) -> None:
    """Signed reasoning returns in each later request, over tool rounds and exchanges: the server refuses anything else."""
    turns = [
        [Think("which?"), Call("add", {"a": 1, "b": 2}), Call("add", {"a": 3, "b": 4})],
        [Think("", "only-signed"), Say("Next. "), Call("add", {"a": 5, "b": 6})],
        [Think("done"), Say("21")],
        [Say("yes")],
    ]
    with asked(*turns) as server:
        talk = stage(server, stream=stream)
        assert (await talk.conversation.exchange("sum?")).event.text == "21"  # type: ignore[union-attr]
        assert (await talk.conversation.exchange("sure?")).event.text == "yes"  # type: ignore[union-attr]
        await talk.conversation.aclose()
        kinds = [[block["type"] for block in message["content"]] for message in server.contexts[-1]]
    talk.assert_conforms()
    assert kinds == [
        ["text"],
        ["thinking", "tool_use", "tool_use"],
        ["tool_result", "tool_result"],
        ["thinking", "text", "tool_use"],
        ["tool_result"],
        ["thinking", "text"],
        ["text"],
    ]
    assert "".join(event.text for event in talk.published(Reasoning)) == "which?done"
    assert sum(event.output_tokens for event in talk.published(Usage)) > 0


async def test_refused_reasoning_is_left_out() -> None:
    """Signatures that the API no longer accepts cost one more request and a notice, not the conversation."""
    with asked([Think("hm"), Say("one")], [Say("two")], [Say("three")]) as server:
        talk = stage(server)
        await talk.conversation.exchange("a")
        message = "messages.1.content.0: Invalid `signature` in `thinking` block"
        server.faults.add(Status(400, message=message, first=1))
        assert (await talk.conversation.exchange("b")).event.text == "two"  # type: ignore[union-attr]
        assert (await talk.conversation.exchange("c")).event.text == "three"  # type: ignore[union-attr]
        await talk.conversation.aclose()
        assert ["thinking" in json.dumps(request.json) for request in server.requests] == [False, True, False, False]
    assert len(talk.published(Notice)) == 1


async def test_another_model_gets_no_signatures() -> None:
    """Reasoning belongs to the model that signed it."""
    with asked([Think("hm"), Say("one")], [Say("two")]) as server:
        talk = stage(server)
        await talk.conversation.exchange("a")
        talk.conversation.configure(Configured(model="claude-opus-5-5"))
        await talk.conversation.exchange("b")
        await talk.conversation.aclose()
        assert "thinking" not in json.dumps(server.requests[-1].json)


@pytest.mark.parametrize("stream", [True, False])
async def test_a_paused_turn_goes_on(stream: bool) -> None:
    """The server is sent what it said, and the answer is one."""
    with asked(
        [Say("one "), Incomplete("pause_turn")], [Say("two "), Incomplete("pause_turn")], [Say("three")]
    ) as server:
        talk = stage(server, stream=stream)
        last = await talk.conversation.exchange("go")
        await talk.conversation.aclose()
        sent = server.contexts[-1]
    talk.assert_conforms()
    assert last.event.text == "one two three"  # type: ignore[union-attr]
    assert [message["role"] for message in sent] == ["user", "assistant"]
    assert [block["text"] for block in sent[1]["content"]] == ["one ", "two "]
    assert len(talk.published(Usage)) == 3


async def test_a_turn_that_pauses_forever_ends() -> None:
    """After five rounds the answer is incomplete, with all its text."""
    with asked(*[[Say("x"), Incomplete("pause_turn")]] * 6) as server:
        talk = stage(server)
        last = await talk.conversation.exchange("go")
        await talk.conversation.aclose()
        assert len(server.requests) == 6
    assert last.event == MessageIncomplete("xxxxxx", "paused")


@pytest.mark.parametrize("stream", [True, False])
async def test_a_refused_answer_does_not_go_back(stream: bool) -> None:
    """It ends as stopped by the filter, keeps its text, and the next request does not contain it."""
    with asked([Say("half of"), Incomplete("content_filter")], [Say("fine")]) as server:
        talk = stage(server, stream=stream)
        last = await talk.conversation.exchange("bad")
        assert (last.event.text, last.event.reason) == ("half of", "content_filter")  # type: ignore[union-attr]
        assert (await talk.conversation.exchange("good")).event.text == "fine"  # type: ignore[union-attr]
        await talk.conversation.aclose()
        assert "half of" not in json.dumps(server.contexts[-1])


async def test_a_model_with_a_smaller_limit() -> None:
    """The limit that the error names is taken from then on, unless the person set one."""
    with asked([Say("one")], [Say("two")], most=4096) as server:
        talk = stage(server)
        for _ in range(2):
            assert isinstance((await talk.conversation.exchange("hi")).event, AssistantMessageRetrieved)
        await talk.conversation.aclose()
        assert [request.json["max_tokens"] for request in server.requests] == [64_000, 4096, 4096]
    with asked(most=4096) as server:
        talk = stage(server, {"max_tokens": 9000})
        assert "max_tokens: 9000 > 4096" in (await talk.conversation.exchange("hi")).event.message  # type: ignore[union-attr]
        await talk.conversation.aclose()
        assert len(server.requests) == 1


async def test_a_stream_that_reports_a_failure() -> None:
    """Overload in the middle: what came before is kept, and its kind is that of the status 529."""
    with asked([Say("one two"), Fail("overloaded_error", "Overloaded")]) as server:
        talk = stage(server)
        last = await talk.conversation.exchange("hi")
        await talk.conversation.aclose()
    assert (last.event.kind, last.event.message) == ("server", "Overloaded.")  # type: ignore[union-attr]
    assert "".join(event.text for event in talk.published(ChunkReceived)) == "one two"


async def test_a_spending_limit_is_not_retried() -> None:
    """Such a 429 does not pass by itself."""
    with asked() as server:
        server.faults.add(Status(429, code="contract_spend_limit_reached"))
        talk = stage(server)
        assert (await talk.conversation.exchange("hi")).event.kind == "quota"  # type: ignore[union-attr]
        await talk.conversation.aclose()
        assert len(server.requests) == 1


# ---- what is read --------------------------------------------------------------------------------------------------------


def read(*events: JSON) -> list[Event]:
    """A stream that was read to its end."""
    reader = Reader()
    said = [said for event in events for said in reader.feed(event)]
    assert reader.done
    return [*said, *reader.end()]


def start(index: int, **block: Any) -> JSON:
    return {"type": "content_block_start", "index": index, "content_block": block}


def delta(index: int | None, kind: str, **piece: Any) -> JSON:
    return {"type": "content_block_delta", "index": index, "delta": {"type": f"{kind}_delta", **piece}}


def stop(reason: str | None = "end_turn", **more: Any) -> JSON:
    return {"type": "message_delta", "delta": {"stop_reason": reason}, **more}


END = {"type": "message_stop"}
TEXT = [start(0, type="text", text=""), delta(0, "text", text="a"), delta(0, "text", text="b")]


def test_totals_of_tokens_replace_each_other() -> None:
    """Input is all that was read, cached or not; null keeps what the start said."""
    usage = {"input_tokens": 3, "cache_read_input_tokens": 100, "cache_creation_input_tokens": 20, "output_tokens": 1}
    last = {"output_tokens": 9, "input_tokens": None, "output_tokens_details": {"thinking_tokens": 4}}
    events = read(
        {"type": "message_start", "message": {"usage": usage}}, *TEXT, {"type": "ping"}, stop(usage=last), END
    )
    assert events[2:] == [
        Usage(123, 9, cached_tokens=100, reasoning_tokens=4, cache_write_tokens=20),
        AssistantMessageRetrieved("ab"),
    ]


@pytest.mark.parametrize(
    ("reason", "ours"),
    [
        ("max_tokens", "max_output_tokens"),
        ("model_context_window_exceeded", "context_length"),
        ("new_reason", "new_reason"),
    ],
)
def test_reasons_of_an_incomplete_answer(reason: str, ours: str) -> None:
    """A call whose input was cut is not made."""
    cut = [start(1, type="tool_use", id="c", name="add", input={}), delta(1, "input_json", partial_json='{"a":[1')]
    assert read(*TEXT, *(cut if ours != reason else ()), stop(reason))[-1] == MessageIncomplete("ab", ours)


def test_a_refusal_says_why() -> None:
    """The API's explanation is for the person."""
    refused = {"type": "message_delta", "delta": {"stop_reason": "refusal", "stop_details": {"explanation": "Cyber."}}}
    assert read(refused) == [Notice("Cyber."), MessageIncomplete("", "content_filter", {"content": []})]


def test_a_stream_without_a_stop_reason_is_not_whole() -> None:
    """The end of the connection proves nothing."""
    reader = Reader()
    assert [event for one in TEXT for event in reader.feed(one)] == [ChunkReceived("a"), ChunkReceived("b")]
    assert not reader.done
    assert read(*TEXT, stop(None), END)[-1] == MessageIncomplete("ab", "unknown")


def test_calls_in_pieces() -> None:
    """Inputs are joined by the index of their blocks; none at all is an empty object; an id that is missing is made up."""
    events = read(
        start(0, type="tool_use", id="c1", name="add", input={}),
        start(1, type="tool_use", id="", name="add", input={}),
        start(2, type="tool_use", id="c3", name="add", input={"a": 5}),
        delta(0, "input_json", partial_json=""),
        delta(0, "input_json", partial_json='{"a":'),
        delta(None, "unheard_of", x=1),
        delta(0, "input_json", partial_json="1}"),
        stop("end_turn"),
    )
    closing = events[-1]
    assert isinstance(closing, ActionRequired)
    assert [json.loads(call.arguments) for call in closing.calls] == [{"a": 1}, {}, {"a": 5}]
    ids = [call.call_id for call in closing.calls]
    assert len({*ids} - {""}) == 3
    sent = messages([AssistantMessage("", closing.calls, closing.raw)])
    assert [block["id"] for block in sent[0]["content"]] == ids


def test_only_what_text_does_not_say_is_kept() -> None:
    """Plain text needs no `raw`; blocks that the API refuses (empty text, unsigned reasoning) do not go back."""
    assert read(*TEXT, stop())[-1] == AssistantMessageRetrieved("ab")
    unsigned = [start(1, type="thinking", thinking="", signature=""), delta(1, "thinking", thinking="hm")]
    assert read(*TEXT, *unsigned, start(2, type="text", text=""), stop())[-1] == AssistantMessageRetrieved("ab")
    cited = {"type": "char_location", "cited_text": "x"}
    whole = read(*TEXT, delta(0, "citations", citation=cited), start(1, type="redacted_thinking", data="d"), stop())[-1]
    assert whole == AssistantMessageRetrieved(
        "ab",
        {"content": [{"type": "text", "text": "ab", "citations": [cited]}, {"type": "redacted_thinking", "data": "d"}]},
    )


def test_an_answer_in_the_first_event() -> None:
    """Some servers put the whole answer there; one that repeats it piece by piece is not doubled."""
    first = {"type": "message_start", "message": {"content": [{"text": "ab"}]}}
    assert read(first, stop())[-1] == AssistantMessageRetrieved("ab")
    assert read(first, *TEXT, stop())[-1] == AssistantMessageRetrieved("ab")


def test_a_turn_without_text_says_so() -> None:
    """An empty `end_turn` happens after the results of tools: it is an answer, with a notice."""
    assert read(stop()) == [Notice("The model ended its turn without an answer."), AssistantMessageRetrieved("")]


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        ({"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}, "server"),
        ({"type": "error", "error": {"type": "rate_limit_error", "message": "slow"}}, "rate_limit"),
        ({"type": "error", "error": {"type": "authentication_error", "message": "no"}}, "authentication"),
        ({"type": "error", "error": {"type": "billing_error", "message": "pay"}}, "quota"),
        ({"type": "error", "error": {"type": "invalid_request_error", "message": "bad"}}, "invalid_request"),
        ({"error": "slow"}, "server"),
        ({"content": []}, "protocol"),
        ({}, "protocol"),
        ({"content": [], "stop_reason": "tool_use"}, "protocol"),
    ],
)
def test_replies_that_are_failures(answer: JSON, kind: str) -> None:
    """An error inside a success, and an answer without anything in it."""
    with pytest.raises(AssistantError) as caught:
        list(Reader().reply(answer))
    assert caught.value.kind == kind


@given(st.text(min_size=1), st.lists(st.integers(0, 50)))
def test_however_a_text_is_cut_up(text: str, cuts: list[int]) -> None:
    """The pieces are the text."""
    places = sorted({0, *(min(cut, len(text)) for cut in cuts), len(text)})
    pieces = (delta(0, "text", text=text[a:b]) for a, b in pairwise(places))
    *said, closing = read(start(0, type="text", text=""), *pieces, stop())
    assert "".join(event.text for event in said if isinstance(event, ChunkReceived)) == text
    assert closing == AssistantMessageRetrieved(text)


NAMES = """
    type index delta content_block message content text thinking signature partial_json citation id name input stop_reason
    stop_details explanation usage input_tokens output_tokens output_tokens_details error container
""".split()  # noqa: SIM905 - a list of twenty lines would not be read
KINDS = [
    "content_block_start",
    "content_block_delta",
    "message_delta",
    "message_stop",
    "tool_use",
    "text_delta",
    "pause_turn",
]
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.sampled_from(KINDS) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=4),
    max_leaves=12,
)


@given(st.lists(st.dictionaries(st.sampled_from(NAMES), VALUES, max_size=4), max_size=4))
def test_nonsense_is_an_error_of_ours_or_nothing(objects: list[JSON]) -> None:
    """Whatever a server sends, nothing breaks."""
    reader = Reader()
    try:
        for one in objects:
            list(reader.feed(one))
        list(reader.end())
        reader.resume()
    except AssistantError:
        pass

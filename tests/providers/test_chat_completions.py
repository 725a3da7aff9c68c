"""Chat Completions: the contract over a local server, and the differences between real servers as pure data."""

from __future__ import annotations

import json
import os
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from itertools import pairwise
from typing import Any, ClassVar
from unittest import mock

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openai.types.chat.completion_create_params import CompletionCreateParamsNonStreaming
from pydantic import TypeAdapter

from asstproxy.config.profiles import Profile
from asstproxy.core.errors import AssistantError, Kind, NotSetUpError
from asstproxy.core.events import (
    ActionRequired,
    AssistantMessageRetrieved,
    ChunkReceived,
    Event,
    MessageIncomplete,
    Notice,
    Reasoning,
    ToolCall,
    ToolResult,
    Usage,
)
from asstproxy.core.history import AssistantMessage, Item, ToolOutputs, UserMessage
from asstproxy.core.script import State
from asstproxy.core.turn import Options, ToolSpec, Turn
from asstproxy.providers import connect
from asstproxy.providers.chat_completions import Reader, messages, models
from asstproxy.testing import Backend, ProviderContract, Signed
from core.stage import Stage
from servers import Cut, Fail, Fault, Html, ResponsesServer, Say, Status, Think

from .backends import Api, ServerBackend

JSON = dict[str, Any]
ASKED = "POST /v1/chat/completions$"
PARAMS: TypeAdapter[Any] = TypeAdapter(CompletionCreateParamsNonStreaming)
ADD = ToolSpec("add", "Add.", {"type": "object", "properties": {"a": {"type": "integer"}}})

# ---- the contract --------------------------------------------------------------------------------------------------------

FAULTS: dict[Kind, Fault] = {
    "authentication": Status(401, message="Incorrect API key provided: sk-test-0123456789abcdef.", on=ASKED),
    "not_found": Status(404, code="model_not_found", on=ASKED),
    "invalid_request": Status(400, message="Two\nlines.", on=ASKED),
    "rate_limit": Status(429, on=ASKED),
    "quota": Status(429, code="insufficient_quota", on=ASKED),
    "context_length": Status(400, code="context_length_exceeded", on=ASKED),
    "server": Status(500, on=ASKED),
    "connection": Cut(on=ASKED),
    "protocol": Html(on=ASKED),
}


def profile(server: ResponsesServer, **options: Any) -> Profile:
    own = {"base_url": server.base_url, "api_key_env": "CHAT_KEY"} | options
    return Profile("mine", "chat-completions", model="gpt-6-luna", options=own)


class TestChatCompletions(ProviderContract):
    failures = frozenset(FAULTS)
    another_model = "gpt-6.1-terra"
    unsupported: ClassVar = {
        Signed: "reasoning goes back only within a round of tools; see TestVendorThatWantsReasoning"
    }
    api: ClassVar[Api] = Api(ASKED, FAULTS, [Cut(2, how="end")], {})

    @asynccontextmanager
    async def backend(self) -> AsyncIterator[Backend]:
        with ResponsesServer() as server, mock.patch.dict(os.environ, {"CHAT_KEY": server.key}):
            yield ServerBackend(server, self.api, lambda: connect(profile(server)))
            await server.eventually(lambda server: server.open_connections == 0)


class TestVendorThatWantsReasoning(ProviderContract):
    """DeepSeek, whose reasoning goes back with everything that it led to."""

    failures = frozenset(FAULTS)
    another_model = "gpt-6.1-terra"
    api: ClassVar[Api] = Api(ASKED, FAULTS, [Cut(2, how="end")], {})

    @asynccontextmanager
    async def backend(self) -> AsyncIterator[Backend]:
        with ResponsesServer() as server, mock.patch.dict(os.environ, {"DEEPSEEK_API_KEY": server.key}):
            own = Profile("deepseek", "deepseek", "gpt-6-luna", options={"base_url": server.base_url})
            yield ServerBackend(server, self.api, lambda: connect(own))
            await server.eventually(lambda server: server.open_connections == 0)


class TestChatCompletionsInOneReply(TestChatCompletions):
    options: ClassVar = Options(stream=False)
    api = Api(ASKED, FAULTS, [Cut(byte=40)], {})


# ---- what is sent --------------------------------------------------------------------------------------------------------

CALL = ToolCall("c1", "add", '{"a": 1}')
HISTORY: list[Item] = [
    UserMessage("hi"),
    AssistantMessage("well", (CALL, ToolCall("c2", "add", "{}"))),
    ToolOutputs((ToolResult("c1", "1"), ToolResult("c2", error="no"))),
    AssistantMessage("two", raw={"only": "another provider knows it"}),
    UserMessage("and?"),
]


def test_messages_are_accepted_by_the_sdk() -> None:
    """Every result follows its call, and an error is told in words."""
    sent = messages(HISTORY)
    PARAMS.validate_python({"model": "m", "messages": sent})
    assert [message["role"] for message in sent] == ["user", "assistant", "tool", "tool", "assistant", "user"]
    assert [message["content"] for message in sent[2:4]] == ["1", "Error: no"]
    assert "another" not in json.dumps(sent)


def test_neighbours_are_joined_and_nothing_empty_is_sent() -> None:
    """Many servers demand that roles alternate, and refuse a message without content."""
    sent = messages(
        [
            UserMessage("a"),
            AssistantMessage(""),
            UserMessage("b"),
            AssistantMessage("c", (CALL,)),
            ToolOutputs((ToolResult("c1", ""),)),
        ]
    )
    assert [message["role"] for message in sent] == ["user", "assistant", "tool"]
    assert sent[0]["content"] == "a\n\nb"
    assert all(message["content"] for message in sent)


async def test_nothing_is_sent_that_was_not_set() -> None:
    """The least request is model and messages; a setting of the user's has the last word, and the key is optional."""
    with ResponsesServer([[Say("ok")], [Say("ok")]], key="") as server:
        assistant: Any = connect(profile(server, api_key_env=""))
        for turn in (
            Turn("hi", stream=False),
            Turn("hi", instructions="Be brief.", tools=(ADD,), settings={"temperature": 0}),
        ):
            assert [event async for event in assistant.start_processing(turn)][-1] == AssistantMessageRetrieved("ok")
        await assistant.aclose()
        least, most = (request.json for request in server.requests)
        assert "authorization" not in server.requests[0].headers
    assert least == {"model": "gpt-6-luna", "messages": [{"role": "user", "content": "hi"}]}
    assert most["messages"][0] == {"role": "system", "content": "Be brief."}
    assert most.keys() == {"model", "messages", "tools", "stream", "stream_options", "temperature"}


async def test_stream_options_are_taken_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that does not know them is asked once more, and from then on without them; the person sees nothing of it."""
    with ResponsesServer([[Say("one")], [Say("two")]]) as server:
        monkeypatch.setenv("CHAT_KEY", server.key)
        server.faults.add(Status(400, message="Unknown parameter: 'stream_options'.", first=1))
        stage = Stage(assistant=connect(profile(server)))
        for text in ("one", "two"):
            assert (await stage.conversation.exchange("hi")).event == AssistantMessageRetrieved(text)
        await stage.conversation.aclose()
        assert ["stream_options" in request.json for request in server.requests] == [True, False, False]
    stage.assert_conforms()
    assert not stage.published(Notice)


async def test_an_option_that_the_user_set_is_not_taken_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """He learns that the server refuses it."""
    with ResponsesServer() as server:
        monkeypatch.setenv("CHAT_KEY", server.key)
        server.faults.add(Status(400, message="Unknown parameter: 'stream_options'."))
        assistant: Any = connect(profile(server))
        with pytest.raises(AssistantError, match="stream_options"):
            [event async for event in assistant.start_processing(Turn("hi", settings={"stream_options": {}}))]
        await assistant.aclose()
        assert len(server.requests) == 1


async def test_reasoning_and_usage(monkeypatch: pytest.MonkeyPatch) -> None:
    """Both are told, streamed or not; the answer holds no reasoning."""
    for stream in (True, False):
        with ResponsesServer([[Think("hm"), Say("two words")]]) as server:
            monkeypatch.setenv("CHAT_KEY", server.key)
            stage = Stage(assistant=connect(profile(server)), stream=stream)
            last = await stage.conversation.exchange("hi")
            await stage.conversation.aclose()
        assert last.event == AssistantMessageRetrieved("two words")
        assert [event.text for event in stage.published(Reasoning)] == ["hm"]
        assert stage.published(Usage)[0].output_tokens > 0


async def test_a_stream_that_reports_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    """What came before is kept, the rest is an error of its kind."""
    with ResponsesServer([[Say("one two"), Fail("rate_limit_exceeded", "slow down")]]) as server:
        monkeypatch.setenv("CHAT_KEY", server.key)
        stage = Stage(assistant=connect(profile(server)))
        last = await stage.conversation.exchange("hi")
        await stage.conversation.aclose()
    assert (last.state, last.event.kind, last.event.message) == (State.ERROR, "rate_limit", "slow down.")  # type: ignore[union-attr]
    assert "".join(event.text for event in stage.published(ChunkReceived)) == "one two"


async def test_models(monkeypatch: pytest.MonkeyPatch) -> None:
    """The server lists them."""
    with ResponsesServer() as server:
        monkeypatch.setenv("CHAT_KEY", server.key)
        assert "gpt-6-luna" in [model.id for model in await models(profile(server))]


def test_without_an_address_nothing_is_asked() -> None:
    """What is missing is named, and what to do."""
    with pytest.raises(NotSetUpError, match="has no base_url") as caught:
        connect(Profile("mine", "chat-completions", model="m"))
    assert "base_url" in caught.value.hint


# ---- what is read --------------------------------------------------------------------------------------------------------


def read(*events: JSON) -> list[Event]:
    """A stream that was read to its end."""
    reader = Reader()
    said = [said for event in events for said in reader.feed(event)]
    assert reader.done
    return [*said, *reader.end()]


def chunk(finish: str | None = None, **delta: Any) -> JSON:
    return {"choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}


def piece(arguments: Any, **more: Any) -> JSON:
    name = {"name": more.pop("name")} if "name" in more else {}
    return chunk(tool_calls=[{"function": {"arguments": arguments} | name} | more])


USAGE = {"prompt_tokens": 3, "completion_tokens": 4, "prompt_tokens_details": {"cached_tokens": 2}}
COUNTED = Usage(3, 4, cached_tokens=2)


@pytest.mark.parametrize(
    "last",
    [
        [chunk("stop"), {"choices": [], "usage": USAGE}],  # llama.cpp, OGX
        [chunk("stop", content=None), chunk() | {"usage": USAGE}],  # LiteLLM: with a choice
        [chunk("stop") | {"usage": USAGE}],
        [chunk("eos", content=""), {"usage": USAGE}, {"choices": None}, {}],
        [{"choices": [{"delta": None, "finish_reason": "stop"}], "usage": USAGE}],
    ],
)
def test_ends_of_streams(last: list[JSON]) -> None:
    """The token counts come before, with or after the finish reason; a reason that nobody knows is an end like any other."""
    first = [
        chunk(role="assistant", content=None, refusal=None, tool_calls=None),
        {"choices": [], "prompt_filter_results": []},
    ]
    events = read(*first, chunk(content="a"), chunk(content="b"), *last)
    assert events == [ChunkReceived("a"), ChunkReceived("b"), COUNTED, AssistantMessageRetrieved("ab")]


def test_a_stream_without_a_finish_reason_is_not_whole() -> None:
    """However it ended: `[DONE]` alone proves nothing."""
    reader = Reader()
    assert list(reader.feed(chunk(content="a"))) == [ChunkReceived("a")]
    assert not reader.done


def test_reasons_of_an_incomplete_answer() -> None:
    """A call in it may be cut, so it is not made."""
    for reason in ("length", "model_length", "content_filter"):
        ours = "content_filter" if reason == "content_filter" else "max_output_tokens"
        *_, closing = read(chunk(content="a"), piece("{", index=0, id="c", name="add"), chunk(reason))
        assert closing == MessageIncomplete("a", ours)


CUT: dict[str, list[JSON]] = {
    "by index": [
        piece("", index=0, id="c1", name="add"),
        piece("", index=1, id="c2", name="add"),
        piece('{"a":', index=0),
        piece('{"a":', index=1, id=None, name=""),
        piece("1}", index=0),
        piece("2}", index=1),
    ],
    "without an index": [piece('{"a":', id="c1", name="add"), piece("1}"), piece('{"a":2}', id="c2", name="add")],
    "repeating the id": [
        *(piece(part, index=0, id="c1", name="add") for part in ('{"a":', "1}")),
        *(piece(part, index=1, id="c2", name="add") for part in ('{"a":', "2}")),
    ],
    "out of order": [piece('{"a":2}', index=1, id="c2", name="add"), piece('{"a":1}', index=0, id="c1", name="add")],
}


@pytest.mark.parametrize("pieces", CUT.values(), ids=list(CUT))
@pytest.mark.parametrize("reason", ["tool_calls", "stop"])
def test_calls_in_pieces(pieces: Sequence[JSON], reason: str) -> None:
    """They are put together by their index, or by their ids; a reason of `stop` does not lose them."""
    *_, closing = read(*pieces, chunk(reason))
    assert isinstance(closing, ActionRequired)
    assert [(call.call_id, call.name, json.loads(call.arguments)) for call in closing.calls] == [
        ("c1", "add", {"a": 1}),
        ("c2", "add", {"a": 2}),
    ]


@pytest.mark.parametrize("ids", [(None, None), ("", ""), ("c", "c")])
def test_ids_that_are_missing_or_doubled(ids: tuple[Any, Any]) -> None:
    """Each call has an id of its own."""
    calls = [{"index": n, "id": ids[n], "function": {"name": "add", "arguments": ""}} for n in range(2)]
    whole = [{key: value for key, value in call.items() if key != "index"} for call in calls]
    for *_, closing in (
        read(chunk(tool_calls=calls), chunk("tool_calls")),
        read({"choices": [{"message": {"tool_calls": whole}, "finish_reason": "tool_calls"}]}),
    ):
        assert isinstance(closing, ActionRequired)
        assert len({call.call_id for call in closing.calls} - {"", "None"}) == 2
        assert [call.arguments for call in closing.calls] == ["{}", "{}"]


def reply(message: Any, reason: str | None = "stop", **more: Any) -> list[Event]:
    return list(Reader().reply({"choices": [{"index": 0, "message": message, "finish_reason": reason, **more}]}))


def test_whole_replies() -> None:
    """What a server leaves out is nothing; arguments may be an object, content a list of parts, extra keys are passed over."""
    assert reply({"content": "a"}) == [AssistantMessageRetrieved("a")]
    assert reply({"content": "a"}, None) == [AssistantMessageRetrieved("a")]
    assert reply({"content": None, "refusal": "no"}) == [AssistantMessageRetrieved("no")]
    assert reply({"content": [{"type": "thinking"}, {"type": "text", "text": "a"}]}) == [AssistantMessageRetrieved("a")]
    function = {"name": "add", "arguments": {"a": 1}, "output": None}
    (closing,) = reply({"tool_calls": [{"id": "c", "function": function, "extra_content": {}}]}, "tool_calls")
    assert closing == ActionRequired((ToolCall("c", "add", '{"a": 1}'),))


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        ({"error": {"message": "slow", "code": 429}}, "rate_limit"),
        ({"error": "slow"}, "server"),
        ({"error": {"code": 402, "message": "pay"}, "choices": [{"finish_reason": "error", "message": {}}]}, "quota"),
        ({"choices": []}, "protocol"),
        ({}, "protocol"),
        ({"choices": [{"message": {"content": None}, "finish_reason": "tool_calls"}]}, "protocol"),
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
    *said, closing = read(*(chunk(content=text[a:b]) for a, b in pairwise(places)), chunk("stop"))
    assert "".join(event.text for event in said if isinstance(event, ChunkReceived)) == text
    assert closing == AssistantMessageRetrieved(text)


NAMES = """
    choices index delta message content refusal tool_calls id function name arguments finish_reason usage prompt_tokens
    prompt_tokens_details cached_tokens error code type reasoning
""".split()  # noqa: SIM905 - a list of twenty lines would not be read
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.sampled_from(["stop", "text"]) | st.text(max_size=3),
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
    except AssistantError:
        pass

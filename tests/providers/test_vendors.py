"""Every vendor's row against a server in its place, and each quirk by what the server receives."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import pairwise
from typing import Any
from unittest import mock

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asstproxy.config.profiles import Config, Profile
from asstproxy.config.provider_info import BUILT_IN
from asstproxy.config.vendors import VENDORS, Quirks
from asstproxy.core.errors import AssistantError, NotSetUpError
from asstproxy.core.events import (
    ActionRequired,
    AssistantMessageRetrieved,
    ChunkReceived,
    ErrorOccurred,
    Notice,
    Reasoning,
    Started,
    ToolCall,
    ToolResult,
)
from asstproxy.core.history import AssistantMessage, Item, ToolOutputs, UserMessage
from asstproxy.core.turn import Turn
from asstproxy.providers import connect
from asstproxy.providers.chat_completions import Reader, messages
from asstproxy.providers.model_list import list_models
from asstproxy.providers.protocols import CHAT, RESPONSES, Found, find_protocol
from asstproxy.providers.reasoning import ThinkTags
from asstproxy.providers.transport.http import HttpTransport
from core.stage import Stage
from core.test_tool_rounds import add
from servers import AnthropicServer, Call, Document, Html, ResponsesServer, Say, Status, Think, VendorServer

JSON = dict[str, Any]
KEY = "sk-vendor-0123456789abcdef"
HOSTED = [name for name, vendor in VENDORS.items() if not vendor.info.key_optional]
CHATTING = [name for name, vendor in VENDORS.items() if vendor.protocol == "chat-completions"]


def profile(name: str, address: str = "", model: str = "gpt-6-luna", **options: Any) -> Profile:
    """The profile that always exists, with these things changed in the file."""
    table = ({"base_url": address} if address else {}) | options
    return Config(tables={name: {"model": model, **table}}).profile(name)


@contextmanager
def placed(name: str, *turns: Any, **options: Any) -> Iterator[VendorServer]:
    """A server in the place of a vendor's, and its key in the environment."""
    info = VENDORS[name].info
    header = info.key_header or "authorization"
    key = "" if info.key_optional else KEY
    unset = dict.fromkeys(info.key_variables, "")
    with (
        VendorServer(turns or None, key=key, prefix="/any/v4", header=header, **options) as server,
        mock.patch.dict(os.environ, unset | ({info.key_variables[-1]: key} if key else {})),
    ):
        yield server


def at(server: VendorServer) -> str:
    return server.url + server.prefix


async def asked(profile: Profile, text: str = "hi", **options: Any) -> Stage:
    """One exchange, and everything that was heard of it."""
    stage = Stage(assistant=connect(profile), **options)
    await stage.conversation.exchange(text)
    await stage.conversation.aclose()
    stage.assert_conforms()
    return stage


# ---- the rows ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", VENDORS)
async def test_every_vendor_answers(name: str) -> None:
    """A row is all that it takes: its protocol's path, its key in its header, its models; nothing was set, nothing is sent."""
    vendor = VENDORS[name]
    with placed(name, [Say("Hello.")]) as server:
        stage = await asked(profile(name, at(server)), stream=False)
        assert stage.events[-1].text == "Hello."  # type: ignore[union-attr]
        assert stage.published(Started)[0].provider == name
        path = "chat/completions" if vendor.protocol == "chat-completions" else "responses"
        assert str(server.requests[-1]) == f"POST /any/v4/{path}"
        sent = server.requests[-1].json.keys()
        assert sent <= {"model", "messages", "input", "store"}
        if vendor.info.key_optional:
            assert "authorization" not in server.requests[-1].headers
        found = [model.id for model in await list_models(profile(name, at(server)))]
        assert ("gpt-6-luna" in found) == vendor.info.lists_models


@pytest.mark.parametrize("name", HOSTED)
async def test_a_key_that_is_missing_or_wrong(name: str) -> None:
    """One line: the vendor, the variable, and the page where keys are made."""
    info = VENDORS[name].info
    variable = info.key_variables[-1]
    with placed(name) as server, mock.patch.dict(os.environ, {variable: "wrong-0123456789abcdef"}):
        (error,) = (await asked(profile(name, at(server)))).published(ErrorOccurred)
    assert error.kind == "authentication"
    assert_helps(f"{error.message} {error.hint}", name, "wrong-0123456789abcdef")
    with mock.patch.dict(os.environ, dict.fromkeys(info.key_variables, "")), pytest.raises(NotSetUpError) as caught:
        connect(profile(name, "https://host.test/v1"))
    assert_helps(f"{caught.value} {caught.value.hint}", name)


def assert_helps(line: str, name: str, key: str = KEY) -> None:
    info = VENDORS[name].info
    assert "\n" not in line
    assert info.vendor in line or name in line
    assert info.key_variables[-1] in line
    assert info.keys_url in line
    assert key not in line


@pytest.mark.parametrize("name", VENDORS)
async def test_a_wrong_model_and_a_wrong_address(name: str) -> None:
    """The model is named; an address at which nothing is gives the address, and what to check."""
    with placed(name) as server:
        (error,) = (await asked(profile(name, at(server), model="gpt-7"))).published(ErrorOccurred)
        assert error.kind == "not_found"
        assert "gpt-7" in error.message
        assert "model" in error.hint
        (error,) = (await asked(profile(name, f"{server.url}/elsewhere"))).published(ErrorOccurred)
        assert error.kind == "not_found"
        assert f"{server.url}/elsewhere" in error.message
        assert "base_url" in error.hint


@pytest.mark.parametrize("name", ["gpt", "anthropic"])
async def test_a_key_that_is_wrong_for_a_provider_of_asst(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same line as for a vendor."""
    info = BUILT_IN[name]
    monkeypatch.setenv(info.key_variables[-1], "wrong-0123456789abcdef")
    with ResponsesServer() if name == "gpt" else AnthropicServer() as server:
        (error,) = (await asked(Profile(name, name, options={"base_url": server.base_url}))).published(ErrorOccurred)
    assert error.kind == "authentication"
    assert all(words in error.hint for words in (info.key_variables[-1], info.vendor, info.keys_url))
    assert "wrong-0123456789abcdef" not in f"{error.message} {error.hint}"


async def test_a_key_that_is_wanted_and_not_sent() -> None:
    """A server on this machine may have a key: its variable is named, and one that is set is sent."""
    with VendorServer([[Say("ok")]], key=KEY) as server, mock.patch.dict(os.environ, {"TABBY_API_KEY": ""}):
        (error,) = (await asked(profile("tabbyapi", server.url))).published(ErrorOccurred)
        assert "No key was sent: set TABBY_API_KEY." in error.hint
        (error,) = (await asked(profile("chat-completions", server.url))).published(ErrorOccurred)
        assert "No key was sent: set api_key_env in the profile." in error.hint
        with mock.patch.dict(os.environ, {"TABBY_API_KEY": KEY}):
            assert (await asked(profile("tabbyapi", server.url))).events[-1] == AssistantMessageRetrieved("ok")


async def test_models_as_a_bare_list() -> None:
    """Together's list is no object."""
    with placed("together", faults=[Document('[{"id": "b"}, {"id": "a"}]')]) as server:
        assert [model.id for model in await list_models(profile("together", at(server)))] == ["a", "b"]


@pytest.mark.parametrize("name", HOSTED)
def test_a_vendor_needs_a_model(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """There is no model that everybody's key may use."""
    monkeypatch.setenv(VENDORS[name].info.key_variables[-1], KEY)
    with pytest.raises(NotSetUpError, match="names no model"):
        connect(profile(name, "https://host.test/v1", model=""))


async def test_a_local_server_needs_no_model() -> None:
    """Many have only one, and none is named to them."""
    with placed("llama-server", [Say("ok")]) as server:
        server.faults.add(Document('{"choices": [{"message": {"content": "ok"}}]}'))
        stage = await asked(profile("llama-server", at(server), model=""), stream=False)
        assert "model" not in server.requests[-1].json
    assert stage.events[-1] == AssistantMessageRetrieved("ok")


@pytest.mark.parametrize(
    ("options", "request_line", "query"),
    [
        ({}, "POST /openai/v1/chat/completions", {}),
        (
            {"deployment": "mine", "api_version": "2024-10-21"},
            "POST /openai/deployments/mine/chat/completions",
            {"api-version": "2024-10-21"},
        ),
    ],
)
@pytest.mark.parametrize("place", ["profile", "environment"])
async def test_azure(options: JSON, request_line: str, query: JSON, place: str) -> None:
    """The endpoint comes from the profile or the environment; a deployment with a version takes the older path."""
    prefix = request_line.split()[1].removesuffix("/chat/completions")
    with VendorServer([[Say("ok")]], key=KEY, prefix=prefix, header="api-key") as server:
        endpoint = {"endpoint": f"{server.url}/"} if place == "profile" else {}
        there = {} if endpoint else {"AZURE_OPENAI_ENDPOINT": server.url}
        with mock.patch.dict(os.environ, {"AZURE_OPENAI_API_KEY": KEY} | there):
            stage = await asked(profile("azure", **options, **endpoint))
        assert stage.events[-1] == AssistantMessageRetrieved("ok")
        (request,) = server.requests
        assert (str(request), dict(request.query)) == (request_line, query)
        assert "authorization" not in request.headers


def test_a_place_in_the_address_that_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error names the variable and the option; what cannot be an address is refused."""
    monkeypatch.setenv("CLOUDFLARE_API_TOKEN", KEY)
    monkeypatch.delenv("CLOUDFLARE_ACCOUNT_ID", raising=False)
    with pytest.raises(NotSetUpError, match="needs the account id") as caught:
        connect(profile("cloudflare"))
    assert "CLOUDFLARE_ACCOUNT_ID" in caught.value.hint
    assert caught.value.data["option"] == "account-id"
    monkeypatch.setenv("AZURE_OPENAI_API_KEY", KEY)
    with pytest.raises(NotSetUpError, match="not the URL of a server"):
        connect(profile("azure", endpoint="resource"))


# ---- headers and query of the profile ------------------------------------------------------------------------------------


async def test_headers_and_query_of_the_profile() -> None:
    """Both are sent with every request, and `${NAME}` is the key of that name, which no message shows."""
    own: JSON = {
        "headers": {"X-Title": "asst", "cf-aig-authorization": "Bearer ${GATEWAY_KEY}"},
        "query": {"region": "eu"},
    }
    with placed("groq", [Say("ok")]) as server, mock.patch.dict(os.environ, {"GATEWAY_KEY": "gateway-0123456789"}):
        await asked(profile("groq", at(server), **own))
        request = server.requests[-1]
        assert request.headers["x-title"] == "asst"
        assert request.headers["cf-aig-authorization"] == "Bearer gateway-0123456789"
        assert dict(request.query) == {"region": "eu"}
        server.faults.add(Status(400, message="Bad header: Bearer gateway-0123456789"))
        (error,) = (await asked(profile("groq", at(server), **own))).published(ErrorOccurred)
    assert "gateway-0123456789" not in error.message


@pytest.mark.parametrize("table", ["headers", "query"])
def test_a_key_in_plain_text_is_refused(table: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file with the profiles holds no key; one that is missing is named."""

    def with_table(values: JSON) -> Profile:
        return Profile("groq", "groq", "m", options={table: values})

    monkeypatch.setenv("GROQ_API_KEY", KEY)
    with pytest.raises(NotSetUpError, match="key in plain text") as caught:
        connect(with_table({"x-api-key": "sk-0123456789abcdef"}))
    assert "sk-0123456789abcdef" not in f"{caught.value} {caught.value.hint}"
    with pytest.raises(NotSetUpError, match="OTHER_KEY is not set"):
        connect(with_table({"x-api-key": "${OTHER_KEY}"}))


# ---- quirks: what is sent ------------------------------------------------------------------------------------------------


CALL = ToolCall("call_0123456789abcdef", "add", '{"a": 1}')
STOPPED: list[Item] = [
    UserMessage("hi"),
    AssistantMessage("", (CALL,)),
    ToolOutputs((ToolResult(CALL.call_id, "1"),)),
    UserMessage("and?"),
]


def test_roles_alternate_where_that_is_demanded() -> None:
    """A message after tool results that were never read gets a short message of the assistant before it."""
    roles = [[m["role"] for m in messages(STOPPED, Quirks(alternate=on))] for on in (False, True)]
    assert roles == [["user", "assistant", "tool", "user"], ["user", "assistant", "tool", "assistant", "user"]]
    assert all(
        message["content"] or message.get("tool_calls") for message in messages(STOPPED, VENDORS["mistral"].quirks)
    )


def test_ids_of_calls_fit() -> None:
    """Nine letters and digits, the same for the call and its result in every request; one that fits is kept."""
    for call_id, same in (("functions.x:0", False), ("call_é", False), ("abcDEF123", True)):
        call_and_result = (
            AssistantMessage("", (ToolCall(call_id, "add", "{}"),)),
            ToolOutputs((ToolResult(call_id, "1"),)),
        )
        items: list[Item] = [*call_and_result]
        call, result = messages(items, VENDORS["mistral"].quirks)
        renamed = call["tool_calls"][0]["id"]
        assert re.fullmatch("[a-zA-Z0-9]{9}", renamed)
        assert renamed == result["tool_call_id"] == messages(items, VENDORS["mistral"].quirks)[1]["tool_call_id"]
        assert (renamed == call_id) == same


@given(st.sets(st.text(), min_size=2, max_size=20))
def test_different_ids_stay_different(ids: set[str]) -> None:
    """However similar they are."""
    sent = messages([ToolOutputs(tuple(ToolResult(one, "1") for one in sorted(ids)))], Quirks(call_id=9))
    assert len({message["tool_call_id"] for message in sent}) == len(ids)


@pytest.mark.parametrize(
    ("name", "given_settings", "sent", "notices"),
    [
        ("groq", {"max_tokens": 9}, {"max_completion_tokens": 9}, 0),
        ("mistral", {"max_completion_tokens": 9}, {"max_tokens": 9}, 0),
        ("cerebras", {"max_tokens": 9}, {"max_tokens": 9}, 0),
        ("zai", {"tool_choice": "required"}, {}, 1),
        ("zai", {"tool_choice": "auto"}, {"tool_choice": "auto"}, 0),
        ("moonshot", {"temperature": 0.3, "seed": 1}, {"seed": 1}, 1),
        ("groq", {"logprobs": True, "logit_bias": {}}, {}, 2),
        ("together", {"n": 3}, {}, 1),
    ],
)
async def test_settings(name: str, given_settings: JSON, sent: JSON, notices: int) -> None:
    """A limit has the vendor's name for it; what the vendor refuses is left out, and the person is told."""
    with placed(name, [Say("ok")]) as server:
        assistant: Any = connect(profile(name, at(server)))
        said = [event async for event in assistant.start_processing(Turn("hi", stream=False, settings=given_settings))]
        await assistant.aclose()
        assert {k: v for k, v in server.requests[-1].json.items() if k not in ("model", "messages")} == sent
    assert said[-1] == AssistantMessageRetrieved("ok")
    assert sum(isinstance(event, Notice) for event in said) == notices


@pytest.mark.parametrize("name", CHATTING)
async def test_a_stream_asks_for_usage_where_it_must(name: str) -> None:
    """`stream_options` goes only to those that need it; with tools, a server that cannot stream them is not asked to."""
    with placed(name, [Call("add", {"a": 1})], [Say("ok")]) as server:
        stage = await asked(profile(name, at(server)), tools=[add])
        quirks = VENDORS[name].quirks
        for request in server.requests:
            assert ("stream" in request.json) == quirks.streams_tools
            assert ("stream_options" in request.json) == (quirks.asks_for_usage and quirks.streams_tools)
    assert stage.events[-1].text == "ok"  # type: ignore[union-attr]


async def test_a_server_that_turns_out_to_demand_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is asked once more, with turns, and from then on at once."""
    message = "After the optional system message, conversation roles must alternate user and assistant roles."
    with placed("vllm", [Say("one")], [Say("two")]) as server:
        server.faults.add(Status(400, message=message, first=1))
        assistant: Any = connect(profile("vllm", at(server)))
        for text in ("one", "two"):
            turn = Turn("and?", history=tuple(STOPPED[:-1]))
            assert [event async for event in assistant.start_processing(turn)][-1] == AssistantMessageRetrieved(text)
        await assistant.aclose()
        roles = [[message["role"] for message in request.json["messages"]] for request in server.requests]
    assert [len(one) for one in roles] == [4, 5, 5]


# ---- reasoning -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize(
    ("name", "sent"),
    [
        ("vllm", [[None], [None, "first"], [None, None, None, None]]),  # only in the round in which it came
        ("together", [[None], [None, "first"], [None, "first", None, None]]),  # with every call
        ("deepseek", [[None], [None, "first"], [None, "first", "then", None]]),  # always
    ],
)
async def test_reasoning_goes_back(name: str, sent: list[list[str | None]], stream: bool) -> None:
    """As far as the vendor wants it, in the field in which it came."""
    turns = [[Think("first"), Call("add", {"a": 1})], [Think("then"), Say("3")], [Say("yes")]]
    with placed(name, *turns) as server:
        stage = Stage(assistant=connect(profile(name, at(server))), tools=[add], stream=stream)
        for text in ("sum?", "sure?"):
            await stage.conversation.exchange(text)
        await stage.conversation.aclose()
        bodies = [request.json["messages"] for request in server.requests]
    stage.assert_conforms()
    assert [event.text for event in stage.published(Reasoning)] == ["first", "then"]
    told = [[m.get("reasoning_content") for m in body if m["role"] in ("user", "assistant")] for body in bodies]
    assert told == sent


def test_a_vendor_that_demands_reasoning_gets_some() -> None:
    """DeepSeek and Moonshot refuse calls without it, also those that another model has made."""
    sent = messages(STOPPED, VENDORS["deepseek"].quirks)
    assert sent[1]["reasoning_content"].isspace()
    assert "reasoning_content" not in messages(STOPPED)[1]


DETAILS = [
    {"type": "reasoning.text", "index": 0, "text": "Let me ", "signature": None},
    {"type": "reasoning.text", "index": 0, "text": "see", "signature": "sig"},
    {"type": "reasoning.encrypted", "index": 1, "data": "…"},
]
JOINED = [
    {"type": "reasoning.text", "index": 0, "text": "Let me see", "signature": "sig"},
    {"type": "reasoning.encrypted", "index": 1, "data": "…"},
]
FUNCTION = {"name": "add", "arguments": "{}"}


def chunk(finish: str | None = None, **delta: Any) -> JSON:
    return {"choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}


def read(*events: Mapping[str, Any]) -> list[Any]:
    reader = Reader(remembers=True)
    said = [said for event in events for said in reader.feed(dict(event))]
    return [*said, *reader.end()]


def test_details_of_reasoning_go_back_unchanged() -> None:
    """OpenRouter's, joined from their pieces; what a server adds to a call (Google's signatures) goes back with it."""
    extra = {"google": {"thought_signature": "s"}}
    call = {"index": 0, "id": "c", "type": "function", "function": FUNCTION, "extra_content": extra}
    events = [chunk(reasoning=one.get("text"), reasoning_details=[one]) for one in DETAILS]
    *said, closing = read(*events, chunk(tool_calls=[call]), chunk("tool_calls"))
    assert "".join(event.text for event in said if isinstance(event, Reasoning)) == "Let me see"
    assert isinstance(closing, ActionRequired)
    (sent,) = messages([AssistantMessage("", closing.calls, closing.raw)], VENDORS["openrouter"].quirks)
    assert sent["reasoning_details"] == JOINED
    assert "reasoning" not in sent
    assert sent["tool_calls"] == [{"id": "c", "type": "function", "function": FUNCTION, "extra_content": extra}]


@pytest.mark.parametrize(
    "pieces",
    [
        [{"reasoning_content": "hm"}, {"content": "yes"}],
        [{"reasoning": "hm"}, {"content": "yes"}],
        [{"reasoning": "hm", "reasoning_content": "hm"}, {"content": "yes"}],
        [{"content": [{"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]}]}, {"content": "yes"}],
        [{"content": [{"type": "text", "text": "yes"}], "reasoning": "hm"}],
        [{"content": "<think>hm</think>\n\nyes"}],
        [{"content": "<thi"}, {"content": "nk>\nh"}, {"content": "m</th"}, {"content": "ink>"}, {"content": "\n\nyes"}],
    ],
)
def test_spellings_of_reasoning(pieces: list[JSON]) -> None:
    """It is never part of the answer; in a stream or in one reply."""
    streamed = read(*(chunk(**piece) for piece in pieces), chunk("stop"))
    assert "".join(event.text for event in streamed if isinstance(event, Reasoning)) == "hm"
    assert "".join(event.text for event in streamed if isinstance(event, ChunkReceived)) == "yes"
    assert streamed[-1].text == "yes"
    if len(pieces) == 1:
        whole = list(Reader().reply({"choices": [{"message": pieces[0], "finish_reason": "stop"}]}))
        assert whole == [Reasoning("hm"), AssistantMessageRetrieved("yes")]


@pytest.mark.parametrize(
    ("text", "thought", "answer"),
    [
        ("yes <think>no</think>", "", "yes <think>no</think>"),
        ("<thing>", "", "<thing>"),
        ("  <think>a<b</think>c", "a<b", "c"),
        ("<think>never ends </", "never ends </", ""),
        ("<think></think>yes", "", "yes"),
        ("<thin", "", "<thin"),
        (" ", "", " "),
    ],
)
@given(data=st.data())
def test_tags_in_the_text(text: str, thought: str, answer: str, data: st.DataObject) -> None:
    """Only at the beginning, and however the text is cut up."""
    cuts = sorted({0, len(text), *data.draw(st.lists(st.integers(0, len(text))))})
    tags = ThinkTags()
    said = [one for a, b in pairwise(cuts) for one in tags.add(text[a:b])] + list(tags.rest())
    assert "".join(words for inside, words in said if inside) == thought
    assert "".join(words for inside, words in said if not inside) == answer


# ---- which protocol a server speaks --------------------------------------------------------------------------------------

ONLY_CHAT, ONLY_RESPONSES = ("chat/completions", "models"), ("responses", "models")


@pytest.mark.parametrize("written", ["", "/v1"])
@pytest.mark.parametrize("prefix", ["", "/v1", "/openai/v1"])
@pytest.mark.parametrize(
    ("speaks", "owner", "best"),
    [
        (ONLY_CHAT, "system", CHAT),
        (ONLY_RESPONSES, "system", RESPONSES),
        (("chat/completions", "responses", "models"), "system", RESPONSES),
        (("chat/completions", "responses", "models"), "llamacpp", CHAT),
    ],
)
async def test_a_server_is_found_out(speaks: tuple[str, ...], owner: str, best: str, prefix: str, written: str) -> None:
    """What it speaks, and where, with or without `/v1` in the address; llama.cpp's Responses are the worse choice."""
    with VendorServer(speaks=speaks, prefix=prefix, owner=owner, key="") as server:
        address = server.url + prefix.removesuffix("/v1") + written
        found = await find_protocol(address, lambda one: HttpTransport(one, {}))
        assert found is not None
        assert (found.base_url, found.best) == (server.url + prefix, best)
        assert all(request.json == {} for request in server.requests)
        await server.eventually(lambda server: server.open_connections == 0)


async def test_a_server_that_cannot_be_found_out() -> None:
    """A refused key is an error, and a web page is not an API; LM Studio refuses with the status of a success."""

    async def found(*faults: Any) -> Found | None:
        with VendorServer(key=KEY, prefix="/v1", faults=faults) as server:
            headers = {} if not faults else {"Authorization": f"Bearer {KEY}"}
            return await find_protocol(f"{server.url}/v1", lambda one: HttpTransport(one, headers))

    with pytest.raises(AssistantError, match="401"):
        await found()
    assert await found(Html()) is None
    unexpected = Document('{"error": "Unexpected endpoint or method. (POST /v1/responses)"}', on="responses")
    there = await found(unexpected)
    assert there is not None
    assert (there.chat, there.responses) == (True, False)


@pytest.mark.parametrize("provider", ["gpt", "local", "xai"])
@pytest.mark.parametrize("stream", [True, False])
async def test_a_server_without_responses(provider: str, stream: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """That it speaks Chat Completions is found out and said, once the request failed."""
    monkeypatch.setenv("SERVER_KEY", KEY)
    with VendorServer(speaks=ONLY_CHAT, prefix="/v1", key=KEY) as server:
        own = {"base_url": server.base_url, "api_key_env": "SERVER_KEY"}
        (error,) = (await asked(Profile("mine", provider, "m", options=own), stream=stream)).published(ErrorOccurred)
        posts = [str(request) for request in server.requests if request.method == "POST"]
    assert posts == ["POST /v1/responses", "POST /v1/chat/completions"]
    assert error.message == f"{server.base_url} speaks Chat Completions, and not the Responses API."
    assert (error.code, dict(error.data)["base_url"]) == ("speaks_chat_completions", server.base_url)
    assert dict(error.data)["provider"] == ("local" if provider == "local" else "chat-completions")


async def test_a_server_with_neither(monkeypatch: pytest.MonkeyPatch) -> None:
    """Then nothing more is claimed than before."""
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    with VendorServer(speaks=("models",), prefix="/v1", key=KEY) as server:
        (error,) = (await asked(Profile("gpt", "gpt", options={"base_url": server.base_url}))).published(ErrorOccurred)
    assert (error.kind, error.code) == ("not_found", "api_missing")


async def test_local_over_chat_completions() -> None:
    """With `api`, the profile `local` asks a server over the other protocol; a cut answer is told."""
    with VendorServer([[Say("Hello.")]], speaks=ONLY_CHAT, prefix="/v1", key="") as server:
        own = {"base_url": server.base_url, "api": "chat-completions"}
        stage = await asked(Profile("local", "local", "gpt-6-luna", options=own))
    assert stage.events[-1] == AssistantMessageRetrieved("Hello.")
    assert stage.published(Started)[0].provider == "local"

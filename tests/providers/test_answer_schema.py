"""Schemas of answers on the wire: what each API is sent, and what happens where it refuses; the laws of the rewriting."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

import pytest
from hypothesis import assume, given
from jsonschema import Draft202012Validator
from openai.lib._pydantic import to_strict_json_schema
from pydantic import BaseModel

from asstproxy.config.profiles import Profile
from asstproxy.core.answer_schema import AnswerSchema, one_line
from asstproxy.core.errors import AssistantError, UsageError
from asstproxy.core.events import ActionRequired, AssistantMessageRetrieved, SchemaMismatch, TakenOver, ToolCall
from asstproxy.core.roles import AssistantProxy, SchemaSupport
from asstproxy.core.script import State
from asstproxy.providers import connect
from asstproxy.providers.answer_schema import CLAUDE_DIALECT as ANTHROPIC
from asstproxy.providers.answer_schema import OPENAI, Dialect, NotExpressibleError, named_schema, rewritten
from asstproxy.providers.fallback import Candidate, with_fallbacks
from asstproxy.providers.gemini.provider import DIALECT as GEMINI
from asstproxy.providers.local.local import LocalProvider
from asstproxy.providers.scripted import ScriptedProvider, say
from asstproxy.tools import tool
from core.schema_strategies import Case, cases, filled, without_nulls
from core.stage import Stage
from servers import (
    AnthropicServer,
    Call,
    GeminiServer,
    InteractionsServer,
    ResponsesServer,
    Say,
    Script,
    Status,
)

JSON = dict[str, Any]
PERSON: JSON = {
    "title": "A Dog!",
    "type": "object",
    "properties": {
        "name": {"type": "string", "minLength": 1},
        "age": {"type": "integer", "minimum": 0, "description": "in years"},
    },
    "required": ["name"],
}
MAP: JSON = {
    "type": "object",
    "properties": {"ages": {"type": "object", "additionalProperties": {"type": "integer"}}},
    "required": ["ages"],
}
GOOD, DATA = '{"name": "Rex", "age": null}', '{"name":"Rex"}'
STRICT = {
    "type": "object",
    "title": "A Dog!",
    "properties": {
        "name": {"type": "string", "description": "(at least 1 characters)"},
        "age": {"type": ["integer", "null"], "minimum": 0, "description": "in years"},
    },
    "required": ["name", "age"],
    "additionalProperties": False,
}

# ---- laws ----------------------------------------------------------------------------------------------------------------


def _allows(schema: JSON, data: Any) -> bool:
    return bool(Draft202012Validator(schema).is_valid(data))


@pytest.mark.parametrize("dialect", [OPENAI, ANTHROPIC, GEMINI], ids=["openai", "anthropic", "gemini"])
@given(case=cases())
def test_what_is_sent_allows_all_that_fits(dialect: Dialect, case: Case) -> None:
    """Law: an answer that fits the original fits what an API is sent; in strict mode, with null for what is absent."""
    try:
        sent = rewritten(case.schema, dialect)
    except NotExpressibleError:
        assume(False)
    data = filled(case.data, case.schema, case.schema) if dialect.required else case.data
    assert _allows(sent, data), (sent, data)


@given(cases())
def test_strict_schemas_are_closed_and_require_all(case: Case) -> None:
    """Law: in strict mode each object forbids other members and requires its own, and no keyword is unknown to the API."""
    try:
        sent = rewritten(case.schema, OPENAI)
    except NotExpressibleError:
        assume(False)
    for node in _nodes(sent):
        if "properties" in node:
            assert node["additionalProperties"] is False
            assert node["required"] == list(node["properties"])
        unknown = {"minLength", "maxLength", "allOf", "oneOf", "default", "not", "patternProperties"}
        assert not unknown & node.keys()
        assert "$ref" not in node or node.keys() == {"$ref"}


def _nodes(node: Any) -> Iterator[JSON]:
    if isinstance(node, dict):
        if {"type", "properties", "anyOf", "$ref"} & node.keys() and not isinstance(node.get("type"), dict):
            yield node
        for key, value in node.items():
            if key not in ("enum", "const"):
                yield from _nodes(value)
    if isinstance(node, list):
        for one in node:
            yield from _nodes(one)


@given(cases())
def test_strict_answers_are_read_by_the_original(case: Case) -> None:
    """Law: what strict mode makes of an answer is read back as the answer, but for nulls."""
    given_back = filled(case.data, case.schema, case.schema)
    read = AnswerSchema(case.schema).read(one_line(given_back))
    assert without_nulls(read) == without_nulls(case.data)


class Inner(BaseModel):
    """A part."""

    kind: str


class Outer(BaseModel):
    """A whole, with all members required: then our strict schema and that of OpenAI's SDK may not differ."""

    name: str
    inner: Inner
    maybe: int | None
    many: list[Inner]


def test_strict_schema_is_that_of_openai_s_sdk() -> None:
    """Oracle: for a model without optional members, ours is what the SDK would send."""
    assert rewritten(Outer.model_json_schema(), OPENAI) == to_strict_json_schema(Outer)


@pytest.mark.parametrize(
    "part",
    [
        {},
        True,
        {"type": "object"},
        {"type": "array"},
        {"type": "object", "properties": {}, "additionalProperties": True},
        {"type": "object", "properties": {}, "patternProperties": {"^a": {"type": "string"}}},
        {"type": "object", "properties": {}, "required": ["a"]},
        {"type": "array", "prefixItems": [{"type": "string"}], "items": {"type": "string"}},
        {"allOf": [{"type": "object", "properties": {}}, {"type": "object", "properties": {}}]},
    ],
    ids=json.dumps,
)
def test_what_strict_mode_cannot_express_is_sent_as_it_is(part: Any) -> None:
    """A closed object can't have members without names: not strict, and nothing is lost."""
    schema = {"type": "object", "properties": {"a": part}, "required": ["a"]}
    assert named_schema(schema) == {"name": "answer", "schema": schema, "strict": False}


@pytest.mark.parametrize(
    ("title", "name"), [("A Dog!", "A_Dog"), ("", "answer"), ("犬", "answer"), ("x" * 99, "x" * 64), (None, "answer")]
)
def test_name_is_what_openai_accepts(title: str | None, name: str) -> None:
    """At most 64 letters, digits, `_` and `-`."""
    assert named_schema({"title": title} | {k: v for k, v in PERSON.items() if k != "title"})["name"] == name


# ---- each API ------------------------------------------------------------------------------------------------------------


@contextmanager
def _server(kind: Callable[..., Any], variable: str, *turns: Any) -> Iterator[Any]:
    with kind(Script(*turns)) as server, mock.patch.dict(os.environ, {variable: server.key}):
        yield server


async def _asked(assistant: AssistantProxy, schema: JSON = PERSON, **how: Any) -> Stage:
    stage = Stage(assistant=assistant, **how)
    last = await stage.conversation.exchange("a dog", schema=schema)
    await stage.conversation.aclose()
    stage.assert_conforms()
    assert last.state is State.COMPLETED, last.event
    return stage


def _profile(provider: str, server: Any, model: str, **options: Any) -> Profile:
    return Profile(provider, provider, model=model, options={"base_url": server.base_url} | options)


@tool(read_only=True)
def today() -> str:
    """The date."""
    return "2026-11-28"


@pytest.mark.parametrize("stream", [True, False], ids=["streamed", "whole"])
async def test_gpt(stream: bool) -> None:
    """`text.format`, strict, next to what a setting has in `text`; with the results of tools, too."""
    with _server(ResponsesServer, "OPENAI_API_KEY", [Call("today")], [Say(GOOD)]) as server:
        assistant = connect(_profile("gpt", server, "gpt-6-luna"))
        stage = await _asked(assistant, tools=[today], stream=stream)
        bodies = [request.json for request in server.requests]
    assert stage.events[-1] == AssistantMessageRetrieved(DATA, stage.events[-1].raw)  # type: ignore[union-attr]
    form = {"type": "json_schema", "name": "A_Dog", "schema": STRICT, "strict": True}
    assert [body["text"] for body in bodies] == [{"format": form}] * 2


async def test_gpt_keeps_what_a_setting_says_of_the_text() -> None:
    """`settings = { text = { verbosity = "low" } }` is sent next to the schema."""
    from asstproxy.core.turn import Turn
    from asstproxy.providers.openai.wire import request

    body = request(Turn("hi", settings={"text": {"verbosity": "low"}}, schema=PERSON), [])
    assert body["text"]["verbosity"] == "low"
    assert body["text"]["format"]["strict"] is True


async def test_a_conversation_at_the_server_sees_the_correction() -> None:
    """With `history = "server"`, the answer that did not fit is there already, and only the correction is sent."""
    with _server(ResponsesServer, "OPENAI_API_KEY", [Say("Rex")], [Say(GOOD)]) as server:
        stage = await _asked(connect(_profile("gpt", server, "gpt-6-luna", history="server")))
        asked = [request.json for request in server.requests if str(request) == "POST /v1/responses"]
        seen = server.contexts[-1]
    assert len(stage.published(SchemaMismatch)) == 1
    assert [len(body["input"]) for body in asked] == [1, 1]
    assert asked[0]["conversation"] == asked[1]["conversation"]
    assert [item["role"] for item in seen] == ["user", "assistant", "user"]


@pytest.mark.parametrize("api", ["generate", "interactions"])
async def test_gemini(api: str) -> None:
    """`responseJsonSchema`; Interactions: `response_format`. Without references, `const` and `pattern`."""
    schema = {
        "type": "object",
        "properties": {
            "name": {"$ref": "#/$defs/Name", "description": "of the dog"},
            "kind": {"const": "dog", "default": "dog"},
            "ages": {"type": "object", "additionalProperties": {"type": "integer"}},
        },
        "required": ["name"],
        "$defs": {"Name": {"type": "string", "pattern": "^R"}},
    }
    sent = {
        "type": "object",
        "properties": {
            "name": {"type": "string", "description": 'of the dog (pattern "^R")'},
            "kind": {"enum": ["dog"], "description": '(default "dog")'},
            "ages": {"type": "object", "additionalProperties": {"type": "integer"}},
        },
        "required": ["name"],
    }
    kind = GeminiServer if api == "generate" else InteractionsServer
    with _server(kind, "GEMINI_API_KEY", [Say("Rex")], [Say('{"name": "Rex"}')]) as server:
        profile = Profile("gemini", "gemini", options={"base_url": server.url, "api": api})
        stage = await _asked(connect(profile), schema)
        bodies = [request.json for request in server.requests]
    assert len(stage.published(SchemaMismatch)) == 1
    for body in bodies:
        if api == "generate":
            config = body["generationConfig"]
            assert (config["responseMimeType"], config["responseJsonSchema"]) == ("application/json", sent)
        else:
            form = {"type": "text", "mime_type": "application/json", "schema": sent}
            assert body["response_format"] == form
    if api == "interactions":
        assert bodies[1]["previous_interaction_id"]
        assert len(bodies[1]["input"]) == 1


async def test_gemini_that_refuses_a_schema_next_to_tools() -> None:
    """A 400 that says so: the function `answer` is offered instead, to the end of the conversation."""
    words = "Function calling with a response mime type: 'application/json' is unsupported"
    refusal = Status(400, message=words, on="generateContent|GenerateContent", first=1)
    with _server(GeminiServer, "GEMINI_API_KEY", [Call("today")], [Call("answer", {"name": "Rex"})]) as server:
        server.faults.add(refusal)
        stage = await _asked(connect(Profile("gemini", "gemini", options={"base_url": server.url})), tools=[today])
        bodies = [request.json for request in server.requests]
    assert stage.events[-1] == AssistantMessageRetrieved(DATA)
    assert "responseJsonSchema" in bodies[0]["generationConfig"]
    for body in bodies[1:]:
        assert "generationConfig" not in body
        names = [one["name"] for one in body["tools"][0]["functionDeclarations"]]
        assert names == ["today", "answer"]


async def test_anthropic() -> None:
    """`output_config.format`, with closed objects, next to the effort of a setting; limits are put into words."""
    from asstproxy.core.history import UserMessage
    from asstproxy.core.turn import Turn

    with _server(AnthropicServer, "ANTHROPIC_API_KEY", [Say("Rex")], [Say(GOOD)]) as server:
        assistant: Any = connect(Profile("anthropic", "anthropic", options={"base_url": server.url}))
        await _asked(assistant)
        bodies = [request.json for request in server.requests]
    schema = bodies[1]["output_config"]["format"]["schema"]
    assert bodies[0]["output_config"] == bodies[1]["output_config"]
    assert bodies[0]["output_config"]["format"]["type"] == "json_schema"
    assert schema["additionalProperties"] is False
    assert schema["required"] == ["name"]
    assert schema["properties"]["age"] == {"type": "integer", "description": "in years (at least 0)"}
    turn = Turn("hi", model="m", settings={"output_config": {"effort": "low"}}, schema=PERSON)
    assert assistant.request(turn, [UserMessage("hi")])[1]["output_config"].keys() == {"effort", "format"}


@pytest.mark.parametrize("refused", [False, True], ids=["not expressible", "refused"])
async def test_anthropic_by_function(refused: bool) -> None:
    """A map of names, which closed objects can't express, and a model that knows no schemas: the function `answer`."""
    turns = [[Call("answer", {"ages": {"Rex": 3}})], [Say("fine")]]
    with _server(AnthropicServer, "ANTHROPIC_API_KEY", *turns) as server:
        if refused:
            words = "output_config.format: Extra inputs are not permitted"
            server.faults.add(Status(400, message=words, on="POST /v1/messages$", first=1))
        assistant = connect(Profile("anthropic", "anthropic", options={"base_url": server.url}))
        stage = Stage(assistant=assistant)
        schema = {**MAP, "properties": {"ages": {"type": "object", "properties": {"Rex": {"type": "integer"}}}}}
        last = await stage.conversation.exchange("ages", schema=schema if refused else MAP)
        assert last.event == AssistantMessageRetrieved('{"ages":{"Rex":3}}')
        assert (await stage.conversation.exchange("thanks")).state is State.COMPLETED  # no call dangles
        await stage.conversation.aclose()
        bodies = [request.json for request in server.requests]
    assert "output_config" not in bodies[-2]
    assert [one["name"] for one in bodies[-2]["tools"]] == ["answer"]
    assert "tools" not in bodies[-1]


CHAT = "POST /v1/chat/completions$"


@pytest.mark.parametrize(
    ("refusals", "turn"),
    [
        ([], [Say(GOOD)]),
        (["This model does not support response format `json_schema`."], [Say(GOOD)]),
        (
            ["This response_format type is unavailable now", "Unknown field: response_format"],
            [Call("answer", {"name": "Rex"})],
        ),
    ],
    ids=["json_schema", "json_object", "function"],
)
async def test_chat_completions(refusals: list[str], turn: Any) -> None:
    """`json_schema`, else `json_object` with the schema in the instructions, else the function `answer`."""
    with _server(ResponsesServer, "CHAT_KEY", turn, turn) as server:
        for number, words in enumerate(refusals):
            server.faults.add(Status(400, message=words, on=CHAT, skip=number, first=1))
        assistant = connect(_profile("chat-completions", server, "gpt-6-luna", api_key_env="CHAT_KEY"))
        stage = Stage(assistant=assistant)
        for _ in range(2):
            last = await stage.conversation.exchange("a dog", schema=PERSON)
            assert last.event == AssistantMessageRetrieved(DATA)
        await stage.conversation.aclose()
        bodies = [request.json for request in server.requests]
    assert len(bodies) == len(refusals) + 2, "what was refused once is not sent again"
    strict = {"type": "json_schema", "json_schema": {"name": "A_Dog", "schema": STRICT, "strict": True}}
    assert bodies[0]["response_format"] == strict
    for body in bodies[-2:]:
        if len(refusals) == 1:
            assert body["response_format"] == {"type": "json_object"}
            assert json.dumps(PERSON) in body["messages"][0]["content"]
        elif refusals:
            assert "response_format" not in body
            assert body["tools"][0]["function"]["parameters"] == PERSON


async def test_a_400_about_something_else_is_a_failure() -> None:
    """The schema is not blamed for it."""
    with _server(ResponsesServer, "CHAT_KEY", [Say(GOOD)]) as server:
        server.faults.add(Status(400, message="The temperature must be below 2.", on=CHAT))
        stage = Stage(assistant=connect(_profile("chat-completions", server, "gpt-6-luna", api_key_env="CHAT_KEY")))
        assert (await stage.conversation.exchange("a dog", schema=PERSON)).state is State.ERROR
        await stage.conversation.aclose()
        assert len(server.requests) == 1


async def test_local_servers() -> None:
    """llama.cpp's own `json_schema` is sent next to `text.format`; a server that refuses the key is asked without it."""
    with _server(ResponsesServer, "OPENAI_API_KEY", [Say(GOOD)]) as server:
        assistant = connect(_profile("local", server, "gpt-6-luna", api_key_env="OPENAI_API_KEY"))
        assert isinstance(assistant, LocalProvider)
        stage = Stage(assistant=assistant)
        last = await stage.conversation.exchange("a dog", schema=PERSON)
        await stage.conversation.aclose()
        bodies = [request.json for request in server.requests if request.method == "POST"]
    assert bodies[0]["json_schema"] == PERSON
    assert bodies[0]["text"]["format"]["schema"] == STRICT
    assert "json_schema" not in bodies[1]  # this server is as strict as OpenAI's
    assert bodies[1]["text"] == bodies[0]["text"]
    assert last.event.text == DATA  # type: ignore[union-attr]


class Structured(ScriptedProvider):
    structured = SchemaSupport(recursive=True)


async def test_another_assistant_that_takes_over_gets_the_schema_too() -> None:
    """One whose API knows no schemas gets the function; what it answered wrongly, it corrects itself."""
    first = Structured([AssistantError("server", "Down.")])
    second = ScriptedProvider([ActionRequired((ToolCall("c", "answer", "{}"),))], say(GOOD))
    assistant = with_fallbacks([Candidate("gpt", first, {}), Candidate("mine", second, {})])
    stage = Stage(assistant=assistant)
    last = await stage.conversation.exchange("a dog", schema=PERSON)
    stage.assert_conforms()
    assert last.event == AssistantMessageRetrieved(DATA)
    assert [len(one.turns) for one in (first, second)] == [1, 2]
    assert first.turns[0].schema == PERSON
    for turn in second.turns:
        assert turn.schema is None
        assert [spec.name for spec in turn.tools] == ["answer"]
    assert len(stage.published(TakenOver)) == 1
    tree = {"type": "object", "properties": {"kids": {"type": "array", "items": {"$ref": "#"}}}}
    with pytest.raises(UsageError, match="refers to itself"):  # the second one could not
        await stage.conversation.exchange("a tree", schema=tree)

"""generateContent, from us to Google: what a turn becomes."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import BaseModel, Field

from asstproxy.core.events import ToolCall, ToolResult
from asstproxy.core.history import AssistantMessage, Item, ToolOutputs, UserMessage
from asstproxy.core.turn import ToolSpec, Turn
from asstproxy.providers.gemini.generate import UNSIGNED, contents, request
from asstproxy.providers.gemini.schema import inlined

HI = UserMessage("hi")
SIGNED = {"parts": [{"functionCall": {"name": "f", "args": {"a": 1}, "id": "c1"}, "thoughtSignature": "c2ln"}]}


def test_a_plain_turn_sends_nothing_that_nobody_asked_for() -> None:
    """Without instructions, tools and settings the body is the contents."""
    assert request(Turn("hi", model="m"), [HI]) == {"contents": [{"role": "user", "parts": [{"text": "hi"}]}]}


def test_a_full_turn() -> None:
    """Instructions, tools and settings each have their place; Google's own tools stand beside ours."""
    turn = Turn(
        "hi",
        instructions="Be brief.",
        tools=(ToolSpec("f", "Does it.", {"type": "object"}), ToolSpec("g", "", {"type": "object"})),
        settings={
            "tools": [{"googleSearch": {}}],
            "max_output_tokens": 9,
            "generationConfig": {"seed": 1},
            "safetySettings": [],
            "tool_config": {"functionCallingConfig": {"mode": "ANY"}},
        },
    )
    body = request(turn, [HI])
    assert body["systemInstruction"] == {"parts": [{"text": "Be brief."}]}
    ours, googles = body["tools"]
    assert ours["functionDeclarations"] == [
        {"name": "f", "description": "Does it.", "parametersJsonSchema": {"type": "object"}},
        {"name": "g", "parametersJsonSchema": {"type": "object"}},
    ]
    assert googles == {"googleSearch": {}}
    assert body["generationConfig"] == {"maxOutputTokens": 9, "seed": 1}
    assert body["safetySettings"] == []
    assert body["toolConfig"] == {"functionCallingConfig": {"mode": "ANY"}}


@pytest.mark.parametrize(
    ("settings", "config"),
    [
        ({"thinkingConfig": {"includeThoughts": True}}, {"includeThoughts": True}),
        ({"thinking_summaries": "auto"}, {"includeThoughts": True}),
        ({"thinking_summaries": "none"}, {"includeThoughts": False}),
        ({"thinking_level": "low", "thinking_summaries": "auto"}, {"thinkingLevel": "low", "includeThoughts": True}),
    ],
)
def test_thinking_is_asked_for_in_the_words_of_either_api(settings: dict[str, Any], config: dict[str, Any]) -> None:
    """A profile may change its `api` and keep its settings."""
    assert request(Turn("hi", settings=settings), [HI])["generationConfig"] == {"thinkingConfig": config}


def test_what_the_model_said_goes_back_as_it_was_received() -> None:
    """Signed parts are sent as they are, and the result carries the id that the server gave."""
    said = AssistantMessage("", (ToolCall("c1", "f", '{"a": 1}'),), SIGNED)
    turns = contents([HI, said, ToolOutputs((ToolResult("c1", "2"),))])
    assert turns[1] == {"role": "model", "parts": SIGNED["parts"]}
    assert turns[2] == {
        "role": "user",
        "parts": [{"functionResponse": {"id": "c1", "name": "f", "response": {"output": "2"}}}],
    }


def test_a_history_of_another_model_is_told_in_neutral_words() -> None:
    """Calls of others have no id here and no signature; each result follows its call, failures as errors."""
    calls = (ToolCall("x1", "f", '{"a": 1}'), ToolCall("x2", "f", ""), ToolCall("x3", "g", "[broken"))
    results = (ToolResult("x1", "one"), ToolResult("x2", error="no"), ToolResult("x3", "three"))
    items: list[Item] = [HI, AssistantMessage("Let me see.", calls), ToolOutputs(results), AssistantMessage("")]
    assert contents(items) == [
        {"role": "user", "parts": [{"text": "hi"}]},
        {
            "role": "model",
            "parts": [
                {"text": "Let me see."},
                {"functionCall": {"name": "f", "args": {"a": 1}}},
                {"functionCall": {"name": "f", "args": {}}},
                {"functionCall": {"name": "g", "args": {"arguments": "[broken"}}},
            ],
        },
        {
            "role": "user",
            "parts": [
                {"functionResponse": {"name": "f", "response": {"output": "one"}}},
                {"functionResponse": {"name": "f", "response": {"error": "no"}}},
                {"functionResponse": {"name": "g", "response": {"output": "three"}}},
            ],
        },
    ]


def test_calls_without_a_signature_can_say_so() -> None:
    """After a refusal the first call of each reply carries Google's own word for it; what has a signature keeps it."""
    call = (ToolCall("x", "f", "{}"), ToolCall("y", "g", "{}"))
    own = AssistantMessage("", (ToolCall("c1", "f", '{"a": 1}'),), SIGNED)
    foreign, signed = contents([AssistantMessage("Well.", call), own], unsigned=True)
    assert [part.get("thoughtSignature") for part in foreign["parts"]] == [None, UNSIGNED, None]
    assert signed["parts"] == SIGNED["parts"]


def test_raw_of_the_other_api_is_not_ours() -> None:
    """A session that changes its `api` tells its history in neutral words."""
    said = AssistantMessage("hello", (), {"steps": [{"type": "thought", "signature": "s"}]})
    assert contents([said]) == [{"role": "model", "parts": [{"text": "hello"}]}]


class Address(BaseModel):
    street: str


class Person(BaseModel):
    name: str
    home: Address = Field(description="Where they live.")
    others: list[Address] = []


class Tree(BaseModel):
    left: Tree | None = None
    owner: Person | None = None


def test_definitions_are_written_out() -> None:
    """No reference is left, and its neighbours win over what it refers to."""
    schema = inlined(Person.model_json_schema())
    assert "$ref" not in str(schema)
    assert "$defs" not in schema
    assert schema["properties"]["home"]["description"] == "Where they live."
    assert schema["properties"]["home"]["properties"]["street"]["type"] == "string"
    assert schema["properties"]["others"]["items"]["required"] == ["street"]


def test_a_definition_that_contains_itself_stays() -> None:
    """It cannot be written out; its reference has no neighbours, which Google would refuse."""
    schema = inlined({"type": "object", "properties": {"tree": {"$ref": "#/$defs/Tree"}}} | _definitions(Tree))
    assert schema["properties"]["tree"] == {"$ref": "#/$defs/Tree"}
    assert "Tree" in schema["$defs"]
    plain: dict[str, Any] = {"type": "object", "properties": {"a": {"$ref": "#/properties/b"}, "b": {}}}
    assert inlined(plain) == plain
    odd = plain | {"$defs": {"X": {}}}
    assert inlined(odd) == odd


def _definitions(model: type[BaseModel]) -> dict[str, Any]:
    schema = model.model_json_schema()
    return {"$defs": schema["$defs"]}

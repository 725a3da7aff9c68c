"""The Responses protocol as pure functions, with OpenAI's own SDK as the oracle."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openai.types.responses import Response
from openai.types.responses.response_create_params import ResponseCreateParamsNonStreaming
from pydantic import TypeAdapter

from asstproxy.core.errors import AssistantError
from asstproxy.core.events import (
    ActionRequired,
    AssistantMessageRetrieved,
    ChunkReceived,
    Event,
    MessageIncomplete,
    Reasoning,
    ToolCall,
    ToolResult,
    Usage,
)
from asstproxy.core.history import AssistantMessage, History, Item, ToolOutputs, UserMessage
from asstproxy.core.turn import ToolSpec, Turn
from asstproxy.providers.openai.reader import Reader
from asstproxy.providers.openai.wire import input_items, request, user_item
from core.strategies import exchanges

PARAMS: TypeAdapter[Any] = TypeAdapter(ResponseCreateParamsNonStreaming)
JSON = dict[str, Any]
ADD = ToolSpec("add", "Add.", {"type": "object", "properties": {"a": {"type": "integer"}}})


def heard(events: Iterable[JSON]) -> list[Event]:
    """What the reader makes of a stream."""
    reader = Reader()
    said = [said for event in events for said in reader.feed(event)]
    return said + list(reader.end() if reader.done else ())


def as_sdk(body: JSON) -> Any:
    """The body as OpenAI's own request types have it; what they do not know is missing in it."""
    return _plain(PARAMS.validate_python(body))


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return value if isinstance(value, str | int | float | None) else [_plain(item) for item in value]


@given(session=st.lists(exchanges(), max_size=3), text=st.text(min_size=1, max_size=5))
def test_any_history_is_accepted_by_the_sdk(session: list[Sequence[Event]], text: str) -> None:
    """Whatever was said, by whomever, and wherever it was broken off: the request types know every field of it."""
    history = History()
    for event in chain(*session):
        history.feed(event)
    items = history.items("another", "model")
    turn = Turn(
        text, items, "Be brief.", "gpt-6-luna", (ADD,), {"max_output_tokens": 99, "reasoning": {"effort": "low"}}
    )
    body = request(turn, [*input_items(items), user_item(text)])
    assert as_sdk(body) == body


def test_a_setting_is_sent_only_when_it_was_set() -> None:
    """The least request is model and input; a setting of the user's has the last word, but `tools` are added to the functions."""
    assert request(Turn("hi", model="m"), []) == {"model": "m", "input": []}
    body = request(Turn("hi", model="m", settings={"temperature": 0, "model": "n", "tools": []}), [])
    assert body == {"model": "n", "input": [], "temperature": 0, "tools": []}
    body = request(Turn("hi", model="m", settings={"tools": [{"type": "web_search"}]}, tools=(ADD,)), [])
    assert [tool.get("name", tool["type"]) for tool in body["tools"]] == ["add", "web_search"]


def test_a_tool_is_not_strict() -> None:
    """Left out, `strict` is true for the API, which then refuses schemas with optional parameters."""
    (tool,) = request(Turn("hi", tools=(ADD,)), [])["tools"]
    assert tool == {
        "type": "function",
        "name": "add",
        "description": "Add.",
        "parameters": ADD.parameters,
        "strict": False,
    }


def test_neutral_history_as_items() -> None:
    """Each message is an item; a reply without text has none for it; an error is sent as an output."""
    call = ToolCall("c", "add", "{}")
    said: list[Item] = [
        UserMessage("hi"),
        AssistantMessage("", (call,)),
        ToolOutputs((ToolResult("c", error="no"),)),
        AssistantMessage("well"),
    ]
    assert input_items(said) == [
        {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "hi"}]},
        {"type": "function_call", "call_id": "c", "name": "add", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "c", "output": '{"error": "no"}'},
        {"type": "message", "role": "assistant", "content": "well"},
    ]


def test_raw_goes_back_unchanged() -> None:
    """What the provider said itself is sent instead of our words for it."""
    raw = [
        {"type": "reasoning", "id": "rs_1", "encrypted_content": "…", "summary": []},
        {"type": "message", "phase": "x"},
    ]
    assert input_items([AssistantMessage("our words", raw=raw)]) == raw


def message(text: str, **more: Any) -> JSON:
    part = {"type": "output_text", "text": text, "annotations": []}
    return {"type": "message", "id": "msg_1", "role": "assistant", "status": "completed", "content": [part], **more}


def called(call_id: str, arguments: str) -> JSON:
    return {"type": "function_call", "id": "fc_1", "call_id": call_id, "name": "add", "arguments": arguments}


THOUGHT: JSON = {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "…"}
USAGE = {
    "input_tokens": 5,
    "input_tokens_details": {"cached_tokens": 1, "cache_write_tokens": 0},
    "output_tokens": 4,
    "output_tokens_details": {"reasoning_tokens": 2},
    "total_tokens": 9,
}


def response(*output: JSON, status: str = "completed", **more: Any) -> JSON:
    return {"id": "resp_1", "object": "response", "status": status, "output": list(output), "usage": USAGE, **more}


texts = st.text(max_size=5)
arguments = texts.filter(lambda text: text.strip() != "null")  # which asst reads as no arguments
outputs = st.lists(
    st.builds(message, texts) | st.builds(called, st.uuids().map(str), arguments) | st.just(THOUGHT), max_size=4
)


@given(output=outputs)
def test_the_sdk_reads_the_same(output: list[JSON]) -> None:
    """Text, calls and usage are those that OpenAI's own model of a response finds."""
    sdk = Response.construct(**response(*output))
    usage, *notices, last = Reader().reply(response(*output))
    assert usage == Usage(5, 4, 1, 2)
    assert bool(notices) == (not sdk.output_text and all(item.type != "function_call" for item in sdk.output))
    assert isinstance(last, ActionRequired | AssistantMessageRetrieved)
    assert last.text == sdk.output_text
    calls = [(c.call_id, c.name, c.arguments.strip() or "{}") for c in sdk.output if c.type == "function_call"]
    ours = last.calls if isinstance(last, ActionRequired) else ()
    assert [(call.call_id, call.name, call.arguments.strip()) for call in ours] == calls


def test_a_refusal_is_the_answer() -> None:
    """What the model says instead of an answer is what the person reads."""
    item = message("") | {"content": [{"type": "refusal", "refusal": "I would rather not."}]}
    chunk = {"type": "response.refusal.delta", "delta": "I would rather not."}
    said = heard([chunk, {"type": "response.completed", "response": response(item)}])
    assert said == [ChunkReceived(chunk["delta"]), Usage(5, 4, 1, 2), AssistantMessageRetrieved(chunk["delta"])]


def test_commentary_is_no_part_of_the_answer() -> None:
    """It is heard as what it is, and goes back to the provider with its phase."""
    items = [message("Let me see.", phase="commentary"), message("42.", phase="final_answer")]
    events: list[JSON] = []
    for item in items:
        events.append({"type": "response.output_item.added", "item": item | {"content": []}})
        events.append({"type": "response.output_text.delta", "delta": item["content"][0]["text"]})
    said = heard([*events, {"type": "response.completed", "response": response(*items)}])
    assert said[:2] == [ChunkReceived("Let me see.", "commentary"), ChunkReceived("42.")]
    assert said[-1] == AssistantMessageRetrieved("42.", raw=items)


def test_reasoning_is_heard() -> None:
    """Summaries, and the raw text of open models, are notes; parts of a summary stand apart."""
    events = [
        {"type": "response.reasoning_summary_text.delta", "delta": "so"},
        {"type": "response.reasoning_summary_part.done"},
        {"type": "response.reasoning_text.delta", "delta": "then"},
    ]
    assert heard(events) == [Reasoning("so"), Reasoning("\n\n"), Reasoning("then")]


@pytest.mark.parametrize("status", ["completed", "incomplete"])
def test_a_thought_that_led_to_nothing_does_not_go_back(status: str) -> None:
    """OpenAI refuses for ever a reasoning item "provided without its required following item"."""
    *_, last = Reader().reply(response(THOUGHT, status=status))
    assert isinstance(last, AssistantMessageRetrieved | MessageIncomplete)
    assert last.raw is None
    *_, more = Reader().reply(response(THOUGHT, message("he"), THOUGHT, status=status))
    assert isinstance(more, AssistantMessageRetrieved | MessageIncomplete)
    assert more.raw == [THOUGHT, message("he")]


def test_an_answer_that_was_cut_short() -> None:
    """Text and reason are kept; a call that was cut off is not, because nobody will answer it."""
    details = {"incomplete_details": {"reason": "max_output_tokens"}}
    *_, last = Reader().reply(response(message("he"), status="incomplete", **details))
    assert last == MessageIncomplete("he", "max_output_tokens")
    *_, last = Reader().reply(response(message("he"), called("c", '{"a'), status="incomplete", **details))
    assert last == MessageIncomplete("he", "max_output_tokens")
    *_, last = Reader().reply(response(THOUGHT, called("c", '{"a'), status="incomplete", **details))
    assert last == MessageIncomplete("", "max_output_tokens")
    *_, last = Reader().reply(response(status="incomplete"))
    assert last == MessageIncomplete("", "unknown")


FLAT = {"type": "error", "code": "rate_limit_exceeded", "message": "Slow down.", "param": None}
NESTED = {"error": {"type": "requests", "code": "rate_limit_exceeded", "message": "Slow down."}}
FAILED = {
    "type": "response.failed",
    "response": response(status="failed", error={k: FLAT[k] for k in ("code", "message")}),
}


@pytest.mark.parametrize(
    "event", [FLAT, NESTED, {"type": "error"} | NESTED, FAILED], ids=["flat", "nested", "both", "failed"]
)
def test_a_failure_in_any_shape(event: JSON) -> None:
    """Each of OpenAI's shapes of an error in a stream says the same."""
    with pytest.raises(AssistantError, match=r"^Slow down\.$") as caught:
        heard([event])
    assert (caught.value.kind, caught.value.retryable) == ("rate_limit", True)


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("server_error", "server"),
        ("context_length_exceeded", "context_length"),
        ("insufficient_quota", "quota"),
        ("invalid_prompt", "content"),
        ("bio_policy", "content"),
        ("misalignment_policy_violation", "content"),
        ("", "server"),
    ],
)
def test_why_a_response_failed(code: str, kind: str) -> None:
    """The code decides; what is refused for what it says does not become better by trying again."""
    with pytest.raises(AssistantError) as caught:
        list(Reader().reply(response(status="failed", error={"code": code, "message": "No."})))
    assert caught.value.kind == kind
    assert caught.value.retryable == (code == "server_error")


@pytest.mark.parametrize(
    "strange", [{"status": "steering"}, {"status": 7}, {"status": "queued"}, {"hello": "world"}, {}]
)
def test_what_is_no_finished_response_is_an_error(strange: JSON) -> None:
    """An unknown status, or JSON of something else, is not taken for an empty answer."""
    with pytest.raises(AssistantError) as caught:
        list(Reader().reply(strange))
    assert caught.value.kind == "protocol"

"""Parts of answers that servers number, type and end in their own way: each counts, or the person is told."""

from __future__ import annotations

from typing import Any

import pytest

from asstproxy import State
from asstproxy.core.events import MessageIncomplete

from .case_server import reply, sse
from .streams import exchange

ADDED = [(1, 2), (5, 6)]
FIRST, SECOND = '{"a": 1, "b": 2}', '{"a": 5, "b": 6}'
DONE = "data: [DONE]"
STOP: Any = {"type": "message_stop"}


def begun(index: Any = 0, **block: Any) -> Any:
    return {"type": "content_block_start", "index": index, "content_block": block}


def piece(index: Any = 0, **delta: Any) -> Any:
    return {"type": "content_block_delta", "index": index, "delta": delta}


def said(text: str, index: Any = 0) -> Any:
    return piece(index, type="text_delta", text=text)


def because(reason: str) -> Any:
    return {"type": "message_delta", "delta": {"stop_reason": reason}, "usage": {"output_tokens": 3}}


def tool_use(number: str, index: int = 0, **more: Any) -> Any:
    return begun(index, type="tool_use", id=number, name="add", **{"input": {}, **more})


def choice(reason: str | None = None, index: int = 0, **said: Any) -> Any:
    return {"choices": [{"index": index, "delta": said, "finish_reason": reason}]}


def function(arguments: str, **more: Any) -> Any:
    return choice(tool_calls=[{"index": 0, "function": {"name": "add", "arguments": arguments}} | more])


def candidate(*parts: Any, reason: str | None = None, index: int = 0) -> Any:
    return {"index": index, "content": {"role": "model", "parts": [*parts]}, "finishReason": reason}


def chunk(*candidates: Any) -> Any:
    return {"candidates": [*candidates]}


def step(kind: str, index: int = 0, **more: Any) -> Any:
    return {"event_type": "step.start", "index": index, "step": {"type": kind} | more}


ENDED = {"event_type": "interaction.completed", "interaction": {"id": "i", "status": "completed"}}
THREE: dict[str, bytes] = {
    "anthropic": sse(said("ok"), because("end_turn"), STOP),
    "chat": sse(choice("stop", content="ok"), DONE),
    "generate": sse(chunk(candidate({"text": "ok"}, reason="STOP"))),
    "interactions": sse({"event_type": "step.delta", "index": 0, "delta": {"type": "text", "text": "ok"}}, ENDED),
}
"""How each API answers the results of tools."""


# ---- Messages: a reason to end is not the end ----------------------------------------------------------------------------


async def test_an_answer_of_claude_that_goes_on_after_a_reason_to_end() -> None:
    """The stream is read to `message_stop`, not to the first `stop_reason`: gateways send one with every piece."""
    pieces = [one for n in range(3) for one in (said(f"w{n} "), because("end_turn"), "%sleep 0.4")]
    got = await exchange("anthropic", sse(*pieces, said("end"), because("end_turn"), STOP))
    assert (got.settled.state, got.text) == (State.COMPLETED, "w0 w1 w2 end"), got.error


async def test_a_call_after_a_reason_to_end() -> None:
    """A call that follows the end of a round of the server's own tools is made."""
    late = [said("Wait. "), because("end_turn"), "%sleep 0.6", tool_use("c", 1), piece(1, partial_json=FIRST)]
    got = await exchange("anthropic", sse(*late, because("tool_use"), STOP), THREE["anthropic"])
    assert (got.settled.state, got.ran) == (State.COMPLETED, ADDED[:1]), got.error


async def test_a_stream_that_goes_on_and_breaks_off() -> None:
    """Text after a reason to end takes it back, so a stream that ends there has not ended."""
    got = await exchange("anthropic", sse(said("w0 "), because("end_turn"), said("w1")))
    assert (got.settled.state, got.text) == (State.ERROR, "w0 w1")


@pytest.mark.parametrize(
    ("api", "events"),
    [
        ("chat", [choice("length", content="Half"), choice("stop"), DONE]),
        ("chat", [choice(content="Half"), choice("length"), choice("stop"), choice("stop")]),
        ("anthropic", [said("Half"), because("max_tokens"), because("end_turn"), STOP]),
        ("generate", [chunk(candidate({"text": "Half"}, reason="MAX_TOKENS")), chunk(candidate(reason="STOP"))]),
    ],
    ids=str,
)
async def test_an_end_after_a_cut(api: str, events: list[Any]) -> None:
    """A gateway adds an end of its own to an answer that was cut: it stays incomplete."""
    got = await exchange(api, sse(*events))
    assert isinstance(got.settled.event, MessageIncomplete), got.settled.event
    assert (got.text, got.settled.event.reason) == ("Half", "max_output_tokens")


@pytest.mark.parametrize("stop", [STOP | {"message": {"stop_reason": "end_turn"}}, STOP | {"stop_reason": "end_turn"}])
async def test_a_reason_in_the_last_event_of_claude(stop: Any) -> None:
    """Some servers have it there only."""
    got = await exchange("anthropic", sse(said("ok"), stop))
    assert (got.settled.state, got.text, got.notices) == (State.COMPLETED, "ok", [])


@pytest.mark.parametrize("rest", [[STOP, "%hang"], []], ids=["left-open", "no-message-stop"])
async def test_an_answer_that_has_ended(rest: list[Any]) -> None:
    """After `message_stop` nobody waits for a stream that is left open; without it, the end of the stream is the end."""
    got = await exchange("anthropic", sse(said("ok"), because("end_turn"), *rest), within=8.0)
    assert (got.settled.state, got.text, got.notices) == (State.COMPLETED, "ok", [])


# ---- Messages: types that are missing ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "events",
    [
        [begun(type="text", text=""), said("Hel"), piece(text="lo")],
        [begun(type="text", text=""), piece(type=None, text="Hello")],
        [begun(text="Hello")],
        [begun(text="Hel"), said("lo")],
    ],
    ids=["some-deltas", "every-delta", "block", "block-and-delta"],
)
async def test_text_of_claude_without_its_type(events: list[Any]) -> None:
    """Text is text, whether or not its type is there."""
    got = await exchange("anthropic", sse(*events, because("end_turn"), STOP))
    assert (got.settled.state, got.text, got.streamed) == (State.COMPLETED, "Hello", "Hello"), got.notices


@pytest.mark.parametrize("content", [[{"text": "Hello"}], {"text": "Hello"}, [{"type": None, "text": "Hello"}]])
async def test_a_reply_of_claude_without_types(content: Any) -> None:
    """The same in a single reply."""
    got = await exchange("anthropic", reply({"content": content, "stop_reason": "end_turn"}), stream=False)
    assert (got.settled.state, got.text) == (State.COMPLETED, "Hello"), got.notices


@pytest.mark.parametrize(
    "events",
    [
        [tool_use("c"), piece(partial_json=FIRST)],
        [tool_use("c"), piece(type="input_json_delta", partial_json={"a": 1, "b": 2})],
        [begun(id="c", name="add", input={"a": 1, "b": 2})],
    ],
    ids=["delta-without-type", "object-as-piece", "block-without-type"],
)
async def test_a_call_of_claude_in_another_form(events: list[Any]) -> None:
    """Arguments count in whatever form they come."""
    got = await exchange("anthropic", sse(*events, because("tool_use"), STOP), THREE["anthropic"])
    assert (got.settled.state, got.ran) == (State.COMPLETED, ADDED[:1]), got.error


# ---- numbers that are given twice ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("api", "events"),
    [
        (
            "anthropic",
            [
                *(tool_use("c1"), piece(type="input_json_delta", partial_json=FIRST)),
                *(tool_use("c2"), piece(type="input_json_delta", partial_json=SECOND), because("tool_use"), STOP),
            ],
        ),
        (
            "anthropic",
            [tool_use("c1", input={"a": 1, "b": 2}), tool_use("c2", input={"a": 5, "b": 6}), because("tool_use"), STOP],
        ),
        ("chat", [function(FIRST), function(SECOND), choice("tool_calls"), DONE]),
        ("chat", [function(FIRST, id="x"), function(SECOND, id="x"), choice("tool_calls"), DONE]),
        (
            "interactions",
            [
                step("function_call", id="c1", name="add", arguments={"a": 1, "b": 2}),
                step("function_call", id="c2", name="add", arguments={"a": 5, "b": 6}),
                ENDED,
            ],
        ),
        (
            "interactions",
            [
                step("function_call", id="c1", name="add"),
                {"event_type": "step.delta", "index": 0, "delta": {"arguments": FIRST}},
                step("function_call", id="c2", name="add"),
                {"event_type": "step.delta", "index": 0, "delta": {"arguments": SECOND}},
                ENDED,
            ],
        ),
    ],
    ids=["messages-pieces", "messages-whole", "chat-no-ids", "chat-one-id", "interactions", "interactions-pieces"],
)
async def test_two_calls_under_one_number(api: str, events: list[Any]) -> None:
    """A server that gives two calls the same number has made two calls."""
    got = await exchange(api, sse(*events), THREE[api])
    assert (got.settled.state, sorted(got.ran)) == (State.COMPLETED, ADDED), got.error


@pytest.mark.parametrize(
    "pieces",
    [
        ["{}", FIRST],
        ["{}", '{"a": 1,', ' "b": 2}'],
        ['{"a": 1', FIRST],
        ['{"a"', '{"a": 1,', FIRST],
        ['{"a": 1,', ' "b": 2}', FIRST],
        [FIRST, ""],
    ],
    ids=str,
)
async def test_arguments_that_are_sent_again_and_again(pieces: list[str]) -> None:
    """`{}` before the pieces, or with each piece all that came before it: the arguments are those of one call."""
    first, *rest = pieces
    later = [choice(tool_calls=[{"index": 0, "function": {"arguments": one}}]) for one in rest]
    got = await exchange("chat", sse(function(first, id="x"), *later, choice("tool_calls"), DONE), THREE["chat"])
    assert (got.settled.state, got.ran) == (State.COMPLETED, ADDED[:1]), got.error


async def test_a_call_that_is_sent_again() -> None:
    """A server that repeats a whole call, with its id, has made one."""
    events = [function(FIRST, id="x"), function(FIRST, id="x"), choice("tool_calls"), DONE]
    got = await exchange("chat", sse(*events), THREE["chat"])
    assert (got.settled.state, got.ran) == (State.COMPLETED, ADDED[:1]), got.error


# ---- what is not the answer, or is missing -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("api", "events"),
    [
        (
            "chat",
            [
                {"choices": [{"index": n, "delta": {"content": text}} for n, text in enumerate(("Hello", "NO"))]},
                choice(index=1, content="NO"),
                choice("stop"),
                DONE,
            ],
        ),
        (
            "generate",
            [
                chunk(candidate({"text": "Hello"}), candidate({"text": "NO"}, index=1)),
                chunk(candidate({"text": "NO"}, reason="STOP", index=1)),
                chunk(candidate(reason="STOP")),
            ],
        ),
    ],
    ids=["chat", "generate"],
)
async def test_a_second_answer_that_nobody_asked_for(api: str, events: list[Any]) -> None:
    """Pieces of another answer are not mixed into the first."""
    got = await exchange(api, sse(*events))
    assert (got.settled.state, got.text) == (State.COMPLETED, "Hello")


@pytest.mark.parametrize(
    ("api", "events"),
    [
        ("chat", [choice(content="Let me see."), choice("tool_calls"), DONE]),
        ("generate", [chunk(candidate({"text": "Let me see."}, reason="FUNCTION_CALL"))]),
        ("anthropic", [said("Let me see."), because("tool_use"), STOP]),
    ],
)
async def test_a_call_that_never_came(api: str, events: list[Any]) -> None:
    """A turn that ends to call a tool, without a call, is incomplete, and why is in words."""
    got = await exchange(api, sse(*events))
    event = got.settled.event
    assert isinstance(event, MessageIncomplete), event
    assert (got.settled.state, got.text, event.reason) == (State.INCOMPLETE, "Let me see.", "call_missing")


async def test_parts_that_nobody_knows() -> None:
    """A kind of content that asst doesn't know is named."""
    got = await exchange("generate", sse(chunk(candidate({"newThing": {"x": 1}}, reason="STOP"))))
    assert (got.settled.state, got.text) == (State.COMPLETED, "")
    assert any("newThing" in notice for notice in got.notices), got.notices

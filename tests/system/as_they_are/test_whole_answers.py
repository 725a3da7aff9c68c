"""An answer is whole, or the person and the state say that it is not: the neighbours of the collected streams, for every API."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from asstproxy import State
from asstproxy.core.events import AssistantMessageRetrieved, ErrorOccurred, MessageIncomplete, Skipped, Usage

from .case_server import reply, sse
from .streams import RECORDED, exchange


def completed(*output: Any, kind: str = "response.completed", **more: Any) -> Any:
    return {"type": kind, "response": {"id": "r", "status": "completed", "output": list(output)} | more}


def message(text: str, **more: Any) -> Any:
    return {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": text}]} | more


def delta(text: Any, **more: Any) -> Any:
    return {"type": "response.output_text.delta", "delta": text} | more


def called(**more: Any) -> Any:
    return {"type": "function_call", "id": "fc", "call_id": "c", "name": "add", "arguments": '{"a":1,"b":2}'} | more


def chunk(*parts: Any, reason: str | None = None, **more: Any) -> Any:
    return {"candidates": [{"content": {"role": "model", "parts": [*parts]}, "finishReason": reason}]} | more


def choice(reason: str | None = None, **said: Any) -> Any:
    return {"choices": [{"index": 0, "delta": said, "finish_reason": reason}]}


def whole_choice(reason: str = "stop", **said: Any) -> Any:
    return {"choices": [{"index": 0, "message": {"role": "assistant"} | said, "finish_reason": reason}]}


def step(kind: str, **more: Any) -> Any:
    return {"type": kind} | more


def interaction(*steps: Any, status: Any = "completed", **more: Any) -> Any:
    return {"id": "i", "status": status, "steps": list(steps)} | more


def output(text: str) -> Any:
    return step("model_output", content=[{"type": "text", "text": text}])


def ended(**more: Any) -> Any:
    return {"event_type": "interaction.completed", "interaction": {"id": "i", "status": "completed"} | more}


def text_block(text: str) -> Any:
    return {"type": "text", "text": text}


WHOLE = {
    "responses": completed(message("Hello there"))["response"],
    "local": completed(message("Hello there"))["response"],
    "chat": whole_choice(content="Hello there"),
    "generate": chunk({"text": "Hello there"}, reason="STOP"),
    "interactions": interaction(output("Hello there")),
}
STREAM = {
    "responses": [delta("Hello "), delta("there"), completed(message("Hello there"))],
    "local": [delta("Hello "), delta("there"), completed()],
    "chat": [choice(content="Hello "), choice(content="there"), choice("stop"), "data: [DONE]"],
    "generate": [chunk({"text": "Hello "}), chunk({"text": "there"}, reason="STOP")],
    "interactions": [
        {"event_type": "step.delta", "index": 0, "delta": {"type": "text", "text": "Hello "}},
        {"event_type": "step.delta", "index": 0, "delta": {"type": "text", "text": "there"}},
        ended(),
    ],
}
WHOLE["anthropic"] = {
    "type": "message",
    "role": "assistant",
    "content": [{"type": "text", "text": "Hello there"}],
    "stop_reason": "end_turn",
}
STREAM["anthropic"] = [
    {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "Hello "}},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "there"}},
    {"type": "message_delta", "delta": {"stop_reason": "end_turn"}},
    {"type": "message_stop"},
]
for _sdk, _own in (("sdk", "responses"), ("generate-sdk", "generate"), ("interactions-sdk", "interactions")):
    WHOLE[_sdk], STREAM[_sdk] = WHOLE[_own], STREAM[_own]
api = pytest.mark.parametrize("api", WHOLE)


# ---- bodies: what they are is found out from their bytes -------------------------------------------------------------


@api
@pytest.mark.parametrize(
    "kind", ["text/plain; charset=utf-8", "application/json", "application/octet-stream", "TEXT/EVENT-STREAM"]
)
async def test_a_stream_under_another_label(api: str, kind: str) -> None:
    """The bytes decide, not the `Content-Type`."""
    got = await exchange(api, sse(*STREAM[api], kind=kind))
    assert (got.settled.state, got.text, got.streamed) == (State.COMPLETED, "Hello there", "Hello there"), got.error


@api
@pytest.mark.parametrize("kind", ["application/json", "text/event-stream", "text/html", None])
async def test_a_reply_instead_of_a_stream(api: str, kind: str | None) -> None:
    """A server that does not stream is read all the same."""
    got = await exchange(api, reply(WHOLE[api], kind=kind))
    assert (got.settled.state, got.text) == (State.COMPLETED, "Hello there"), got.error


@api
async def test_a_stream_instead_of_a_reply(api: str) -> None:
    """So is one that streams although it was not asked to."""
    got = await exchange(api, sse(*STREAM[api]), stream=False)
    assert (got.settled.state, got.text) == (State.COMPLETED, "Hello there"), got.error


@api
async def test_a_last_event_without_its_blank_line(api: str) -> None:
    """It counts, whether or not its line has ended."""
    body = sse(*STREAM[api])
    for end in (b"\n", b""):
        got = await exchange(api, body.rstrip(b"\n") + end)
        assert (got.settled.state, got.text) == (State.COMPLETED, "Hello there"), got.error


@api
async def test_noise_in_a_stream(api: str) -> None:
    """What is no object is skipped, and noted; unknown events with a name are, too."""
    first, *rest = STREAM[api]
    noise = [
        "data: null",
        "data: ping",
        "data: []",
        "data: 7",
        "data:",
        ": comment",
        "event: ping\ndata: {}",
        "event: x\ndata: y",
    ]
    got = await exchange(api, sse(*noise, first, *noise, *rest))
    assert (got.settled.state, got.text) == (State.COMPLETED, "Hello there"), got.error
    assert {"null", "ping", "[]", "7"} <= {event.text for event in got.published(Skipped)}
    assert not got.notices


@pytest.mark.parametrize("api", ["responses", "interactions"])
async def test_the_type_stands_in_the_event_line(api: str) -> None:
    """Objects without a type of their own have that of their event."""
    lines = []
    for event in STREAM[api]:
        own = {"type", "event_type"}
        kind = event.get("type") or event["event_type"]
        lines.append(f"event: {kind}\ndata: " + json.dumps({k: v for k, v in event.items() if k not in own}))
    got = await exchange(api, sse(*lines))
    assert (got.settled.state, got.text) == (State.COMPLETED, "Hello there"), got.error


@api
async def test_half_an_object_is_a_failure(api: str) -> None:
    """A broken event may be a piece of the answer: it is never skipped."""
    first, *rest = STREAM[api]
    got = await exchange(api, sse(first, 'data: {"choices": [{"delta', *rest))
    assert (got.settled.state, got.streamed) == (State.ERROR, "Hello "), got.text


# ---- failures: the server's words, in whichever shape ----------------------------------------------------------------

WORDS = "no such model m"
BODIES = {
    "object": {"error": {"message": WORDS, "code": "model_not_found"}},
    "text in an object": {"error": WORDS},
    "text": WORDS,
    "JSON text": json.dumps(WORDS),
    "list": [{"error": {"message": WORDS}}],
    "list of text": {"errors": [WORDS]},
    "detail": {"detail": WORDS},
    "details": {"detail": [{"loc": ["body", "model"], "msg": WORDS, "type": "missing"}]},
    "object: error": {"object": "error", "message": WORDS, "code": 404},
    "nested": {"error": {"error": {"message": WORDS}}},
    "stream": "data: " + json.dumps({"error": {"message": WORDS}}) + "\n\n",
}


@api
@pytest.mark.parametrize("status", ["400 Bad Request", "500 Server Error"])
@pytest.mark.parametrize("body", BODIES)
async def test_words_of_a_refusal(api: str, status: str, body: str) -> None:
    """They are in the message, as a sentence of their own."""
    got = await exchange(
        api, reply(BODIES[body], status, kind="text/event-stream" if body == "stream" else "application/json")
    )
    assert isinstance(got.settled.event, ErrorOccurred)
    assert got.settled.event.message.endswith(f"{WORDS}."), got.error


@api
@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize("body", ["object", "text in an object", "detail", "details", "object: error", "nested"])
async def test_words_of_a_failure_with_the_status_of_a_success(api: str, stream: bool, body: str) -> None:
    """A 200 whose body is an error is that error, also where a stream was asked for."""
    got = await exchange(api, reply(BODIES[body]), stream=stream)
    assert isinstance(got.settled.event, ErrorOccurred)
    assert WORDS in got.settled.event.message


REMARKS: list[Any] = [
    {"code": 500, "msg": WORDS},
    {"success": False, "message": WORDS},
    {"status": "error", "message": WORDS},
    {"status": "error", "error": WORDS},
    {"errors": [{"message": WORDS}]},
    {"detail": WORDS, "status": 404},
    {"type": "about:blank", "title": WORDS, "status": 500, "instance": "/v1"},
    {"fault": {"faultstring": WORDS}},
    {"error_message": WORDS},
    {"ok": False, "reason": WORDS},
    {"error": {"details": WORDS}},
    {"choices": None, "base_resp": {"status_code": 1013, "status_msg": WORDS}},
]
"""What gateways and frameworks say, beside the shapes of the APIs."""


@api
@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize(
    "body", [*REMARKS, {"message": WORDS}, {"msg": WORDS}, [WORDS], [{"error": WORDS}], WORDS], ids=str
)
async def test_words_of_whatever_is_no_answer(api: str, stream: bool, body: Any) -> None:
    """A 200 that is no answer of any API, and not one of its failures either: its words are told."""
    got = await exchange(api, reply(body), stream=stream)
    assert isinstance(got.settled.event, ErrorOccurred)
    assert f"{WORDS}." in got.error


@api
@pytest.mark.parametrize("body", REMARKS, ids=str)
async def test_words_of_a_gateway_in_an_open_stream(api: str, body: Any) -> None:
    """They end the exchange, at once; a remark that says of no failure does not."""
    got = await exchange(api, sse(STREAM[api][0], body, "%hang"), within=15)
    assert isinstance(got.settled.event, ErrorOccurred)
    assert (f"{WORDS}." in got.error, got.streamed) == (True, "Hello ")
    first, *rest = STREAM[api]
    got = await exchange(api, sse(first, {"status": "processing", "message": "one moment"}, *rest))
    assert (got.settled.state, got.text) == (State.COMPLETED, "Hello there"), got.error


@api
@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize("status", ["200 OK", "202 Accepted", "204 No Content"])
async def test_an_empty_reply(api: str, status: str, stream: bool) -> None:
    """It is called that; google-genai fails at it before we see it."""
    got = await exchange(api, reply("", status), stream=stream)
    assert isinstance(got.settled.event, ErrorOccurred)
    assert ("can't be read" if api.endswith("-sdk") and status != "200 OK" else "sent an empty reply") in got.error


@api
@pytest.mark.parametrize(
    "error",
    [
        {"error": "model crashed"},
        {"error": {"message": "model crashed", "code": 500}},
        {"error": ["model crashed"]},
        {"type": "error", "message": "model crashed"},
        "event: error\ndata: model crashed",
        'event: error\ndata: "model crashed"',
        'event: error\ndata: {"message": "model crashed"}',
        'event: error\ndata: {"type": "overloaded", "message": "model crashed"}',
    ],
    ids=str,
)
async def test_an_error_in_an_open_stream_ends_it_at_once(api: str, error: Any) -> None:
    """Its words are told, and the text before it is kept; nobody waits for the server to hang up."""
    began = asyncio.get_running_loop().time()
    got = await exchange(api, sse(STREAM[api][0], error, "%hang"), within=15)
    assert asyncio.get_running_loop().time() - began < 10
    assert isinstance(got.settled.event, ErrorOccurred)
    assert "model crashed." in got.error
    assert got.streamed == "Hello "


@api
async def test_an_empty_account(api: str) -> None:
    """402 is the account's balance, whatever code the body has; waiting does not help."""
    body = {"error": {"message": "Insufficient Balance", "code": "invalid_request_error"}}
    got = await exchange(api, reply(body, "402 Payment Required"))
    assert isinstance(got.settled.event, ErrorOccurred)
    assert got.settled.event.kind == "quota"
    assert "later" not in got.error


@api
async def test_a_redirect_says_where_to(api: str) -> None:
    """Without the secrets that an address may hold."""
    got = await exchange(api, reply("", "307 Temporary Redirect", Location="https://user:pw@example.org/v1/x?key=1"))
    assert "https://example.org/v1/x" in got.error
    assert "pw" not in got.error
    assert "key=1" not in got.error


@api
async def test_a_connection_that_is_dropped_before_the_answer(api: str) -> None:
    """The request may have been received: it is not sent again, and the reason is told."""
    got = await exchange(api, b"")
    assert isinstance(got.settled.event, ErrorOccurred)
    assert got.settled.event.kind == "connection"
    assert "before the answer began" in got.error
    assert len(got.bodies) == 1


# ---- reasons to end: the stream is read to its end -------------------------------------------------------------------


async def test_text_after_a_reason_to_end() -> None:
    """Chat Completions: a server that says `stop` with every chunk is read to the end of the stream."""
    words = [choice("stop", content=f"w{n} ") for n in range(3)]
    got = await exchange("chat", sse(*words[:2], "%sleep 1.2\n" + f"data: {json.dumps(words[2])}", "data: [DONE]"))
    assert (got.settled.state, got.text) == (State.COMPLETED, "w0 w1 w2 ")


async def test_a_call_after_a_reason_to_end() -> None:
    """Gemini: a call that follows a round of Google's own tools runs."""
    first = chunk({"executableCode": {"code": "1"}}, reason="STOP")
    call = chunk({"functionCall": {"name": "add", "args": {"a": 1, "b": 2}}}, reason="STOP")
    late = "%sleep 1.2\n" + f"data: {json.dumps(call)}"
    got = await exchange("generate", sse(first, late), sse(*STREAM["generate"]))
    assert (got.ran, got.text) == ([(1, 2)], "Hello there")


@pytest.mark.parametrize(
    ("api", "events"),
    [
        ("generate", [chunk({"text": "a"}, reason="STOP"), chunk({"text": "b"})]),
        ("generate", [chunk({"text": t}, reason="FINISH_REASON_UNSPECIFIED") for t in "ab"]),
        ("chat", [choice("stop", content="a"), choice(content="b")]),
        ("generate", [chunk({"text": "ab"}, reason="STOP"), 'data: {"candidates": [{"content": {"parts": [{"te']),
        ("chat", [choice("stop", content="ab"), 'data: {"choices": [{"delta": {"con']),
    ],
)
async def test_an_answer_that_went_on_and_did_not_end(api: str, events: list[Any]) -> None:
    """After a reason to end, or one that says nothing, there was more, and then no other reason: it broke off."""
    got = await exchange(api, sse(*events).rstrip(b"\n"))
    assert (got.settled.state, got.streamed) == (State.ERROR, "ab")


FRAMED = {
    "chunked": lambda body: b"Transfer-Encoding: chunked\n\n%x\r\n%b\r\n" % (len(body), body),
    "counted": lambda body: b"Content-Length: %d\n\n%b" % (len(body) + 5, body),
}


@api
@pytest.mark.parametrize("framing", FRAMED)
async def test_a_connection_that_breaks_after_a_reason_to_end(api: str, framing: str) -> None:
    """HTTP tells that something is missing. Where only a reason to end has come, that is told; a last event proves the end."""
    events = [one for one in STREAM[api] if one != "data: [DONE]"]
    head, _, body = sse(*events).partition(b"\n\n")
    got = await exchange(api, head + b"\n" + FRAMED[framing](body))
    assert (got.settled.state, got.text) == (State.COMPLETED, "Hello there"), got.error
    proven = api not in ("chat", "generate", "generate-sdk")
    assert ["may not be whole" in notice for notice in got.notices] == [True] * (not proven)


@pytest.mark.parametrize("framing", FRAMED)
async def test_nothing_is_missing_after_done(framing: str) -> None:
    """`[DONE]` is the end, however the connection ends."""
    head, _, body = sse(*STREAM["chat"]).partition(b"\n\n")
    got = await exchange("chat", head + b"\n" + FRAMED[framing](body))
    assert (got.settled.state, got.text, got.notices) == (State.COMPLETED, "Hello there", [])


# ---- endings of a response -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [None, "in_progress", 7, "finished", ""])
@pytest.mark.parametrize("kind", ["response.completed", "response.done"])
async def test_the_event_is_the_ending(kind: str, status: Any) -> None:
    """Whatever status the response within it has, or none."""
    for event in (completed(message("Hello"), kind=kind, status=status), {"type": kind, "response": None}):
        got = await exchange("responses", sse(delta("Hello"), event))
        assert (got.settled.state, got.text) == (State.COMPLETED, "Hello"), got.error


@pytest.mark.parametrize("status", [None, "in_progress", 7])
async def test_the_event_is_the_ending_of_an_interaction(status: Any) -> None:
    """The same for Google's."""
    got = await exchange("interactions", sse(*STREAM["interactions"][:-1], ended(status=status)))
    assert (got.settled.state, got.text) == (State.COMPLETED, "Hello there"), got.error


# ---- text from whatever carries it -----------------------------------------------------------------------------------

PART = {"type": "output_text", "text": "Hello there"}
TEXTS = {
    "text.done": [{"type": "response.output_text.done", "text": "Hello there"}, completed()],
    "part.done": [{"type": "response.content_part.done", "part": PART}, completed()],
    "item.done": [{"type": "response.output_item.done", "item": message("Hello there")}, completed()],
    "output": [completed(message("Hello there"))],
    "output_text": [completed(output_text="Hello there")],
    "text content": [completed(message("", content="Hello there"))],
    "half in deltas": [delta("Hello "), {"type": "response.output_text.done", "text": "Hello there"}, completed()],
    "half in deltas, rest in the output": [delta("Hello "), completed(message("Hello there"))],
    "all of them": [
        delta("Hello "),
        delta("there"),
        {"type": "response.output_text.done", "text": "Hello there"},
        {"type": "response.content_part.done", "part": PART},
        {"type": "response.output_item.done", "item": message("Hello there")},
        completed(message("Hello there"), output_text="Hello there"),
    ],
    "two messages, one in the output": [
        {"type": "response.output_item.done", "output_index": 0, "item": message("Hello ", id="m1")},
        {"type": "response.output_item.done", "output_index": 1, "item": message("there", id="m2")},
        completed(message("there", id="m2")),
    ],
    "ids that change": [
        {"type": "response.output_item.added", "output_index": 0, "item": message("", id="x1", content=[])},
        delta("Hello ", item_id="x2", output_index=0),
        delta("there", item_id="x3", output_index=0),
        {"type": "response.output_item.done", "output_index": 0, "item": message("Hello there", id="x4")},
        completed(message("Hello there", id="x5")),
    ],
}


@pytest.mark.parametrize("name", TEXTS)
async def test_text_from_whatever_carries_it(name: str) -> None:
    """The union, without doubling; pieces, closing message and what a pipe gets are the same."""
    got = await exchange("responses", sse(*TEXTS[name]))
    assert (got.settled.state, got.text) == (State.COMPLETED, "Hello there"), got.error
    assert got.streamed in ("", "Hello there")
    assert not got.notices


async def test_a_final_text_that_is_another_one() -> None:
    """The final one is kept, and the person is told that it differs from what was shown."""
    got = await exchange("responses", sse(delta("Helo ther"), completed(message("Hello there"))))
    assert got.text == "Hello there"
    assert "differs" in got.notices[0]


async def test_a_message_beside_each_delta() -> None:
    """Chat Completions, as Perplexity has it: the message so far comes with every delta."""
    events = [choice(content="Hello "), choice("stop", content="there")]
    events[0]["choices"][0]["message"] = {"role": "assistant", "content": "Hello "}
    events[1]["choices"][0]["message"] = {"role": "assistant", "content": "Hello there"}
    got = await exchange("chat", sse(*events))
    assert (got.text, got.streamed) == ("Hello there", "Hello there")


@pytest.mark.parametrize(
    "last", [ended(steps=[output("Hello there")]), ended(output_text="Hello there")], ids=["steps", "text"]
)
async def test_the_text_of_an_interaction_stands_at_its_end(last: Any) -> None:
    """The pieces, the steps at the end, or `output_text`: the union."""
    for before in ([], STREAM["interactions"][:1], STREAM["interactions"][:2]):
        got = await exchange("interactions", sse(*before, last))
        assert (got.text, got.notices) == ("Hello there", []), before
        assert got.streamed == ("Hello there" if before else "")


@pytest.mark.parametrize(
    ("api", "events"),
    [
        ("responses", [delta("a\ud83d"), delta("\ude00b"), completed()]),
        ("responses", [delta("a\ud83d"), delta("\ude00b"), completed(message("a\ud83d\ude00b"))]),
        ("chat", [choice(content="a\ud83d"), choice(content="\ude00b"), choice("stop")]),
        ("generate", [chunk({"text": "a\ud83d"}), chunk({"text": "\ude00b"}, reason="STOP")]),
        (
            "interactions",
            [
                {"event_type": "step.delta", "index": 0, "delta": {"type": "text", "text": t}}
                for t in ("a\ud83d", "\ude00b")
            ]
            + [ended()],
        ),
    ],
)
async def test_halves_of_a_surrogate_pair(api: str, events: list[Any]) -> None:
    """They are joined in the pieces and in the closing message; a half without the other is a replacement character."""
    got = await exchange(api, sse(*events))
    assert (got.streamed, got.text) == ("a😀b", "a😀b")


# ---- calls -----------------------------------------------------------------------------------------------------------

ADDED = {"type": "response.output_item.added", "output_index": 0, "item": called(arguments="")}
DONE = {"type": "response.output_item.done", "output_index": 0}
CALLS = {
    "object": [completed(called(arguments={"a": 1, "b": 2}))],
    "double": [completed(called(arguments=json.dumps('{"a":1,"b":2}')))],
    "null at the end": [DONE | {"item": called()}, completed(called(arguments=None))],
    "empty object at the end": [DONE | {"item": called()}, completed(called(arguments="{}"))],
    "deltas": [
        ADDED,
        {"type": "response.function_call_arguments.delta", "output_index": 0, "delta": '{"a":1,"b":2}'},
        completed(),
    ],
    "arguments.done": [
        ADDED,
        {"type": "response.function_call_arguments.done", "item_id": "fc", "arguments": '{"a":1,"b":2}'},
        completed(),
    ],
    "missing in the output": [DONE | {"item": called()}, completed(message("So."))],
    "told again with other ids": [DONE | {"item": called()}, completed(called(id="x", call_id="y"))],
    "no id": [completed(called(id=None, call_id=None))],
    "id of a number": [completed(called(id=7, call_id=8))],
    "begun twice": [ADDED, ADDED, DONE | {"item": called()}, completed()],
    "name in the first event only": [ADDED, DONE | {"item": called(name=None)}, completed()],
}


@pytest.mark.parametrize(
    ("name", "stream"),
    [(name, True) for name in CALLS] + [(name, False) for name in ("object", "double", "no id", "id of a number")],
)
async def test_a_call_however_it_is_told(name: str, stream: bool) -> None:
    """It runs, once, with its arguments, and has an id that is text."""
    first = sse(*CALLS[name]) if stream else reply(CALLS[name][-1]["response"])
    second = sse(*STREAM["responses"]) if stream else reply(WHOLE["responses"])
    got = await exchange("responses", first, second, stream=stream)
    assert (got.ran, got.text) == ([(1, 2)], "Hello there"), got.error
    assert "None" not in json.dumps(got.bodies)
    results = [item for item in got.bodies[-1]["input"] if item.get("type") == "function_call_output"]
    assert [item["call_id"] for item in results] == [call.call_id for call in got.calls] != [""]


def function(**more: Any) -> Any:
    return {"id": "c", "type": "function", "function": {"name": "add", "arguments": '{"a":1,"b":2}'} | more}


OTHER_CALLS = [
    ("chat", choice("stop", tool_calls=[function(arguments={"a": 1, "b": 2})])),
    ("chat", choice("tool_calls", tool_calls=[function(arguments=json.dumps('{"a":1,"b":2}'))])),
    ("chat", choice("tool_calls", tool_calls=[function() | {"id": None}])),
    ("chat", choice("function_call", function_call={"name": "add", "arguments": '{"a":1,"b":2}'})),
    ("chat", {"choices": [{"message": {"content": None, "tool_calls": [function()]}, "finish_reason": "stop"}]}),
    ("generate", chunk({"functionCall": {"name": "add", "args": '{"a":1,"b":2}'}}, reason="STOP")),
    ("generate", chunk({"functionCall": {"name": "add", "args": json.dumps('{"a":1,"b":2}')}}, reason="STOP")),
    ("generate", chunk({"functionCall": {"id": None, "name": "add", "args": {"a": 1, "b": 2}}}, reason="STOP")),
    (
        "interactions",
        ended(status="requires_action", steps=[step("function_call", id="c", name="add", arguments='{"a":1,"b":2}')]),
    ),
    ("interactions", ended(steps=[step("function_call", id=None, name="add", arguments={"a": 1, "b": 2})])),
]


@pytest.mark.parametrize(("api", "event"), OTHER_CALLS, ids=range(len(OTHER_CALLS)))
async def test_a_call_of_the_other_apis(api: str, event: Any) -> None:
    """The same for them."""
    got = await exchange(api, sse(event), sse(*STREAM[api]))
    assert (got.ran, got.text) == ([(1, 2)], "Hello there"), got.error
    assert "None" not in json.dumps(got.bodies)


TWO = {
    "responses": completed(called(), called(arguments='{"a":5,"b":6}')),
    "chat": choice("tool_calls", tool_calls=[function(), function(arguments='{"a":5,"b":6}') | {"index": 1}]),
    "generate": chunk(
        *({"functionCall": {"id": "x", "name": "add", "args": {"a": a, "b": a + 1}}} for a in (1, 5)), reason="STOP"
    ),
    "interactions": ended(
        steps=[step("function_call", id="x", name="add", arguments={"a": a, "b": a + 1}) for a in (1, 5)]
    ),
}


@pytest.mark.parametrize("api", TWO)
async def test_two_calls_with_one_id(api: str) -> None:
    """Both run, and each has an id of its own."""
    events = [TWO[api]]
    events[0].get("choices", [{}])[0].get("delta", {}).get("tool_calls", [{}])[0]["index"] = 0
    got = await exchange(api, sse(*events), sse(*STREAM[api]))
    assert sorted(got.ran) == [(1, 2), (5, 6)], got.error
    assert len({call.call_id for call in got.calls}) == 2
    assert got.text == "Hello there"


# ---- answers without text --------------------------------------------------------------------------------------------

EMPTY = [
    ("responses", completed(), "without an answer"),
    ("responses", completed(message("")), "without an answer"),
    ("responses", completed({"type": "reasoning", "summary": []}), "only reasoning"),
    ("responses", completed({"type": "image_generation_call", "id": "ig", "result": "iVBO"}), "an image"),
    ("responses", completed({"type": "code_interpreter_call", "id": "ci", "code": "1"}), "only code"),
    ("responses", completed(message("", content=[{"type": "output_audio", "data": "x"}])), "audio"),
    ("responses", completed({"type": "hologram"}), "hologram"),
    ("chat", choice("stop", content=None), "without an answer"),
    ("chat", choice("stop", reasoning_content="hm"), "only reasoning"),
    ("chat", choice("stop", audio={"id": "a", "data": "x"}), "audio"),
    ("chat", choice("stop", images=[{"type": "image_url"}]), "an image"),
    ("generate", chunk(reason="STOP"), "without an answer"),
    ("generate", chunk({"text": "hm", "thought": True}, reason="STOP"), "only reasoning"),
    ("generate", chunk({"inlineData": {"mimeType": "audio/wav", "data": "x"}}, reason="STOP"), "audio"),
    ("generate", chunk({"fileData": {"mimeType": "video/mp4", "fileUri": "x"}}, reason="STOP"), "a video"),
    ("generate", chunk({"executableCode": {"code": "1"}}, reason="STOP"), "only code"),
    ("interactions", ended(steps=[]), "without an answer"),
    ("interactions", ended(steps=[step("thought")]), "only reasoning"),
    ("interactions", ended(steps=[step("model_output", content=[{"type": "image", "data": "x"}])]), "an image"),
]


@pytest.mark.parametrize(("api", "event", "words"), EMPTY, ids=range(len(EMPTY)))
async def test_an_answer_without_text_is_told(api: str, event: Any, words: str) -> None:
    """A notice says what came, and that it can't be shown."""
    got = await exchange(api, sse(event))
    assert (got.settled.state, got.text) == (State.COMPLETED, "")
    assert len(got.notices) == 1
    assert words in got.notices[0]


WAITING = [
    ("responses", completed({"type": "custom_tool_call", "call_id": "c", "name": "x", "input": "y"}), "custom tool"),
    ("responses", completed({"type": "mcp_approval_request", "id": "m", "name": "x"}), "an approval"),
    ("responses", completed({"type": "shell_call", "call_id": "c"}, message("Wait.")), "shell"),
    ("responses", completed({"type": "computer_call", "call_id": "c"}, called()), "a computer"),
    ("chat", choice("tool_calls", tool_calls=[{"id": "c", "type": "custom", "custom": {"name": "x"}}]), "custom tool"),
    ("interactions", ended(status="requires_action", steps=[step("computer_use_call")]), "computer_use_call"),
]


@pytest.mark.parametrize(("api", "event", "words"), WAITING, ids=range(len(WAITING)))
async def test_an_answer_that_waits_for_somebody_is_incomplete(api: str, event: Any, words: str) -> None:
    """The notice says for what; nothing that would have to be answered goes back, so that the conversation can go on."""
    got = await exchange(api, sse(event))
    assert got.settled.state is State.INCOMPLETE
    assert isinstance(got.settled.event, MessageIncomplete)
    assert (got.settled.event.reason, got.settled.event.raw) == ("waiting", None)
    assert words in got.notices[0]
    assert not got.ran


async def test_an_item_that_the_server_has_answered_does_not_wait() -> None:
    """A hosted shell's call comes with its output."""
    items = [
        {"type": "shell_call", "call_id": "c"},
        {"type": "shell_call_output", "call_id": "c"},
        message("Hello there"),
    ]
    got = await exchange("responses", sse(completed(*items)))
    assert (got.settled.state, got.text, got.notices) == (State.COMPLETED, "Hello there", [])


@pytest.mark.parametrize("count", ["12", 1.5, float("nan"), -3, 10**30, {"x": 1}, [2], True, None])
async def test_counts_of_nonsense_lose_no_answer(count: Any) -> None:
    """They are 0."""
    body = completed(message("Hi"), usage={"input_tokens": count, "output_tokens": 2, "input_tokens_details": count})
    got = await exchange("responses", sse(body))
    assert isinstance(got.settled.event, AssistantMessageRetrieved)
    assert [(usage.input_tokens, usage.output_tokens, usage.cached_tokens) for usage in got.published(Usage)] == [
        (0, 2, 0)
    ]


@pytest.mark.parametrize("api", ["responses", "interactions"])
async def test_a_reply_in_the_background_to_a_request_for_a_stream(api: str) -> None:
    """Polling or not, a server that answers a background request with the finished answer is read."""
    got = await exchange(api, reply(WHOLE[api]), background=True)
    assert (got.settled.state, got.text) == (State.COMPLETED, "Hello there"), got.error


@pytest.mark.parametrize(("api", "name"), [key for key in RECORDED if key[0] in WHOLE], ids="-".join)
async def test_recorded_streams(api: str, name: str) -> None:
    """What the servers really sent is whole: text or a call, no notice, nothing skipped."""
    got = await exchange(api, sse(*RECORDED[api, name]), sse(*STREAM[api]))
    assert got.settled.state is State.COMPLETED, got.error
    assert bool(got.calls) == ("tool" in name)
    assert (got.notices, got.published(Skipped)) == ([], [])


# ---- what else servers send: neighbours of the above, each by one line -----------------------------------------------

TOOL = {"index": 0, "id": "c", "function": {"name": "add", "arguments": '{"a":1,"b":2}'}}
OTHER = {"index": 0, "id": "d", "function": {"name": "add", "arguments": '{"a":5,"b":6}'}}
UPDATE = {"event_type": "interaction.status_update", "status": "failed"}
PLAINLY_CUT = ["error", "abort", "insufficient_system_resource", "SAFETY", "MAX_TOKENS", "max_tokens", "network_error"]


@pytest.mark.parametrize("reason", PLAINLY_CUT)
async def test_reasons_of_chat_completions_that_mean_a_cut(reason: str) -> None:
    """Whatever the case of their letters: the answer is incomplete."""
    got = await exchange("chat", sse(choice(content="Hi"), choice(reason)))
    assert (got.settled.state, got.text) == (State.INCOMPLETE, "Hi")


@pytest.mark.parametrize("reason", ["STOP", "eos", "end_turn"])
async def test_reasons_of_chat_completions_that_mean_an_end(reason: str) -> None:
    """And those that other servers have for `stop`."""
    got = await exchange("chat", sse(choice(content="Hi"), choice(reason)))
    assert (got.settled.state, got.text, got.notices) == (State.COMPLETED, "Hi", [])


async def test_a_reason_that_nobody_knows() -> None:
    """It is told, with the doubt that it leaves."""
    got = await exchange("chat", sse(choice(content="Hi"), choice("weird")))
    assert (got.settled.state, got.text) == (State.COMPLETED, "Hi")
    assert "'weird'" in got.notices[0]


@pytest.mark.parametrize("pieces", [1, 2])
async def test_calls_that_share_a_number(pieces: int) -> None:
    """Two whole calls with ids of their own run both, although each has the number 0; pieces of one call are one."""
    deltas = [choice(tool_calls=[TOOL]), choice(tool_calls=[OTHER])]
    if pieces == 2:
        halves = zip("xy", ('{"a":1,', '"b":2}'), strict=True)
        deltas = [
            choice(tool_calls=[{"index": 0, "id": one, "function": {"name": "add", "arguments": half}}])
            for one, half in halves
        ]
    got = await exchange("chat", sse(*deltas, choice("tool_calls")), sse(*STREAM["chat"]))
    assert sorted(got.ran) == ([(1, 2), (5, 6)] if pieces == 1 else [(1, 2)])


async def test_arguments_that_were_encoded_again_and_again() -> None:
    """Each gateway on the way may have done it once."""
    arguments = '{"a":1,"b":2}'
    for _ in range(4):
        got = await exchange("responses", sse(completed(called(arguments=arguments))), sse(*STREAM["responses"]))
        assert got.ran == [(1, 2)]
        arguments = json.dumps(arguments)


@pytest.mark.parametrize(
    ("api", "answer"),
    [
        ("chat", sse({"choices": [{"text": "Hi"}]}, {"choices": [{"text": "", "finish_reason": "stop"}]})),
        ("chat", sse({"choices": {"delta": {"content": "Hi"}, "finish_reason": "stop"}})),
        ("generate", sse(chunk({"text": "Hi"}, reason="stop"))),
        ("generate", sse({"candidates": [{"content": {"parts": {"text": "Hi"}}, "finishReason": "STOP"}]})),
        ("generate", sse({"candidates": [{"content": "Hi", "finishReason": "STOP"}]})),
        ("interactions", reply({"id": "i", "status": "completed", "outputs": [{"type": "text", "text": "Hi"}]})),
        ("anthropic", reply({"type": "message", "content": "Hi", "stop_reason": "end_turn"})),
    ],
)
async def test_text_in_places_of_other_servers(api: str, answer: bytes) -> None:
    """It is read where it stands."""
    got = await exchange(api, answer)
    assert (got.settled.state, got.text, got.notices) == (State.COMPLETED, "Hi", []), got.error


@pytest.mark.parametrize("kind", ["image", "mcp_tool_use"])
async def test_blocks_of_claude_that_are_no_text(kind: str) -> None:
    """The notice says what came."""
    begun = {"type": "content_block_start", "index": 0, "content_block": {"type": kind}}
    got = await exchange("anthropic", sse(begun, *STREAM["anthropic"][2:]))
    assert got.text == ""
    assert ("an image" if kind == "image" else "'mcp_tool_use'") in got.notices[-1]


@pytest.mark.parametrize("item", [message("Hi", status="incomplete"), called(status="incomplete", arguments='{"a":1,')])
async def test_an_item_that_is_incomplete(item: Any) -> None:
    """So is the answer, whatever the status of the response; a call that was cut does not run."""
    got = await exchange("responses", sse(completed(item)))
    assert (got.settled.state, got.ran, len(got.bodies)) == (State.INCOMPLETE, [], 1)


async def test_an_error_beside_an_answer() -> None:
    """Both are told."""
    got = await exchange("responses", sse(completed(message("Hi"), error={"message": WORDS})))
    assert (got.settled.state, got.text) == (State.COMPLETED, "Hi")
    assert WORDS in got.notices[0]


@pytest.mark.parametrize("status", ["queued", "in_progress"])
async def test_a_server_that_works_in_the_background_unasked(status: str) -> None:
    """What follows it is named."""
    got = await exchange("responses", reply({"id": "r", "status": status, "output": []}), stream=False)
    assert "Ask for an answer in the background." in got.error


async def test_a_status_that_says_of_failure() -> None:
    """An interaction that has failed is not waited for."""
    got = await exchange("interactions", sse(STREAM["interactions"][0], UPDATE, "%hang"), within=10)
    assert (got.settled.state, got.streamed, got.error) == (State.ERROR, "Hello ", "The interaction failed. Try again.")

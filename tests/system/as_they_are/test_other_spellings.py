"""Answers in spellings that no API describes, but gateways, libraries and older versions of the APIs write: read all the same."""

from __future__ import annotations

import json
from typing import Any

import pytest

from asstproxy import State
from asstproxy.core.events import Cited, ErrorOccurred, MessageIncomplete
from asstproxy.providers.gemini.partial_call import PartialCall

from .case_server import reply, sse
from .streams import Answered, exchange
from .test_part_by_part import because, begun, piece, said, step
from .test_whole_answers import (
    STREAM,
    WHOLE,
    called,
    choice,
    chunk,
    completed,
    delta,
    ended,
    message,
    output,
    whole_choice,
)

DONE = "data: [DONE]"
STOP: Any = {"type": "message_stop"}
ADD = {"a": 1, "b": 2}
TWO = [(1, 2), (5, 6)]
api = pytest.mark.parametrize("api", ["responses", "local", "chat", "generate", "interactions", "anthropic"])


def objects(events: list[Any]) -> list[Any]:
    return [event for event in events if not isinstance(event, str)]


def is_whole(got: Answered, text: str = "Hello there") -> bool:
    """Whether an answer has come, and nobody has to be told more of it."""
    return (got.settled.state, got.text, got.notices) == (State.COMPLETED, text, [])


# ---- every API: how its JSON is wrapped ------------------------------------------------------------------------------


@api
@pytest.mark.parametrize("wrap", ["data: data: {}", "data: data:data: {}", "data: {!r}"])
async def test_an_event_in_another_wrapping(api: str, wrap: str) -> None:
    """A second `data:` in front of an event (gateways), or the event as a JSON string: it is the event."""
    lines = [wrap.format(json.dumps(event)) for event in objects(STREAM[api])]
    if "!r" in wrap:
        lines = [f"data: {json.dumps(json.dumps(event))}" for event in objects(STREAM[api])]
    got = await exchange(api, sse(*lines, 'data: "[DONE]"'))
    assert is_whole(got), got.error


@api
@pytest.mark.parametrize("stream", [True, False])
async def test_a_reply_in_another_wrapping(api: str, stream: bool) -> None:
    """A reply as a JSON string, in a list of one, or as the only event of a stream."""
    whole = json.dumps(WHOLE[api])
    for body in (json.dumps(whole), f"[{whole}]"):
        got = await exchange(api, reply(body), stream=stream)
        assert is_whole(got), got.error
    for events in ([WHOLE[api]], [WHOLE[api], DONE]):
        got = await exchange(api, sse(*events), stream=stream)
        assert is_whole(got), got.error


@api
async def test_an_error_of_nulls_is_none(api: str) -> None:
    """Servers that write out every field write an error without anything in it, too."""
    nothing = {"error": {"code": None, "message": None, "type": ""}}
    got = await exchange(api, sse(*(event | nothing for event in objects(STREAM[api]))))
    assert is_whole(got), got.error
    got = await exchange(api, reply(WHOLE[api] | nothing), stream=False)
    assert is_whole(got), got.error


@api
@pytest.mark.parametrize("status", ["200 OK", "401 Unauthorized"])
async def test_a_body_that_cannot_be_decompressed(api: str, status: str) -> None:
    """A proxy has unpacked it and left the label: that is told. Of a refusal, the status counts."""
    got = await exchange(api, reply(WHOLE[api], status, Content_Encoding="gzip"), stream=False)
    assert isinstance(got.settled.event, ErrorOccurred)
    kind, words = ("protocol", "can't be decompressed") if status[0] == "2" else ("authentication", "answered 401")
    assert (got.settled.event.kind, words in got.error) == (kind, True), got.error


@api
async def test_a_refusal_that_breaks_off(api: str) -> None:
    """Its status counts, although its body is cut."""
    got = await exchange(api, reply("no", "401 Unauthorized", Content_Length="500"))
    assert isinstance(got.settled.event, ErrorOccurred)
    assert (got.settled.event.kind, "answered 401" in got.error) == ("authentication", True), got.error


# ---- numbers as texts ------------------------------------------------------------------------------------------------


def function(index: Any, arguments: str, **more: Any) -> Any:
    return choice(tool_calls=[{"index": index, "function": {"arguments": arguments} | more}])


def arguments_of(index: Any, text: str) -> Any:
    return {"type": "response.function_call_arguments.delta", "output_index": index, "delta": text}


def added(index: Any, number: str) -> Any:
    item = called(id=f"f{number}", call_id=number, arguments="")
    return {"type": "response.output_item.added", "output_index": index, "item": item}


def step_delta(index: Any, text: str) -> Any:
    return {"event_type": "step.delta", "index": index, "delta": {"type": "arguments_delta", "arguments": text}}


INTERLEAVED = {
    "chat": lambda one, two: [
        function(one, '{"a":1,', name="add"),
        function(two, '{"a":5,', name="add"),
        function(one, '"b":2}'),
        function(two, '"b":6}'),
        choice("tool_calls"),
    ],
    "responses": lambda one, two: [
        *(added(one, "c1"), added(two, "c2"), arguments_of(one, '{"a":1,'), arguments_of(two, '{"a":5,')),
        *(arguments_of(one, '"b":2}'), arguments_of(two, '"b":6}'), completed()),
    ],
    "interactions": lambda one, two: [
        *(step("function_call", one, id="c1", name="add"), step("function_call", two, id="c2", name="add")),
        *(step_delta(one, '{"a":1,'), step_delta(two, '{"a":5,'), step_delta(one, '"b":2}'), step_delta(two, '"b":6}')),
        ended(status="requires_action"),
    ],
    "anthropic": lambda one, two: [
        begun(one, type="tool_use", id="c1", name="add", input={}),
        begun(two, type="tool_use", id="c2", name="add", input={}),
        *(piece(one, partial_json='{"a":1,'), piece(two, partial_json='{"a":5,')),
        *(piece(one, partial_json='"b":2}'), piece(two, partial_json='"b":6}'), because("tool_use"), STOP),
    ],
}


@pytest.mark.parametrize("numbers", [("0", "1"), (0.0, 1.0)], ids=str)
@pytest.mark.parametrize("api", INTERLEAVED)
async def test_places_that_are_no_integers(api: str, numbers: tuple[Any, Any]) -> None:
    """Pieces of two calls, mixed, whose places are texts or floats: each piece joins its call."""
    got = await exchange(api, sse(*INTERLEAVED[api](*numbers)), sse(*STREAM[api]))
    assert (sorted(got.ran), got.text) == (TWO, "Hello there"), got.error


# ---- Gemini: as Python libraries write it ----------------------------------------------------------------------------

EMPTY = {"text": None, "functionCall": None, "inlineData": None, "thought": None}
PYTHONIC = [
    [{"candidates": [{"content": {"parts": [{"text": "Hi"}]}, "finish_reason": "STOP"}], "usage_metadata": {}}],
    [{"candidates": [{"content": {"parts": [EMPTY | {"text": "Hi"}]}, "finish_reason": 1}]}],
    [chunk({"text": "Hi"}, reason="FinishReason.STOP")],
    [chunk({"text": "Hi"}, reason="STOP"), chunk(EMPTY, usageMetadata={"promptTokenCount": 3})],
    [chunk({"text": "Hi"}, reason="STOP"), chunk(EMPTY | {"text": ""})],
    [chunk({"text": "Hi"}, reason="STOP", promptFeedback={"blockReason": "BLOCK_REASON_UNSPECIFIED"})],
    *([chunk({"text": "Hi"}, reason=reason)] for reason in ("END_TURN", "end_turn", "EOS", "COMPLETE")),
]


@pytest.mark.parametrize("events", PYTHONIC, ids=str)
async def test_gemini_as_python_writes_it(events: list[Any]) -> None:
    """`finish_reason`, a reason as a number or an enum, nulls for what is not there: libraries in between write them."""
    got = await exchange("generate", sse(*events))
    assert is_whole(got, "Hi"), got.error


@pytest.mark.parametrize("name", ["function_call", "functionCall"])
async def test_a_call_of_gemini_as_python_writes_it(name: str) -> None:
    """It runs with its arguments, whose names are the person's own, and goes back as Google writes it."""
    part = {name: {"id": None, "name": "add", "args": ADD}, "thought_signature": "c2ln"}
    candidate = {"content": {"role": "model", "parts": [part]}, "finish_reason": "STOP"}
    got = await exchange("generate", sse({"candidates": [candidate]}), sse(*STREAM["generate"]))
    assert (got.ran, got.text) == ([(1, 2)], "Hello there"), got.error
    assert got.bodies[-1]["contents"][1]["parts"] == [
        {"functionCall": {"name": "add", "args": ADD}, "thoughtSignature": "c2ln"}
    ]


@pytest.mark.parametrize("reason", [2, "length", "LENGTH", "FinishReason.MAX_TOKENS", "max_length"])
async def test_gemini_that_was_cut(reason: Any) -> None:
    """Whatever the spelling, the answer is incomplete, and why is in our words."""
    got = await exchange("generate", sse(chunk({"text": "Hi"}, reason=reason)))
    assert isinstance(got.settled.event, MessageIncomplete)
    assert (got.text, got.settled.event.reason) == ("Hi", "max_output_tokens")


def partial(*pieces: Any, more: bool = True, **call: Any) -> Any:
    """A chunk with a piece of a call: paths and values of its arguments."""
    args = [{"jsonPath": path, kind: value, "willContinue": True} for path, kind, value in pieces]
    told = call | ({"partialArgs": args} if args else {}) | ({"willContinue": True} if more else {})
    return chunk({"functionCall": told}, reason=None if more else "STOP")


ONE, TWO_AND_MORE = ("$.a", "numberValue", 1), ("$.b", "numberValue", 2)


@pytest.mark.parametrize(
    "chunks",
    [
        [partial(name="add"), partial(ONE), partial(TWO_AND_MORE), partial(more=False)],
        [partial(ONE, name="add", id="c"), partial(TWO_AND_MORE, more=False)],
        [partial(ONE, TWO_AND_MORE, name="add", more=False)],
    ],
)
async def test_arguments_of_gemini_piece_by_piece(chunks: list[Any]) -> None:
    """They are put together by their paths, and the call runs once; it goes back whole."""
    got = await exchange("generate", sse(*chunks), sse(*STREAM["generate"]))
    assert (got.ran, got.text, len(got.calls)) == ([(1, 2)], "Hello there", 1), got.error
    (sent,) = got.bodies[-1]["contents"][1]["parts"]
    assert (sent["functionCall"]["args"], "partialArgs" in sent["functionCall"]) == (ADD, False)


def test_paths_of_arguments() -> None:
    """Texts are joined; objects and lists are made on the way, and a path that makes no sense changes nothing."""
    call = PartialCall()
    pieces: list[Any] = [
        ("$.who.names[0]", "stringValue", "A"),
        ("$.who.names[0]", "stringValue", "da"),
        ("$.who.names[1]", "stringValue", "Bo"),
        ("$['odd key'][1].x", "boolValue", True),
        ("$.none", "nullValue", "NULL_VALUE"),
        ("$.who.names.x", "numberValue", 1),
        ("$.many[99999999999]", "numberValue", 1),
        ("nonsense", "numberValue", 1),
    ]
    for one in pieces:
        (part,) = partial(one)["candidates"][0]["content"]["parts"]
        assert call.add(part) is None
    whole = call.add({"functionCall": {}})
    assert whole is not None
    assert whole["functionCall"]["args"] == {
        "who": {"names": ["Ada", "Bo"]},
        "odd key": [None, {"x": True}],
        "none": None,
        "many": [],
    }


async def test_a_call_of_gemini_that_never_ends() -> None:
    """Its arguments may be cut, so it does not run."""
    got = await exchange("generate", sse(partial(ONE, name="add"), chunk(reason="STOP")))
    assert (got.ran, "a tool call that can't be read" in got.error) == ([], True), got.text


# ---- Interactions: as it was in its beta -----------------------------------------------------------------------------


def content(kind: str, **more: Any) -> Any:
    return {"event_type": f"content.{kind}", "index": 0} | more


BEGUN = {"event_type": "interaction.start", "interaction": {"id": "i", "status": "in_progress"}}


def finished(status: str = "completed", **more: Any) -> Any:
    return {"event_type": "interaction.complete", "interaction": {"id": "i", "status": status} | more}


HALVES = [content("delta", delta={"type": "text", "text": text}) for text in ("Hello ", "there")]


@pytest.mark.parametrize(
    "events",
    [
        [BEGUN, content("start", content={"type": "text"}), *HALVES, content("stop"), finished()],
        [BEGUN, *HALVES, finished(outputs=[{"type": "text", "text": "Hello there"}])],
        [BEGUN, HALVES[0], finished(outputs=[{"type": "text", "text": "Hello there"}])],
        [BEGUN, finished(outputs=[{"type": "thought", "signature": "c2"}, {"type": "text", "text": "Hello there"}])],
    ],
)
async def test_text_of_the_beta(events: list[Any]) -> None:
    """`content.delta` and `outputs`, as other servers still send them: the text is whole, and printed once."""
    got = await exchange("interactions", sse(*events))
    assert is_whole(got), got.error
    assert got.streamed in ("Hello there", "")


@pytest.mark.parametrize("begin", [[], [content("start", content={"type": "function_call"})]])
async def test_a_call_of_the_beta(begin: list[Any]) -> None:
    """A call runs, whether it is streamed, or stands in the reply."""
    call = {"type": "function_call", "id": "c", "name": "add", "arguments": ADD}
    events = [BEGUN, *begin, content("delta", delta=call), content("stop"), finished("requires_action")]
    got = await exchange("interactions", sse(*events), sse(*STREAM["interactions"]))
    assert (got.ran, got.text, len(got.calls)) == ([(1, 2)], "Hello there", 1), got.error
    whole = reply({"id": "i", "status": "requires_action", "outputs": [call]})
    got = await exchange("interactions", whole, reply(WHOLE["interactions"]), stream=False)
    assert (got.ran, got.text) == ([(1, 2)], "Hello there"), got.error


async def test_media_of_the_beta() -> None:
    """An image among the outputs is told."""
    got = await exchange("interactions", reply({"id": "i", "status": "completed", "outputs": [{"type": "image"}]}))
    assert "an image" in got.notices[0]


@pytest.mark.parametrize("kind", ["step.stop", "step.done"])
@pytest.mark.parametrize("before", [[], [step("model_output")], STREAM["interactions"][:1]], ids=["", "start", "half"])
async def test_a_step_that_is_whole_at_its_end(before: list[Any], kind: str) -> None:
    """Text counts from whatever carries it, once."""
    end = {"event_type": kind, "index": 0, "step": output("Hello there")}
    got = await exchange("interactions", sse(*before, end, ended()))
    assert is_whole(got), got.error
    assert got.streamed == "Hello there"


@pytest.mark.parametrize("error", [{"error": "boom"}, {"errors": ["boom"]}, {"errors": [{"message": "boom"}]}], ids=str)
async def test_words_of_an_interaction_that_failed(error: Any) -> None:
    """They are told in whichever shape."""
    got = await exchange("interactions", reply({"id": "i", "status": "failed"} | error))
    assert got.error.startswith("boom. ")


# ---- Responses -------------------------------------------------------------------------------------------------------

PART = {"type": "output_audio", "data": "x", "transcript": "Hello there"}


@pytest.mark.parametrize(
    "events",
    [
        [{"type": "response.text.delta", "delta": "Hello "}, {"type": "response.text.delta", "delta": "there"}],
        [{"type": "response.text.done", "text": "Hello there"}],
        [completed(output="Hello there")],
        [completed(status="COMPLETED", output=[message("Hello there")])],
        [{"type": "response.completed", "status": "completed", "output": [message("Hello there")]}],
        ['event: response.completed\ndata: {"output_text": "Hello there"}'],
    ],
)
async def test_text_of_a_response_elsewhere(events: list[Any]) -> None:
    """In events of the older API, in `output` itself, in the last event itself."""
    got = await exchange("responses", sse(*events, completed()))
    assert is_whole(got), got.error


@pytest.mark.parametrize(
    ("api", "answer"),
    [
        ("responses", sse(completed(message("", content=[PART])))),
        ("responses", sse({"type": "response.audio.transcript.delta", "delta": "Hello there"}, completed())),
        ("chat", reply(whole_choice(content=None, audio={"id": "a", "data": "x", "transcript": "Hello there"}))),
        ("chat", sse(choice(audio={"transcript": "Hello "}), choice(audio={"transcript": "there"}), choice("stop"))),
    ],
)
async def test_what_was_spoken(api: str, answer: bytes) -> None:
    """The words of an answer in audio are its text."""
    got = await exchange(api, answer)
    assert (got.settled.state, got.text) == (State.COMPLETED, "Hello there"), got.error


@pytest.mark.parametrize("details", [{"reason": "max_output_tokens"}, {"reason": "length"}, "max_output_tokens"])
@pytest.mark.parametrize("status", ["completed", "incomplete", "INCOMPLETE"])
async def test_a_response_that_says_what_is_missing(details: Any, status: str) -> None:
    """It is incomplete, whatever its status; why is in our words."""
    last = completed(message("Hi"), status=status, incomplete_details=details)
    for answer, stream in ((sse(delta("Hi"), last), True), (reply(last["response"]), False)):
        got = await exchange("responses", answer, stream=stream)
        assert isinstance(got.settled.event, MessageIncomplete)
        assert (got.text, got.settled.event.reason) == ("Hi", "max_output_tokens")


async def test_a_call_that_the_server_has_answered() -> None:
    """It has run there, so it does not run here."""
    items = [called(), {"type": "function_call_output", "call_id": "c", "output": "3"}, message("It is 3.")]
    got = await exchange("responses", sse(completed(*items)))
    assert (got.settled.state, got.text, got.ran, len(got.bodies)) == (State.COMPLETED, "It is 3.", [], 1)


# ---- Chat Completions and Messages -----------------------------------------------------------------------------------

REASONS = {
    "max_output_tokens": [
        "max_length",
        "max_completion_tokens",
        "limit",
        "LENGTH",
        "FinishReason.LENGTH",
        "max-tokens",
    ],
    "context_length": ["context_length_exceeded", "model_context_window_exceeded"],
    "content_filter": ["content_filtered", "guardrail_intervened", "blocked", "moderation", "ERROR_TOXIC", "refused"],
    "broken": ["failed", "incomplete", "server_error", "interrupted", "preempted", "USER_CANCEL", "ERROR_LIMIT"],
    "": [
        "complete",
        "COMPLETED",
        "done",
        "finished",
        "end_of_turn",
        "eot_id",
        "stop_token",
        "normal",
        "FinishReason.STOP",
    ],
}


@pytest.mark.parametrize(("ours", "reason"), [(ours, one) for ours, several in REASONS.items() for one in several])
async def test_reasons_to_end_in_other_words(ours: str, reason: str) -> None:
    """What a reason says can be read in its name: whole answers are whole, the others say in our words why they are not."""
    for api, events in (
        ("chat", [choice(content="Hi"), choice(reason)]),
        ("anthropic", [said("Hi"), because(reason), STOP]),
    ):
        got = await exchange(api, sse(*events))
        if ours:
            assert isinstance(got.settled.event, MessageIncomplete), api
            assert (got.text, got.settled.event.reason) == ("Hi", ours)
        else:
            assert is_whole(got, "Hi"), api


@pytest.mark.parametrize("stream", [True, False])
async def test_a_call_without_its_braces(stream: bool) -> None:
    """Name and arguments in the call itself, as the Responses API has them."""
    call = {"id": "c", "type": "function", "name": "add", "arguments": json.dumps(ADD)}
    first = sse(choice(tool_calls=[call]), choice("tool_calls"))
    answers = (
        (first, sse(*STREAM["chat"])) if stream else (reply(whole_choice(tool_calls=[call])), reply(WHOLE["chat"]))
    )
    got = await exchange("chat", *answers, stream=stream)
    assert (got.ran, got.text) == ([(1, 2)], "Hello there"), got.error
    assert got.bodies[-1]["messages"][1]["tool_calls"] == [
        {"id": "c", "type": "function", "function": {"name": "add", "arguments": '{"a": 1, "b": 2}'}}
    ]


# ---- sources ---------------------------------------------------------------------------------------------------------

PAGE = "https://example.org/a"
WEB = {"type": "web_search_result_location", "url": PAGE, "title": "A"}
CLAUDE = [
    begun(type="text", text=""),
    said("Hi"),
    piece(type="citations_delta", citation=WEB),
    because("end_turn"),
    STOP,
]
QUOTING = {"type": "text", "text": "Hi", "citations": [WEB, {"type": "char_location", "document_index": 0}]}
FOUND = {"search_results": [{"url": PAGE, "title": "A"}]}


@pytest.mark.parametrize(
    ("api", "answer", "title"),
    [
        ("anthropic", sse(*CLAUDE), "A"),
        ("anthropic", reply({"content": [QUOTING], "stop_reason": "end_turn"}), "A"),
        (
            "chat",
            reply(whole_choice(content="Hi") | {"citations": [PAGE], "search_results": FOUND["search_results"]}),
            "A",
        ),
        ("chat", sse(choice(content="Hi") | {"citations": [PAGE]}, choice("stop") | {"citations": [PAGE]}), ""),
        ("chat", sse(choice(content="Hi"), choice("stop") | FOUND), "A"),
    ],
)
async def test_sources_wherever_they_stand(api: str, answer: bytes, title: str) -> None:
    """On Claude's blocks, next to the choices: kept once each."""
    got = await exchange(api, answer)
    assert is_whole(got, "Hi"), got.error
    assert [(one.url, one.title) for note in got.published(Cited) for one in note.sources] == [(PAGE, title)]


async def test_claude_s_own_tools_at_work() -> None:
    """What the provider's tools do is a note, once; a function of the person's with such a name is none."""
    search = begun(type="server_tool_use", id="s", name="web_search", input={})
    again = begun(1, type="server_tool_use", id="t", name="web_search", input={})
    got = await exchange("anthropic", sse(search, again, said("Hi", 2), because("end_turn"), STOP))
    assert (got.text, got.notices) == ("Hi", ["Searching the web …"])


# ---- Assistants ------------------------------------------------------------------------------------------------------

THREAD = reply({"id": "thread_1", "object": "thread"})
RUN = {"id": "run_1", "object": "thread.run", "thread_id": "thread_1"}
QUEUED, COMPLETED = RUN | {"status": "queued"}, RUN | {"status": "completed"}


def named(name: str, data: Any) -> str:
    return f"event: {name}\ndata: {json.dumps(data)}"


def written(content: Any, **more: Any) -> Any:
    own = {"id": "msg_1", "object": "thread.message", "role": "assistant", "run_id": "run_1", "content": content}
    return {name: value for name, value in (own | more).items() if value != "left out"}


def listed(*messages: Any) -> bytes:
    return reply({"object": "list", "data": [*messages]})


VALUE = [{"type": "text", "text": {"value": "Hello there", "annotations": []}}]
QUESTION = {"id": "msg_0", "object": "thread.message", "role": "user", "content": [{"type": "text", "text": "hi"}]}
EARLIER = written([{"type": "text", "text": {"value": "EARLIER"}}], id="msg_e", run_id=None)


@pytest.mark.parametrize("run", [None, "left out"])
@pytest.mark.parametrize("stream", [True, False])
async def test_messages_that_do_not_say_of_which_run_they_are(run: Any, stream: bool) -> None:
    """Those after the question are the answer, and no others."""
    messages = listed(written(VALUE, run_id=run), QUESTION, EARLIER)
    begun = sse(named("thread.run.created", QUEUED), named("thread.run.completed", COMPLETED))
    answers = (begun, reply(COMPLETED), messages) if stream else (reply(COMPLETED), messages)
    got = await exchange("assistants", THREAD, *answers, stream=stream)
    assert is_whole(got), got.error


@pytest.mark.parametrize("content", ["Hello there", [{"type": "text", "text": "Hello there"}], VALUE[0]], ids=str)
@pytest.mark.parametrize("stream", [True, False])
async def test_the_text_of_a_message_in_other_forms(content: Any, stream: bool) -> None:
    """A text, or a part of the other APIs."""
    delta = {"id": "msg_1", "object": "thread.message.delta", "delta": {"content": content}}
    events = [QUEUED, delta, COMPLETED]
    names = ("thread.run.created", "thread.message.delta", "thread.run.completed")
    streamed = sse(*map(named, names, events))
    answers = (streamed,) if stream else (reply(COMPLETED), listed(written(content)))
    got = await exchange("assistants", THREAD, *answers, stream=stream)
    assert is_whole(got), got.error


@pytest.mark.parametrize(
    ("reason", "ours"),
    [("max_tokens", "max_output_tokens"), ("content_filter", "content_filter"), (None, "incomplete")],
)
@pytest.mark.parametrize("stream", [True, False])
async def test_a_message_that_is_incomplete(reason: Any, ours: str, stream: bool) -> None:
    """So is the answer, although its run is completed."""
    cut = written(VALUE, status="incomplete", incomplete_details={"reason": reason})
    names = ("thread.run.created", "thread.message.incomplete", "thread.run.completed")
    streamed = sse(*map(named, names, (QUEUED, cut, COMPLETED)))
    got = await exchange(
        "assistants", THREAD, *((streamed,) if stream else (reply(COMPLETED), listed(cut))), stream=stream
    )
    assert isinstance(got.settled.event, MessageIncomplete), got.error
    assert (got.text, got.settled.event.reason) == ("Hello there", ours)


async def test_a_run_that_is_not_streamed_and_over_at_once() -> None:
    """A server that does not stream answers with the finished run: its messages are fetched."""
    got = await exchange("assistants", THREAD, reply(COMPLETED), reply(COMPLETED), listed(written(VALUE)))
    assert is_whole(got), got.error


@pytest.mark.parametrize("stream", [True, False])
async def test_sources_of_a_thread(stream: bool) -> None:
    """Web pages that a message cites are kept."""
    note = {"type": "url_citation", "text": "[1]", "url_citation": {"url": PAGE, "title": "A"}}
    part = {"index": 0, "type": "text", "text": {"value": "Hello there", "annotations": [note]}}
    delta = {"id": "msg_1", "object": "thread.message.delta", "delta": {"content": [part]}}
    names = ("thread.run.created", "thread.message.delta", "thread.run.completed")
    answers = (sse(*map(named, names, (QUEUED, delta, COMPLETED))),)
    got = await exchange(
        "assistants", THREAD, *(answers if stream else (reply(COMPLETED), listed(written([part])))), stream=stream
    )
    assert is_whole(got), got.error
    assert [(one.url, one.title) for said in got.published(Cited) for one in said.sources] == [(PAGE, "A")]


@pytest.mark.parametrize("place", ["thread", "messages"])
@pytest.mark.parametrize("error", [{"error": {"message": "boom"}}, {"error": "boom"}, {"detail": "boom"}], ids=str)
async def test_a_refusal_with_the_status_of_a_success(place: str, error: Any) -> None:
    """Its words are told wherever it comes: instead of the thread, or of the messages of a run that has ended."""
    answers = [reply(error)] if place == "thread" else [THREAD, reply(COMPLETED), reply(error)]
    got = await exchange("assistants", *answers, stream=False)
    assert got.error.startswith("boom. "), (got.error, got.notices)


# ---- statuses and words of other servers -----------------------------------------------------------------------------


@pytest.mark.parametrize("status", ["pending", "running", "processing", "QUEUED", "IN_PROGRESS"])
@pytest.mark.parametrize("api", ["responses", "interactions", "assistants"])
async def test_work_that_is_not_done_in_other_words(api: str, status: str) -> None:
    """It is waited for."""
    if api == "assistants":
        answers = [THREAD, reply(RUN | {"status": status}), reply(COMPLETED), listed(written(VALUE))]
        got = await exchange(api, *answers, stream=False)
    else:
        got = await exchange(api, reply({"id": "r", "status": status}), reply(WHOLE[api]), background=True)
    assert is_whole(got), got.error


@pytest.mark.parametrize(
    "body",
    [
        *({name: "boom"} for name in ("errorMessage", "errmsg", "exception", "description", "Error")),
        {"error": {"message": "Provider returned error", "metadata": {"raw": "boom", "provider_name": "X"}}},
        {"error": {"message": "Provider returned error", "metadata": {"raw": '{"error": {"message": "boom"}}'}}},
        {"error": {"metadata": {"raw": {"detail": "boom"}}}},
    ],
    ids=str,
)
async def test_words_in_other_places(body: Any) -> None:
    """The words of a refusal are told, also those of the server behind OpenRouter."""
    got = await exchange("chat", reply(body, "500 Server Error"))
    assert "boom. " in got.error

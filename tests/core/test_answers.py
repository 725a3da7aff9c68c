"""Exchanges whose answer must fit a schema: one correction, tools in between, and what the journal and the history hold."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from asstproxy.core.codec import decode, encode
from asstproxy.core.errors import AssistantError, UsageError
from asstproxy.core.events import (
    ActionRequired,
    ApprovalRequested,
    AssistantMessageRetrieved,
    Cancelled,
    ChunkReceived,
    Event,
    Heartbeat,
    MessageIncomplete,
    Record,
    SchemaMismatch,
    SetUserMessage,
    Started,
    ToolCall,
    ToolFinished,
    ToolsExecuted,
)
from asstproxy.core.history import AssistantMessage, ToolOutputs, UserMessage
from asstproxy.core.roles import SchemaSupport
from asstproxy.core.script import State
from asstproxy.core.turn import Turn
from asstproxy.providers.playback import ReplayProvider
from asstproxy.providers.scripted import Part, ScriptedProvider, say
from asstproxy.tools import approve_all, tool

from .stage import Stage, calling, types

PERSON: dict[str, Any] = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "age": {"type": "integer"}},
    "required": ["name", "age"],
    "additionalProperties": False,
}
GOOD, BAD = '{"name": "Rex", "age": 3}', '{"name": "Rex", "age": "three"}'
DATA = '{"name":"Rex","age":3}'
PROBLEM = "age: 'three' is not of type 'integer'"


class Structured(ScriptedProvider):
    """An assistant whose API takes schemas."""

    structured = SchemaSupport()


@tool(read_only=True)
def year_of_birth(name: str) -> int:
    """When a dog was born."""
    return 2023


@tool(approval="ask")
def rename(name: str) -> str:
    """Give a dog another name."""
    return name


def staged(*replies: list[Part], **how: Any) -> Stage:
    """A stage whose assistant takes schemas and plays these replies."""
    assistant = Structured(*replies)
    stage = Stage(assistant=assistant, **how)
    stage.script = assistant
    return stage


async def test_an_answer_that_fits_is_one_line_of_json() -> None:
    """Whatever white space or fence the assistant wrote; the turn has the schema, and so has the journal."""
    stage = staged(say("```json\n{\n  'x'\n```".replace("'x'", '"name": "Rex", "age": 3}'), pieces=4))
    last = await stage.conversation.exchange("a dog", schema=PERSON)
    assert last.event == AssistantMessageRetrieved(DATA)
    assert stage.script.turns[0].schema == PERSON
    assert stage.published(SetUserMessage) == [SetUserMessage("a dog", schema=PERSON)]
    assert decode(encode(stage.records[1])) == stage.records[1]
    stage.assert_conforms()


async def test_without_a_schema_nothing_changes() -> None:
    """The next turn of the same conversation has none, and its journal line has no such member."""
    stage = staged(say(GOOD), say("hello"))
    await stage.conversation.exchange("a dog", schema=PERSON)
    last = await stage.conversation.exchange("hi")
    assert last.event == AssistantMessageRetrieved("hello")
    assert stage.script.turns[1].schema is None
    (plain,) = [encode(record) for record in stage.records if record.event == SetUserMessage("hi")]
    assert b"schema" not in plain


@pytest.mark.parametrize("mediator", ["state-machine", "basic"])
async def test_an_answer_that_does_not_fit_is_corrected_within_the_exchange(mediator: str) -> None:
    """A note says what did not fit; the script takes no step for it; the assistant sees its answer and the problem."""
    stage = staged(say(BAD, pieces=3), say(GOOD, pieces=2), mediator=mediator)
    last = await stage.conversation.exchange("a dog", schema=PERSON)
    assert last.event == AssistantMessageRetrieved(DATA)
    assert types(stage.records) == [
        "configured", "set_user_message", "started", *["chunk_received"] * 3, "schema_mismatch",
        *["chunk_received"] * 2, "assistant_message_retrieved",
    ]  # fmt: skip
    (note,) = stage.published(SchemaMismatch)
    assert (note.text, note.problems) == (BAD, (PROBLEM,))
    assert stage.records[6].state is State.STREAMING
    again = stage.script.turns[1]
    assert again.history == (UserMessage("a dog"), AssistantMessage(BAD))
    assert again.text == note.correction
    assert PROBLEM in note.correction
    assert json.dumps(PERSON, separators=(",", ":")) in note.correction
    assert again.schema == PERSON
    stage.assert_conforms()


async def test_the_second_answer_that_does_not_fit_is_kept_as_incomplete() -> None:
    """Reason `schema`, with the problems; the conversation goes on, and the assistant sees what happened."""
    stage = staged(say(BAD), say("No."), say("fine"))
    last = await stage.conversation.exchange("a dog", schema=PERSON)
    problem = "it is not JSON: expecting value (line 1, column 1)"
    assert last.event == MessageIncomplete("No.", "schema", problems=(problem,))
    assert last.state is State.INCOMPLETE
    await stage.conversation.exchange("and now?")
    correction = stage.published(SchemaMismatch)[0].correction
    assert stage.script.turns[2].history == (
        UserMessage("a dog"), AssistantMessage(BAD), UserMessage(correction), AssistantMessage("No."),
    )  # fmt: skip
    stage.assert_conforms()


async def test_each_exchange_has_its_own_correction() -> None:
    """An exchange after one that was corrected may be corrected, too."""
    stage = staged(say(BAD), say(GOOD), say(BAD), say(GOOD))
    for _ in range(2):
        last = await stage.conversation.exchange("a dog", schema=PERSON)
        assert last.event == AssistantMessageRetrieved(DATA)
    assert len(stage.published(SchemaMismatch)) == 2


async def test_a_program_may_demand_more() -> None:
    """What `check` says about data that fits the schema leads to the same correction."""
    stage = staged(say(GOOD), say('{"name": "Rex", "age": 7}'))
    last = await stage.conversation.exchange(
        "a dog", schema=PERSON, check=lambda data: ["age: too young"] if data["age"] < 5 else []
    )
    assert last.event == AssistantMessageRetrieved('{"name":"Rex","age":7}')
    assert stage.published(SchemaMismatch)[0].problems == ("age: too young",)


async def test_tools_run_before_the_answer_and_before_its_correction() -> None:
    """A tool round, an answer that does not fit, another tool round, an answer that does: all in one exchange."""
    call = ("year_of_birth", '{"name": "Rex"}')
    stage = staged(calling(call), say(BAD), calling(call), say(GOOD), tools=[year_of_birth])
    last = await stage.conversation.exchange("a dog", schema=PERSON)
    assert last.event == AssistantMessageRetrieved(DATA)
    assert [event.result.output for event in stage.published(ToolFinished)] == ["2023", "2023"]
    assert len(stage.script.turns[1].history) == 4
    stage.assert_conforms()


async def test_an_answer_that_was_cut_short_is_not_corrected() -> None:
    """It is incomplete for its own reason."""
    stage = staged([MessageIncomplete('{"name": "Re', "max_output_tokens")])
    last = await stage.conversation.exchange("a dog", schema=PERSON)
    assert last.event == MessageIncomplete('{"name": "Re', "max_output_tokens")
    assert stage.published(SchemaMismatch) == []


async def test_a_correction_is_retried_as_any_request() -> None:
    """A failure before its first piece is repeated; the script is past the opening message, which is not published again."""
    failure = AssistantError("server", "Down.", retryable=True)
    stage = staged(say(BAD), [failure], say(GOOD))
    last = await stage.conversation.exchange("a dog", schema=PERSON)
    assert last.event == AssistantMessageRetrieved(DATA)
    assert len(stage.published(Started)) == 1
    stage.assert_conforms()


async def test_a_correction_that_fails_settles_the_exchange_as_error() -> None:
    """The conversation goes on; what was answered and asked is in the history."""
    stage = staged(say(BAD), [AssistantError("authentication", "Wrong key.")], say("fine"))
    assert (await stage.conversation.exchange("a dog", schema=PERSON)).state is State.ERROR
    await stage.conversation.exchange("hi")
    assert stage.script.turns[-1].history[:2] == (UserMessage("a dog"), AssistantMessage(BAD))
    stage.assert_conforms()


async def test_a_correction_can_be_cancelled() -> None:
    """While the assistant is silent, and the next exchange completes."""
    stage = staged(say(BAD), [60.0], say("fine"))
    corrected = asyncio.Event()
    stage.conversation.subscribe(lambda r: corrected.set() if isinstance(r.event, SchemaMismatch) else None)
    task = asyncio.create_task(stage.conversation.exchange("a dog", schema=PERSON))
    await corrected.wait()
    stage.conversation.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert stage.records[-1].event == Cancelled()
    assert (await stage.conversation.exchange("hi")).state is State.COMPLETED
    stage.assert_conforms()


@pytest.mark.parametrize(
    ("schema", "words"),
    [
        ({"type": "strng"}, "Not a JSON Schema"),
        ({"type": "object", "properties": {"kids": {"type": "array", "items": {"$ref": "#"}}}}, "refers to itself"),
    ],
)
async def test_a_schema_that_cannot_be_used_is_refused_before_anything_happens(schema: Any, words: str) -> None:
    """A wrong call: nothing is published, nothing is sent, and the conversation can go on."""
    stage = staged(say("hello"))
    with pytest.raises(UsageError, match=words):
        await stage.conversation.exchange("a dog", schema=schema)
    assert (stage.records, stage.script.turns) == ([], [])
    assert (await stage.conversation.exchange("hi")).state is State.COMPLETED


# ---- an assistant whose API knows no schemas -----------------------------------------------------------------------------


async def test_the_call_of_the_function_answer_is_the_answer() -> None:
    """The function's parameters are the schema; nobody is asked, nothing runs, and the text is the data."""
    stage = Stage(calling(("answer", GOOD), text="Well:"), say("fine"), tools=[rename])
    last = await stage.conversation.exchange("a dog", schema=PERSON)
    assert last.event == AssistantMessageRetrieved(DATA)
    turn = stage.script.turns[0]
    assert [(spec.name, spec.parameters) for spec in turn.tools][1:] == [("answer", PERSON)]
    assert "`answer`" in turn.instructions
    assert turn.schema is None
    assert stage.published(ActionRequired) == stage.published(ApprovalRequested) == []
    await stage.conversation.exchange("thanks")
    assert stage.script.turns[1].history == (UserMessage("a dog"), AssistantMessage(DATA))
    assert [spec.name for spec in stage.script.turns[1].tools] == ["rename"]
    assert stage.script.turns[1].instructions == ""
    stage.assert_conforms()


async def test_a_text_that_fits_is_an_answer_too() -> None:
    """A model that writes JSON in place of the call; a call that does not fit is corrected."""
    stage = Stage(calling(("answer", BAD)), say(GOOD))
    last = await stage.conversation.exchange("a dog", schema=PERSON)
    assert last.event == AssistantMessageRetrieved(DATA)
    assert stage.published(SchemaMismatch)[0].text == BAD
    stage.assert_conforms()


async def test_an_answer_together_with_tools_comes_too_soon() -> None:
    """The tools run, with approval; the answer gets an error as its result, and is given again after them."""
    both = calling(("rename", '{"name": "Max"}'), ("answer", BAD))
    stage = Stage(both, calling(("answer", GOOD)), tools=[rename], approve=approve_all)
    last = await stage.conversation.exchange("a dog", schema=PERSON)
    assert last.event == AssistantMessageRetrieved(DATA)
    assert [call.name for event in stage.published(ApprovalRequested) for call in event.calls] == ["rename"]
    (results,) = [event.results for event in stage.published(ToolsExecuted)]
    assert (results[0].output, results[1].call_id) == ("Max", "c1")
    assert "again, alone" in str(results[1].error)
    assert stage.published(SchemaMismatch) == []
    stage.assert_conforms()


async def test_a_tool_of_that_name_keeps_it() -> None:
    """The function is then called `final_answer`, and the person's tool runs."""

    @tool(read_only=True)
    def answer(question: str) -> str:
        """Answer a question."""
        return "42"

    stage = Stage(calling(("answer", '{"question": "?"}')), calling(("final_answer", GOOD)), tools=[answer])
    last = await stage.conversation.exchange("a dog", schema=PERSON)
    assert last.event == AssistantMessageRetrieved(DATA)
    assert [event.result.output for event in stage.published(ToolFinished)] == ["42"]


# ---- from the journal ----------------------------------------------------------------------------------------------------


async def test_a_recording_answers_again() -> None:
    """`replay:SESSION` repeats the answer that did not fit, the correction, and the tools: the records are the same."""
    both = calling(("year_of_birth", '{"name": "Rex"}'), ("answer", BAD))
    replies = [both, say(BAD), calling(("answer", GOOD)), say("fine")]
    recorded = Stage(*replies, tools=[year_of_birth])
    again = Stage(assistant=ReplayProvider(recorded.records), tools=[year_of_birth])
    await recorded.conversation.exchange("a dog", schema=PERSON)
    await recorded.conversation.exchange("hi")
    again = Stage(assistant=ReplayProvider(recorded.records), tools=[year_of_birth])
    for message, schema in (("a dog", PERSON), ("hi", None)):
        await again.conversation.exchange(message, schema=schema)
    told = [[event for event in stage.events if event.type in TOLD] for stage in (recorded, again)]
    assert told[0] == told[1]
    again.assert_conforms()


TOLD = ("set_user_message", "schema_mismatch", "tools_executed", "assistant_message_retrieved")


class Background(Structured):
    """An assistant that works in the background: another process can attach to what it does."""

    def __init__(self, *attached: list[Part]) -> None:
        super().__init__()
        self._attached = attached

    async def attach(self, turn: Turn) -> Any:
        self.turns.append(turn)
        self.give(*self._attached)
        async for event in self._play():
            yield event


@pytest.mark.parametrize(("corrected", "ends"), [(False, State.COMPLETED), (True, State.INCOMPLETE)])
async def test_what_another_process_asked_for_must_fit_too(corrected: bool, ends: State) -> None:
    """An exchange that is attached to has the schema of the journal, and one correction in all."""
    events: list[Event] = [SetUserMessage("a dog", schema=PERSON), Started("scripted", "script"), ChunkReceived(BAD)]
    if corrected:
        events.append(SchemaMismatch(BAD, (PROBLEM,), "Again!"))
    events.append(Heartbeat(resume={"job": 1}))
    states = [State.READY, State.STARTED, State.STREAMING, *[State.STREAMING] * corrected, State.RUNNING]
    past = [Record(n, "", state, event) for n, (state, event) in enumerate(zip(states, events, strict=True), 1)]
    assistant = Background(say(BAD), say(GOOD))
    stage = Stage(assistant=assistant, past=past)
    last = await stage.conversation.attach()
    assert last.state is ends
    assert assistant.turns[0].schema == PERSON
    assert (last.event == AssistantMessageRetrieved(DATA)) is not corrected


async def test_a_retry_fetches_an_answer_that_must_fit_too() -> None:
    """One that was lost while the provider worked in the background: its schema is that of the message."""
    assistant = Background(say(GOOD))
    assistant.give([Heartbeat(resume={"job": 1}), AssistantError("connection", "It broke.")])
    stage = Stage(assistant=assistant)
    assert (await stage.conversation.exchange("a dog", schema=PERSON)).state is State.ERROR
    last = await stage.conversation.retry("a dog", schema=PERSON)
    assert last.event == AssistantMessageRetrieved(DATA)
    assert [turn.schema for turn in assistant.turns] == [PERSON, PERSON]
    assert stage.published(SetUserMessage)[-1] == SetUserMessage("a dog", schema=PERSON)
    stage.assert_conforms()


async def test_results_of_dangling_answers_are_kept_out() -> None:
    """A provider that numbers its calls afresh: the results are in the order of the calls."""
    both: list[Part] = [
        ActionRequired((ToolCall("a", "answer", GOOD), ToolCall("b", "year_of_birth", '{"name": "x"}')))
    ]
    stage = Stage(both, calling(("answer", GOOD)), tools=[year_of_birth])
    await stage.conversation.exchange("a dog", schema=PERSON)
    outputs = stage.conversation.history.exchanges[0][2]
    assert isinstance(outputs, ToolOutputs)
    assert [result.call_id for result in outputs.results] == ["a", "b"]

"""Tools within an exchange: rounds, parallel calls, approval, and failures that the assistant can act on."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import sys
import threading
from collections.abc import Callable, Sequence
from typing import Any, Literal

import pytest

from asstproxy.core.events import (
    ApprovalGiven,
    ApprovalRequested,
    AssistantMessageRetrieved,
    Decision,
    MessageIncomplete,
    ToolCall,
    ToolFinished,
    ToolResult,
    ToolStarted,
)
from asstproxy.core.history import AssistantMessage, ToolOutputs, UserMessage
from asstproxy.core.script import State
from asstproxy.providers.scripted import say
from asstproxy.tools import Approver, Question, Tool, as_tool

from .stage import Stage, calling, types

ran: list[int] = []


@pytest.fixture(autouse=True)
def _nothing_ran() -> None:
    ran.clear()


def add(a: int, b: int = 2) -> int:
    """Add two numbers."""
    ran.append(a)
    return a + b


def asking(function: Callable[..., Any], when: Literal["ask", "always-ask"] = "ask") -> Tool:
    return dataclasses.replace(as_tool(function), approval=when)


async def results_of(stage: Stage) -> tuple[ToolResult, ...]:
    await stage.conversation.exchange("please")
    stage.assert_conforms()
    (results,) = stage.script.results
    return results


@pytest.mark.parametrize("mediator", ["state-machine", "basic"])
async def test_a_round(mediator: str) -> None:
    """The assistant asks, the tool runs, its output goes back, the assistant answers."""
    stage = Stage(calling(("add", '{"a": 1}'), text="let me see"), say("3"), tools=[add], mediator=mediator)
    last = await stage.conversation.exchange("1 + 2?")
    assert last.event == AssistantMessageRetrieved("3")
    assert [(record.state.value, record.event.type) for record in stage.records[3:]] == [
        ("requires_action", "action_required"),
        ("requires_action", "tool_started"),
        ("requires_action", "tool_finished"),
        ("tools_executed", "tools_executed"),
        ("tool_outputs_submitted", "tool_outputs_submitted"),
        ("streaming", "chunk_received"),
        ("completed", "assistant_message_retrieved"),
    ]
    assert stage.script.results == [(ToolResult("c0", "3"),)]
    assert stage.conversation.history.items("", "") == (
        UserMessage("1 + 2?"),
        AssistantMessage("let me see", (ToolCall("c0", "add", '{"a": 1}'),)),
        ToolOutputs((ToolResult("c0", "3"),)),
        AssistantMessage("3"),
    )


async def test_several_rounds() -> None:
    """An assistant may ask again and again; each round gets its own results."""
    rounds = [calling(("add", f'{{"a": {n}}}')) for n in range(3)]
    stage = Stage(*rounds, say("done"), tools=[add])
    assert (await stage.conversation.exchange("count")).event == AssistantMessageRetrieved("done")
    assert stage.script.results == [(ToolResult("c0", str(n + 2)),) for n in range(3)]
    stage.assert_conforms()


async def test_results_stand_in_the_order_of_the_calls() -> None:
    """Parallel calls run side by side, and finish in any order; their results do not."""
    met = asyncio.Barrier(3)

    async def wait(seconds: float) -> float:
        async with asyncio.timeout(30):
            await met.wait()  # nobody passes before all three run
        await asyncio.sleep(seconds)
        return seconds

    calls = [("wait", json.dumps({"seconds": seconds})) for seconds in (0.03, 0.0, 0.015)]
    stage = Stage(calling(*calls), say("done"), tools=[wait])
    assert [result.output for result in await results_of(stage)] == ["0.03", "0.0", "0.015"]
    assert [event.result.call_id for event in stage.published(ToolFinished)] == ["c1", "c2", "c0"]


async def test_blocking_tools_run_side_by_side() -> None:
    """A function that blocks its thread blocks neither the loop nor the other calls."""
    met = threading.Barrier(6, timeout=30)

    def nap(name: str) -> str:
        met.wait()  # nobody passes before all six run
        return name

    calls = [("nap", json.dumps({"name": name})) for name in "abcdef"]
    results = await results_of(Stage(calling(*calls), say("done"), tools=[nap]))
    assert [result.output for result in results] == [*"abcdef"]


async def test_an_unknown_tool_is_an_error_that_names_the_known_ones() -> None:
    """The assistant is told what it may call, and the exchange goes on."""
    stage = Stage(calling(("sub", "{}"), ("add", '{"a": 1}')), say("sorry"), tools=[add])
    unknown, known = await results_of(stage)
    assert unknown.error == "No such tool: 'sub'. Known tools: add."
    assert known == ToolResult("c1", "3")


@pytest.mark.parametrize("arguments", ["", "{", "[1]", '{"b": 1}', '{"a": "one"}', '{"a": 1, "c": 2}', "null"])
async def test_arguments_that_do_not_fit_are_an_error(arguments: str) -> None:
    """The function is not called, and the assistant learns why."""
    (result,) = await results_of(Stage(calling(("add", arguments)), say("sorry"), tools=[add]))
    assert result.error
    assert ran == []


def raises_exit() -> None:
    """Leave."""
    sys.exit(3)


async def raises_cancelled() -> None:
    """Something inside was cancelled, but not by us."""
    raise asyncio.CancelledError


async def raises_timeout() -> None:
    """Something inside was slow."""
    raise TimeoutError("the database is slow")


def raises_os_error() -> None:
    """Something is not there."""
    raise FileNotFoundError(2, "No such file", "x.txt")


@pytest.mark.parametrize(
    ("tool", "why"),
    [
        (raises_exit, "SystemExit: 3"),
        (raises_cancelled, "CancelledError"),
        (raises_timeout, "the database is slow"),
        (raises_os_error, "x.txt"),
    ],
)
async def test_a_tool_that_raises_is_a_result(tool: Callable[..., Any], why: str) -> None:
    """Whatever a tool raises, the assistant is told and goes on; it is neither our failure nor a cancellation."""
    (result,) = await results_of(Stage(calling((tool.__name__, "{}")), say("sorry"), tools=[tool]))
    assert why in (result.error or "")


async def test_a_tool_that_hangs_is_given_up() -> None:
    """When its time is over the assistant is told, whether it blocks a thread or not."""

    async def hang() -> None:
        await asyncio.sleep(60)

    release = threading.Event()

    def block() -> None:
        release.wait(60)

    tools = [dataclasses.replace(as_tool(function), timeout=0.02) for function in (hang, block)]
    stage = Stage(calling(("hang", "{}"), ("block", "{}")), say("sorry"), tools=tools)
    results = await results_of(stage)
    release.set()
    assert ["did not return within 0.02 s" in (result.error or "") for result in results] == [True, True]


async def test_too_many_rounds_end_as_incomplete() -> None:
    """After the last allowed round the text is kept, the call is not run, and the person may go on."""
    rounds = [calling(("add", '{"a": 1}'), text="once more") for _ in range(3)]
    stage = Stage(*rounds, say("fine"), tools=[add], max_tool_rounds=2)
    last = await stage.conversation.exchange("count")
    assert (last.state, last.event) == (State.INCOMPLETE, MessageIncomplete("once more", "tool_rounds"))
    assert len(ran) == 2
    assert (await stage.conversation.exchange("go on")).state is State.COMPLETED
    items = stage.script.turns[-1].history
    assert sum(isinstance(item, ToolOutputs) for item in items) == 2
    assert items[-1] == AssistantMessage("once more")
    stage.assert_conforms()


def approver(*decisions: Decision, asked: list[ToolCall] | None = None) -> Approver:
    async def approve(questions: Sequence[Question]) -> Sequence[Decision]:
        if asked is not None:
            asked.extend(question.call for question in questions)
        return decisions

    return approve


TWO = calling(("add", '{"a": 1}'), ("sub", '{"a": 5}'))


def sub(a: int) -> int:
    """Subtract one."""
    ran.append(a)
    return a - 1


async def test_only_doubtful_calls_are_asked_for() -> None:
    """The person is asked once, about the calls that need it; then all run."""
    asked: list[ToolCall] = []
    approve = approver(Decision("c1", approved=True), asked=asked)
    stage = Stage(TWO, say("done"), tools=[add, asking(sub)], approve=approve)
    assert await results_of(stage) == (ToolResult("c0", "3"), ToolResult("c1", "4"))
    assert asked == [ToolCall("c1", "sub", '{"a": 5}')]
    assert types(stage.records)[3:7] == ["action_required", "approval_requested", "approval_given", "tool_started"]
    assert stage.published(ApprovalRequested) == [ApprovalRequested(tuple(asked))]
    assert [record.state for record in stage.records[4:6]] == [State.AWAITING_APPROVAL, State.REQUIRES_ACTION]


async def test_a_refused_call_is_an_error_with_the_reason() -> None:
    """It does not run; the others do, and the assistant is told why."""
    approve = approver(Decision("c1", approved=False, reason="Not today."))
    kept, refused = await results_of(Stage(TWO, say("ok"), tools=[add, asking(sub)], approve=approve))
    assert kept == ToolResult("c0", "3")
    assert refused.error == "The person refused this call. Not today."
    assert ran == [1]


async def test_with_nobody_to_ask_nothing_doubtful_runs() -> None:
    """Without an approver such a call is refused."""
    stage = Stage(TWO, say("ok"), tools=[add, asking(sub, "always-ask")])
    _, refused = await results_of(stage)
    assert "Nobody can be asked" in (refused.error or "")
    assert stage.published(ApprovalGiven)
    assert ran == [1]


@pytest.mark.parametrize("decisions", [[], [Decision("c0", approved=True)], [Decision("other", approved=True)]])
async def test_what_was_not_decided_does_not_run(decisions: list[Decision]) -> None:
    """A doubtful call runs only on a decision of its own."""
    stage = Stage(TWO, say("ok"), tools=[add, asking(sub)], approve=approver(*decisions))
    _, undecided = await results_of(stage)
    assert undecided.error
    assert 5 not in ran


async def test_a_person_may_edit_the_arguments() -> None:
    """The tool runs with what the person wrote, and the records and the assistant are told so."""
    approve = approver(Decision("c1", approved=True, arguments='{"a": 10}'))
    stage = Stage(TWO, say("ok"), tools=[add, asking(sub)], approve=approve)
    assert (await results_of(stage))[1].output.endswith("\n9")
    assert ToolStarted("c1", "sub", '{"a": 10}') in stage.events

"""Who listens to a conversation, and what their failures do to it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

import pytest

from asstproxy.core.conversation import Conversation
from asstproxy.core.errors import OutputError
from asstproxy.core.events import Cancelled, ErrorOccurred, Record
from asstproxy.core.script import State
from asstproxy.providers.scripted import Part, ScriptedProvider, say
from asstproxy.tools import approve_all

from .stage import Stage, calling
from .test_tool_rounds import add, asking

FULL = OSError(28, "No space left on device")


def failing_at(type_: str, error: BaseException) -> Callable[[Record], None]:
    def listen(record: Record) -> None:
        if record.event.type == type_:
            raise error

    return listen


ROUND: list[list[Part]] = [calling(("add", '{"a": 1}')), say("3")]
WAYPOINTS = [
    "configured",
    "set_user_message",
    "started",
    "action_required",
    "approval_requested",
    "approval_given",
    "tool_started",
    "tool_finished",
    "tools_executed",
    "tool_outputs_submitted",
    "chunk_received",
    "assistant_message_retrieved",
]


@pytest.mark.parametrize("mediator", ["state-machine", "basic"])
@pytest.mark.parametrize("where", WAYPOINTS)
async def test_a_journal_that_cannot_write_fails_the_exchange(where: str, mediator: str) -> None:
    """Write-ahead: what cannot be kept ends the exchange as an error of kind `storage`, and the caller is told."""
    stage = Stage(*ROUND, tools=[asking(add)], approve=approve_all, mediator=mediator)
    stage.conversation.subscribe(failing_at(where, FULL), essential=True)
    with pytest.raises(OSError, match="No space"):
        await stage.conversation.exchange("hi")
    assert stage.conversation.state is State.ERROR
    assert isinstance(stage.events[-1], ErrorOccurred)
    assert (stage.events[-1].kind, "No space" in stage.events[-1].message) == ("storage", True)


@pytest.mark.parametrize("where", WAYPOINTS)
async def test_nothing_is_heard_that_was_not_kept(where: str) -> None:
    """Who joined after the journal never hears the record that it could not write."""
    journal: list[str] = []
    stage = Stage(*ROUND, tools=[asking(add)], approve=approve_all)
    stage.conversation.subscribe(failing_at(where, FULL), essential=True)
    stage.conversation.subscribe(lambda record: journal.append(record.event.type))
    with pytest.raises(OSError, match="No space"):
        await stage.conversation.exchange("hi")
    assert where not in journal
    assert journal[-1] == "error"


@pytest.mark.parametrize("where", WAYPOINTS)
async def test_the_next_exchange_works_when_there_is_room_again(where: str) -> None:
    """A failure of the journal is over when it is over."""
    stage = Stage(*ROUND, tools=[asking(add)], approve=approve_all)
    leave = stage.conversation.subscribe(failing_at(where, FULL), essential=True)
    with pytest.raises(OSError, match="No space"):
        await stage.conversation.exchange("hi")
    leave()
    stage.conversation.configure(stage.conversation.configured, ScriptedProvider(say("fine")))
    assert (await stage.conversation.exchange("again")).state is State.COMPLETED


@pytest.mark.parametrize("where", WAYPOINTS)
async def test_a_broken_view_is_dropped_and_the_exchange_goes_on(where: str, caplog: pytest.LogCaptureFixture) -> None:
    """A subscriber that is not essential cannot stop a conversation."""
    stage = Stage(*ROUND, tools=[asking(add)], approve=approve_all)
    stage.conversation.subscribe(failing_at(where, ValueError("torn")))
    with caplog.at_level(logging.ERROR):
        assert (await stage.conversation.exchange("hi")).state is State.COMPLETED
    assert "dropped" in caplog.text
    stage.assert_conforms()


@pytest.mark.parametrize("mediator", ["state-machine", "basic"])
@pytest.mark.parametrize("where", WAYPOINTS)
async def test_a_closed_pipe_ends_the_exchange(where: str, mediator: str) -> None:
    """Nobody reads our output any more: the exchange is cancelled as `terminated`, unless it had ended already."""
    stage = Stage(*ROUND, tools=[asking(add)], approve=approve_all, mediator=mediator)
    stage.conversation.subscribe(failing_at(where, BrokenPipeError(32, "Broken pipe")))
    with pytest.raises(BrokenPipeError):
        await stage.conversation.exchange("hi")
    if where == "configured":
        assert stage.conversation.state is State.NEW  # no exchange had begun
    elif where == "assistant_message_retrieved":
        assert stage.conversation.state is State.COMPLETED
    else:
        assert (stage.conversation.state, stage.events[-1]) == (State.CANCELLED, Cancelled("terminated"))
    stage.assert_conforms()


@pytest.mark.parametrize("reason", ["user", "timeout", "terminated"])
async def test_an_output_that_cannot_be_written_ends_the_exchange(reason: str) -> None:
    """A view says why: the exchange is cancelled for that reason, and the caller gets the error."""
    stage = Stage(*ROUND, tools=[asking(add)], approve=approve_all)
    stage.conversation.subscribe(failing_at("chunk_received", OutputError("Nobody reads it.", reason=reason)))  # type: ignore[arg-type]
    with pytest.raises(OutputError):
        await stage.conversation.exchange("hi")
    assert (stage.conversation.state, stage.events[-1]) == (State.CANCELLED, Cancelled(reason))  # type: ignore[arg-type]
    stage.assert_conforms()


@pytest.mark.parametrize("error", [FULL, BrokenPipeError(32, "Broken pipe")], ids=["full", "pipe"])
async def test_a_heartbeat_that_cannot_be_kept_ends_the_exchange(error: OSError) -> None:
    """A heartbeat is said from a timer; its failure reaches the exchange all the same, and the provider is left."""
    stage = Stage([60.0], heartbeat=0.01)
    stage.conversation.subscribe(failing_at("heartbeat", error), essential=True)
    async with asyncio.timeout(30):
        with pytest.raises(type(error)):
            await stage.conversation.exchange("hi")
    task = asyncio.current_task()
    assert task is not None
    assert task.cancelling() == 0
    assert stage.conversation.state in (State.ERROR, State.CANCELLED)


@pytest.mark.parametrize(
    "error", [ConnectionResetError(104, "reset"), BrokenPipeError(32, "pipe"), TimeoutError("slow"), FULL], ids=repr
)
async def test_a_provider_s_os_error_is_not_the_journal_s(error: OSError) -> None:
    """A provider that lets an `OSError` out is at fault itself: storage and output are fine, and nothing is raised."""
    last = await Stage([error]).conversation.exchange("hi")
    assert (last.state, last.event.kind) == (State.ERROR, "internal")  # type: ignore[union-attr]


@pytest.mark.parametrize("error", [KeyboardInterrupt(), SystemExit(3)], ids=repr)
def test_the_end_of_the_process_settles_the_exchange(error: BaseException) -> None:
    """What ends the process passes through, and the last record says that the exchange was stopped from outside."""
    stage: list[Stage] = []

    async def hold() -> None:
        stage.append(Stage([error]))
        await stage[0].conversation.exchange("hi")

    with pytest.raises(type(error)):
        asyncio.run(hold())
    assert stage[0].events[-1] == Cancelled("terminated")
    stage[0].assert_conforms()


async def test_a_subscriber_may_say_a_note() -> None:
    """A note that is said from within a record gets the next number, whoever hears it first."""
    stage = Stage(say("hello"))
    conversation: Conversation = stage.conversation

    def comment(record: Record) -> None:
        if record.event.type == "started":
            from asstproxy.core.events import Notice

            conversation.publish(Notice("here we go"))

    conversation.subscribe(comment)
    assert (await conversation.exchange("hi")).state is State.COMPLETED
    stage.assert_conforms()

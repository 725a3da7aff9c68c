"""The interaction script: every message in every state, on both mediators, against the contract written out by hand."""

from __future__ import annotations

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from asstproxy.core.codec import EVENTS
from asstproxy.core.errors import ScriptError, UsageError
from asstproxy.core.events import (
    ActionRequired,
    ApprovalGiven,
    ApprovalRequested,
    AssistantMessageRetrieved,
    Cancelled,
    ChunkReceived,
    ErrorOccurred,
    Event,
    Heartbeat,
    MessageIncomplete,
    Notice,
    SetUserMessage,
    Started,
    ToolOutputsSubmitted,
    ToolsExecuted,
    Unknown,
    is_message,
)
from asstproxy.core.mediator import MEDIATORS, Mediator, make_mediator
from asstproxy.core.script import ACTIVE, RESTING, SCRIPT, SETTLED, STEPS, State

LISTENING = "started running streaming tool_outputs_submitted"
SETTLING = "completed incomplete cancelled error"
UNDER_WAY = f"ready {LISTENING} requires_action awaiting_approval tools_executed"
EVERYWHERE = f"new {UNDER_WAY} {SETTLING}"
CONTRACT = {  # trigger: (from, to, do); written out here, so that a slip in the table does not pass for the contract
    "set_user_message": (f"new {SETTLING}", "ready", "start_processing"),
    "started": ("ready", "started", None),
    "heartbeat": (LISTENING, "running", None),
    "chunk_received": (LISTENING, "streaming", None),
    "action_required": (LISTENING, "requires_action", "execute_tools"),
    "approval_requested": ("requires_action", "awaiting_approval", "ask_approval"),
    "approval_given": ("awaiting_approval", "requires_action", "execute_tools"),
    "tools_executed": ("requires_action", "tools_executed", "submit_tool_outputs"),
    "tool_outputs_submitted": ("tools_executed", "tool_outputs_submitted", None),
    "assistant_message_retrieved": (LISTENING, "completed", "set_assistant_message"),
    "message_incomplete": (LISTENING, "incomplete", "set_assistant_message"),
    "cancelled": (UNDER_WAY, "cancelled", None),
    "error": (EVERYWHERE, "error", None),
}
MESSAGES: dict[str, Event] = {
    message.type: message
    for message in (
        SetUserMessage("hi"),
        Started("scripted"),
        Heartbeat(),
        ChunkReceived("h"),
        ActionRequired(()),
        ApprovalRequested(()),
        ApprovalGiven(()),
        ToolsExecuted(()),
        ToolOutputsSubmitted(),
        AssistantMessageRetrieved("hello"),
        MessageIncomplete("hel", "expired"),
        Cancelled(),
        ErrorOccurred("server", "no"),
    )
}
both = pytest.mark.parametrize("mediator", list(MEDIATORS))


def expected(trigger: str, state: str) -> bool:
    return state in CONTRACT[trigger][0].split()


@both
@pytest.mark.parametrize("state", list(State))
@pytest.mark.parametrize("trigger", CONTRACT)
def test_every_message_in_every_state(mediator: str, state: State, trigger: str) -> None:
    """An expected message moves both mediators alike; another is refused by the strict one, obeyed by the basic one."""
    follower = make_mediator(mediator, state)
    _, dest, do = CONTRACT[trigger]
    if expected(trigger, state) or mediator == "basic":
        assert (follower.handle(MESSAGES[trigger]), follower.state) == (do, dest)
    else:
        with pytest.raises(ScriptError, match=f"'{trigger}' is not expected in state '{state}'"):
            follower.handle(MESSAGES[trigger])
        assert follower.state is state


@both
@pytest.mark.parametrize("stranger", [Notice("hm"), Unknown({"type": "telepathy"}), Unknown({})])
def test_what_is_no_message_is_refused(mediator: str, stranger: Event | Unknown) -> None:
    """A note, or an event of a newer asst, never moves a mediator."""
    follower = make_mediator(mediator, State.STREAMING)
    with pytest.raises(ScriptError, match="not a message of the interaction script"):
        follower.handle(stranger)
    assert follower.state is State.STREAMING


def reachable(start: State, without: tuple[str, ...] = ()) -> set[State]:
    """Where the strict mediator can be led to from a state."""
    seen, ahead = {start}, [start]
    while ahead:
        state = ahead.pop()
        for trigger in MESSAGES.keys() - without:
            follower = make_mediator("state-machine", state)
            if expected(trigger, state):
                follower.handle(MESSAGES[trigger])
            if follower.state not in seen:
                seen.add(follower.state)
                ahead.append(follower.state)
    return seen


def test_every_state_can_be_reached() -> None:
    """No state is dead: each lies on some way from `new`."""
    assert reachable(State.NEW) == set(State)


@pytest.mark.parametrize("state", sorted(ACTIVE))
def test_an_exchange_can_always_end_well(state: State) -> None:
    """From every active state a settled one is reachable without an error or a cancellation."""
    assert reachable(state, ("error", "cancelled", "set_user_message")) & SETTLED


def test_there_is_one_row_for_each_trigger() -> None:
    """Where the script goes and what is done depend on the trigger alone, and the contract has no other triggers."""
    triggers = [step.trigger for step in SCRIPT]
    assert sorted(triggers) == sorted(set(triggers)) == sorted(CONTRACT)


def test_every_trigger_is_an_event() -> None:
    """What drives the mediator can be published: each trigger is the tag of an event, and only those are messages."""
    assert set(CONTRACT) <= set(EVENTS)
    assert {tag for tag in EVENTS if tag in STEPS} == {tag for tag, message in MESSAGES.items() if is_message(message)}
    assert not is_message(Notice("hm"))


def test_states_are_active_or_resting() -> None:
    """Every state is exactly one of the two; an exchange settles in a state that takes a new message."""
    assert not (ACTIVE | RESTING) ^ {*State}
    assert not ACTIVE & RESTING
    assert not RESTING ^ (SETTLED | {State.NEW})


def test_an_unknown_mediator_is_wrong_usage() -> None:
    """The message names what there is to choose from."""
    with pytest.raises(UsageError) as caught:
        make_mediator("maybe")
    assert caught.value.hint == "Choose one of: state-machine, basic."


class Walk(RuleBasedStateMachine):
    """Both mediators take the same steps; unexpected messages are thrown at the strict one in between."""

    def __init__(self) -> None:
        super().__init__()
        self.strict: Mediator = make_mediator("state-machine")
        self.basic: Mediator = make_mediator("basic")
        self.opened = self.settled = 0

    @rule(data=st.data())
    def expected_message(self, data: st.DataObject) -> None:
        trigger = data.draw(st.sampled_from([name for name in MESSAGES if expected(name, self.strict.state)]))
        was_open = self.strict.state in ACTIVE
        assert self.strict.handle(MESSAGES[trigger]) == self.basic.handle(MESSAGES[trigger])
        self.opened += trigger == "set_user_message"
        self.settled += was_open and self.strict.state not in ACTIVE

    @precondition(lambda self: not all(expected(name, self.strict.state) for name in MESSAGES))
    @rule(data=st.data())
    def unexpected_message(self, data: st.DataObject) -> None:
        trigger = data.draw(st.sampled_from([name for name in MESSAGES if not expected(name, self.strict.state)]))
        with pytest.raises(ScriptError):
            self.strict.handle(MESSAGES[trigger])

    @invariant()
    def they_agree(self) -> None:
        assert self.strict.state is self.basic.state

    @invariant()
    def at_most_one_exchange_is_open(self) -> None:
        assert self.opened - self.settled == (self.strict.state in ACTIVE)


TestWalk = Walk.TestCase
TestWalk.settings = settings(max_examples=30)

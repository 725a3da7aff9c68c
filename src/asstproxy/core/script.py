"""The interaction script: one table, from which everything else runs.

Two rules hold it together:

1. A row is a message of the contract. The message alone decides where the script goes (`dest`) and what is done next
   (`do`); the state decides only whether the message is expected (`sources`).
2. What is not in the table is refused, and a refused message changes nothing.

Theory of operation. A person's message opens an *exchange* (`set_user_message`). The assistant gets the request, works and
answers (the LISTENING states), may ask for tools any number of times, and ends the exchange in a SETTLED state. `cancelled`
is possible whenever an exchange is in progress, `error` always. Both mediators run from this table, the diagram (`mermaid`)
is drawn from it, and the tests walk it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

__all__ = ["ACTIVE", "LISTENING", "RESTING", "SCRIPT", "SETTLED", "STEPS", "Do", "State", "Step", "mermaid"]


class State(StrEnum):
    """The state of an exchange."""

    NEW = "new"
    READY = "ready"
    STARTED = "started"
    RUNNING = "running"
    STREAMING = "streaming"
    REQUIRES_ACTION = "requires_action"
    AWAITING_APPROVAL = "awaiting_approval"
    TOOLS_EXECUTED = "tools_executed"
    TOOL_OUTPUTS_SUBMITTED = "tool_outputs_submitted"
    COMPLETED = "completed"
    INCOMPLETE = "incomplete"
    CANCELLED = "cancelled"
    ERROR = "error"


class Do(StrEnum):
    """What is to be done after a step, and by which proxy."""

    START_PROCESSING = "start_processing"  # assistant proxy
    EXECUTE_TOOLS = "execute_tools"  # user proxy
    ASK_APPROVAL = "ask_approval"  # user proxy
    SUBMIT_TOOL_OUTPUTS = "submit_tool_outputs"  # assistant proxy
    SET_ASSISTANT_MESSAGE = "set_assistant_message"  # user proxy


@dataclass(frozen=True, slots=True)
class Step:
    """On `trigger`, from any of `sources`, go to `dest` and then `do`."""

    trigger: str
    sources: frozenset[State]
    dest: State
    do: Do | None = None


def _states(*states: State) -> frozenset[State]:
    return frozenset(states)


ALL = frozenset(State)
SETTLED = _states(State.COMPLETED, State.INCOMPLETE, State.CANCELLED, State.ERROR)
"""An exchange ends here."""
RESTING = SETTLED | {State.NEW}
"""A new message may be sent."""
ACTIVE = ALL - RESTING
"""An exchange is in progress."""
LISTENING = _states(State.STARTED, State.RUNNING, State.STREAMING, State.TOOL_OUTPUTS_SUBMITTED)
"""It is the assistant's turn to speak."""

SCRIPT = (
    Step("set_user_message", RESTING, State.READY, Do.START_PROCESSING),
    Step("started", _states(State.READY), State.STARTED),
    Step("heartbeat", LISTENING, State.RUNNING),
    Step("chunk_received", LISTENING, State.STREAMING),
    Step("action_required", LISTENING, State.REQUIRES_ACTION, Do.EXECUTE_TOOLS),
    Step("approval_requested", _states(State.REQUIRES_ACTION), State.AWAITING_APPROVAL, Do.ASK_APPROVAL),
    Step("approval_given", _states(State.AWAITING_APPROVAL), State.REQUIRES_ACTION, Do.EXECUTE_TOOLS),
    Step("tools_executed", _states(State.REQUIRES_ACTION), State.TOOLS_EXECUTED, Do.SUBMIT_TOOL_OUTPUTS),
    Step("tool_outputs_submitted", _states(State.TOOLS_EXECUTED), State.TOOL_OUTPUTS_SUBMITTED),
    Step("assistant_message_retrieved", LISTENING, State.COMPLETED, Do.SET_ASSISTANT_MESSAGE),
    Step("message_incomplete", LISTENING, State.INCOMPLETE, Do.SET_ASSISTANT_MESSAGE),
    Step("cancelled", ACTIVE, State.CANCELLED),
    Step("error", ALL, State.ERROR),
)
STEPS = {step.trigger: step for step in SCRIPT}
"""The same rows by trigger: rule 1 makes the trigger a key."""


# ---- the diagram -------------------------------------------------------------------------------------------------------


def mermaid() -> str:
    """The state diagram in Mermaid (https://mermaid.js.org/syntax/stateDiagram.html), the listening states as one box."""
    inside = [f"        {state}" for state in State if state in LISTENING]
    edges = [edge for step in SCRIPT for edge in _edges(step)]
    return "\n".join(["stateDiagram-v2", "    [*] --> new", "    state listening {", *inside, "    }", *edges])


def _edges(step: Step) -> list[str]:
    """A step from every state of a named set is drawn once, with the set's name."""
    label = step.trigger + (f" / {step.do}" if step.do else "")
    sources = set(step.sources)
    names: list[str] = []
    if sources == set(State):
        return [f"    note right of {step.dest}: {step.trigger} leads here from every state"]
    if sources == ACTIVE:
        return [
            f"    note right of {step.dest}: {step.trigger} leads here from every state but {', '.join(sorted(RESTING))}"
        ]
    if sources >= LISTENING:
        names.append("listening")
        sources -= LISTENING
    names += [state for state in State if state in sources]
    return [f"    {name} --> {step.dest}: {label}" for name in names]

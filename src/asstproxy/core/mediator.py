"""Mediators: they own the script, decide what comes next, and do no I/O."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from functools import cache
from typing import TYPE_CHECKING, Any

from .errors import ScriptError, UsageError
from .events import AssistantMessageRetrieved, HistoryCompacted, HistoryCut, SetUserMessage
from .script import SCRIPT, STEPS, Do, State, Step

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from .events import Event, Record, Unknown

__all__ = ["MEDIATORS", "Mediator", "MediatorBasic", "MediatorStateMachine", "conform", "make_mediator"]


class Mediator(ABC):
    """Follows the interaction script, message by message."""

    def __init__(self, state: State = State.NEW) -> None:
        self.state = state

    def handle(self, event: Event | Unknown) -> Do | None:
        """Take one step: move to its state and return what is to be done next.

        Raises:
            ScriptError: the message is not in the script, or not expected in this state; nothing has changed.
        """
        step = STEPS.get(event.type)
        if step is None:
            raise ScriptError(f"'{event.type}' is not a message of the interaction script")
        self._move(step)
        return step.do

    @abstractmethod
    def _move(self, step: Step) -> None:
        """Set `state`, or raise `ScriptError` and leave it."""


class MediatorBasic(Mediator):
    """Follows the script and trusts the proxies: it does not check that a message is expected."""

    def _move(self, step: Step) -> None:
        self.state = step.dest


class MediatorStateMachine(Mediator):
    """The same rows, checked by the library `transitions`: an unexpected message is refused."""

    def __init__(self, state: State = State.NEW) -> None:
        super().__init__(state)
        _machine()

    def _move(self, step: Step) -> None:
        taken = (self.state, step.trigger)
        if taken not in _allowed:
            self._check(step)
            _allowed.add(taken)
        self.state = step.dest

    def _check(self, step: Step) -> None:
        from transitions import MachineError

        model, machine = _machine()
        with _checking:
            machine.set_state(self.state, model)
            try:
                model.trigger(step.trigger)
            except MachineError:
                raise ScriptError(f"'{step.trigger}' is not expected in state '{self.state}'") from None


_allowed: set[tuple[State, str]] = set()
"""A cache: the answer never changes."""
_checking = threading.Lock()


class _Model:
    """The object that `transitions` adds its methods to, so that it never touches a class of ours."""

    trigger: Callable[[str], bool]


@cache
def _machine() -> tuple[_Model, Any]:
    """One for the process, which takes a millisecond to make: a batch has a mediator for each item."""
    # The synchronous Machine as a checker only, without callbacks: AsyncMachine cancels a callback that is still running
    # when the next trigger arrives, so that a heartbeat kills a tool (pytransitions issues #462, #465, #713).
    from transitions import Machine

    model = _Model()
    rows = [{"trigger": s.trigger, "source": [x for x in State if x in s.sources], "dest": s.dest} for s in SCRIPT]
    machine = Machine(model, states=State, initial=State.NEW, auto_transitions=False, transitions=rows)
    return model, machine


MEDIATORS: dict[str, type[Mediator]] = {"state-machine": MediatorStateMachine, "basic": MediatorBasic}


def make_mediator(name: str = "state-machine", state: State = State.NEW) -> Mediator:
    """A mediator by its name: `state-machine` (the default) or `basic`.

    Raises:
        UsageError: no mediator has that name.
    """
    if name not in MEDIATORS:
        raise UsageError(f"No such mediator: '{name}'.", f"Choose one of: {', '.join(MEDIATORS)}.")
    return MEDIATORS[name](state)


def conform(records: Iterable[Record], mediator: Mediator | None = None) -> Iterator[str]:
    """Replay records without a provider: they drive a fresh mediator, and must lead to the states that were recorded.

    A summary that takes the place of what is above it must be the answer that came before it, and stand for all exchanges that
    the assistant was sent but those that it keeps.

    Yields one line for each difference; none if the records conform to the script.
    """
    mediator = mediator or MediatorStateMachine()
    answer, sent = "", 0
    for record in records:
        if record.event.type in STEPS:
            try:
                mediator.handle(record.event)
            except ScriptError as error:
                yield f"#{record.seq} {record.event.type}: {error}"
                mediator.state = record.state
                continue
        match record.event:
            case SetUserMessage():
                sent += 1
            case AssistantMessageRetrieved(text=text):
                answer = text
            case HistoryCut(keep=keep):
                sent = min(sent, keep)
            case HistoryCompacted(summary=summary, turns=turns, keep=keep):
                if summary != answer:
                    yield f"#{record.seq} history_compacted: the summary isn't the answer before it"
                if turns + keep != sent - 1:  # the last one asked for the summary
                    yield f"#{record.seq} history_compacted: {turns} summed up and {keep} kept, of {sent - 1} turns"
                sent = 1 + keep
            case _:
                pass
        if mediator.state != record.state:
            yield f"#{record.seq} {record.event.type}: recorded {record.state}, replayed {mediator.state}"
            mediator.state = record.state

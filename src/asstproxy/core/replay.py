"""Replay without a provider: the records drive a fresh mediator, and must lead to the states that were recorded."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from .errors import ScriptError
from .events import Record, is_message
from .mediator import Mediator, MediatorStateMachine

__all__ = ["conform"]


def conform(records: Iterable[Record], mediator: Mediator | None = None) -> Iterator[str]:
    """The differences between the recorded states and those that the script gives, one line each; none if it conforms."""
    mediator = mediator or MediatorStateMachine()
    for record in records:
        if is_message(record.event):
            try:
                mediator.handle(record.event)
            except ScriptError as error:
                yield f"#{record.seq} {record.event.type}: {error}"
                mediator.state = record.state
                continue
        if mediator.state != record.state:
            yield f"#{record.seq} {record.event.type}: recorded {record.state}, replayed {mediator.state}"
            mediator.state = record.state

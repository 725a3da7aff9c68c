"""After a failure that may pass: whether to offer that the message is asked again."""

from __future__ import annotations

from ..core import errors
from ..core.events import ErrorOccurred, Event, Unknown

__all__ = ["may_pass"]


def may_pass(event: Event | Unknown) -> bool:
    """Whether this is a failure after which the same message may be answered."""
    return isinstance(event, ErrorOccurred) and errors.may_pass(event.kind)

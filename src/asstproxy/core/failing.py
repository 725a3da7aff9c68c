"""What becomes of an exchange that failed: the event that settles it, by what was raised."""

from __future__ import annotations

from .errors import AssistantError, ScriptError
from .events import ErrorOccurred
from .redact import redact, redacting_logger

__all__ = ["one_line", "to_error_event"]

_log = redacting_logger(__name__)


def to_error_event(error: BaseException) -> ErrorOccurred:
    """The event for an exchange that this error ended; a fault of ours, or of a provider's, is logged as well."""
    match error:
        case AssistantError():
            return ErrorOccurred(error.kind, str(error), error.hint)
        case ScriptError():
            return ErrorOccurred("protocol", str(error), "This is a fault of the provider's proxy.")
    _log.error("an exchange failed", exc_info=error)
    return ErrorOccurred("internal", one_line(error), "This is a fault of asst or of a provider.")


def one_line(error: BaseException) -> str:
    """An exception as one line for a person, without any secret that is known."""
    return redact(" ".join(f"{type(error).__name__}: {error}".split()))

"""Errors: one line each; it says what happened, whose fault it is and what to do next."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from .redact import redact

__all__ = [
    "AssistantError",
    "AsstError",
    "Kind",
    "NotSetUpError",
    "OutputClosedError",
    "OutputError",
    "OutputStalledError",
    "ScriptError",
    "SessionError",
    "SessionInUseError",
    "UsageError",
    "may_pass",
]

Kind = Literal[
    "authentication",  # the key is missing, wrong or may not do this
    "not_found",  # the model or the address does not exist
    "invalid_request",  # the provider refuses what we sent
    "rate_limit",  # too many requests: later it works
    "quota",  # the account has no credit: later it does not work
    "context_length",  # the conversation is longer than the model's context
    "server",  # the provider failed
    "connection",  # no connection, or it broke
    "timeout",  # the provider was silent for too long
    "protocol",  # the answer breaks the protocol
    "content",  # the provider refuses the content
    "interrupted",  # the process ended in the middle of the exchange
    "storage",  # the journal cannot be written
    "internal",  # our own fault
]

_PASSING = frozenset(("rate_limit", "server", "connection", "timeout", "protocol", "interrupted"))


def may_pass(kind: str) -> bool:
    """Whether a failure of this kind may pass by itself, so that the same works later."""
    return kind in _PASSING


class AsstError(Exception):
    """Base of all errors that a person is meant to read.

    `str(error)` is one line, without any known secret; `hint` says what to do next, in words that hold for a program as for
    a person. `code` is a stable name for errors on which a front end has more to say, in commands of its own (the command
    line: `asstproxy.cli.hints`); `data` are the values that it needs for that.
    """

    def __init__(self, message: str, hint: str = "", *, code: str = "", data: Mapping[str, str] | None = None) -> None:
        super().__init__(redact(" ".join(message.split())))
        self.hint = redact(hint)
        self.code = code
        self.data = dict(data or {})


class UsageError(AsstError):
    """The command or the call is wrong."""


class NotSetUpError(AsstError):
    """A key, a profile, a model or a package is missing."""


class SessionError(AsstError):
    """A session is missing, damaged or in use."""


class SessionInUseError(SessionError):
    """Another process has the session open for writing."""


class OutputError(AsstError):
    """Our output cannot be written. A view that raises it ends the exchange, as cancelled for this `reason`."""

    def __init__(
        self, message: str, hint: str = "", *, reason: Literal["user", "timeout", "terminated"] = "terminated"
    ) -> None:
        super().__init__(message, hint)
        self.reason: Literal["user", "timeout", "terminated"] = reason


class OutputClosedError(OutputError):
    """Nobody reads our output any more."""


class OutputStalledError(OutputError):
    """Nobody read our output until a signal or a timeout stopped us."""


class ToolError(AsstError):
    """A tool call failed in a way that the assistant can act on: it gets the message as it is.

    Raise it in a tool to say in your own words what is wrong. Any other exception is reported with the name of its class.
    """


class ScriptError(AsstError):
    """The script does not expect this message in this state; the state has not changed."""


class AssistantError(AsstError):
    """The assistant, or the way to it, failed.

    Raised by providers and transports. `retryable`: the same request may work later; `retry_after`: seconds that the
    provider asks us to wait. A request is retried only before the first chunk of an answer.
    """

    def __init__(
        self,
        kind: Kind,
        message: str,
        hint: str = "",
        *,
        retryable: bool = False,
        retry_after: float | None = None,
        code: str = "",
        data: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message, hint, code=code, data=data)
        self.kind: Kind = kind
        self.retryable = retryable
        self.retry_after = retry_after

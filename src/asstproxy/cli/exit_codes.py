"""The exit codes of `asst`, in one table; README.md lists them for users."""

from __future__ import annotations

from ..core.errors import NotSetUpError, OutputClosedError, SessionError, UsageError

__all__ = [
    "CLOSED_PIPE",
    "FAILED",
    "HUNG_UP",
    "INCOMPLETE",
    "INTERRUPTED",
    "ITEMS_FAILED",
    "MISMATCH",
    "NOT_SET_UP",
    "OK",
    "SESSION",
    "TERMINATED",
    "TIMED_OUT",
    "USAGE",
    "exit_code",
]

OK = 0
FAILED = 1
USAGE = 2
NOT_SET_UP = 3
INCOMPLETE = 4
SESSION = 5
MISMATCH = 6  # the answer is whole, and not what was asked for: no code block (-x), or data that doesn't fit (--schema)
ITEMS_FAILED = 7  # of a batch; all others have their results
TIMED_OUT = 124
HUNG_UP = 129  # the terminal is gone (SIGHUP)
INTERRUPTED = 130
CLOSED_PIPE = 141  # as if SIGPIPE had ended us: what a shell's `pipefail` expects
TERMINATED = 143

_BY_CLASS: tuple[tuple[type[Exception], int], ...] = (
    (UsageError, USAGE),
    (NotSetUpError, NOT_SET_UP),
    (SessionError, SESSION),
    (OutputClosedError, CLOSED_PIPE),
)


def exit_code(error: BaseException) -> int:
    """What `asst` exits with after this error."""
    return next((code for kind, code in _BY_CLASS if isinstance(error, kind)), FAILED)

"""Lines on stderr while an exchange runs that is not drawn: what is waited for, retries, the provider's notices."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from ..core.events import (
    ApprovalGiven,
    ApprovalRequested,
    AssistantMessageRetrieved,
    MessageIncomplete,
    Notice,
    Record,
    RetryScheduled,
    SchemaMismatch,
    SetUserMessage,
)
from ..core.script import SETTLED
from .conversation_setup import OpenConversation
from .error_output import print_warning

if TYPE_CHECKING:
    from .render.retry_countdown import RetryLine

__all__ = ["NoticeLines", "status_lines", "waiting_line"]


@contextlib.contextmanager
def waiting_line(opened: OpenConversation) -> Iterator[None]:
    """Say what is waited for. It must be entered before the view subscribes: the line is gone before the answer is written."""
    if not _rewrites() or os.environ.get("TERM") == "dumb":
        yield
        return
    from .render.waiting_line import WaitingLine

    configured = opened.conversation.configured
    line = WaitingLine(sys.stderr, configured.profile, configured.model or opened.conversation.assistant.model)
    unsubscribe = opened.conversation.subscribe(line)
    try:
        yield
    finally:
        unsubscribe()
        line.close()


@contextlib.contextmanager
def status_lines(opened: OpenConversation, *, quiet: bool) -> Iterator[None]:
    """Print retries and notices. `quiet`: only notices without which there would be nothing."""
    subscribe = opened.conversation.subscribe
    with contextlib.ExitStack() as stack:
        if not quiet:
            retries = _Retries()
            stack.callback(retries.close)
            stack.callback(subscribe(retries))
        notices = NoticeLines(print_warning, late=sys.stdout.isatty(), quiet=quiet)
        stack.callback(subscribe(notices))
        yield


def _rewrites() -> bool:
    """Whether a line may be rewritten: where the answer goes to the same terminal, it would tear it."""
    return sys.stderr.isatty() and not sys.stdout.isatty()


NOBODY = "Nobody can be asked here. To run every tool without asking: --yes"
"""After the names of tools that needed approval."""


class _Retries:
    """Prints each retry; the code for that is imported with the first one."""

    def __init__(self) -> None:
        self._line: RetryLine | None = None

    def __call__(self, record: Record) -> None:
        """Print the retry that this record is, and end the line of the one before."""
        if self._line is None and isinstance(record.event, RetryScheduled):
            from .render.retry_countdown import RetryLine

            self._line = RetryLine(sys.stderr, counts=_rewrites())
        if self._line is not None:
            self._line(record)

    def close(self) -> None:
        """The wait is over."""
        if self._line is not None:
            self._line.close()


class NoticeLines:
    """Gives each notice to `show`.

    `late`: after the answer, whose line it would tear on a terminal. `quiet`: only if the answer has no text, because then a
    notice is all there is.
    """

    def __init__(self, show: Callable[[str], object], *, late: bool, quiet: bool) -> None:
        self._show, self._late, self._quiet = show, late, quiet
        self._held: list[str] = []
        self._asked_about: dict[str, str] = {}
        self._needed = False

    def __call__(self, record: Record) -> None:
        """Show what this record says."""
        match record.event:
            case SetUserMessage():
                self._held.clear()
                self._needed = False
            case Notice(text=text):
                self._held.append(text)
            case ApprovalRequested(calls=calls):
                self._asked_about = {call.call_id: call.name for call in calls}
            case ApprovalGiven(decisions=decisions):
                refused = [self._asked_about.get(one.call_id, "?") for one in decisions if one.by == "nobody"]
                if refused:
                    self._held.append(f"Not run: {', '.join(refused)}. {NOBODY}")
            case SchemaMismatch(problems=problems):
                self._held.append(f"The answer doesn't fit the schema: {'; '.join(problems)}. Asking again.")
            case AssistantMessageRetrieved(text=text) | MessageIncomplete(text=text):
                self._needed = not text.strip()
            case _:
                pass
        settled = record.state in SETTLED
        if (settled and self._needed) or (not self._quiet and (settled or not self._late)):
            for text in self._held:
                self._show(text)
            self._held.clear()

"""Lines on stderr while an exchange runs that is not drawn: what is waited for, retries, the provider's notices."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator

from .conversation_setup import OpenConversation
from .error_output import print_warning

__all__ = ["status_lines", "waiting_line"]


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
    from .render.notice_lines import NoticeLines

    subscribe = opened.conversation.subscribe
    with contextlib.ExitStack() as stack:
        if not quiet:
            from .render.retry_countdown import RetryLine

            retries = RetryLine(sys.stderr, counts=_rewrites())
            stack.callback(retries.close)
            stack.callback(subscribe(retries))
        notices = NoticeLines(print_warning, late=sys.stdout.isatty(), quiet=quiet)
        stack.callback(subscribe(notices))
        yield


def _rewrites() -> bool:
    """Whether a line may be rewritten: where the answer goes to the same terminal, it would tear it."""
    return sys.stderr.isatty() and not sys.stdout.isatty()

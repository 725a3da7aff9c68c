"""The lines on stderr that accompany an exchange: what is waited for, retries, the provider's notices."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator

from .conversation_setup import OpenConversation
from .error_output import print_warning
from .output import Output

__all__ = ["stderr_lines"]


@contextlib.contextmanager
def stderr_lines(opened: OpenConversation, output: Output) -> Iterator[None]:
    """Print them while an exchange runs."""
    with _waiting_line(opened, output), _retry_line(opened, output), _notice_lines(opened, output):
        yield


@contextlib.contextmanager
def _waiting_line(opened: OpenConversation, output: Output) -> Iterator[None]:
    """Say on a terminal what is waited for, while the answer goes elsewhere."""
    if output.quiet or sys.stdout.isatty() or not sys.stderr.isatty() or os.environ.get("TERM") == "dumb":
        yield
        return
    from .render.waiting_line import WaitingLine

    configured = opened.conversation.configured
    model = configured.model or opened.conversation.assistant.model
    line = WaitingLine(sys.stderr, configured.profile, model)
    unsubscribe = opened.conversation.subscribe(line)
    try:
        yield
    finally:
        unsubscribe()
        line.close()


@contextlib.contextmanager
def _retry_line(opened: OpenConversation, output: Output) -> Iterator[None]:
    """Show retries on stderr, where no live view shows them."""
    if output.quiet or output.is_drawn:
        yield
        return
    from .render.retry_countdown import RetryLine

    # Where the answer goes to the same terminal, a line that is rewritten would tear it.
    line = RetryLine(sys.stderr, counts=sys.stderr.isatty() and not sys.stdout.isatty())
    unsubscribe = opened.conversation.subscribe(line)
    try:
        yield
    finally:
        unsubscribe()
        line.close()


@contextlib.contextmanager
def _notice_lines(opened: OpenConversation, output: Output) -> Iterator[None]:
    """Show the provider's notices on stderr, where no live view shows them."""
    if output.is_drawn:
        yield
        return
    from .render.notice_lines import NoticeLines

    lines = NoticeLines(print_warning, late=sys.stdout.isatty(), quiet=output.quiet)
    unsubscribe = opened.conversation.subscribe(lines)
    try:
        yield
    finally:
        unsubscribe()

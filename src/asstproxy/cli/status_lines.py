"""Lines on stderr while an exchange runs that is not drawn: what is waited for, retries, the provider's notices."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator

from .conversation_setup import OpenConversation
from .error_output import print_warning

__all__ = ["status_lines"]


@contextlib.contextmanager
def status_lines(opened: OpenConversation, *, quiet: bool) -> Iterator[None]:
    """Print them as long as the context lasts. `quiet`: only notices without which there would be nothing."""
    from .render.notice_lines import NoticeLines

    subscribe = opened.conversation.subscribe
    # Where the answer goes to the same terminal, a line that is rewritten would tear it.
    rewrites = sys.stderr.isatty() and not sys.stdout.isatty()
    with contextlib.ExitStack() as stack:
        if not quiet and rewrites and os.environ.get("TERM") != "dumb":
            from .render.waiting_line import WaitingLine

            configured = opened.conversation.configured
            waiting = WaitingLine(
                sys.stderr, configured.profile, configured.model or opened.conversation.assistant.model
            )
            stack.callback(waiting.close)
            stack.callback(subscribe(waiting))
        if not quiet:
            from .render.retry_countdown import RetryLine

            retries = RetryLine(sys.stderr, counts=rewrites)
            stack.callback(retries.close)
            stack.callback(subscribe(retries))
        notices = NoticeLines(print_warning, late=sys.stdout.isatty(), quiet=quiet)
        stack.callback(subscribe(notices))
        yield

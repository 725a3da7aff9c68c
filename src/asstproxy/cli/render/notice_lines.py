"""Notices of a provider on stderr, where the exchange is not drawn: in a pipe, with `--json`, `--events` and `--raw`."""

from __future__ import annotations

from collections.abc import Callable

from ...core.events import (
    AssistantMessageRetrieved,
    MessageIncomplete,
    Notice,
    Record,
    SchemaMismatch,
    SetUserMessage,
)
from ...core.script import SETTLED

__all__ = ["NoticeLines"]


class NoticeLines:
    """Gives each notice to `show`.

    `late`: after the answer, whose line it would tear on a terminal. `quiet`: only if the answer has no text, because then a
    notice is all there is.
    """

    def __init__(self, show: Callable[[str], object], *, late: bool, quiet: bool) -> None:
        self._show, self._late, self._quiet = show, late, quiet
        self._held: list[str] = []
        self._needed = False

    def __call__(self, record: Record) -> None:
        """Show what this record says."""
        match record.event:
            case SetUserMessage():
                self._held.clear()
                self._needed = False
            case Notice(text=text):
                self._held.append(text)
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

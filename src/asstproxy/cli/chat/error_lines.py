"""Errors and warnings in a chat, drawn like the notes below an answer."""

from __future__ import annotations

from rich.console import Console
from rich.text import Text

__all__ = ["ErrorLines"]


class ErrorLines:
    """Prints them on a console: an `ErrorView`."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def error(self, message: str, hint: str) -> None:
        """Print what happened after `Error:`, and below it what to do."""
        from ..render.ending_lines import labelled

        for line in labelled("Error", message, hint):
            self._console.print(line)

    def warning(self, line: str) -> None:
        """Print one line in the colour of notices."""
        self._console.print(Text(line, style="asst.notice"))

"""The line that remains of an exchange on the screen."""

from __future__ import annotations

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderResult
from rich.text import Text

from ...text.closing import Closing

__all__ = ["ClosingLine"]

_SHRINKS = ("hint", "saved", "cost", "tools", "tokens", "note", "tries")
"""These parts go, in this order, until the line fits."""


class ClosingLine:
    """One row, whatever the width."""

    def __init__(self, closing: Closing) -> None:
        self.closing = closing

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        parts = self.closing.parts()
        for part in _SHRINKS:
            if cell_len(" · ".join(parts.values())) <= options.max_width:
                break
            parts.pop(part, None)
        state, *others = parts.values()
        line = Text.assemble((state, f"asst.state.{state}"), no_wrap=True, overflow="ellipsis")
        yield line.append("".join(f" · {part}" for part in others), style="dim")

"""The line that remains of an exchange: `completed · 7.5 s · 10 → 14 tokens · $0.0002 · 1 tool`."""

from __future__ import annotations

from dataclasses import dataclass

from rich.console import Console, ConsoleOptions, RenderResult
from rich.text import Text

from ...core.events import Usage
from ...core.script import State
from ...text.figures import count_of, duration

__all__ = ["ClosingLine"]

_SHRINKS = ("hint", "saved", "cost", "tools", "tokens", "note", "tries")
"""What is left out, in this order, until the line fits."""


@dataclass(frozen=True, slots=True)
class ClosingLine:
    """One row, whatever the width. `seconds` is the whole time, `tools` how many calls ran, `tries` how often it was asked."""

    state: State
    seconds: float
    usage: Usage | None = None
    cost: str = ""
    tools: int = 0
    tries: int = 1
    note: str = ""
    saved: str = ""
    hint: str = ""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        parts = self._parts()
        for part in _SHRINKS:
            if _length(parts) <= options.max_width:
                break
            parts.pop(part, None)
        state, *others = parts.values()
        line = Text.assemble((state, f"asst.state.{self.state}"), no_wrap=True, overflow="ellipsis")
        yield line.append("".join(f" · {part}" for part in others), style="dim")

    def _parts(self) -> dict[str, str]:
        usage = self.usage
        tokens = "" if usage is None else f"{usage.input_tokens:,} → {usage.output_tokens:,} tokens"
        parts = {
            "state": str(self.state),
            "seconds": duration(self.seconds),
            "tries": f"{self.tries} tries" if self.tries > 1 else "",
            "tokens": tokens,
            "cost": self.cost,
            "tools": count_of(self.tools, "tool") if self.tools else "",
            "note": self.note,
            "saved": self.saved,
            "hint": self.hint,
        }
        return {name: part for name, part in parts.items() if part}


def _length(parts: dict[str, str]) -> int:
    return Text(" · ".join(parts.values())).cell_len

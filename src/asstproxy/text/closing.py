"""What is said of an exchange when it is over: `completed · 7.5 s · 10 → 14 tokens · $0.0002 · 1 tool`."""

from __future__ import annotations

from dataclasses import dataclass

from .figures import count_of, duration

__all__ = ["Closing"]


@dataclass(frozen=True, slots=True)
class Closing:
    """The facts. `tokens`: read and written, if they are known; `tools`: how many calls ran; `tries`: how often it was asked.

    `note`: why it was stopped; `saved`: what of it is; `hint`: the command that asks again.
    """

    state: str
    seconds: float
    tokens: tuple[int, int] | None = None
    cost: str = ""
    tools: int = 0
    tries: int = 1
    note: str = ""
    saved: str = ""
    hint: str = ""

    def parts(self) -> dict[str, str]:
        """Each fact in words, by its name, in the order of the line."""
        parts = {
            "state": self.state,
            "seconds": duration(self.seconds),
            "tries": f"{self.tries} tries" if self.tries > 1 else "",
            "tokens": f"{self.tokens[0]:,} → {self.tokens[1]:,} tokens" if self.tokens is not None else "",
            "cost": self.cost,
            "tools": count_of(self.tools, "tool") if self.tools else "",
            "note": self.note,
            "saved": self.saved,
            "hint": self.hint,
        }
        return {name: part for name, part in parts.items() if part}

    def __str__(self) -> str:
        return " · ".join(self.parts().values())

"""How much of an exchange is shown, and what a view asks its command for: hints, and prices."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ...core.events import Event, Unknown

if TYPE_CHECKING:
    from ...store.transcript import ExchangeEntry

__all__ = ["Detail"]


@dataclass(frozen=True, slots=True)
class Detail:
    """What a view shows beyond messages, answers and System lines.

    `states`: the path of each exchange, with times. `thoughts`: the whole reasoning. `headings`: who answers, above each answer;
    `model`: the one that the person knows of, so that only another one is named. `turns`: how many there are, to number them.
    `hint`: what to do after an event that settled an exchange. `cost`: what an exchange cost, in words.
    `again`: the command that asks again, and `thoughts_command` the one that prints reasoning; empty: neither is named.
    """

    states: bool = False
    thoughts: bool = False
    headings: bool = True
    model: str = ""
    turns: int = 0
    hint: Callable[[Event | Unknown], str] | None = None
    cost: Callable[[ExchangeEntry], str] | None = None
    again: str = ""
    thoughts_command: str = ""

"""`asst replay --step` on a terminal: a key before each step, the present step and the keys in two rows below."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from collections.abc import Iterator, Sequence

from rich.console import Console
from rich.text import Text

from ...core.codec import to_unix_time
from ...core.events import Record, SetUserMessage
from ...core.script import SETTLED
from ...text.figures import count_of
from ..render.live import LiveView
from ..render.theme import console, redraws

__all__ = ["step_through"]

_KEYS = "Space next · b back · t next turn · Enter play on · q quit"
_STOP = (b"", b"q", b"\x04")
_PAUSE = 1.0
"""Seconds between two steps at most, while they play on."""


async def step_through(context: Sequence[Record], played: Sequence[Record]) -> int:
    """Draw the context at once, then one record of `played` for each key; returns the exit code."""
    stepper = _Stepper(context, played)
    screen = console()
    with _single_keys():
        if not redraws(screen):  # the two rows would stand there again after every step
            screen.print(Text(_KEYS, style="dim"))
        while await stepper.play(screen):
            screen.clear()  # what was printed can't be taken back: it is drawn again
    return 0


class _Stepper:
    def __init__(self, context: Sequence[Record], played: Sequence[Record]) -> None:
        self._context, self._played = context, played
        self._shown = 0

    async def play(self, screen: Console) -> bool:
        """Draw what was shown, then on; whether to begin again, one step back."""
        async with LiveView(screen, echo=True, footer=self._footer) as view:
            for record in (*self._context, *self._played[: self._shown]):
                view(record)
            view.draw()
            while (key := await _key_pressed()) not in _STOP:
                if key == b"b":
                    self._shown = max(self._shown - 1, 0)
                    return True
                if self._shown >= len(self._played):
                    return False
                await self._show(view, key)
        return False

    async def _show(self, view: LiveView, key: bytes) -> None:
        plays = key in (b"\r", b"\n")
        until = len(self._played) if plays else _until(self._played, self._shown, key)
        while self._shown < until:
            if plays and self._shown:
                await asyncio.sleep(_pause(self._played[self._shown - 1], self._played[self._shown]))
            view(self._played[self._shown])
            self._shown += 1
            view.draw()

    def _footer(self) -> list[Text]:
        return _rows([*self._context, *self._played], len(self._context) + self._shown)


def _until(played: Sequence[Record], shown: int, key: bytes) -> int:
    """How many records are shown after this key."""
    if key == b"t":
        later = range(shown, len(played))
        return next((at + 1 for at in later if isinstance(played[at].event, SetUserMessage)), len(played))
    return shown + 1


def _pause(before: Record, record: Record) -> float:
    return min(max(to_unix_time(record.at) - to_unix_time(before.at), 0.0), _PAUSE)


def _rows(records: Sequence[Record], at: int) -> list[Text]:
    """`Step 12 of 25 · turn 1 · tool_started · +1.204 s`, and the keys, below an empty row."""
    facts = [f"Step {at} of {len(records)}"]
    if at:
        record = records[at - 1]
        turn = sum(isinstance(one.event, SetUserMessage) for one in records[:at])
        facts += [f"turn {turn}" if turn else "", record.event.type]
        facts.append(f"+{to_unix_time(record.at) - to_unix_time(records[at - 2].at):.3f} s" if at > 1 else "")
    elif records:
        turns = sum(record.state in SETTLED for record in records)
        facts.append(count_of(turns, "turn"))
    lines = (" · ".join(filter(None, facts)), _KEYS)
    return [Text(), *(Text(line, style="dim", no_wrap=True, overflow="ellipsis") for line in lines)]


@contextlib.contextmanager
def _single_keys() -> Iterator[None]:
    """Keys arrive one by one, without Enter."""
    if sys.platform == "win32":  # delivers keys by the line
        yield
        return
    import termios
    import tty

    fd = sys.stdin.fileno()
    before = termios.tcgetattr(fd)
    try:
        tty.setcbreak(fd)
        yield
    finally:
        with contextlib.suppress(termios.error):  # the terminal is gone
            termios.tcsetattr(fd, termios.TCSADRAIN, before)


async def _key_pressed() -> bytes:
    return await asyncio.get_running_loop().run_in_executor(None, lambda: os.read(sys.stdin.fileno(), 1))

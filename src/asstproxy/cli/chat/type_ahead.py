"""What was typed before the prompt appeared: the draft of the next message, which is never sent by itself."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import select
import sys
from collections.abc import Iterator

from prompt_toolkit.input import Input
from prompt_toolkit.input.typeahead import get_typeahead

from ...text.safe_text import clean, clean_line

__all__ = ["TypeAhead", "take_typed_ahead"]

_KEYS = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|O[A-DFHMP-S])?")
"""Keys without a character, and the marks of a paste, as terminals send them. Escape alone takes nothing along: what follows it is
text, or the key that was pressed with Alt.
"""


class TypeAhead:
    """Reads the keys that are typed while an answer is drawn, so that the draft can be seen; the next prompt takes it.

    A question meanwhile reads the keys itself: `paused`.
    """

    def __init__(self) -> None:
        self._data = b""
        self._reading = False

    @contextlib.contextmanager
    def reading(self) -> Iterator[None]:
        """Read keys in the background; nothing where the terminal can't be watched."""
        if sys.platform == "win32":  # the console keeps keys for the next prompt by itself
            yield
            return
        self._start()
        try:
            yield
        finally:
            self._stop()

    @contextlib.contextmanager
    def paused(self) -> Iterator[None]:
        """Leave the keys to something else."""
        was_reading = self._reading
        self._stop()
        try:
            yield
        finally:
            if was_reading:
                self._start()

    @property
    def draft(self) -> str:
        """What has been typed so far, in one line."""
        if not self._data:
            return ""
        return clean_line(_edited(_decoded(self._data).replace("\x03", "").replace("\x04", "")))

    def take(self, source: Input) -> str:
        """Take everything that was typed, what is still pending included: see `take_typed_ahead`."""
        data, self._data = self._data, b""
        return take_typed_ahead(source, data)

    def _start(self) -> None:
        with contextlib.suppress(OSError, ValueError, NotImplementedError):  # not a terminal that can be watched
            asyncio.get_running_loop().add_reader(sys.stdin.fileno(), self._read)
            self._reading = True

    def _stop(self) -> None:
        if self._reading:
            asyncio.get_running_loop().remove_reader(sys.stdin.fileno())
            self._reading = False

    def _read(self) -> None:
        try:
            data = os.read(sys.stdin.fileno(), 65536)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:  # the terminal is gone: the prompt finds out
            self._stop()
        self._data += data


def take_typed_ahead(source: Input, data: bytes = b"") -> str:
    """Take the pending keys from the terminal, after the `data` that was read before: their text, edited as the keys say.

    Line ends at its end are left out.

    Raises:
        EOFError: Ctrl-D was typed, and nothing before it.
        KeyboardInterrupt: Ctrl-C was typed; its argument is the text before it.
    """
    typed = "".join(key.data for key in get_typeahead(source)) + _decoded(data + _pending(source))
    text = ""
    for key in typed.replace("\r", "\n"):
        if key == "\x03":
            raise KeyboardInterrupt(clean(text))
        if key == "\x04" and not text.strip():
            raise EOFError
        text = _pressed(text, key)
    return clean(text).rstrip("\n")


def _edited(typed: str) -> str:
    text = ""
    for key in typed:
        text = _pressed(text, key)
    return text


def _pressed(text: str, key: str) -> str:
    if key in ("\x7f", "\b"):
        return text[:-1]
    return "" if key == "\x15" else text + key  # Ctrl-U


def _decoded(data: bytes) -> str:
    return _KEYS.sub("", data.decode("utf-8", "replace"))


def _pending(source: Input) -> bytes:
    if sys.platform == "win32":  # the console keeps keys for the next prompt by itself
        return b""
    data = b""
    try:
        while select.select([source.fileno()], [], [], 0)[0]:
            if not (more := os.read(source.fileno(), 65536)):
                break
            data += more
    except (OSError, ValueError, NotImplementedError):  # not a terminal, or it is gone: the prompt finds out
        pass
    return data

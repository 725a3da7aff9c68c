"""What was typed before the prompt appeared: the draft of the next message, which is never sent by itself."""

from __future__ import annotations

import os
import select
import sys

from prompt_toolkit.input import Input
from prompt_toolkit.input.typeahead import get_typeahead

from ...text.safe_text import clean

__all__ = ["take_typed_ahead"]


def take_typed_ahead(source: Input) -> str:
    """Take the pending keys from the terminal: their text, edited as the keys say, without line ends at its end.

    Raises:
        EOFError: Ctrl-D was typed, and nothing before it.
        KeyboardInterrupt: Ctrl-C was typed; its argument is the text before it.
    """
    typed = "".join(key.data for key in get_typeahead(source)) + _pending(source)
    text = ""
    for key in typed:
        match key:
            case "\x7f" | "\b":
                text = text[:-1]
            case "\x15":  # Ctrl-U
                text = ""
            case "\x03":
                raise KeyboardInterrupt(clean(text))
            case "\x04" if not text.strip():
                raise EOFError
            case _:
                text += key
    return clean(text).rstrip("\n")


def _pending(source: Input) -> str:
    if sys.platform == "win32":  # the console keeps keys for the next prompt by itself
        return ""
    data = b""
    try:
        while select.select([source.fileno()], [], [], 0)[0]:
            if not (more := os.read(source.fileno(), 65536)):
                break
            data += more
    except (OSError, ValueError, NotImplementedError):  # not a terminal, or it is gone: the prompt finds out
        pass
    return data.decode("utf-8", "replace")

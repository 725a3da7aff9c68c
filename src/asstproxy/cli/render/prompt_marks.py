"""The marks of prompts and pickers on a terminal whose encoding lacks them: ASCII, as in drawings."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator

from .theme import with_marks_for

__all__ = ["prompt_marks"]

_MARKS = "›·…"


@contextlib.contextmanager
def prompt_marks() -> Iterator[None]:
    """Within it, what prompt_toolkit draws has ASCII marks where it would write `?` for ours."""
    if sys.platform == "win32" or not sys.stdout.isatty() or with_marks_for(sys.stdout, _MARKS) == _MARKS:
        yield
        return
    from prompt_toolkit.application import create_app_session
    from prompt_toolkit.output.vt100 import Vt100_Output

    class Output(Vt100_Output):
        def write(self, data: str) -> None:
            super().write(with_marks_for(self.stdout, data))

    output = Output.from_pty(sys.stdout, term=os.environ.get("TERM"))
    with create_app_session(output=output):
        yield

"""The command within the process of the test: for claims that need no process of its own, in a twentieth of the time."""

from __future__ import annotations

import contextlib
import io
import signal
import sys
import time
from unittest import mock

from asstproxy.cli.main import run
from asstproxy.tools import abandoned_count

from .conftest import Ran

__all__ = ["asst_here"]


def asst_here(*arguments: str, stdin: str | bytes | None = None, timeout: float = 60) -> Ran:
    """Run `asst` with these arguments; stdin is text, bytes or None (empty)."""
    while abandoned_count():  # by an earlier test; the command would end this process because of them
        time.sleep(0.01)
    data = stdin.encode() if isinstance(stdin, str) else stdin or b""
    out, err = io.BytesIO(), io.BytesIO()
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGHUP)}
    streams = {
        "stdin": io.TextIOWrapper(io.BytesIO(data), "utf-8"),
        "stdout": io.TextIOWrapper(out, "utf-8", write_through=True),
        "stderr": io.TextIOWrapper(err, "utf-8", write_through=True),
    }
    try:
        with contextlib.ExitStack() as replaced:
            for name, stream in streams.items():
                replaced.enter_context(mock.patch.object(sys, name, stream))
            code = run(arguments)
            streams["stdout"].flush()
            streams["stderr"].flush()
            return Ran(code, out.getvalue().decode(), err.getvalue().decode())
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)

"""The stub server as the bench sees it: a process of its own, and what it says about the last request."""

from __future__ import annotations

import http.client
import json
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Self

__all__ = ["Stub"]


class Stub:
    """Runs the stub server while the context is open."""

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("stub.py"))], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        assert self._process.stdout is not None
        self.port = int(self._process.stdout.readline())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.communicate()

    def url(self, answer: str, rate: float = 0) -> str:
        """The base URL of an API that gives this answer at so many tokens a second (0: at once); see `stub.py`."""
        return f"http://127.0.0.1:{self.port}/{answer}/{rate:g}/v1"

    def last(self) -> dict[str, int]:
        """When the last streamed request arrived, its first token went out, and its end; in ns of the monotonic clock."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        connection.request("GET", "/last")
        told: dict[str, int] = json.loads(connection.getresponse().read())
        connection.close()
        return told

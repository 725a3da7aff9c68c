"""The installed command, run as a user or a script runs it."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import pytest

from forked import asst_command
from servers import ResponsesServer

ASST = asst_command.ASST


@dataclass
class Ran:
    """The result of a run."""

    code: int
    out: str
    err: str


Asst = Callable[..., Ran]


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[ResponsesServer]:
    """An API that echoes, unless the test gives it a brain; `asst -p gpt` connects to it."""
    with ResponsesServer() as running:
        monkeypatch.setenv("OPENAI_BASE_URL", running.base_url)
        monkeypatch.setenv("OPENAI_API_KEY", running.key)
        yield running


@pytest.fixture
def asst() -> Asst:
    """Runs `asst` with these arguments; stdin is text, bytes or None (empty)."""

    def run(*arguments: str, stdin: str | bytes | None = None, timeout: float = 60) -> Ran:
        data = stdin.encode() if isinstance(stdin, str) else stdin
        done = asst_command.run(
            [ASST, *arguments],
            input=data,
            stdin=subprocess.DEVNULL if data is None else None,
            capture_output=True,
            timeout=timeout,
            check=False,
        )
        return Ran(done.returncode, done.stdout.decode(), done.stderr.decode())

    return run


@pytest.fixture
def start() -> Callable[[Sequence[str]], subprocess.Popen[bytes]]:
    """Starts `asst` and leaves it running."""

    def popen(arguments: Sequence[str]) -> subprocess.Popen[bytes]:
        return asst_command.start(
            [ASST, *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )

    return popen

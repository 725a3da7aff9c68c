"""The chat in a terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import pytest

from cli.conftest import ASST
from cli.terminal import Terminal
from servers import ResponsesServer

Chat = Callable[..., AbstractContextManager[Terminal]]


@pytest.fixture
def chat(server: ResponsesServer) -> Chat:
    """Starts `asst chat -p gpt` with these arguments; the prompt is there."""

    @contextmanager
    def start(
        *arguments: str, columns: int = 80, rows: int = 30, env: dict[str, str] | None = None
    ) -> Iterator[Terminal]:
        with Terminal([ASST, "chat", "-p", "gpt", *arguments], columns, rows, env) as terminal:
            terminal.wait_for("›")
            yield terminal

    return start


def sent(server: ResponsesServer, number: int = -1) -> str:
    """The last message of a request."""
    return str(server.requests[number].json["input"][-1]["content"][0]["text"])

"""Conversations with `gpt`, over a local server that follows OpenAI's protocol."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from typing import Any

import pytest

from asstproxy.config.profiles import Profile
from asstproxy.core.events import Record
from asstproxy.core.retry import RetryPolicy
from asstproxy.providers import connect
from asstproxy.testing import tasks_left
from core.stage import Stage
from core.test_tool_rounds import add
from servers import ResponsesServer

from .openai.gpt_stage import Gpt

RETRY = RetryPolicy(attempts=3, delay=0.01, max_delay=5.0)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[ResponsesServer]:
    with ResponsesServer() as server:
        monkeypatch.setenv("OPENAI_API_KEY", server.key)
        yield server


@pytest.fixture
async def gpt(server: ResponsesServer) -> AsyncIterator[Gpt]:
    """Conversations with `gpt`; when they are closed, no task and no socket is left."""
    async with AsyncExitStack() as stack:

        def make(past: list[Record] | None = None, options: dict[str, Any] | None = None, **profile: Any) -> Stage:
            own = {"base_url": server.base_url, "poll": 0.01} | profile
            assistant = connect(Profile("p", "gpt", options=own))
            stage = Stage(assistant=assistant, tools=[add], retry=RETRY, past=past or (), **(options or {}))
            stack.push_async_callback(stage.conversation.aclose)
            return stage

        yield make
    await server.eventually(lambda server: server.open_connections == 0)
    assert not await tasks_left()

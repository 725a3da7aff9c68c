"""A Conversation at OpenAI that every session of a profile begins in: what one leaves dangling there must not block it."""

from __future__ import annotations

import asyncio

import pytest

from asstproxy.config.profiles import Profile
from asstproxy.core.events import AssistantMessageRetrieved, ChunkReceived, Notice, ToolStarted
from asstproxy.core.script import State
from asstproxy.providers.openai.gpt import new_conversation
from core.stage import Stage
from servers import ResponsesServer

from .ways import Way


async def shared(server: ResponsesServer) -> Way:
    """A profile with a Conversation that was made beforehand."""
    own = {"base_url": server.base_url, "api_key_env": "TEST_KEY"}
    made = await new_conversation(Profile("p", "gpt", options=own))
    return Way("gpt", ResponsesServer, "gpt", "/v1", {"history": "server", "conversation": made})


async def stop_at(stage: Stage, kind: type) -> None:
    """Hold an exchange and stop it when it has come so far."""
    stage.conversation.subscribe(lambda r: stage.conversation.cancel() if isinstance(r.event, kind) else None)
    with pytest.raises(asyncio.CancelledError):
        await stage.conversation.exchange("go")


@pytest.mark.parametrize("kind", [ToolStarted, ChunkReceived])
async def test_a_call_that_one_session_left_there_blocks_no_other(kind: type) -> None:
    """OpenAI refuses such a Conversation for ever; so it is left, and the person is told."""
    with Way("gpt", ResponsesServer, "gpt").serve(commit_on_cancel=True) as server:
        way = await shared(server)
        async with way.talk(server) as one:
            await stop_at(one, kind)
        await server.eventually(lambda server: not server.open_connections)
        async with way.talk(server) as other:
            last = await other.conversation.exchange("again")
            assert last.state is State.COMPLETED, last.event
            assert last.event == AssistantMessageRetrieved("fine", last.event.raw, last.event.resume)  # type: ignore[union-attr]
            told = len(other.published(Notice))
            assert told == 1 or kind is ChunkReceived  # in the middle of an answer OpenAI may or may not keep the call
            await other.conversation.exchange("again")
            assert len(other.published(Notice)) == told

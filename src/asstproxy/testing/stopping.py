"""The contract: stopping."""

# ruff: noqa: S101 - these are tests

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing

from ..core.mediator import conform
from ..core.script import State
from ..provider import AssistantProxy, ChunkReceived, Event
from .backend import Backend, Calls, Hang, Text
from .client import read, recorded
from .conversations import ConversationBase
from .harness import cancelled, eventually, provider_test, within_time

__all__ = ["StoppingTests"]

SILENCE = 0.15
"""Seconds without an event after which a model is taken to be silent."""


class StoppingTests(ConversationBase):
    """An exchange can be stopped at any moment: the proxy stops in time, stops the API, and can be asked again."""

    @provider_test
    async def test_close_after_every_event(self, backend: Backend) -> None:
        """Closing the iterator stops in time, whatever event was the latest, and the proxy can be asked again."""
        async with aclosing(backend.proxy()) as proxy:
            for count in range(1, await self._events(backend, proxy)):
                backend.will_reply(Text("one two three"))
                events = proxy.start_processing(self.client(backend, proxy).turn("hi"))
                for _ in range(count):
                    await anext(events)
                with within_time(f"closed after {count} events"):
                    if hasattr(events, "aclose"):
                        await events.aclose()
                await self._check_works(backend, proxy)

    @provider_test
    async def test_cancel_after_every_event(self, backend: Backend) -> None:
        """Cancelling the task that reads stops in time, whatever event was the latest, and the proxy can be asked again."""
        async with aclosing(backend.proxy()) as proxy:
            for count in range(1, await self._events(backend, proxy)):
                backend.will_reply(Text("one two three"))
                turn = self.client(backend, proxy).turn("hi")
                await cancelled(read(proxy, turn, cancel_after=count), f"cancelled after {count} events")
                await self._check_works(backend, proxy)

    @provider_test
    async def test_cancel_during_silence(self, backend: Backend) -> None:
        """A silent model can be stopped, before its answer and within it; the API stops in time, too."""
        for text in ("", "well, "):
            async with aclosing(backend.proxy()) as proxy:
                backend.will_reply(Hang(text))
                task = asyncio.create_task(read(proxy, self.client(backend, proxy).turn("hi")))
                await asyncio.wait({task}, timeout=SILENCE)
                assert not task.done(), "The proxy did not wait, although the model is silent."
                task.cancel()
                await cancelled(task, "cancelled during silence")
                await eventually(backend.active_requests, "Requests that the API still works on")
                await self._check_works(backend, proxy)

    @provider_test
    async def test_close_in_answer(self, backend: Backend) -> None:
        """Closing the iterator within an answer ends the request at the API, too, in time."""
        async with aclosing(backend.proxy()) as proxy:
            backend.will_reply(Hang("well, "))
            events = proxy.start_processing(self.client(backend, proxy).turn("hi"))
            await read_until_silence(events)
            if hasattr(events, "aclose"):
                await events.aclose()
            await eventually(backend.active_requests, "Requests that the API still works on")
            await self._check_works(backend, proxy)

    @provider_test
    async def test_aclose_closes_connections(self, backend: Backend) -> None:
        """`aclose()` closes every connection."""
        backend.will_reply(Text("hello"))
        async with aclosing(backend.proxy()) as proxy:
            await self.client(backend, proxy).expect_answer("hi")
        await eventually(backend.open_connections, "Connections left open after aclose()")

    @provider_test
    async def test_conversation_can_be_stopped_at_every_record(self, backend: Backend) -> None:
        """Also in a tool round; the next exchange works, and its history is complete."""
        script = (Calls((("add", {"a": 1, "b": 2}),)), Text("one two three"))
        stop = 2
        while True:
            backend.will_reply(*script)
            async with aclosing(self.conversation(backend)) as conversation:
                records = recorded(conversation)
                conversation.subscribe(lambda r, at=stop: conversation.cancel() if r.seq == at else None)  # type: ignore[misc]
                await cancelled(conversation.exchange("hi"), f"stopped at record {stop}")
                ended = records[-1].state
                backend.will_reply(Text("here I am"))
                last = (await conversation.exchange("again")).event
                assert getattr(last, "text", "") == "here I am", f"After that, the next exchange ended with {last}"
                assert list(conform(records)) == []
            if ended is State.COMPLETED:
                break
            assert ended is State.CANCELLED, f"Stopped at record {stop}, the exchange ended as {ended}."
            stop += 1
        assert stop > 8, "The exchange is too short to prove anything."

    async def _events(self, backend: Backend, proxy: AssistantProxy) -> int:
        """The number of events of a plain answer."""
        backend.will_reply(Text("one two three"))
        client = self.client(backend, proxy)
        await client.expect_answer("hi")
        return len(client.events)

    async def _check_works(self, backend: Backend, proxy: AssistantProxy) -> None:
        backend.will_reply(Text("here I am"))
        assert await self.client(backend, proxy).expect_answer("again") == "here I am"


async def read_until_silence(events: AsyncIterator[Event]) -> None:
    """Read to the first piece of an answer; if none comes for a while, cancel the wait for it."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + SILENCE
    while loop.time() < deadline:  # a provider that polls publishes heartbeats meanwhile
        waiting = asyncio.ensure_future(anext(events))
        await asyncio.wait({waiting}, timeout=SILENCE)
        if not waiting.done():
            waiting.cancel()
            await cancelled(waiting, "cancelled during silence")
            return
        if isinstance(waiting.result(), ChunkReceived):
            return

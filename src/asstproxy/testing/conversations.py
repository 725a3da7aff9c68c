"""The contract: whole conversations, and continuing one in another process or from another provider."""

# ruff: noqa: S101 - these are tests

from __future__ import annotations

import unittest
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing
from typing import cast

from ..core.codec import decode, encode
from ..core.conversation import Conversation
from ..core.events import Record, SetUserMessage
from ..core.history import History
from ..core.mediator import conform
from ..core.retry import RetryPolicy
from ..core.turn import Options
from ..provider import (
    AssistantMessageRetrieved,
    Attachable,
    ChunkReceived,
    Event,
    Heartbeat,
    Started,
    ToolOutputsSubmitted,
    ToolResult,
    Turn,
)
from ..user import UserProxy
from .backend import Backend, Calls, Signed, Text
from .client import history_of_other_provider, recorded
from .harness import ContractBase, assert_in_order, provider_test

__all__ = ["ConversationBase", "ConversationTests"]

SIGNATURE = "c2lnbmF0dXJlIG9mIGEgbW9kZWw="
"""Base64, as APIs send it."""


def add(a: int, b: int) -> str:
    """Add two numbers."""
    return f"sum {a + b}"


class ConversationBase(ContractBase):
    """Makes conversations with the backend's proxies."""

    def conversation(self, backend: Backend, past: Sequence[Record] = ()) -> Conversation:
        """A conversation with a tool, in the way that `options` say; requests that fail are repeated soon."""
        retry = RetryPolicy(attempts=3, delay=0.05)
        options = Options(stream=self.options.stream, background=self.options.background, retry=retry)
        return Conversation(backend.proxy(), UserProxy([add]), options=options, past=past)


class ConversationTests(ConversationBase):
    """With the mediator and the driver of asst."""

    @provider_test
    async def test_conversation(self, backend: Backend) -> None:
        """Two exchanges, the second with two rounds of tools: every record is what the script allows."""
        rounds = [Calls((("add", {"a": n, "b": 1}),)) for n in (2, 6)]
        backend.will_reply(Text("hello"), *rounds, Text("3 and 7"))
        async with aclosing(self.conversation(backend)) as conversation:
            records = recorded(conversation)
            for message, answer in (("hi", "hello"), ("add", "3 and 7")):
                last = (await conversation.exchange(message)).event
                assert isinstance(last, AssistantMessageRetrieved), f"The exchange {message!r} ended with {last}"
                assert last.text == answer
        assert list(conform(records)) == []
        assert_in_order(backend.received()[-1].text, "hi", "hello", "add", "sum 3", "sum 7")

    @provider_test
    async def test_new_process_continues(self, backend: Backend) -> None:
        """A new proxy continues from what the journal holds: the history, or the provider's own `resume`."""
        backend.will_reply(Calls((("add", {"a": 1, "b": 2}),)), Text("it is three"), Text("it was three"))
        journal: list[bytes] = []
        async with aclosing(self.conversation(backend)) as conversation:
            conversation.subscribe(lambda record: journal.append(encode(record)))
            await conversation.exchange("what is 1 + 2?")
        async with aclosing(self.conversation(backend, [decode(line) for line in journal])) as conversation:
            last = (await conversation.exchange("and now?")).event
            assert getattr(last, "text", "") == "it was three", f"In the new process, the exchange ended with {last}"
        assert_in_order(backend.received()[-1].text, "what is 1 + 2?", "sum 3", "it is three", "and now?")

    @provider_test
    async def test_history_of_other_provider_is_sent(self, backend: Backend) -> None:
        """What another provider answered is sent in neutral form, tools included, and nothing that only it understands."""
        backend.will_reply(Text("I know"))
        async with aclosing(backend.proxy()) as proxy:
            client = self.client(backend, proxy, history=history_of_other_provider())
            assert await client.expect_answer("do you know?") == "I know"
        conversation = backend.received()[-1].text
        assert_in_order(conversation, "what is 5 + 5?", "sum 10", "it is ten", "do you know?")
        assert "opaque" not in conversation, "Something was sent that only another provider understands."

    @provider_test
    async def test_signature_comes_back(self, backend: Backend) -> None:
        """What the API wants back with a message goes back with the results of tools, and from another process."""
        self.skip_without(Signed)
        backend.will_reply(Signed(Calls((("add", {"a": 1, "b": 2}),)), SIGNATURE), Text("it is three"))
        async with aclosing(backend.proxy()) as proxy:
            client = self.client(backend, proxy)
            (call,) = await client.expect_calls("what is 1 + 2?")
            await client.submit([ToolResult(call.call_id, "sum 3")])
            assert SIGNATURE in backend.received()[-1].text, "With the results, the signature did not come back."
            async with aclosing(backend.proxy()) as client.proxy:
                await client.expect_answer("thanks")
        assert SIGNATURE in backend.received()[-1].text, "In the next exchange, the signature did not come back."

    @provider_test
    async def test_signature_of_other_model_is_not_sent(self, backend: Backend) -> None:
        """What one model wants back is not sent to another one."""
        self.skip_with_one_model()
        self.skip_without(Signed)
        backend.will_reply(Signed(Text("hello"), SIGNATURE), Text("here I am"))
        async with aclosing(backend.proxy()) as proxy:
            client = self.client(backend, proxy)
            await client.expect_answer("hi")
            client.model = self.another_model
            await client.expect_answer("who are you?")
        conversation = backend.received()[-1].text
        assert_in_order(conversation, "hi", "hello", "who are you?")
        assert SIGNATURE not in conversation, "The signature of one model was sent to another one."

    @provider_test
    async def test_attach(self, backend: Backend) -> None:
        """A new proxy takes up an exchange that goes on in the background, from the latest heartbeat, to the same answer."""
        backend.will_reply(Text("one two three"))
        async with aclosing(backend.proxy()) as dying, aclosing(backend.proxy()) as proxy:
            if not (self.options.background and hasattr(proxy, "attach")):
                raise unittest.SkipTest("the provider cannot leave an exchange to the API and attach to it later")
            client = self.client(backend, dying)
            history = History()
            history.feed(SetUserMessage("hi"))
            events = dying.start_processing(client.turn("hi"))
            async with aclosing(events):  # type: ignore[type-var] # closed at the end: a process that died closes nothing
                before = await feed_until_heartbeat(events, history)
                turn = Turn(
                    text="",
                    history=history.items(proxy.provider, proxy.model, include_open=True),
                    instructions=client.instructions,
                    model=proxy.model,
                    tools=tuple(client.tools),
                    resume=history.resume(proxy.provider),
                    stream=self.options.stream,
                    background=True,
                )
                attached = [event async for event in cast("Attachable", proxy).attach(turn)]
        last = attached[-1]
        assert isinstance(last, AssistantMessageRetrieved), f"Expected a complete answer, got {last}"
        assert last.text == "one two three", f"This is not the answer that was in progress: {last}"
        opening = any(isinstance(event, Started | ToolOutputsSubmitted) for event in attached)
        assert not opening, "The opening event must not come again."
        pieces = before + "".join(event.text for event in attached if isinstance(event, ChunkReceived))
        assert pieces in (before, last.text), f"The pieces {pieces!r} do not add up to the text {last.text!r}."
        assert len(backend.received()) == 1, "The request was made again instead of taken up."


async def feed_until_heartbeat(events: AsyncIterator[Event], history: History) -> str:
    """Read to the heartbeat that holds where the exchange stands at the API; the pieces of the answer until then."""
    pieces = ""
    async for event in events:
        history.feed(event)
        pieces += event.text if isinstance(event, ChunkReceived) else ""
        if isinstance(event, Heartbeat) and event.resume is not None:
            return pieces
    raise AssertionError("In the background, the `resume` of a heartbeat must be where the exchange stands at the API.")

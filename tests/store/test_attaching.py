"""Taking up an exchange that goes on at its provider: what an Assistant Proxy with `attach` is asked, and what is heard."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from asstproxy.core.conversation import Conversation
from asstproxy.core.errors import UsageError
from asstproxy.core.events import AssistantMessageRetrieved, ChunkReceived, Event, Heartbeat, Reasoning, Record
from asstproxy.core.history import UserMessage
from asstproxy.core.mediator import conform
from asstproxy.core.resume import can_attach, in_flight_exchange
from asstproxy.core.script import State
from asstproxy.core.turn import Turn
from asstproxy.providers.scripted import Part, ScriptedProvider, say
from asstproxy.user import UserProxy

TOKEN = {"response": "r1", "sequence": 3}
PIECES: list[Part] = [Reasoning("hm "), ChunkReceived("one "), ChunkReceived("two ")]


class Detached(ScriptedProvider):
    """Says everything after its token again, in other pieces."""

    async def attach(self, turn: Turn) -> AsyncIterator[Event]:
        """See `Attachable`."""
        self.turns.append(turn)
        yield Reasoning("hm  well ")
        yield ChunkReceived("one two th")
        yield ChunkReceived("ree")
        yield AssistantMessageRetrieved("zero one two three")


async def _left_behind() -> list[Record]:
    """The records of a process that died in the middle of its second exchange."""
    reply: list[Part] = [ChunkReceived("zero "), Heartbeat("in_progress", resume=TOKEN), *PIECES]
    conversation = Conversation(ScriptedProvider(say("first"), [*reply, AssistantMessageRetrieved("")]), UserProxy())
    records: list[Record] = []
    conversation.subscribe(records.append)
    await conversation.exchange("hello")
    await conversation.exchange("go on")
    return records[:-1]


async def test_what_was_heard_is_not_said_twice() -> None:
    """Pieces that are in the journal are left out, however the provider cuts them; the whole conforms."""
    past = await _left_behind()
    assistant = Detached()
    conversation = Conversation(assistant, UserProxy(), past=past)
    assert conversation.is_running
    records: list[Record] = []
    conversation.subscribe(records.append)
    settled = await conversation.attach()
    assert (settled.state, conversation.is_running) == (State.COMPLETED, False)
    assert [r.event.text for r in records if isinstance(r.event, ChunkReceived)] == ["th", "ree"]
    assert [r.event.text for r in records if isinstance(r.event, Reasoning)] == [" well "]
    assert list(conform([*past, *records])) == []


async def test_the_turn_has_the_token_and_what_was_said_so_far() -> None:
    """`resume` is that of the last heartbeat, the history ends with the person's message, `text` is empty."""
    assistant = Detached()
    await Conversation(assistant, UserProxy(), past=await _left_behind()).attach()
    [turn] = assistant.turns
    assert (turn.resume, turn.text) == (TOKEN, "")
    assert turn.history[-1] == UserMessage("go on")
    assert len(turn.history) == 3


async def test_a_message_has_to_wait_for_what_is_still_running() -> None:
    """Sending one first is wrong usage; afterwards the assistant is sent both answers."""
    assistant = Detached(say("third"))
    conversation = Conversation(assistant, UserProxy(), past=await _left_behind())
    with pytest.raises(UsageError, match="still running"):
        await conversation.exchange("too early")
    await conversation.attach()
    await conversation.exchange("now")
    assert [getattr(item, "text", "") for item in assistant.turns[-1].history][-1] == "zero one two three"
    with pytest.raises(UsageError, match="No turn is running"):
        await conversation.attach()


async def test_only_what_listens_and_has_a_token_can_be_attached_to() -> None:
    """Not after it settled, not before the first token, not by another provider, not by one that cannot."""
    past = await _left_behind()
    assert can_attach(Detached(), past)
    assert not can_attach(ScriptedProvider(), past)
    other = Detached()
    other.provider = "other"
    assert not can_attach(other, past)
    token = next(i for i, r in enumerate(past) if isinstance(r.event, Heartbeat))
    assert in_flight_exchange(past[:token]) is None
    assert in_flight_exchange(past[: token + 1]) is not None
    assert in_flight_exchange([]) is None

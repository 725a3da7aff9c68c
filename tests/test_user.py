"""What a program holds in its hands: send a message, await the answer, read the records as they come."""

from __future__ import annotations

import asyncio
import contextlib

import pytest

from asstproxy.core.errors import AssistantError, UsageError
from asstproxy.core.events import AssistantMessageRetrieved, ChunkReceived, MessageIncomplete, Record
from asstproxy.core.script import SETTLED, State
from asstproxy.providers.scripted import say
from asstproxy.user import UserProxy
from core.stage import Stage, types


async def test_send_and_get() -> None:
    """The exchange runs while the program does something else; the answer can be awaited twice."""
    stage = Stage(say("hello"), say("fine"))
    user = stage.user
    for text, answer in (("hi", "hello"), ("how are you?", "fine")):
        user.send_user_message(text)
        assert await user.get_assistant_message() == answer
        assert await user.get_assistant_message() == answer
    stage.assert_conforms()


async def test_what_was_cut_short_is_an_answer() -> None:
    """The partial text is given; that it is partial is in the records."""
    stage = Stage([MessageIncomplete("he", "expired")])
    stage.user.send_user_message("hi")
    assert await stage.user.get_assistant_message() == "he"


async def test_a_failed_exchange_raises_its_error() -> None:
    """Kind, message and hint are those of the record."""
    stage = Stage([AssistantError("quota", "No credit.", "Pay.")])
    stage.user.send_user_message("hi")
    with pytest.raises(AssistantError, match=r"^No credit\.$") as caught:
        await stage.user.get_assistant_message()
    assert (caught.value.kind, caught.value.hint) == ("quota", "Pay.")


async def test_a_cancelled_exchange_raises_cancelled() -> None:
    """Whoever waits for the answer of a cancelled exchange is told so, and is not cancelled otherwise."""
    stage = Stage([60.0], say("fine"))
    user = stage.user
    user.send_user_message("hi")
    await asyncio.sleep(0.01)
    stage.conversation.cancel()
    with pytest.raises(asyncio.CancelledError):
        await user.get_assistant_message()
    user.send_user_message("again")
    assert await user.get_assistant_message() == "fine"


async def test_giving_up_waiting_does_not_cancel() -> None:
    """The exchange goes on when only its waiter is cancelled."""
    stage = Stage([0.05, *say("hello")])
    user = stage.user
    user.send_user_message("hi")
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(user.get_assistant_message(), 0.01)
    assert await user.get_assistant_message() == "hello"


async def test_wrong_usage() -> None:
    """Without a conversation, without a message, or twice at once: the error says what to do."""
    lonely = UserProxy()
    with pytest.raises(UsageError):
        lonely.send_user_message("hi")
    with pytest.raises(UsageError):
        lonely.stream("hi")
    with pytest.raises(UsageError):
        await lonely.get_assistant_message()
    stage = Stage([0.01, *say("hello")])
    stage.user.send_user_message("hi")
    with pytest.raises(UsageError):
        stage.user.send_user_message("and?")
    assert await stage.user.get_assistant_message() == "hello"


def test_two_tools_of_one_name_are_refused() -> None:
    """The assistant could not tell them apart."""

    def tool() -> None: ...

    with pytest.raises(UsageError, match="Two tools are named 'tool'"):
        UserProxy([tool, tool])


async def test_stream_gives_every_record() -> None:
    """The records of the exchange as they come, the settling one last; it can be done again."""
    stage = Stage([*say("hello", pieces=5)], say("fine"))
    for text in ("hi", "again"):
        start = len(stage.records)
        read = [record async for record in stage.conversation.stream(text)]
        assert read == stage.records[start:]
        assert read[-1].state is State.COMPLETED
    stage.assert_conforms()


async def test_a_slow_reader_loses_nothing() -> None:
    """Pieces are merged for a reader who falls behind, and the text is whole."""
    text = "abc" * 1000
    stage = Stage([*say(text, pieces=3000)])
    read: list[Record] = []
    async for record in stage.conversation.stream("hi"):
        await asyncio.sleep(0.001)
        read.append(record)
    assert len(read) < len(stage.records)
    assert "".join(record.event.text for record in read if isinstance(record.event, ChunkReceived)) == text
    assert read[-1].event == AssistantMessageRetrieved(text)


async def test_leaving_a_stream_early_cancels() -> None:
    """The exchange is settled when the stream is closed, so that the next one can begin at once."""
    stage = Stage([ChunkReceived("he"), 60.0], say("fine"))
    async with contextlib.aclosing(stage.conversation.stream("hi")) as records:  # type: ignore[type-var]
        async for record in records:
            if isinstance(record.event, ChunkReceived):
                break
    assert stage.conversation.state is State.CANCELLED
    assert (await stage.conversation.exchange("again")).state is State.COMPLETED


async def test_a_stream_that_is_left_at_its_end_cancels_nothing() -> None:
    """`break` on the last record closes the stream some time later, when another exchange may be under way."""
    stage = Stage(say("hello"), [0.02, *say("fine")])
    async for record in stage.conversation.stream("hi"):
        if record.state in SETTLED:
            break
    assert (await stage.conversation.exchange("again")).event == AssistantMessageRetrieved("fine")


@pytest.mark.parametrize("text", ["", " "])
async def test_a_stream_of_nothing_is_wrong_usage(text: str) -> None:
    """The reader is told, and does not wait for ever."""
    stage = Stage(say("hello"))
    async with asyncio.timeout(1):
        with pytest.raises(UsageError):
            _ = [record async for record in stage.conversation.stream(text)]
    assert types([record async for record in stage.conversation.stream("hi")])[-1] == "assistant_message_retrieved"


async def test_a_stream_during_an_exchange_is_wrong_usage() -> None:
    """It neither waits nor gives the records of the other exchange."""
    stage = Stage([0.02, *say("hello")])
    first = asyncio.create_task(stage.conversation.exchange("hi"))
    await asyncio.sleep(0)
    with pytest.raises(UsageError):
        _ = [record async for record in stage.conversation.stream("and?")]
    assert (await first).state is State.COMPLETED


async def test_a_stream_raises_what_its_exchange_raised() -> None:
    """When the journal fails, the reader gets the error record and then the failure."""
    stage = Stage(say("hello"))

    def full(_: Record) -> None:
        raise OSError(28, "No space left on device")

    stage.conversation.subscribe(full, essential=True)
    records = stage.conversation.stream("hi")
    assert (await anext(records)).state is State.ERROR
    with pytest.raises(OSError, match="No space"):
        await anext(records)

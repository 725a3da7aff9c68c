"""What a program holds in its hands: send a message, await the answer, read the records as they come."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import subprocess
import sys
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any, TypedDict, assert_type, cast

import pytest
from pydantic import BaseModel, field_validator

from asstproxy.core.errors import AssistantError, UsageError
from asstproxy.core.events import AssistantMessageRetrieved, ChunkReceived, MessageIncomplete, Record
from asstproxy.core.script import SETTLED, State
from asstproxy.providers.scripted import say
from asstproxy.user import UserProxy
from core.stage import Stage, types

ROOT = Path(__file__).parent.parent


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
    waiter = asyncio.create_task(user.get_assistant_message())
    await asyncio.sleep(0)
    waiter.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiter
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
    async with asyncio.timeout(30):
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


# ---- answers as data -----------------------------------------------------------------------------------------------------


class Dog(BaseModel):
    """A dog."""

    name: str
    age: int = 3

    @field_validator("age")
    @classmethod
    def _young(cls, age: int) -> int:
        if age > 30:
            raise ValueError("no dog is that old")
        return age


@dataclass
class Cat:
    name: str
    born: dt.date


class Bird(TypedDict):
    name: str


class Kind(Enum):
    DOG = "dog"
    CAT = "cat"


async def test_ask_returns_the_text() -> None:
    """Send and await in one call; what was cut short is given, and a failure is raised."""
    stage = Stage(say("hello"), [MessageIncomplete("he", "expired")], [AssistantError("quota", "No credit.")])
    assert_type(await stage.user.ask("hi"), str)
    assert await stage.user.get_assistant_message() == "hello"
    assert await stage.user.ask("hi") == "he"
    with pytest.raises(AssistantError, match="No credit"):
        await stage.user.ask("hi")


async def test_ask_returns_a_value_of_the_type() -> None:
    """A pydantic model, a dataclass, a TypedDict, a list, an enum; a JSON Schema gives a dict."""
    stage = Stage(
        *map(
            say,
            (
                '{"name": "Rex"}',
                '{"name": "Tom", "born": "2020-02-29"}',
                '{"name": "Kiwi"}',
                '{"items": [{"name": "Rex", "age": 1}]}',
                '{"value": "cat"}',
                '{"name": "any"}',
            ),
        )
    )
    dog = await stage.user.ask("a dog", schema=Dog)
    assert_type(dog, Dog)
    cat = await stage.user.ask("a cat", schema=Cat)
    assert_type(cat, Cat)
    bird = await stage.user.ask("a bird", schema=Bird)
    assert_type(bird, Bird)
    dogs = await stage.user.ask("dogs", schema=list[Dog])
    assert_type(dogs, list[Dog])
    kind = await stage.user.ask("which?", schema=Kind)
    assert_type(kind, Kind)
    data = await stage.user.ask("any", schema={"type": "object", "properties": {"name": {"type": "string"}}})
    assert_type(data, dict[str, Any])
    assert (dog, cat, bird, dogs) == (
        Dog(name="Rex"), Cat("Tom", dt.date(2020, 2, 29)), {"name": "Kiwi"}, [Dog(name="Rex", age=1)],
    )  # fmt: skip
    assert (kind, data) == (Kind.CAT, {"name": "any"})
    stage.assert_conforms()


async def test_ask_corrects_what_the_type_refuses() -> None:
    """A validator of the type demands more than its schema says: the assistant is told, and asked once more."""
    old = say('{"name": "Rex", "age": 99}')
    stage = Stage(old, say('{"name": "Rex", "age": 9}'), old, old)
    assert await stage.user.ask("a dog", schema=Dog) == Dog(name="Rex", age=9)
    assert "no dog is that old" in stage.script.turns[1].text
    with pytest.raises(AssistantError, match=r"doesn't fit the schema: age: .*no dog is that old") as caught:
        await stage.user.ask("a dog", schema=Dog)
    assert caught.value.code == "schema_mismatch"


async def test_ask_raises_when_the_data_is_cut_short() -> None:
    """Half of a JSON text is no value of any type."""
    stage = Stage([MessageIncomplete('{"name": "R', "max_output_tokens")])
    with pytest.raises(AssistantError, match="incomplete") as caught:
        await stage.user.ask("a dog", schema=Dog)
    assert caught.value.code == "answer_incomplete"


async def test_cancelling_ask_cancels_its_exchange() -> None:
    """As with any await; the conversation goes on."""
    stage = Stage([60.0], say("fine"))
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(stage.user.ask("hi", schema=Dog), 0.05)
    assert stage.records[-1].state is State.CANCELLED
    assert await stage.user.ask("again") == "fine"


async def test_a_type_that_cannot_be_described_is_wrong_usage() -> None:
    """Before anything is sent."""
    stage = Stage(say("hello"))
    with pytest.raises(UsageError, match="can't be the shape of an answer"):
        await stage.user.ask("hi", schema=asyncio.Event)
    with pytest.raises(UsageError, match="'name, age int' can't be the shape of an answer"):
        await stage.user.ask("hi", schema=cast("Any", "name, age int"))  # the command line's short form is no type
    assert stage.records == []


def test_type_checkers_know_what_ask_returns(tmp_path: Path) -> None:
    """Mypy accepts the type's own members and refuses others."""
    program = tmp_path / "program.py"
    program.write_text(
        "from dataclasses import dataclass\nfrom asstproxy import UserProxy\n\n"
        "@dataclass\nclass Dog:\n    name: str\n\n"
        "async def main(user: UserProxy) -> None:\n"
        '    dog = await user.ask("x", schema=Dog)\n    print(dog.name)\n    print(dog.wings)\n'
        '    print((await user.ask("x", schema={}))["name"])\n    (await user.ask("x")).upper()\n'
    )
    mypy = [sys.executable, "-m", "mypy", "--strict", "--cache-dir", str(tmp_path / "cache"), str(program)]
    done = subprocess.run(mypy, capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.stdout.splitlines()[:-1] == [f'{program}:11: error: "Dog" has no attribute "wings"  [attr-defined]']

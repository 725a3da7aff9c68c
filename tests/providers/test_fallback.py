"""Another assistant answers when the first fails before its first piece."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from asstproxy.core.attachment import Attachment
from asstproxy.core.conversation import Conversation
from asstproxy.core.errors import AssistantError, Kind
from asstproxy.core.events import (
    ActionRequired,
    AssistantMessageRetrieved,
    ChunkReceived,
    Configured,
    Event,
    Heartbeat,
    Notice,
    Reasoning,
    Record,
    RetryScheduled,
    Started,
    TakenOver,
    ToolCall,
)
from asstproxy.core.history import AssistantMessage
from asstproxy.core.mediator import conform
from asstproxy.core.retry import RetryPolicy
from asstproxy.core.roles import AcceptsAttachments
from asstproxy.core.turn import Options, Turn
from asstproxy.providers.fallback import FAILURES, AttachableFallback, Candidate, FallbackProvider, with_fallbacks
from asstproxy.providers.scripted import ScriptedProvider, say
from asstproxy.store.transcript import TranscriptBuilder
from asstproxy.user import UserProxy

ALL_KINDS: list[Kind] = [
    "authentication", "not_found", "invalid_request", "rate_limit", "quota", "context_length", "server", "connection", "timeout",
    "protocol", "content", "interrupted", "storage", "internal",
]  # fmt: skip
QUICK = Options(retry=RetryPolicy(attempts=3, delay=0.001))


class Named(ScriptedProvider):
    """A scripted assistant with a name of its own."""

    def __init__(self, name: str, *replies: Any) -> None:
        super().__init__(*replies, model=f"{name}-model")
        self.provider = name


def fails(kind: Kind, **more: Any) -> list[Any]:
    """A reply that fails at once."""
    return [AssistantError(kind, f"{kind} happened.", **more)]


async def hold(assistant: Any, *messages: str, options: Options = QUICK) -> list[Record]:
    """The records of exchanges with these messages; all of them conform to the script."""
    user = UserProxy([lookup])
    conversation = Conversation(assistant, user, configured=Configured("one", "one", "one-model"), options=options)
    records: list[Record] = []
    conversation.subscribe(records.append)
    for message in messages:
        await conversation.exchange(message)
    await conversation.aclose()
    assert not list(conform(records))
    return records


def lookup() -> str:
    """Look it up."""
    return "found"


def kinds(records: list[Record], *of: type[Event]) -> list[Event]:
    """The events of these classes."""
    return [record.event for record in records if isinstance(record.event, of)]


def both(one: ScriptedProvider, two: ScriptedProvider, **settings: Any) -> Any:
    """The first, with the second in its place."""
    return with_fallbacks([Candidate("one", one, {}), Candidate("two", two, settings)])


@pytest.mark.parametrize("kind", ALL_KINDS)
async def test_a_failure_of_the_provider_is_taken_over_one_of_the_message_is_not(kind: Kind) -> None:
    """Whatever is wrong with the first one's server, key or model; but what it refuses to answer, another isn't asked."""
    one, two = Named("one", fails(kind)), Named("two", say("Two here."))
    records = await hold(both(one, two), "hi")
    taken = kinds(records, TakenOver)
    if kind in FAILURES:
        assert taken == [TakenOver("two", "two", "two-model")]
        assert kinds(records, Notice) == [Notice(f"one: {kind} happened. Asking two instead.")]
        assert records[-1].state == "completed"
    else:
        assert (taken, len(two.turns), records[-1].state) == ([], 0, "error")
    assert kinds(records, Started) == [Started("one", "one-model")]


@pytest.mark.parametrize("piece", [ChunkReceived("Well"), Reasoning("hm")])
async def test_after_the_first_piece_nobody_takes_over(piece: Event) -> None:
    """What was said stays, and the exchange fails as it would without a fallback."""
    one, two = Named("one", [piece, *fails("server")]), Named("two", say("no"))
    records = await hold(both(one, two), "hi")
    assert (records[-1].state, two.turns) == ("error", [])


async def test_heartbeats_and_notes_are_no_piece() -> None:
    """A provider that works for a while, and fails, can be taken over."""
    one = Named("one", [Heartbeat("queued"), Notice("Wait."), *fails("timeout")])
    records = await hold(both(one, Named("two", say("yes"))), "hi")
    assert records[-1].state == "completed"


async def test_the_next_exchange_begins_with_the_first_again() -> None:
    """A fallback holds for one exchange; history and transcript say who answered which."""
    one, two = (
        Named("one", fails("quota"), say("One.")),
        Named("two", [AssistantMessageRetrieved("Two.", raw=["opaque"])]),
    )
    records = await hold(both(one, two), "first", "second")
    fold = TranscriptBuilder()
    for record in records:
        fold.feed(record)
    assert [(e.provider, e.model, e.answer) for e in fold.transcript.exchanges] == [
        ("two", "two-model", "Two."),
        ("one", "one-model", "One."),
    ]
    said = [item for item in one.turns[-1].history if isinstance(item, AssistantMessage)]
    assert [(item.text, item.raw) for item in said] == [("Two.", None)]


async def test_the_fallback_is_sent_nothing_of_the_firsts_own() -> None:
    """Its own model and settings; no opaque parts, and no place in a conversation at the other provider."""
    one = Named("one", [AssistantMessageRetrieved("One.", raw=["mine"], resume={"id": 1})], fails("server"))
    two = Named("two", say("Two."))
    await hold(both(one, two, temperature=1), "first", "second")
    turn: Turn = two.turns[0]
    assert (turn.model, turn.settings, turn.resume, turn.text) == ("two-model", {"temperature": 1}, None, "second")
    assert [item.raw for item in turn.history if isinstance(item, AssistantMessage)] == [None]
    assert one.turns[1].resume == {"id": 1}


async def test_tool_results_go_to_the_one_that_asked() -> None:
    """Also when it took over; a failure then is not taken over again."""
    call = [ActionRequired((ToolCall("c", "lookup", "{}"),))]
    one, two = Named("one", fails("server")), Named("two", call, say("Done."))
    records = await hold(both(one, two), "hi")
    assert (records[-1].state, len(two.results), one.results) == ("completed", 1, [])
    one, two = Named("one", call, fails("server")), Named("two", say("no"))
    records = await hold(both(one, two), "hi")
    assert (records[-1].state, two.turns) == ("error", [])


async def test_retries_go_through_all_of_them_again() -> None:
    """All are asked before anybody waits; the first one that recovers answers, and the journal says so."""
    one = Named("one", fails("server", retryable=True), say("One again."))
    two = Named("two", fails("rate_limit", retryable=True))
    records = await hold(both(one, two), "hi")
    assert [type(event) for event in kinds(records, Started, Notice, TakenOver, RetryScheduled, AssistantMessageRetrieved)] == [
        Started, Notice, TakenOver, RetryScheduled, TakenOver, AssistantMessageRetrieved,
    ]  # fmt: skip
    assert kinds(records, TakenOver)[-1] == TakenOver("one", "one", "one-model")


async def test_when_all_fail_the_error_is_the_last_ones() -> None:
    """The earlier ones were told as notices, each once, however often they are asked."""
    one, two, three = (Named(name, *[fails("quota")] * 3) for name in ("one", "two", "three"))
    chain = with_fallbacks([Candidate(p.provider, p, {}) for p in (one, two, three)])
    records = await hold(chain, "hi")
    assert [getattr(e, "text", "") for e in kinds(records, Notice)] == [
        "one: quota happened. Asking two instead.",
        "two: quota happened. Asking three instead.",
    ]
    assert (records[-1].state, [len(p.turns) for p in (one, two, three)]) == ("error", [1, 1, 1])


class Reading(Named):
    """An assistant that takes images."""

    async def accepts(self, model: str) -> dict[str, int]:
        assert model == self.model
        return {"image/png": 1000}


async def test_only_a_fallback_that_can_read_the_files_is_asked() -> None:
    """The first one decides what may be attached; one that can't read it is passed over, and said nothing about."""
    png = Attachment("0" * 64, "image/png", "a.png", 500)
    one, blind, three = (
        Reading("one", fails("server"), fails("server")),
        Named("blind", say("no")),
        Reading("three", say("Seen.")),
    )
    chain = with_fallbacks([Candidate(p.provider, p, {}) for p in (one, blind, three)])
    assert isinstance(chain, AcceptsAttachments)
    assert await chain.accepts("one-model") == {"image/png": 1000}
    events = [event async for event in chain.start_processing(Turn("look", attachments=(png,)))]
    assert [e.text for e in events if isinstance(e, Notice)] == ["one: server happened. Asking three instead."]
    assert (blind.turns, three.turns[0].attachments) == ([], (png,))
    with pytest.raises(AssistantError, match="server happened"):
        async for _ in both(one, blind).start_processing(Turn("look", attachments=(png,))):
            pass


async def test_cancelling_reaches_the_one_that_answers() -> None:
    """A stop while the fallback is silent settles the exchange, and closes its request."""
    closed = asyncio.Event()

    class Slow(Named):
        async def start_processing(self, turn: Turn) -> Any:
            yield Started(self.provider, self.model)
            try:
                await asyncio.sleep(60)
            finally:
                closed.set()

    conversation = Conversation(both(Named("one", fails("server")), Slow("two")), UserProxy())
    records: list[Record] = []
    conversation.subscribe(records.append)
    taken = asyncio.Event()
    conversation.subscribe(lambda record: taken.set() if isinstance(record.event, TakenOver) else None)
    task = asyncio.create_task(conversation.exchange("hi"))
    await taken.wait()
    conversation.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert closed.is_set()
    assert records[-1].state == "cancelled"


async def test_all_are_closed_even_if_one_cannot_be() -> None:
    """Closing goes on after a failure."""
    closed: list[str] = []

    class Closing(Named):
        async def aclose(self) -> None:
            closed.append(self.provider)
            raise OSError

    with pytest.raises(OSError):  # noqa: PT011 - the one above
        await both(Closing("one"), Closing("two")).aclose()
    assert sorted(closed) == ["one", "two"]


def test_only_what_can_attach_is_attachable() -> None:
    """The wrapper promises what the first assistant can; a single one isn't wrapped."""

    class Background(Named):
        def attach(self, turn: Turn) -> Any:
            return self.start_processing(turn)

    plain, background = Named("one"), Background("two")
    assert type(both(plain, background)) is FallbackProvider
    assert type(both(background, plain)) is AttachableFallback
    assert with_fallbacks([Candidate("one", plain, {})]) is plain

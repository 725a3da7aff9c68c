"""A session of a thousand exchanges: the last ones cost what the first ones cost."""

from __future__ import annotations

import asyncio
import gc
import sys
import tracemalloc
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from statistics import median

import pytest

from asstproxy import AssistantProxy, Conversation, State, Store, UserProxy, conform
from asstproxy.config.profiles import Profile
from asstproxy.providers import connect
from asstproxy.providers.scripted import ScriptedProvider, say
from asstproxy.store.session import Session
from servers import Json, Output, ResponsesServer, Say

COUNT, EDGE = 1000, 100
ANSWER = "The fox jumps over the dog. " * 36


@contextmanager
def counted() -> Iterator[list[int]]:
    """How many functions are called in this thread, in Python and in C: work that no busy machine makes more."""
    calls = [0]

    def count(_frame: object, event: str, _argument: object) -> None:
        calls[0] += event.endswith("call")

    sys.setprofile(count)
    try:
        yield calls
    finally:
        sys.setprofile(None)


async def calls_of(exchange: Awaitable[object]) -> int:
    """How many functions it calls."""
    with counted() as calls:
        await exchange
    return calls[0]


async def work_of(hold: Callable[[int], Awaitable[object]], count: int = COUNT) -> tuple[float, float]:
    """Calls for one exchange: the medians of the first and of the last hundred."""
    work = [await calls_of(hold(number)) for number in range(count)]
    return median(work[:EDGE]), median(work[-EDGE:])


def kept(assistant: AssistantProxy) -> tuple[Conversation, Session]:
    session = Store().create()
    conversation = Conversation(assistant, UserProxy(), past=session.past)
    conversation.subscribe(session, essential=True)
    return conversation, session


def written() -> int:
    """Bytes that this process has written to files."""
    return int(Path("/proc/self/io").read_text().split("wchar:")[1].split()[0])


async def test_the_last_exchange_is_as_much_work_as_the_first(record_property: Callable[[str, object], None]) -> None:
    """A thousand exchanges in one process, kept on disk: calls, and journal bytes, for one exchange stay as they were."""
    assistant = ScriptedProvider(*[say(ANSWER, pieces=40)] * COUNT)
    conversation, session = kept(assistant)
    sizes = [session.path.stat().st_size]

    async def hold(number: int) -> None:
        settled = await conversation.exchange(f"Question {number:4}?")
        assert settled.state is State.COMPLETED
        sizes.append(session.path.stat().st_size)

    first, last = await work_of(hold)
    session.close()
    assert last <= 1.05 * first, (first, last)
    each = [after - before for before, after in pairwise(sizes)]
    digits = 5 * 4  # the records' numbers grow by two digits or three
    assert (
        median(each[-EDGE:]) <= median(each[:EDGE]) + digits + 200
    )  # text is held back for 50 ms: a line more or less
    assert len(assistant.turns[-1].history) == 2 * (COUNT - 1)
    assert not [*conform(Store().records(session.id))]
    record_property("figure", f"exchange 1,000 takes {last:,.0f} function calls, exchange 1 took {first:,.0f}")


async def test_what_is_written_is_proportional_to_the_session(record_property: Callable[[str, object], None]) -> None:
    """The transcript is rewritten now and then, not for every exchange: a thousand of them write it a few dozen times."""
    conversation, session = kept(ScriptedProvider(*[say(ANSWER)] * COUNT))
    before = written()
    for number in range(COUNT):
        await conversation.exchange(f"Question {number}?")
    session.close()
    journal, transcript = session.path.stat().st_size, session.path.with_suffix(".json").stat().st_size
    rewritten = (written() - before - journal) / transcript
    record_property("figure", f"1,000 exchanges wrote the transcript {rewritten:.0f} times its length")
    assert rewritten < COUNT / 20
    assert Store().summary(session.id).exchange_count == COUNT


async def at_rest() -> int:
    """Bytes that are held now; while the transcript is being written it is all there once more, so the least counts."""
    seen = []
    for _ in range(10):
        gc.collect()
        seen.append(tracemalloc.get_traced_memory()[0])
        await asyncio.sleep(0.05)
    return min(seen)


@pytest.mark.parametrize(
    "count", [350, pytest.param(COUNT, marks=pytest.mark.slow(reason="a thousand exchanges, each allocation traced"))]
)
async def test_memory_grows_by_what_was_said(count: int, record_property: Callable[[str, object], None]) -> None:
    """What an exchange leaves in memory does not grow with the session, and is a few times its text."""
    assistant = ScriptedProvider(*[say(ANSWER, pieces=40)] * count)
    conversation, session = kept(assistant)
    held, between = [], (count - 100) // 2
    gc.freeze()  # what other tests left takes long to look through, and is none of ours
    tracemalloc.start()
    try:
        for number in range(count):
            await conversation.exchange(f"Question {number}?")
            assistant.turns.clear()  # the scripted assistant keeps them for tests
            if number % between == 50:
                held.append(await at_rest())
    finally:
        tracemalloc.stop()
        gc.unfreeze()
    session.close()
    early, late = (held[1] - held[0]) / between, (held[2] - held[1]) / between
    record_property("figure", f"{late / 1000:.1f} kB held in memory for an exchange of {len(ANSWER) / 1000:.1f} kB")
    assert late < 1.3 * early, held
    assert late < 12 * len(ANSWER)


@pytest.mark.slow(reason="a thousand exchanges over HTTP, under a profiler")
@pytest.mark.parametrize("history", ["server", "client"])
async def test_over_http(
    history: str, monkeypatch: pytest.MonkeyPatch, record_property: Callable[[str, object], None]
) -> None:
    """With the history at the provider our work stays flat; with ours, only making the request's bytes grows."""
    count = COUNT if history == "server" else 200
    with ResponsesServer(short) as server:
        monkeypatch.setenv("OPENAI_API_KEY", server.key)
        profile = Profile("p", "gpt", options={"base_url": server.base_url, "history": history})
        (new, new_session), (old, old_session) = kept(connect(profile)), kept(connect(profile))

        async def hold(conversation: Conversation, number: int) -> None:
            settled = await conversation.exchange(f"Question {number:4}?")
            assert settled.state is State.COMPLETED
            server.contexts.clear()
            del server.requests[:-1]

        for number in range(count - EDGE):
            await hold(old, number)
        # The first hundred and the last take turns: how a busy machine cuts answers into pieces changes both alike.
        work = [(await calls_of(hold(new, n)), await calls_of(hold(old, count - EDGE + n))) for n in range(EDGE)]
        first, last = (median(calls) for calls in zip(*work, strict=True))
        for conversation, session in ((new, new_session), (old, old_session)):
            await conversation.aclose()
            session.close()
    record_property("figure", f"history = {history}: {first:,.0f} calls at first, {last:,.0f} in exchange {count}")
    if history == "server":
        assert last <= 1.25 * first
        assert len(server.requests[-1].json["input"]) == 1
    else:
        items = 2 * count
        assert last - first <= 6 * items, "more than six calls for an item of the history"


def short(_: Json) -> list[Output]:
    return [Say("Yes, that is so.")]

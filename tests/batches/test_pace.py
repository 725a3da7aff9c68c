"""The pace of a batch: what its gate lets pass, and when."""

from __future__ import annotations

import asyncio

from asstproxy.batches import pace as module
from asstproxy.batches.pace import Pace, Pass


async def _enter(pace: Pace, count: int) -> list[Pass]:
    return [await pace.enter() for _ in range(count)]


async def test_it_grows_to_the_most_while_all_goes_well() -> None:
    """Each round of successes doubles the number of requests at a time, up to the most."""
    pace = Pace(64, 8)
    limits = []
    for _ in range(4):
        passes = await _enter(pace, pace.limit)
        for one in passes:
            pace.succeeded(one)
            pace.leave(one)
        limits.append(pace.limit)
    assert limits == [16, 32, 64, 64]


async def test_it_does_not_grow_beyond_what_is_used() -> None:
    """Two requests at a time say nothing about twenty."""
    pace = Pace(64, 8)
    for _ in range(100):
        passes = await _enter(pace, 2)
        for one in passes:
            pace.succeeded(one)
            pace.leave(one)
    assert pace.limit == 8


async def test_a_round_of_refusals_halves_once() -> None:
    """Requests that were on their way when one was refused don't halve again; afterwards growth is slow."""
    pace = Pace(64, 16)
    passes = await _enter(pace, 16)
    for one in passes:
        pace.refused(one, 0.0)
        pace.leave(one, 0)
    assert (pace.limit, pace.refusals) == (8, 16)
    passes = await _enter(pace, 8)
    for one in passes:
        pace.succeeded(one)
        pace.leave(one)
    assert pace.limit == 9


async def test_a_refusal_closes_the_gate_for_all() -> None:
    """Nobody passes before the time that the server names."""
    pace = Pace(8)
    refused = await pace.enter()
    pace.refused(refused, 0.3)
    pace.leave(refused, 0)
    began = asyncio.get_running_loop().time()
    await asyncio.gather(*(pace.enter() for _ in range(4)))
    assert asyncio.get_running_loop().time() - began >= 0.29


async def test_requests_a_minute_are_held_over_a_sliding_window(monkeypatch: object) -> None:
    """In any window of a minute (here: 0.2 s) there are at most so many."""
    module.MINUTE = 0.2
    try:
        pace, times = Pace(100, rpm=5), list[float]()
        for _ in range(17):
            one = await pace.enter()
            times.append(one.at)
            pace.leave(one, 0)
    finally:
        module.MINUTE = 60.0
    assert all(later - earlier >= 0.199 for earlier, later in zip(times, times[5:], strict=False))


async def test_tokens_a_minute_count_what_was_used() -> None:
    """The estimate is replaced by what the provider reports, and the next one waits for room."""
    module.MINUTE = 0.2
    try:
        pace = Pace(100, tpm=1000)
        first = await pace.enter(100)
        pace.leave(first, 900)
        second = await pace.enter(50)
        pace.leave(second, 50)
        third = await pace.enter(500)
    finally:
        module.MINUTE = 60.0
    assert second.at - first.at >= 0.19 or second.at - first.at < 0.1
    assert third.at - first.at >= 0.19


async def test_the_first_requests_do_not_exceed_the_tokens_a_minute() -> None:
    """Nobody knows yet how long answers are: the first request goes out alone, and what it used counts for those that wait."""
    pace = Pace(8, tpm=1000)
    first = await pace.enter(10)
    others = [asyncio.create_task(pace.enter(10)) for _ in range(7)]
    await asyncio.sleep(0)
    assert not any(task.done() for task in others)
    pace.leave(first, 300)
    await asyncio.sleep(0)
    assert [task.done() for task in others] == [True, True, False, False, False, False, False]
    for task in others:
        task.cancel()
    await asyncio.wait(others)


async def test_a_longer_answer_counts_at_once() -> None:
    """After short answers, one that is long: the next request counts as much, so that no second one like it exceeds the limit."""
    pace = Pace(8, tpm=1000)
    for _ in range(3):
        pace.leave(await pace.enter(10), 20)
    pace.leave(await pace.enter(10), 700)
    next_one = asyncio.create_task(pace.enter(10))
    await asyncio.sleep(0)
    assert not next_one.done()
    next_one.cancel()
    await asyncio.wait([next_one])


async def test_a_provider_that_reports_no_tokens_is_not_held_up() -> None:
    """What is sent counts then: the second request doesn't wait for the minute of the first one to pass."""
    pace = Pace(8, tpm=1000)
    pace.leave(await pace.enter(10))
    together = await asyncio.wait_for(asyncio.gather(*(pace.enter(10) for _ in range(8))), 30)
    assert [one.tokens for one in together] == [10] * 8


async def test_one_that_is_cancelled_gives_its_place_back() -> None:
    """A task that stops waiting, or that was let in at the same moment, takes no place."""
    pace = Pace(1)
    first = await pace.enter()
    waiting = [asyncio.create_task(pace.enter()) for _ in range(3)]
    await asyncio.sleep(0)
    pace.leave(first)
    for task in waiting:
        task.cancel()
    await asyncio.wait(waiting)
    assert (await asyncio.wait_for(pace.enter(), 30)).tokens == 0

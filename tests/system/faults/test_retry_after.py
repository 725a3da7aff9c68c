"""How long a server asks us to wait: every way to write it, and what becomes of what cannot be meant."""

from __future__ import annotations

import contextlib
import time
from asyncio import CancelledError
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from asstproxy.core.events import ErrorOccurred, Record, RetryScheduled
from servers import Say, Status

from .outcomes import TEXT
from .rig import RETRY, Scene, asked, scene
from .ways import Way, way

WAYS = [
    way(name) for name in ("gpt", "gpt-sdk", "gpt-unary", "gemini", "gemini-sdk", "interactions", "interactions-sdk")
]
ONCE = [way(name) for name in ("gpt", "gpt-sdk", "gemini", "interactions")]
OWN = RETRY.delay
"""Our own pause before the second attempt, at the most."""

SAID: list[tuple[dict[str, str], float]] = [
    ({"retry-after": "2"}, 2.0),
    ({"retry-after": "0.25"}, 0.25),
    ({"retry-after": " 3 "}, 3.0),
    ({"retry-after": "5"}, 5.0),
    ({"retry-after-ms": "1500"}, 1.5),
    ({"retry-after-ms": "1500", "retry-after": "4"}, 1.5),
    ({"retry-after-ms": "soon", "retry-after": "4"}, 4.0),
]
MEANINGLESS = [
    "0",
    "-3",
    "-0.5",
    "nan",
    "inf",
    "soon",
    "",
    "2, 3",
    "99 Bottles",
    "1e9",
    "1_0",
    "Sun, 99 Nov 2026 25:61:61 GMT",
]
DATES = {
    "imf": "%a, %d %b %Y %H:%M:%S GMT",
    "rfc850": "%A, %d-%b-%y %H:%M:%S GMT",
    "asctime": "%a %b %d %H:%M:%S %Y",
    "unknown zone": "%a, %d %b %Y %H:%M:%S -0000",
}


@pytest.fixture(autouse=True)
def _far_from_greenwich(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "America/New_York")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


async def waited(way: Way, headers: dict[str, str]) -> float | None:
    """The pause that is told before the second attempt, which is not made; None when there is to be none."""
    async with scene(way, lambda _: [Say(TEXT)]) as stage:
        stage.server.faults.add(Status(503, headers=tuple(headers.items()), on=way.asks))
        told: list[float] = []
        stage.conversation.subscribe(lambda record: stop(record, told, stage))
        with contextlib.suppress(CancelledError):
            await stage.exchange()
        assert asked(way, stage.server) == 1
        return told[0] if told else None


def stop(record: Record, told: list[float], stage: Scene) -> None:
    if isinstance(record.event, RetryScheduled):
        told.append(record.event.delay)
        stage.conversation.cancel()


@pytest.mark.parametrize(("headers", "seconds"), SAID, ids=str)
@pytest.mark.parametrize("way", WAYS, ids=str)
async def test_the_server_is_given_the_time_it_asks_for(way: Way, headers: dict[str, str], seconds: float) -> None:
    """In seconds, fractions of them or milliseconds; to the millisecond."""
    assert await waited(way, headers) == seconds


@pytest.mark.parametrize("given", MEANINGLESS)
@pytest.mark.parametrize("name", ["retry-after", "retry-after-ms"])
@pytest.mark.parametrize("way", ONCE, ids=str)
async def test_what_cannot_be_meant_is_not_obeyed(way: Way, name: str, given: str) -> None:
    """Our own pause comes instead: never none at all, never one without an end."""
    delay = await waited(way, {name: given})
    assert delay is not None
    assert 0 < delay <= OWN


@pytest.mark.parametrize("form", DATES.values(), ids=DATES)
@pytest.mark.parametrize("way", WAYS, ids=str)
async def test_a_date_to_come(way: Way, form: str) -> None:
    """In every form that HTTP has had, in GMT wherever this machine stands."""
    delay = await waited(way, {"retry-after": (datetime.now(UTC) + timedelta(seconds=4)).strftime(form)})
    assert delay is not None
    assert 1 < delay <= 4


@pytest.mark.parametrize("form", DATES.values(), ids=DATES)
@pytest.mark.parametrize("way", ONCE, ids=str)
async def test_a_date_that_is_over(way: Way, form: str) -> None:
    """A clock is wrong, the server's or ours: our own pause, and no burst of requests."""
    delay = await waited(way, {"retry-after": (datetime.now(UTC) - timedelta(hours=2)).strftime(form)})
    assert delay is not None
    assert 0 < delay <= OWN


LONG = ["300", "1000000000", "9" * 400, DATES["imf"]]


@pytest.mark.parametrize("given", LONG)
@pytest.mark.parametrize("way", WAYS, ids=str)
async def test_a_wait_beyond_our_limit(way: Way, given: str) -> None:
    """Is told, and not waited for: one request, an error."""
    given = (datetime.now(UTC) + timedelta(seconds=300)).strftime(given)  # what is no date stays as it is
    async with scene(way, lambda _: [Say(TEXT)]) as stage:
        stage.server.faults.add(Status(429, headers=(("retry-after", given),), on=way.asks))
        settled = await stage.exchange()
        assert isinstance(settled.event, ErrorOccurred)
        assert (settled.event.kind, asked(way, stage.server)) == ("rate_limit", 1)
        assert stage.published(RetryScheduled) == []

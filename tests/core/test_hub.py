"""The hub: who hears a record, in which order, and what happens when somebody fails."""

from __future__ import annotations

import gc
import logging
from collections.abc import Callable

import pytest

from asstproxy.core.errors import OutputError
from asstproxy.core.events import Notice, Record
from asstproxy.core.hub import Hub
from asstproxy.core.script import State


def record(seq: int = 1) -> Record:
    return Record(seq, "2026-11-22T19:45:00.123Z", State.NEW, Notice("hm"))


def failing(error: Exception) -> Callable[[Record], None]:
    def listen(_: Record) -> None:
        raise error

    return listen


def test_everybody_hears_in_the_order_of_joining() -> None:
    """Every record reaches every subscriber, the first to join first, also when there are many."""
    heard: list[tuple[int, int]] = []
    hub = Hub()
    for name in range(20):
        hub.subscribe(lambda record, name=name: heard.append((name, record.seq)))  # type: ignore[misc]
    hub.publish(record(1))
    hub.publish(record(2))
    assert heard == [(name, seq) for seq in (1, 2) for name in range(20)]


def test_listeners_are_held_strongly() -> None:
    """A lambda, or the method of an object that nobody else holds, goes on hearing."""
    heard: list[str] = []

    class View:
        def listen(self, _: Record) -> None:
            heard.append("method")

    hub = Hub()
    hub.subscribe(View().listen)
    hub.subscribe(lambda _: heard.append("lambda"))
    gc.collect()
    hub.publish(record())
    assert heard == ["method", "lambda"]


def test_who_leaves_hears_no_more() -> None:
    """Leaving takes out one subscription, even of a callable that joined twice, and may be said twice."""
    heard: list[int] = []
    listen = lambda record: heard.append(record.seq)  # noqa: E731
    hub = Hub()
    leave = hub.subscribe(listen)
    hub.subscribe(listen)
    leave()
    leave()
    hub.publish(record())
    assert heard == [1]


def test_joining_and_leaving_in_the_middle_of_a_record() -> None:
    """Who joins while a record goes round hears the next one; who leaves then has heard that one."""
    heard: list[str] = []
    hub = Hub()

    def first(_: Record) -> None:
        leave()
        hub.subscribe(lambda record: heard.append(f"new {record.seq}"))

    hub.subscribe(first)
    leave = hub.subscribe(lambda record: heard.append(f"old {record.seq}"))
    hub.publish(record(1))
    assert heard == ["old 1"]
    hub.publish(record(2))
    assert heard == ["old 1", "new 2"]


def test_a_broken_view_is_dropped(caplog: pytest.LogCaptureFixture) -> None:
    """Any other subscriber that raises is logged and hears no more; the others go on hearing."""
    heard: list[int] = []
    hub = Hub()
    hub.subscribe(failing(ValueError("torn")))
    hub.subscribe(lambda record: heard.append(record.seq))
    with caplog.at_level(logging.ERROR):
        hub.publish(record(1))
        hub.publish(record(2))
    assert heard == [1, 2]
    assert [message.message.partition(":")[0] for message in caplog.records] == ["a subscriber failed and is dropped"]


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), ValueError("not JSON")])
def test_an_essential_subscriber_fails_the_record(error: Exception) -> None:
    """What the journal could not keep, nobody after it has heard; it is not dropped for that."""
    heard: list[int] = []
    hub = Hub()
    hub.subscribe(failing(error), essential=True)
    hub.subscribe(lambda record: heard.append(record.seq))
    for _ in range(2):
        with pytest.raises(type(error)):
            hub.publish(record())
    assert heard == []


def test_a_closed_pipe_is_told() -> None:
    """That nobody reads our output any more is no fault of a view: whoever publishes must know."""
    for error in (BrokenPipeError(), OutputError("Standard output can't be written.")):
        hub = Hub()
        hub.subscribe(failing(error))
        with pytest.raises(type(error)):
            hub.publish(record())


def test_everybody_hears_the_end() -> None:
    """A record that ends a failed exchange reaches all, whoever fails on the way."""
    heard: list[str] = []
    hub = Hub()
    hub.subscribe(failing(OSError()), essential=True)
    hub.subscribe(failing(BrokenPipeError()))
    hub.subscribe(failing(ValueError()))
    hub.subscribe(lambda _: heard.append("view"))
    hub.publish(record(), ending=True)
    assert heard == ["view"]

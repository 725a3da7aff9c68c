"""A session may move from any API to any other: history arrives everywhere, and what is one provider's own stays its own."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from asstproxy import conform
from asstproxy.core.events import ActionRequired, AssistantMessageRetrieved, Record, Started, ToolFinished
from asstproxy.store.recovery import each_record
from servers import Say

from .moving import RECORDING, TOUR, Tour, touring

OPAQUE = 40
"""Characters from which on a text in `raw` is a signature, and nothing that a person or a model wrote."""


@pytest.fixture(scope="module")
def tour(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tour]:
    """The whole tour, once."""
    with touring(tmp_path_factory.mktemp("tour") / "here") as one:
        for stop in TOUR:
            one.visit(stop)
        yield one


def records(path: Path) -> list[Record]:
    """A journal's records."""
    return list(each_record(path))


def opaque(value: Any) -> Iterator[str]:
    """The long texts in a `raw`."""
    match value:
        case str() if len(value) >= OPAQUE:
            yield value
        case dict():
            for one in value.values():
                yield from opaque(one)
        case list():
            for one in value:
                yield from opaque(one)


def marks(journal: list[Record]) -> dict[int, set[str]]:
    """The signatures that each exchange brought, by its number."""
    found: dict[int, set[str]] = defaultdict(set)
    exchange = -1
    for record in journal:
        exchange += isinstance(record.event, Started)
        if isinstance(record.event, ActionRequired | AssistantMessageRetrieved):
            found[exchange] |= set(opaque(record.event.raw))
    return found


def test_history_arrives_everywhere(tour: Tour) -> None:
    """Each of seven assistants continues the sum of those before it, with a tool call, and sees all of their answers."""
    sums, total = [], 0
    for stop in TOUR:
        total += stop.plus
        sums.append(f"The sum is {total}.")
    assert tour.answers[: len(TOUR)] == sums
    for number, stop in enumerate(TOUR):
        for earlier in sums[:number]:
            assert tour.sent(stop).count(earlier) >= 1, f"{stop.profile} was not sent: {earlier}"


def test_replay_check_passes(tour: Tour) -> None:
    """The records of all seven conform to the script; each exchange has its tool call."""
    assert "conform" in tour.asst("replay", "--check")
    journal = records(tour.journal)
    started = [record.event for record in journal if isinstance(record.event, Started)]
    assert [event.provider for event in started][: len(TOUR)] == [stop.table["provider"] for stop in TOUR]
    assert sum(isinstance(record.event, ToolFinished) for record in journal) >= len(TOUR)


def test_opaque_parts_are_dropped_and_picked_up_again(tmp_path: Path) -> None:
    """Nobody is sent what another provider signed; who is asked again gets its own back, and its thread goes on."""
    with touring(tmp_path / "here") as tour:
        for stop in TOUR:
            tour.visit(stop)
        signed = marks(records(tour.journal))
        by_profile = {stop.profile: signed[number] for number, stop in enumerate(TOUR)}
        assert all(by_profile[name] for name in ("gpt", "gemini", "claude"))
        for stop in TOUR:
            others = set().union(*(found for name, found in by_profile.items() if name != stop.profile))
            # Both of Gemini's APIs are one provider: what the one signed is no secret to the other.
            others -= by_profile["gemini"] if stop.profile == "interactions" else set()
            assert not [mark for mark in others if mark in tour.sent(stop)], stop.profile
        for stop in TOUR:
            before = len(tour.servers[stop.profile].requests)
            assert tour.visit(stop) == f"The sum is {tour.total}."
            sent = tour.sent(stop, before)
            if stop.profile != "interactions":  # Google keeps what it has signed there
                assert all(mark in sent for mark in by_profile[stop.profile]), stop.profile
        threads = "POST /api/v1/threads"
        server = tour.servers["assistants"]
        assert [str(request) for request in server.requests].count(threads) == 2  # others had answered in between
        stop = next(stop for stop in TOUR if stop.profile == "assistants")
        for made in (3, 3):  # the first is another thread, as others have answered; the second goes on in it
            assert tour.visit(stop) == f"The sum is {tour.total}."
            assert [str(request) for request in server.requests].count(threads) == made
        tour.asst("replay", "--check")


def test_the_recorded_tour(tour: Tour) -> None:
    """The session in examples/ is one that this tour makes: the same assistants, calls and answers, and it conforms."""
    recorded = records(RECORDING)
    assert list(conform(recorded)) == []
    kinds = (Started, ActionRequired, AssistantMessageRetrieved)

    def told(journal: list[Record]) -> list[str]:
        plain = []
        for event in (record.event for record in journal if isinstance(record.event, kinds)):
            calls = [(call.name, json.loads(call.arguments)) for call in getattr(event, "calls", ())]
            plain.append(f"{event.type} {getattr(event, 'provider', '')} {getattr(event, 'text', '')} {calls}")
        return plain

    assert told(recorded) == told(records(tour.journal))
    assert "conform" in tour.asst("replay", "--check", str(RECORDING))
    assert "sk-" not in RECORDING.read_text()


def test_data_from_every_api(tmp_path: Path) -> None:
    """`--schema` in one session at all seven, each in its API's own way: the line of JSON is the same, and the session conforms."""
    with touring(tmp_path / "here") as tour:
        for number, stop in enumerate(TOUR):
            server: Any = tour.servers[stop.profile]
            server.brain = lambda _: [Say(' {\n "name": "Rex",\n "age": 3}')]
            go_on = ["-c"] if number else []
            answer = tour.asst("ask", *go_on, "-q", "-p", stop.profile, "--schema", "name, age int", f"Dog {number}?")
            assert answer == '{"name":"Rex","age":3}\n', stop.profile
            sent = tour.sent(stop)
            assert '"age"' in sent.replace("\\", ""), stop.profile  # the schema went along
            assert all(f"Dog {earlier}?" in sent for earlier in range(number)), stop.profile
        assert "conform" in tour.asst("replay", "--check")
        shown = tour.asst("sessions", "export", "--format", "json")
        assert shown.count("Rex") >= len(TOUR)

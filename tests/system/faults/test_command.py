"""The same table through the installed command: exit code, stdout, stderr, and the session on disk."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from asstproxy import RetryPolicy, conform
from asstproxy.core.events import ChunkReceived
from servers import Fault, Stall, Status

from .command import Job, Ran, run
from .matrix import CASES
from .outcomes import AGAIN, NOTHING, PART, Case
from .ways import KEY, WAYS, Way, way

FULL = way("gpt")
"""The way that meets every fault; the others meet a few."""
OTHERS = [one for one in WAYS if not one.kept_alive]
FEW = ("Vanish()", "Status(status=401)", "Cut(middle)", "BrokenJson(event=0)")
PAIRS = [(one, case) for one in OTHERS for case in CASES if case.applies(one) and (one is FULL or str(case) in FEW)]
LIMITED = [way("gpt"), way("gpt-background"), way("chat-completions-unary")]
ATTEMPTS = RetryPolicy().attempts
"""How often the command asks, where asking again can help."""


def job(way: Way, case: Case) -> Job:
    """The run of a case; a refusal asks for a short pause, so that the command makes no long one."""
    fault: Fault = case.strikes(way)
    if isinstance(fault, Status) and fault.retry_after is None:
        fault = replace(fault, retry_after=0.01)
    return Job(way, fault)


def limited(way: Way) -> Job:
    """A run that is over before the server says what is left."""
    return Job(way, Stall(way.middle if way.stream else None, on=way.asks), ("--timeout", "3"))


@pytest.mark.parametrize(("way", "case"), PAIRS, ids=str)
def test_the_command_ends_as_the_table_says(way: Way, case: Case, tmp_path: Path) -> None:
    """The exit code; stdout is what was received and nothing else; stderr is one line, or none; the session is kept."""
    ran, outcome = run(job(way, case), tmp_path), case.expected(way)
    assert ran.code == outcome.exit, ran
    received = outcome.streamed if way.stream else outcome.text
    assert ran.out == (f"{received}\n" if received else "")
    assert len(ran.err.splitlines()) == (outcome.state == "error"), ran.err
    assert KEY not in ran.err
    assert ran.posts == (ATTEMPTS if outcome.posts == AGAIN else outcome.posts)
    assert_kept(ran, way, outcome.state, outcome.streamed, outcome.text)


@pytest.mark.parametrize("way", LIMITED, ids=str)
def test_the_time_is_over(way: Way, tmp_path: Path) -> None:
    """`--timeout`: exit code 124, one line, and what had arrived."""
    ran, part = run(limited(way), tmp_path), PART if way.stream else NOTHING
    assert (ran.code, ran.out) == (124, f"{part}\n" if part else ""), ran
    assert len(ran.err.splitlines()) == 1
    assert ran.posts == 1
    assert_kept(ran, way, "cancelled", part, part)


def assert_kept(ran: Ran, way: Way, state: str, pieces: str, answer: str) -> None:
    (session,) = ran.store.ids()
    records = ran.store.records(session)
    assert list(conform(records)) == []
    heard = "".join(record.event.text for record in records if isinstance(record.event, ChunkReceived))
    assert heard == (pieces if way.stream else NOTHING)
    (told,) = ran.store.transcript(session).exchanges
    assert (told.state, told.answer) == (state, answer)
    assert ran.store.path(session).with_suffix(".json").exists()


def test_every_way_meets_a_few_faults(record_property: Callable[[str, object], None]) -> None:
    """The names in `FEW` are names of rows, and none of the ways is left out."""
    assert {str(case) for case in CASES} >= set(FEW)
    assert {one for one, _ in PAIRS} == set(OTHERS)
    record_property(
        "figure", f"{len(PAIRS)} faults met by asst ask, a process each: exit code, stdout, stderr, session"
    )

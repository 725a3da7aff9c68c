"""Whatever a server does, an exchange settles as the table says, keeps what it received, and leaves nothing behind."""

from __future__ import annotations

from collections.abc import Callable

import pytest

import servers
from asstproxy import State
from servers import Fault, Insert, Say, Stall

from .matrix import CASES
from .outcomes import TEXT, Case, works
from .rig import scene
from .ways import WAYS, Way

PAIRS = [(way, case) for way in WAYS for case in CASES if case.applies(way)]


@pytest.mark.parametrize(("way", "case"), PAIRS, ids=str)
async def test_exchange_settles_as_the_table_says(way: Way, case: Case) -> None:
    """The state, the kind of error, the text, the number of requests, the journal on disk; and the next exchange works."""
    silence = 0.3 if isinstance(case.fault, Stall) else 10.0
    async with scene(way, lambda _: [Say(TEXT)], silence=silence) as stage:
        stage.server.faults.add(case.strikes(way))
        settled = await stage.exchange()
        stage.assert_outcome(settled, case.expected(way))
        stage.server.faults.clear()
        again = await stage.exchange("and now?")
        assert again.state is State.COMPLETED, again.event


STATUSES = {400, 401, 403, 404, 408, 409, 413, 422, 429, 500, 502, 503, 529}


def test_no_fault_is_left_out(record_property: Callable[[str, object], None]) -> None:
    """Each kind of fault that the server can do is in the table, each status, and every way meets each that it can."""
    faults = [case.fault for case in CASES]
    known = {kind for kind in vars(servers).values() if isinstance(kind, type) and issubclass(kind, Fault)}
    assert set(map(type, faults)) == known - {Fault, Insert}  # Insert is how others are made
    assert {getattr(fault, "status", 0) for fault in faults} >= STATUSES
    assert len(faults) == len(set(map(str, CASES)))
    record_property("figure", f"{len(CASES)} faults, {len(WAYS)} ways of asking: {len(PAIRS)} exchanges")


@pytest.mark.parametrize("way", WAYS, ids=str)
async def test_without_a_fault_the_answer_is_whole(way: Way) -> None:
    """The matrix' own zero: every way of asking gives the whole answer, for one request."""
    async with scene(way, lambda _: [Say(TEXT)]) as stage:
        stage.assert_outcome(await stage.exchange(), works())

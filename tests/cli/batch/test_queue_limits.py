"""What holds over all workers of a batch: money, requests and tokens a minute, the pause after a 429."""

from __future__ import annotations

import itertools
import time
from pathlib import Path

import pytest

from asstproxy.batches import pace
from servers import ResponsesServer, Say, Status
from servers.postgres import PostgresServer

from ..conftest import Asst
from .conftest import WorkHere
from .items import arrivals, asked, lines, run, wait_for, write, write_prompts


def test_the_cost_limit_holds_over_all_workers(
    asst: Asst, server: ResponsesServer, here: Path, queue: str, work_here: WorkHere, postgres: PostgresServer
) -> None:
    """Two workers together spend no more; the exit code is 4, and a higher limit continues."""
    write_prompts(here / "in.jsonl", 30)
    more = ("-m", "gpt-4o", "-O", "max_output_tokens=100")
    for _ in range(2):
        work_here(4)
    ran = run(asst, *more, "--max-cost", "0.005")
    assert ran.code == 4, ran.err
    spent, reserved = postgres.query(queue, "SELECT spent, reserved FROM asst.batch")[0]
    assert 0 < spent <= 0.005
    assert reserved == 0
    assert len(asked(server)) < 30
    assert run(asst, *more, "--max-cost", "1").code == 0
    assert len(asked(server)) == 30


def test_requests_a_minute_hold_over_all_workers(
    asst: Asst,
    server: ResponsesServer,
    here: Path,
    queue: str,
    work_here: WorkHere,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """With --rpm 5, two workers ask five within a minute (of 0.5 s here), and the others afterwards."""
    monkeypatch.setattr(pace, "MINUTE", 0.5)
    write_prompts(here / "in.jsonl", 12)
    times = arrivals(server)
    for _ in range(2):
        work_here(4)
    assert run(asst, "--rpm", "5").code == 0
    assert len(times) == 12
    assert all(later - earlier > 0.35 for earlier, later in zip(times, times[5:], strict=False))


@pytest.mark.slow("four minutes, of half a second each")
def test_tokens_a_minute_hold_over_all_workers(
    asst: Asst,
    server: ResponsesServer,
    here: Path,
    queue: str,
    work_here: WorkHere,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """With --tpm, what two workers ask within any minute (of 0.5 s here) uses no more; yet everything is asked."""
    monkeypatch.setattr(pace, "MINUTE", 0.5)
    server.brain = lambda _: [Say("ok")]
    write(here / "in.jsonl", *({"prompt": f"{number} {'word ' * 200}"} for number in range(9)))
    times = arrivals(server)
    for _ in range(2):
        work_here(4)
    assert run(asst, "--tpm", "700").code == 0
    used = [line["usage"]["input"] + line["usage"]["output"] for line in lines(here / "out.jsonl")]
    assert len(times) == len(used) == 9
    fit = 700 // max(used)  # requests in a window
    assert 1 < fit < 5
    assert all(later - earlier > 0.35 for earlier, later in zip(times, times[fit:], strict=False))
    assert any(later - earlier < 0.35 for earlier, later in itertools.pairwise(times))


def test_the_first_answer_shows_how_many_fit_into_a_minute(
    asst: Asst, server: ResponsesServer, here: Path, queue: str, work_here: WorkHere, postgres: PostgresServer
) -> None:
    """While nobody knows how long answers are, all workers together have one request in flight, and not one in each slot."""
    server.brain = lambda _: [Say("word " * 800)]
    write_prompts(here / "in.jsonl", 8)
    assert run(asst, "--tpm", "1000", "--no-follow").code == 0
    for _ in range(2):
        work_here(4)
    wait_for(lambda: postgres.query(queue, "SELECT count(*) FROM asst.batch_item WHERE state <> 0")[0][0] > 0)
    assert len(asked(server)) == 1


def test_a_refusal_pauses_all_workers(
    asst: Asst, server: ResponsesServer, here: Path, queue: str, work_here: WorkHere, postgres: PostgresServer
) -> None:
    """A 429 that one worker got holds for the others, by the clock of the database; afterwards, all items are asked."""
    write_prompts(here / "in.jsonl", 6)
    server.faults.add(Status(429, retry_after=1, first=1))
    times = arrivals(server)
    assert run(asst, "--no-follow").code == 0
    work_here(1)
    wait_for(lambda: bool(postgres.query(queue, "SELECT 1 FROM asst.throttle")))
    began = time.monotonic()
    work_here(4)
    ran = run(asst)
    assert (ran.code, len(lines(here / "out.jsonl"))) == (0, 6)
    assert len(server.requests) == 7
    assert all(moment - began > 0.6 for moment in times)

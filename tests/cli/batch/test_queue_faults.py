"""What goes wrong with a batch that workers share: killed and paused workers, lost tickets, a restart of Postgres."""

from __future__ import annotations

import contextlib
import re
import signal
import threading
import time
from pathlib import Path

import pytest

from asstproxy.batches.postgres import sweep, worker
from servers import Background, ResponsesServer, Say, Wait
from servers.postgres import PostgresServer

from ..conftest import Asst
from .conftest import Work, WorkHere
from .items import asked, lines, prompt, run, wait_for, write_prompts


def test_the_first_answer_counts(
    asst: Asst, server: ResponsesServer, here: Path, queue: str, work_here: WorkHere, postgres: PostgresServer
) -> None:
    """A worker that comes second, with another answer, changes nothing."""
    release = threading.Event()

    def brain(request: dict[str, object]) -> list[Say]:
        release.wait(20)
        return [Say("second")]

    server.brain = brain
    write_prompts(here / "in.jsonl", 1)
    assert run(asst, "--no-follow").code == 0
    late = work_here(1)
    wait_for(lambda: bool(postgres.query(queue, "SELECT 1 FROM asst.batch_item WHERE asked_by IS NOT NULL")))
    first = '{"id":"1","state":"completed","answer":"first"}'
    postgres.query(queue, f"UPDATE asst.batch_item SET state = 1, result = '{first}'")  # noqa: S608 - ours
    release.set()
    assert run(asst).code == 0
    late.stop()
    assert [line["answer"] for line in lines(here / "out.jsonl")] == ["first"]
    assert run(asst).code == 0
    assert [line["answer"] for line in lines(here / "out.jsonl")] == ["first"]


def test_missing_tickets_are_made_again(
    asst: Asst,
    server: ResponsesServer,
    here: Path,
    queue: str,
    work_here: WorkHere,
    postgres: PostgresServer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Workers make those of items that wait without one; each item is asked once."""
    monkeypatch.setattr(sweep, "BEAT", 0.1)
    prompts = write_prompts(here / "in.jsonl", 5)
    assert run(asst, "--no-follow").code == 0
    postgres.query(queue, "DELETE FROM asst.procrastinate_jobs")
    (here / "out.jsonl").rename(here / "elsewhere.jsonl")  # submitting again would make them, too
    work_here(2)
    wait_for(lambda: postgres.query(queue, "SELECT count(*) FROM asst.batch_item WHERE state = 1") == [(5,)])
    assert sorted(asked(server)) == prompts
    assert postgres.query(queue, "SELECT count(*) FROM asst.procrastinate_jobs WHERE status = 'todo'") == [(0,)]


@pytest.mark.slow("a worker's process starts, and its lease runs out")
def test_a_paused_worker_is_named_as_what_may_be_paid_twice(
    asst: Asst,
    server: ResponsesServer,
    here: Path,
    queue: str,
    work: Work,
    work_here: WorkHere,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """SIGSTOP beyond the lease: another one asks again; the first answer counts, and the notes name those items only."""
    monkeypatch.setattr(sweep, "STALLED", 1.0)  # for the others, whom it can't tell that it lives
    monkeypatch.setattr(sweep, "BEAT", 0.1)
    monkeypatch.setattr(worker, "BEAT", 0.1)
    server.brain = lambda request: [Wait(1.0), Say(prompt(request))]
    write_prompts(here / "in.jsonl", 8)
    assert run(asst, "--no-follow").code == 0
    first = work("--concurrency", "2")
    wait_for(lambda: len(asked(server)) >= 2)
    first.send_signal(signal.SIGSTOP)
    work_here(8)
    ran = run(asst)
    first.send_signal(signal.SIGCONT)
    assert ran.code == 0, ran.err
    assert [line["answer"] for line in lines(here / "out.jsonl")] == [f"n{number}" for number in range(8)]
    twice = len(asked(server)) - 8
    assert 1 <= twice <= 2
    assert re.search(rf"{twice} items? (was|were) asked again because a worker died or paused", ran.err)


def test_a_refused_key_is_not_said_to_be_paid(
    asst: Asst, server: ResponsesServer, here: Path, queue: str, work_here: WorkHere
) -> None:
    """What a provider refused costs nothing: with the right key the items are asked, and no note names them."""
    key = server.key
    server.key = "another"
    write_prompts(here / "in.jsonl", 3)
    assert run(asst, "--no-follow").code == 0
    refused = work_here(1)
    wait_for(lambda: len(server.requests) > 0)
    refused.join()
    server.key = key
    work_here(4)
    ran = run(asst)
    assert (ran.code, len(lines(here / "out.jsonl"))) == (0, 3)
    assert "asked again" not in ran.err


@pytest.mark.slow("a dead worker is given up after 10 s")
def test_a_killed_worker_loses_nothing(asst: Asst, server: ResponsesServer, here: Path, queue: str, work: Work) -> None:
    """Kill -9 of one of two: within 20 s the other one fetches by response id what was in flight, and asks nothing twice."""
    server.background = Background(running_seconds=1.0)
    prompts = write_prompts(here / "in.jsonl", 12)
    assert run(asst, "--background", "--no-follow").code == 0
    first = work("--concurrency", "4")
    wait_for(lambda: len(asked(server)) >= 4)
    time.sleep(0.5)  # the response ids are known and kept
    first.kill()
    began = time.monotonic()
    work("--concurrency", "8")
    ran = run(asst, "--background")
    assert ran.code == 0, ran.err
    assert time.monotonic() - began < 20
    assert [line["id"] for line in lines(here / "out.jsonl")] == [str(number) for number in range(1, 13)]
    assert sorted(asked(server)) == sorted(prompts)
    assert "charged twice" not in ran.err


@pytest.mark.slow("Postgres stops and starts again")
def test_a_restart_of_postgres_loses_nothing(
    asst: Asst, server: ResponsesServer, here: Path, work: Work, queue: str, postgres: PostgresServer
) -> None:
    """Workers wait for it, and nothing is asked twice."""
    server.brain = lambda request: [Wait(0.3), Say(prompt(request))]
    prompts = write_prompts(here / "in.jsonl", 60)
    assert run(asst, "--no-follow").code == 0
    for _ in range(2):
        work("--concurrency", "4")
    wait_for(lambda: len(asked(server)) >= 12)
    postgres.stop()
    with contextlib.suppress(TimeoutError):
        postgres.start()
    ran = run(asst)
    assert ran.code == 0, ran.err
    assert sorted(asked(server)) == sorted(prompts)

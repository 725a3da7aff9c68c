"""`asst batch --queue`: items that workers share through a real Postgres."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from servers import Background, Fail, ResponsesServer, Say, Status, Wait
from servers.postgres import PASSWORD, PostgresServer, postgres_binaries
from servers.wire import Json

from .conftest import ASST, Asst, Ran

pytest.importorskip("procrastinate", reason="the extra batch-postgres is missing")
if postgres_binaries() is None:
    pytest.skip("Postgres is missing: apt install postgresql", allow_module_level=True)


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """One server for all tests."""
    with PostgresServer() as running:
        yield running


@pytest.fixture
def queue(postgres: PostgresServer) -> str:
    """The address of an empty database."""
    return postgres.new_database()


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder."""
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


Work = Callable[..., subprocess.Popen[bytes]]


@pytest.fixture
def work(queue: str) -> Iterator[Work]:
    """Starts a worker, which ends with the test."""
    running: list[subprocess.Popen[bytes]] = []

    def start(*more: str) -> subprocess.Popen[bytes]:
        argv = [ASST, "batch", "work", "--queue", queue, "-p", "gpt", *more]
        process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        running.append(process)
        return process

    yield start
    for process in running:
        if process.poll() is None:
            process.send_signal(signal.SIGCONT)
            process.kill()
        process.communicate()


def _write(path: Path, *items: Any) -> None:
    path.write_text("".join(f"{json.dumps(item)}\n" for item in items))


def _run(asst: Asst, queue: str, *more: str) -> Ran:
    return asst("batch", "in.jsonl", "-o", "out.jsonl", "-p", "gpt", "--queue", queue, *more)


def _lines(path: Path) -> list[Json]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def _prompt(body: Json) -> str:
    said = body["input"]
    return str(said if isinstance(said, str) else said[-1]["content"][0]["text"])


def _asked(server: ResponsesServer) -> list[str]:
    return [_prompt(request.json) for request in server.requests if request.method == "POST"]


def _wait_for(condition: Callable[[], bool], seconds: float = 20) -> None:
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.02)


def test_two_workers_ask_each_item_once(
    asst: Asst, server: ResponsesServer, here: Path, queue: str, work: Work
) -> None:
    """The output is in input order; the same command again adds and asks nothing; more items are asked then."""
    _write(here / "in.jsonl", *({"id": f"i{number}", "prompt": f"n{number}"} for number in range(60)))
    for _ in range(2):
        work("--concurrency", "8")
    ran = _run(asst, queue)
    assert ran.code == 0, ran.err
    lines = _lines(here / "out.jsonl")
    assert [line["id"] for line in lines] == [f"i{number}" for number in range(60)]
    assert [line["answer"] for line in lines] == [f"You said: n{number}" for number in range(60)]
    assert sorted(_asked(server)) == sorted(f"n{number}" for number in range(60))
    before = (here / "out.jsonl").read_bytes()
    ran = _run(asst, queue)
    assert (ran.code, (here / "out.jsonl").read_bytes()) == (0, before)
    assert len(_asked(server)) == 60
    state = json.loads(asst("batch", "status", "out.jsonl", "--queue", queue, "--json").out)
    assert (state["state"], state["items"], state["done"], state["maybe_twice"]) == ("ended", 60, 60, 0)
    shown = asst("sessions", "show", "out.jsonl#i7")
    assert (shown.code, "You said: n7" in shown.out) == (0, True)


def test_submitting_without_workers(asst: Asst, server: ResponsesServer, here: Path, queue: str) -> None:
    """--no-follow submits and returns; the same id with another body is refused; cancel leaves nothing to ask."""
    _write(here / "in.jsonl", {"id": "a", "prompt": "one"}, {"id": "b", "prompt": "two"})
    ran = _run(asst, queue, "--no-follow")
    assert ran.code == 0, ran.err
    assert "2 of 2 items are new" in ran.err
    assert "No items are new" in _run(asst, queue, "--no-follow").err
    _write(here / "in.jsonl", {"id": "a", "prompt": "other"}, {"id": "b", "prompt": "two"})
    ran = _run(asst, queue, "--no-follow")
    assert (ran.code, ran.err.count("\n")) == (2, 1)
    assert 'The item "a" was submitted with another text before.' in ran.err
    assert asst("batch", "cancel", "out.jsonl", "--queue", queue).code == 0
    state = json.loads(asst("batch", "status", "--queue", queue, "--json").out)
    assert (state["state"], state["items"], state["done"]) == ("cancelled", 2, 0)
    assert not server.requests


def test_a_batch_that_is_asked_otherwise_is_refused(
    asst: Asst, server: ResponsesServer, here: Path, queue: str
) -> None:
    """With another model, and without --queue; the database stays as it is."""
    _write(here / "in.jsonl", {"prompt": "one"})
    assert _run(asst, queue, "--no-follow").code == 0
    ran = _run(asst, queue, "--no-follow", "-m", "gpt-4o")
    assert (ran.code, "out.jsonl was begun with" in ran.err) == (2, True)
    ran = asst("batch", "in.jsonl", "-o", "out.jsonl", "-p", "gpt")
    assert ran.code == 2
    assert ran.err.startswith(
        "asst: out.jsonl was begun with a database, and workers ask its items. Add --queue ADDRESS"
    )


def test_failed_items_are_asked_again_on_request(
    asst: Asst, server: ResponsesServer, here: Path, queue: str, work: Work
) -> None:
    """They exit 7; --retry-failed asks those only."""
    fails = True
    server.brain = lambda request: [
        Fail("invalid_prompt", "No.") if fails and _prompt(request) == "bad" else Say(_prompt(request))
    ]
    _write(here / "in.jsonl", {"prompt": "good"}, {"prompt": "bad"}, {"prompt": "fine"})
    work()
    assert _run(asst, queue).code == 7
    fails = False
    asked = len(_asked(server))
    ran = _run(asst, queue, "--retry-failed")
    assert ran.code == 0, ran.err
    assert _asked(server)[asked:] == ["bad"]
    assert [line["answer"] for line in _lines(here / "out.jsonl")] == ["good", "bad", "fine"]


def test_the_cost_limit_holds_over_all_workers(
    asst: Asst, server: ResponsesServer, here: Path, queue: str, work: Work, postgres: PostgresServer
) -> None:
    """Two workers together spend no more; the exit code is 4, and a higher limit continues."""
    _write(here / "in.jsonl", *({"prompt": f"n{number}"} for number in range(30)))
    more = ("-m", "gpt-4o", "-O", "max_output_tokens=100")
    for _ in range(2):
        work("--concurrency", "4")
    ran = _run(asst, queue, *more, "--max-cost", "0.005")
    assert ran.code == 4, ran.err
    spent, reserved = postgres.query(queue, "SELECT spent, reserved FROM asst.batch")[0]
    assert 0 < spent <= 0.005
    assert reserved == 0
    assert len(_asked(server)) < 30
    assert _run(asst, queue, *more, "--max-cost", "1").code == 0
    assert len(_asked(server)) == 30


def test_requests_a_minute_hold_over_all_workers(
    asst: Asst, server: ResponsesServer, here: Path, queue: str, work: Work
) -> None:
    """With --rpm 5, two workers ask five; nothing else goes out."""
    _write(here / "in.jsonl", *({"prompt": f"n{number}"} for number in range(12)))
    assert _run(asst, queue, "--rpm", "5", "--no-follow").code == 0
    for _ in range(2):
        work("--concurrency", "4")
    _wait_for(lambda: len(_asked(server)) == 5)
    time.sleep(1)  # a sixth would be out by now
    assert len(_asked(server)) == 5


def test_a_refusal_pauses_all_workers(
    asst: Asst, server: ResponsesServer, here: Path, queue: str, work: Work, postgres: PostgresServer
) -> None:
    """A 429 that one worker got holds for the others, by the clock of the database; afterwards, all items are asked."""
    _write(here / "in.jsonl", *({"prompt": f"n{number}"} for number in range(6)))
    server.faults.add(Status(429, retry_after=3, first=1))
    assert _run(asst, queue, "--no-follow").code == 0
    work("--concurrency", "1")
    _wait_for(lambda: bool(postgres.query(queue, "SELECT 1 FROM asst.throttle")))
    until = time.monotonic() + 2
    work("--concurrency", "4")
    while time.monotonic() < until:
        assert len(server.requests) == 1
        time.sleep(0.1)
    ran = _run(asst, queue)
    assert (ran.code, len(_lines(here / "out.jsonl"))) == (0, 6)
    assert len(server.requests) == 7


def test_a_worker_that_is_told_to_leave_finishes(
    asst: Asst, server: ResponsesServer, here: Path, queue: str, work: Work
) -> None:
    """SIGTERM: what runs is finished and kept, nothing more is begun, and the exit code is 0."""
    server.brain = lambda request: [Wait(1.0), Say(_prompt(request))]
    _write(here / "in.jsonl", *({"prompt": f"n{number}"} for number in range(8)))
    assert _run(asst, queue, "--no-follow").code == 0
    process = work("--concurrency", "3")
    _wait_for(lambda: len(_asked(server)) >= 1)
    process.terminate()
    process.communicate(timeout=20)
    assert process.returncode == 0
    state = json.loads(asst("batch", "status", "--queue", queue, "--json").out)
    assert state["done"] == len(_asked(server)) <= 3
    assert state["in_flight"] == 0


@pytest.mark.parametrize(
    "command", [("batch", "work"), ("batch", "status"), ("batch", "in.jsonl", "-o", "out.jsonl", "-p", "gpt")]
)
def test_a_dead_database_is_one_line(asst: Asst, server: ResponsesServer, here: Path, command: Sequence[str]) -> None:
    """It names the place and not the password, and exits 1."""
    _write(here / "in.jsonl", {"prompt": "x"})
    ran = asst(*command, "--queue", f"postgresql://asst:{PASSWORD}@127.0.0.1:1/nothing")
    assert (ran.code, ran.err.count("\n")) == (1, 1), ran.err
    assert ran.err.startswith("asst: The database at 127.0.0.1:1/nothing can't be used: ")
    assert PASSWORD not in ran.err


def test_another_schema_version_is_one_line(asst: Asst, here: Path, queue: str, postgres: PostgresServer) -> None:
    """Of an older asst and of a newer one; the exit code is 3, and nothing is changed."""
    assert asst("batch", "status", "--queue", queue).code == 0
    for version, said in ((0, "of an older asst"), (99, "of a newer asst")):
        postgres.query(queue, f"UPDATE asst.about SET version = {version}")  # noqa: S608 - a number of ours
        ran = asst("batch", "status", "--queue", queue)
        assert (ran.code, ran.err.count("\n")) == (3, 1)
        assert said in ran.err


async def test_the_tables_are_made_once(postgres: PostgresServer) -> None:
    """However many begin with an empty database at the same moment."""
    from asstproxy.batches.postgres.address import address_of
    from asstproxy.batches.postgres.tables import connected

    async def begin(address: str) -> None:
        async with connected(address_of(address)):
            pass

    for _ in range(3):
        address = postgres.new_database()
        await asyncio.gather(*(begin(address) for _ in range(8)))
        assert postgres.query(address, "SELECT count(*) FROM asst.about") == [(1,)]


def test_the_password_is_written_nowhere(
    asst: Asst, server: ResponsesServer, here: Path, queue: str, work: Work, tmp_path: Path
) -> None:
    """Neither beside the output, nor in what a command or a worker prints."""
    _write(here / "in.jsonl", {"prompt": "x"})
    worker = work()
    ran = _run(asst, queue)
    assert ran.code == 0
    worker.terminate()
    _, said = worker.communicate(timeout=20)
    texts = [said, ran.err.encode(), *(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())]
    assert not [text for text in texts if PASSWORD.encode() in text]


@pytest.mark.slow("a dead worker is given up after 10 s")
def test_a_killed_worker_loses_nothing(asst: Asst, server: ResponsesServer, here: Path, queue: str, work: Work) -> None:
    """Kill -9 of one of two: the other one fetches by response id what was in flight, and nothing is asked twice."""
    server.background = Background(running_seconds=1.0)
    _write(here / "in.jsonl", *({"prompt": f"n{number}"} for number in range(12)))
    assert _run(asst, queue, "--background", "--no-follow").code == 0
    first = work("--concurrency", "4")
    _wait_for(lambda: len(_asked(server)) >= 4)
    time.sleep(0.5)  # the response ids are known and kept
    first.kill()
    work("--concurrency", "8")
    ran = _run(asst, queue, "--background")
    assert ran.code == 0, ran.err
    assert [line["id"] for line in _lines(here / "out.jsonl")] == [str(number) for number in range(1, 13)]
    assert len(_asked(server)) == 12
    assert "charged twice" not in ran.err


@pytest.mark.slow("a paused worker is given up after 10 s")
def test_a_paused_worker_is_named_as_what_may_be_paid_twice(
    asst: Asst, server: ResponsesServer, here: Path, queue: str, work: Work
) -> None:
    """SIGSTOP beyond the lease: another one asks again; the first answer counts, and the notes name those items only."""
    server.brain = lambda request: [Wait(1.0), Say(_prompt(request))]
    _write(here / "in.jsonl", *({"prompt": f"n{number}"} for number in range(8)))
    assert _run(asst, queue, "--no-follow").code == 0
    first = work("--concurrency", "2")
    _wait_for(lambda: len(_asked(server)) >= 2)
    first.send_signal(signal.SIGSTOP)
    work("--concurrency", "8")
    ran = _run(asst, queue)
    first.send_signal(signal.SIGCONT)
    assert ran.code == 0, ran.err
    assert [line["answer"] for line in _lines(here / "out.jsonl")] == [f"n{number}" for number in range(8)]
    twice = len(_asked(server)) - 8
    assert 1 <= twice <= 2
    assert re.search(rf"{twice} items? (was|were) asked again because a worker died or paused", ran.err)


@pytest.mark.slow("Postgres stops and starts again")
def test_a_restart_of_postgres_loses_nothing(
    asst: Asst, server: ResponsesServer, here: Path, work: Work, queue: str, postgres: PostgresServer
) -> None:
    """Workers wait for it, and nothing is asked twice."""
    server.brain = lambda request: [Wait(0.3), Say(_prompt(request))]
    _write(here / "in.jsonl", *({"prompt": f"n{number}"} for number in range(60)))
    assert _run(asst, queue, "--no-follow").code == 0
    for _ in range(2):
        work("--concurrency", "4")
    _wait_for(lambda: len(_asked(server)) >= 12)
    postgres.stop()
    with contextlib.suppress(TimeoutError):
        postgres.start()
    ran = _run(asst, queue)
    assert ran.code == 0, ran.err
    assert sorted(_asked(server)) == sorted(f"n{number}" for number in range(60))

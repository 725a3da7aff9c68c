"""`asst batch --queue`: items that workers share through a real Postgres."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from servers import Fail, ResponsesServer, Say
from servers.postgres import PASSWORD, PostgresServer

from ..conftest import Asst
from .conftest import WorkHere
from .items import asked, lines, prompt, run, write, write_prompts


def test_two_workers_ask_each_item_once(
    asst: Asst, server: ResponsesServer, here: Path, queue: str, work_here: WorkHere
) -> None:
    """The output is in input order; the same command again adds and asks nothing; more items are asked then."""
    write(here / "in.jsonl", *({"id": f"i{number}", "prompt": f"n{number}"} for number in range(60)))
    for _ in range(2):
        work_here(8)
    ran = run(asst)
    assert ran.code == 0, ran.err
    results = lines(here / "out.jsonl")
    assert [line["id"] for line in results] == [f"i{number}" for number in range(60)]
    assert [line["answer"] for line in results] == [f"You said: n{number}" for number in range(60)]
    assert sorted(asked(server)) == sorted(f"n{number}" for number in range(60))
    before = (here / "out.jsonl").read_bytes()
    ran = run(asst)
    assert (ran.code, (here / "out.jsonl").read_bytes()) == (0, before)
    assert len(asked(server)) == 60
    state = json.loads(asst("batch", "status", "out.jsonl", "--json").out)
    assert (state["state"], state["items"], state["done"], state["maybe_twice"]) == ("ended", 60, 60, 0)
    shown = asst("sessions", "show", "out.jsonl#i7")
    assert (shown.code, "You said: n7" in shown.out) == (0, True)
    write(here / "in.jsonl", *({"id": f"i{number}", "prompt": f"n{number}"} for number in range(62)))
    assert run(asst).code == 0
    assert sorted(asked(server)[60:]) == ["n60", "n61"]
    assert (here / "out.jsonl").read_bytes().startswith(before)


def test_submitting_without_workers(asst: Asst, server: ResponsesServer, here: Path, queue: str) -> None:
    """--no-follow submits and returns; the same id with another body is refused; cancel leaves nothing to ask."""
    write(here / "in.jsonl", {"id": "a", "prompt": "one"}, {"id": "b", "prompt": "two"})
    ran = run(asst, "--no-follow")
    assert ran.code == 0, ran.err
    assert "2 of 2 items are new" in ran.err
    assert "No items are new" in run(asst, "--no-follow").err
    write(here / "in.jsonl", {"id": "a", "prompt": "other"}, {"id": "b", "prompt": "two"})
    ran = run(asst, "--no-follow")
    assert (ran.code, ran.err.count("\n")) == (2, 1)
    assert 'The item "a" was submitted with another text before.' in ran.err
    assert asst("batch", "cancel", "out.jsonl", "--queue", queue).code == 0
    state = json.loads(asst("batch", "status", "--queue", queue, "--json").out)
    assert (state["state"], state["items"], state["done"]) == ("cancelled", 2, 0)
    assert not server.requests


def test_a_batch_that_is_asked_otherwise_is_refused(
    asst: Asst, server: ResponsesServer, here: Path, queue: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With another model, and without --queue; the database stays as it is."""
    write(here / "in.jsonl", {"prompt": "one"})
    assert run(asst, "--no-follow").code == 0
    ran = run(asst, "--no-follow", "-m", "gpt-4o")
    assert (ran.code, "out.jsonl was begun with" in ran.err) == (2, True)
    monkeypatch.delenv("ASST_QUEUE")
    ran = run(asst)
    assert ran.code == 2
    assert ran.err.startswith(
        "asst: out.jsonl was begun with a database, and workers ask its items. Add --queue ADDRESS"
    )


def test_failed_items_are_asked_again_on_request(
    asst: Asst, server: ResponsesServer, here: Path, queue: str, work_here: WorkHere
) -> None:
    """They exit 7; --retry-failed asks those only."""
    fails = True
    server.brain = lambda request: [
        Fail("invalid_prompt", "No.") if fails and prompt(request) == "bad" else Say(prompt(request))
    ]
    write(here / "in.jsonl", {"prompt": "good"}, {"prompt": "bad"}, {"prompt": "fine"})
    work_here(8)
    assert run(asst).code == 7
    fails = False
    before = len(asked(server))
    ran = run(asst, "--retry-failed")
    assert ran.code == 0, ran.err
    assert asked(server)[before:] == ["bad"]
    assert [line["answer"] for line in lines(here / "out.jsonl")] == ["good", "bad", "fine"]


def test_output_of_another_batch_is_refused(
    asst: Asst, server: ResponsesServer, here: Path, queue: str, work_here: WorkHere
) -> None:
    """An input that lacks items of the batch belongs to another output; the file stays as it is."""
    write(here / "in.jsonl", {"id": "a", "prompt": "one"})
    work_here(2)
    assert run(asst).code == 0
    before = (here / "out.jsonl").read_bytes()
    write(here / "in.jsonl", {"id": "b", "prompt": "two"})
    ran = run(asst)
    assert (ran.code, 'its item "a" isn\'t in in.jsonl.' in ran.err) == (2, True)
    assert (here / "out.jsonl").read_bytes() == before


@pytest.mark.parametrize(
    "command", [("batch", "work"), ("batch", "status"), ("batch", "in.jsonl", "-o", "out.jsonl", "-p", "gpt")]
)
def test_a_dead_database_is_one_line(asst: Asst, server: ResponsesServer, here: Path, command: Sequence[str]) -> None:
    """It names the place and not the password, and exits 1."""
    pytest.importorskip("procrastinate", reason="the extra batch-postgres is missing")
    write(here / "in.jsonl", {"prompt": "x"})
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

    address = postgres.new_database()
    await asyncio.gather(*(begin(address) for _ in range(8)))
    assert postgres.query(address, "SELECT count(*) FROM asst.about") == [(1,)]


def test_the_password_is_written_nowhere(
    asst: Asst, server: ResponsesServer, here: Path, queue: str, work_here: WorkHere, tmp_path: Path
) -> None:
    """Neither next to the output, nor in what a command prints."""
    write_prompts(here / "in.jsonl", 1)
    work_here(1)
    ran = run(asst)
    assert ran.code == 0
    texts = [ran.err.encode(), *(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())]
    assert not [text for text in texts if PASSWORD.encode() in text]


def test_a_fetch_never_sorts_all_tickets(asst: Asst, queue: str, postgres: PostgresServer) -> None:
    """Whatever Postgres knows of the table: else each takes as long as there are tickets."""
    asst("batch", "status", "--queue", queue)
    rows = postgres.query(queue, "SELECT proconfig FROM pg_proc WHERE proname LIKE 'procrastinate_fetch_job_%'")
    assert rows
    assert all("enable_sort=off" in (row[0] or ()) for row in rows)

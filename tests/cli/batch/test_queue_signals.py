"""Signals to a worker, and to the command that collects."""

from __future__ import annotations

import json
import signal
import time
from pathlib import Path

import pytest

from asstproxy.batches.postgres.worker import Worker
from servers import ResponsesServer, Say, Wait

from ..conftest import Asst
from .conftest import WorkHere
from .items import asked, lines, prompt, run, signals_when, write_prompts

STOPS = (signal.SIGTERM, signal.SIGINT)


def _state(asst: Asst) -> dict[str, object]:
    state: dict[str, object] = json.loads(asst("batch", "status", "out.jsonl", "--json").out)
    return state


@pytest.mark.parametrize("number", STOPS)
def test_a_worker_finishes_what_is_in_flight(
    asst: Asst, server: ResponsesServer, here: Path, queue: str, number: int
) -> None:
    """After SIGTERM (exit code 0) and Ctrl-C (130), that is kept, and nothing more is begun."""
    server.brain = lambda request: [Wait(0.6), Say(prompt(request))]
    write_prompts(here / "in.jsonl", 8)
    assert run(asst, "--no-follow").code == 0
    with signals_when(lambda: len(asked(server)) >= 3, number):
        ran = asst("batch", "work", "-p", "gpt", "--concurrency", "3")
    assert ran.code == (130 if number == signal.SIGINT else 0)
    assert "Finishing what is in flight (3), for 25 s at most. Ctrl-C again gives it back." in ran.err
    assert len(asked(server)) == 3
    state = _state(asst)
    assert (state["done"], state["in_flight"]) == (3, 0)


def test_a_worker_gives_back_what_takes_too_long(
    asst: Asst, server: ResponsesServer, here: Path, queue: str, work_here: WorkHere, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It ends within a bound after SIGTERM; another worker asks those items, at once."""
    monkeypatch.setattr(Worker, "GRACE", 0.5)
    server.brain = lambda _: [Wait(60), Say("late")]
    write_prompts(here / "in.jsonl", 2)
    assert run(asst, "--no-follow").code == 0
    began = time.monotonic()
    with signals_when(lambda: len(asked(server)) == 2, signal.SIGTERM):
        assert asst("batch", "work", "-p", "gpt").code == 0
    assert time.monotonic() - began < 10
    state = _state(asst)
    assert (state["done"], state["in_flight"]) == (0, 0)
    server.brain = lambda _: [Say("soon")]
    work_here(2)
    assert run(asst).code == 0
    assert [line["answer"] for line in lines(here / "out.jsonl")] == ["soon", "soon"]


def test_a_second_ctrl_c_gives_back_at_once(asst: Asst, server: ResponsesServer, here: Path, queue: str) -> None:
    """The worker exits 130, and the items wait for another one."""
    server.brain = lambda _: [Wait(60), Say("late")]
    write_prompts(here / "in.jsonl", 2)
    assert run(asst, "--no-follow").code == 0
    with signals_when(lambda: len(asked(server)) == 2, signal.SIGINT, signal.SIGINT):
        assert asst("batch", "work", "-p", "gpt").code == 130
    state = _state(asst)
    assert (state["done"], state["in_flight"], state["state"]) == (0, 0, "open")


@pytest.mark.parametrize("number", STOPS)
def test_a_signal_while_collecting_leaves_the_workers_alone(
    asst: Asst, server: ResponsesServer, here: Path, queue: str, work_here: WorkHere, number: int
) -> None:
    """It says how to go on; whole lines are in the output, and the same command collects the rest, asking nothing twice."""
    server.brain = lambda request: [Wait(2.5 if prompt(request) == "n3" else 0.0), Say(prompt(request))]
    prompts = write_prompts(here / "in.jsonl", 6)
    work_here(2)
    out = here / "out.jsonl"
    with signals_when(lambda: out.exists() and len(lines(out)) == 3, number):
        ran = run(asst)
    assert ran.code == (130 if number == signal.SIGINT else 143)
    assert ran.err.endswith("The workers continue. The same command collects the rest.\n")
    assert [line["answer"] for line in lines(out)] == prompts[:3]
    assert run(asst).code == 0
    assert [line["answer"] for line in lines(out)] == prompts
    assert sorted(asked(server)) == prompts

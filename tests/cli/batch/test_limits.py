"""`--rpm` and `--tpm` of a batch from a file into a file."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest

from asstproxy.batches import pace
from servers import ResponsesServer, Say

from ..conftest import Asst
from .items import arrivals, lines, run, write, write_prompts


@pytest.fixture(autouse=True)
def _minute(monkeypatch: pytest.MonkeyPatch) -> None:
    """A minute takes half a second."""
    monkeypatch.setattr(pace, "MINUTE", 0.5)


def test_requests_a_minute(asst: Asst, server: ResponsesServer, here: Path) -> None:
    """With --rpm 5, no minute has more than five requests; yet everything is asked."""
    write_prompts(here / "in.jsonl", 12)
    times = arrivals(server)
    assert run(asst, "--rpm", "5").code == 0
    assert len(times) == 12
    assert all(later - earlier > 0.35 for earlier, later in zip(times, times[5:], strict=False))


def test_tokens_a_minute(asst: Asst, server: ResponsesServer, here: Path) -> None:
    """With --tpm 700, no minute has requests that use more; what is over at once makes room for others."""
    server.brain = lambda _: [Say("ok")]
    write(here / "in.jsonl", *({"prompt": f"{number} {'word ' * 200}"} for number in range(7)))
    times = arrivals(server)
    assert run(asst, "--tpm", "700").code == 0
    used = [line["usage"]["input"] + line["usage"]["output"] for line in lines(here / "out.jsonl")]
    assert len(times) == len(used) == 7
    fit = 700 // max(used)
    assert 1 < fit < 4
    assert all(later - earlier > 0.35 for earlier, later in zip(times, times[fit:], strict=False))
    assert any(later - earlier < 0.35 for earlier, later in itertools.pairwise(times))

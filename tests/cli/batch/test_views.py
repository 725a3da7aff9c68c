"""How a running batch is shown: lines that move in a terminal, a line every ten seconds in a log."""

from __future__ import annotations

import io
import threading
from pathlib import Path

import msgspec
import pytest

from asstproxy.cli.batch import views
from asstproxy.cli.batch.snapshot import Snapshot
from asstproxy.cli.batch.views import LogView, bar_view
from servers import ResponsesServer, Say, Wait
from servers.wire import Json

from ..conftest import ASST, Asst
from ..render.screen import Terminal as Screen
from ..terminal import Terminal
from .items import run, write_prompts

HALF = Snapshot(
    items=10_000,
    done=4_971,
    failed=29,
    in_flight=64,
    per_second=27.9,
    input_tokens=3_000_000,
    output_tokens=600_000,
    cost=1.9612,
    seconds=179.0,
    left=179.2,
    max_cost=5.0,
)


def _shown(snapshot: Snapshot, columns: int) -> list[str]:
    screen = Screen(columns, 10)
    view = bar_view(screen.console, "in.jsonl → out.jsonl · gpt · gpt-6-luna", "OpenAI")
    view.show(snapshot)
    lines = [line.rstrip() for line in screen.text.splitlines()]
    view.close()
    return [line for line in lines if line]


def test_eighty_columns_hold_all_figures() -> None:
    """A title, a bar with its share and the time left, and the figures: each on one line."""
    title, bar, figures = _shown(HALF, 80)
    assert title == "in.jsonl → out.jsonl · gpt · gpt-6-luna"
    assert bar.endswith("50% · 2 min 59 s left")
    assert bar.startswith("━")
    assert figures == "4,971 done · 29 failed · 64 in flight · 28/s · 3.6M tokens · $1.96 of $5.00"
    assert max(map(len, (title, bar, figures))) <= 80


def test_a_pause_says_why() -> None:
    """Who limits requests, and for how long."""
    refused = msgspec.structs.replace(HALF, paused=12.0, is_refused=True)
    assert _shown(refused, 80)[-1] == "Paused 12 s: OpenAI is limiting requests"
    limited = msgspec.structs.replace(HALF, paused=12.0)
    assert _shown(limited, 80)[-1] == "Paused 12 s: your limit for a minute is reached"


@pytest.mark.parametrize(
    ("columns", "figures"),
    [
        (66, "4,971 done · 29 failed · 64 in flight · 28/s · $1.96 of $5.00"),
        (50, "4,971 done · 29 failed · 64 in flight · 28/s"),
        (32, "4,971 done · 29 failed · 28/s"),
        (24, "4,971 done · 29 failed"),
    ],
)
def test_what_does_not_fit_is_left_out(columns: int, figures: str) -> None:
    """Tokens first, then the cost; how many are done and failed stays."""
    title, bar, last = _shown(HALF, columns)
    assert last == figures
    assert max(map(len, (title, bar, last))) <= columns


def test_a_log_gets_a_line_every_ten_seconds() -> None:
    """However often it is told; each says how far the batch is."""
    log, now = io.StringIO(), 0.0
    view = LogView(log, "OpenAI", clock=lambda: now)
    for step in range(140):  # 35 s
        now = step / 4
        view.show(HALF)
    view.close()
    said = log.getvalue().splitlines()
    assert len(said) == 3
    assert set(said) == {
        "4,971 of 10,000 done · 29 failed · 64 in flight · 28/s · 3.6M tokens · $1.96 of $5.00 · 2 min 59 s left"
    }


def test_without_a_terminal_the_command_writes_lines(
    asst: Asst, server: ResponsesServer, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whole ones, on stderr; with --quiet, none."""
    monkeypatch.setattr(views, "LOGGED", 0.2)
    server.brain = lambda _: [Wait(0.7), Say("x")]
    write_prompts(here / "in.jsonl", 3)
    ran = run(asst)
    first, *_, last = ran.err.splitlines()
    assert first.startswith("0 of 3 done · 3 in flight")
    assert last.startswith("3 done · ")
    assert "\r" not in ran.err
    assert "\x1b" not in ran.err
    write_prompts(here / "in.jsonl", 4)
    assert run(asst, "--quiet").err == ""


@pytest.mark.slow("a process in a terminal")
def test_in_a_terminal_the_bar_goes_when_the_batch_ends(server: ResponsesServer, here: Path) -> None:
    """The title stays, and how the batch ended."""
    drawn = threading.Event()

    def brain(_: Json) -> list[Say]:
        drawn.wait(60)
        return [Say("x")]

    server.brain = brain
    write_prompts(here / "in.jsonl", 4)
    with Terminal([ASST, "batch", "in.jsonl", "-o", "out.jsonl", "-p", "gpt", "--concurrency", "2"]) as terminal:
        terminal.wait_for("2 in flight", within=60)
        assert "━" in terminal.text
        drawn.set()
        assert terminal.wait_end(within=60) == 0
        lines = [line for line in terminal.text.splitlines() if line]
    assert lines[0] == "in.jsonl → out.jsonl · gpt · gpt-6-luna"
    assert lines[1].startswith("4 done · ")
    assert len(lines) == 2

"""The pager of `asst sessions show` and the helps."""

from __future__ import annotations

from pathlib import Path

import pytest

from servers import ResponsesServer, Say

from .conftest import ASST, Asst
from .terminal import Terminal


@pytest.fixture
def long_session(server: ResponsesServer, asst: Asst) -> None:
    """A session with an answer of 100 lines, the last of them bold."""
    server.brain = lambda _: [Say("\n".join(f"- item {number}" for number in range(1, 100)) + "\n- **the end**\n")]
    assert asst("ask", "-p", "gpt", "List them").code == 0


@pytest.fixture
def pager(tmp_path: Path) -> Path:
    """A pager that keeps what it gets in `paged`."""
    script = tmp_path / "pager"
    script.write_text(f'#!/bin/sh\necho "PAGED $@"\ncat >{tmp_path}/paged\n')
    script.chmod(0o755)
    return script


def test_a_long_session_is_paged(long_session: None, pager: Path) -> None:
    """It goes to $PAGER whole, with its colours."""
    with Terminal([ASST, "sessions", "show"], env={"PAGER": f"{pager} -x"}) as terminal:
        assert terminal.wait_end() == 0
        assert terminal.text == "PAGED -x"
    paged = (pager.parent / "paged").read_text()
    assert "item 1\n" in paged
    assert "\x1b[1mthe end" in paged


def test_less_is_the_pager(long_session: None) -> None:
    """Without $PAGER; q leaves it, and the command has ended."""
    with Terminal([ASST, "sessions", "show"], env={"LESS": ""}) as terminal:
        terminal.wait_for("item 5")
        assert "the end" not in terminal.text
        terminal.type("G")
        terminal.wait_for("the end")
        assert "[1m" not in terminal.text
        terminal.type("q")
        assert terminal.wait_end() == 0


def test_leaving_the_pager_early_is_no_failure(long_session: None) -> None:
    """The rest is dropped."""
    with Terminal([ASST, "sessions", "show"], env={"PAGER": "head -n 1"}) as terminal:
        assert terminal.wait_end() == 0
        assert terminal.text.startswith("List them")
        assert len(terminal.text.splitlines()) == 1


@pytest.mark.parametrize(
    ("env", "rows"),
    [({"PAGER": "cat"}, 30), ({"PAGER": ""}, 30), ({"PAGER": "no-such"}, 30), ({"TERM": "dumb"}, 30), ({}, 200)],
)
def test_no_pager_is_used(long_session: None, env: dict[str, str], rows: int) -> None:
    """When the user wants none, it is missing, the terminal is dumb, or everything fits on the screen."""
    with Terminal([ASST, "sessions", "show"], 80, rows, env) as terminal:
        assert terminal.wait_end() == 0
        assert "item 1\n" in terminal.text
        assert "the end" in terminal.text


def test_a_pipe_is_never_paged(long_session: None, asst: Asst, pager: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Into a pipe or a file the session is written as it is."""
    monkeypatch.setenv("PAGER", str(pager))
    assert "the end" in asst("sessions", "show").out

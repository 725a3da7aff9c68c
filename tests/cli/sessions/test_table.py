"""The list of sessions as a person sees it, on a terminal."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from rich.cells import cell_len

from asstproxy.cli.sessions.table import SessionTable, relative_time
from asstproxy.core.errors import AssistantError
from asstproxy.core.script import State
from asstproxy.providers.scripted import say
from asstproxy.store.store import Store
from asstproxy.store.transcript import Summary
from cli.conftest import ASST
from cli.terminal import Terminal
from store.rig import asst, held

TITLE = "Explain how to write a downloader with resume support"


def test_the_list_shows_titles_at_eighty_columns() -> None:
    """A header, short ids that work as they stand there, when, title, who, turns; only a state that is not completed."""
    failed = held(["It fails"], [AssistantError("server", "It broke.")], provider="gpt", profile="work")
    done = held([TITLE], say("so"), provider="gpt", profile="gpt")
    with Terminal([ASST, "sessions", "list"], 80) as terminal:
        terminal.wait_end()
        header, newest, oldest, hint = terminal.text.splitlines()
    assert header.split() == ["Id", "When", "Title", "Profile", "Turns", "State"]
    assert TITLE[:25] in newest
    assert newest.split()[-2:] == ["gpt", "1"]
    assert oldest.split()[-3:] == ["work", "1", "error"]
    assert [line.index("now") for line in (newest, oldest)] == [header.index("When")] * 2
    assert "asst sessions show" in hint
    for line, session in ((newest, done), (oldest, failed)):
        short = line.split()[0]
        assert session.id.lower().endswith(short)
        assert Store().find(short) == session.id


def test_a_narrow_terminal_has_no_hint() -> None:
    """It would wrap in the middle of the command."""
    held([TITLE], say("so"))
    with Terminal([ASST, "sessions", "list"], 40) as terminal:
        terminal.wait_end()
        assert terminal.text.splitlines()[-1] == "1 session"


def test_what_the_limit_leaves_out_is_said() -> None:
    """At any width; not where the limit is just the number of sessions."""
    for text in ("one", "two"):
        held([text], say("so"))
    for limit, last in (("1", "1 session · more: --all"), ("2", "2 sessions")):
        with Terminal([ASST, "sessions", "list", "-n", limit], 40) as terminal:
            terminal.wait_end()
            assert terminal.text.splitlines()[-1] == last


def test_search_on_a_terminal_has_the_same_columns() -> None:
    """With the text around the words below each session."""
    session = held([TITLE], say("Use range requests."))
    with Terminal([ASST, "sessions", "search", "range"], 80) as terminal:
        terminal.wait_end()
        header, row, snippet = terminal.text.splitlines()
    assert header.startswith("Id")
    assert session.id.lower().endswith(row.split()[0])
    assert snippet.strip() == "Use range requests."


def test_into_a_pipe_ids_are_whole() -> None:
    """No header: each line is a session."""
    session = held([TITLE], say("so"))
    (line,) = asst("sessions", "list").stdout.splitlines()
    assert session.id in line
    assert TITLE in line


@pytest.mark.parametrize("width", [20, 40, 60, 70, 80, 120])
def test_no_row_is_wider_than_the_terminal(width: int) -> None:
    """Also with wide letters, long names and a strange state; the title keeps at least eight columns."""
    table = SessionTable(width, {"01M8HVH8000000000000007QK2": "7qk2"})
    summary = Summary(
        "01M8HVH8000000000000007QK2", "汉字" * 40, "2026-01-02T03:04:05Z", state=State.ERROR, profile="p" * 40
    )
    for row in (table.header, table.row(summary, "interrupted")):
        assert cell_len(row) <= max(width, 28)
    assert "汉字" in table.row(summary, "error")


@pytest.mark.parametrize("cost", ["<$0.0001", "$0.0002 + ?", "price ?", "local"])
def test_a_cost_is_whole(cost: str) -> None:
    """From 110 columns on: no figure is cut."""
    table = SessionTable(110, {}, lambda _: cost)
    row = table.row(Summary(id="01M8HVH8000000000000007QK2"), "error")
    assert row.endswith(f" {cost}  error")


@pytest.mark.parametrize(
    ("ago", "words"),
    [
        (timedelta(seconds=5), "now"),
        (timedelta(minutes=2), "2 min ago"),
        (timedelta(hours=3), "today 11:30"),
        (timedelta(days=1), "yesterday"),
        (timedelta(days=3), "Wed 14:30"),
        (timedelta(days=16), "Nov 12"),
        (timedelta(days=381), "2025-11-12"),
        (timedelta(hours=-2), "today 16:30"),
    ],
)
def test_when(ago: timedelta, words: str) -> None:
    """The nearer, the plainer."""
    now = datetime(2026, 11, 28, 14, 30).astimezone()
    assert relative_time((now - ago).astimezone(UTC).isoformat(), now) == words

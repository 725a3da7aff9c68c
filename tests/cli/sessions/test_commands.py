"""`asst sessions …`, as a user types it."""

from __future__ import annotations

import json
import subprocess
import time
from pathlib import Path

import pytest

from asstproxy.core.errors import AssistantError
from asstproxy.core.events import AssistantMessageRetrieved, Usage
from asstproxy.core.mediator import conform
from asstproxy.providers.scripted import say
from asstproxy.store import ulid
from asstproxy.store.session import Session
from asstproxy.store.store import Store
from forked import asst_command
from store.rig import ASST, asst, held, tool_exchange

DAY = 24 * 3600 * 1000
NOW = time.time_ns() // 1_000_000


def made(days_ago: float) -> Session:
    """An open session that began so long ago."""
    return Store().create(at=int(NOW - days_ago * DAY))


@pytest.fixture
def three() -> list[Session]:
    """An old one, a failed one, and one with a tool."""
    return [
        held(["old words"], say("yes"), session=made(100)),
        held(["will fail"], [AssistantError("server", "It broke.")], session=made(10), provider="gpt", profile="work"),
        held(["use the tool"], *tool_exchange(), session=made(1)),
    ]


def _ids(*arguments: str) -> list[str]:
    done = asst("sessions", "list", "--json", *arguments)
    assert done.returncode == 0, done.stderr
    return [row["id"] for row in json.loads(done.stdout)]


def test_list_is_newest_first_and_every_filter_filters(three: list[Session]) -> None:
    """--limit, --all, --since, --provider (or profile), --state, alone and together."""
    old, failed, newest = (session.id for session in three)
    assert _ids() == [newest, failed, old]
    assert _ids("--limit", "1") == [newest]
    assert _ids("--all") == [newest, failed, old]
    assert _ids("--since", "20d") == [newest, failed]
    assert _ids("--provider", "work") == _ids("--state", "error") == [failed]
    assert _ids("--state", "completed", "--since", "2d") == [newest]
    assert _ids("--state", "cancelled") == []


def test_a_line_of_the_list_tells_all_of_it() -> None:
    """When, id, state, turns, tokens, profile and model, title; no control characters."""
    reply = [Usage(input_tokens=7, output_tokens=5), AssistantMessageRetrieved("x")]
    session = held(["Hello \x1b]0;evil\x07 there"], reply)
    line = asst("sessions", "list").stdout
    for part in (session.id, "completed", " 1 ", " 12 ", "p/m", "Hello there"):
        assert part in line
    assert "\x1b" not in line
    row = json.loads(asst("sessions", "list", "--json").stdout)[0]
    assert row["exchange_count"] == 1
    assert row["usage"]["input"] == 7
    assert Path(row["path"]) == session.path


@pytest.mark.parametrize(("option", "value"), [("--state", "happy"), ("--since", "yesterdayish")])
def test_a_word_that_is_not_understood_is_wrong_usage(option: str, value: str) -> None:
    """Exit code 2, and what to use instead."""
    done = asst("sessions", "list", option, value)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)


def test_show_has_every_form(three: list[Session]) -> None:
    """As in the chat, the records, the transcript, bars over time, the sequence diagram."""
    newest = three[-1].id
    assert "It is ABC." in asst("sessions", "show", newest).stdout
    events = asst("sessions", "show", newest, "--events").stdout
    assert events.encode() == three[-1].path.read_bytes()
    assert json.loads(asst("sessions", "show", "--json").stdout)["id"] == newest
    bars = asst("sessions", "show", newest, "--timeline").stdout
    assert all(word in bars for word in ("waiting", "streaming", "tools", "approval", "upper"))


def test_the_sequence_of_a_tool_exchange_has_every_message_of_the_script(three: list[Session]) -> None:
    """User Proxy → Mediator → Assistant Proxy → API and back, in the order of the script."""
    for width in ("80", "160"):
        drawn = asst("sessions", "show", three[-1].id, "--sequence", COLUMNS=width).stdout
        assert all(lane in drawn for lane in ("User Proxy", "Mediator", "Assistant", "API"))
        names = ["set_user_message", "start_processing", "started", "request", "action_required", "execute_tools", "ABC",
                 "tools_executed", "submit_tool_outputs", "tool_outputs_submitted", "chunk_received",
                 "assistant_message_retrieved", "set_assistant_message"]  # fmt: skip
        places = [drawn.index(name) for name in names]
        assert places == sorted(places)
        assert max(map(len, drawn.splitlines())) <= int(width)


def test_rename_fork_and_path(three: list[Session]) -> None:
    """A fork keeps so many exchanges, under a new id, and conforms; the original stays as it is."""
    two = held(["again"], say("2"), session=Store().open(three[-1].id))
    before = two.path.read_bytes()
    copy = asst("sessions", "fork", two.id, "--at", "1").stdout.strip()
    assert two.path.read_bytes() == before
    assert [entry.user for entry in Store().transcript(copy).exchanges] == ["use the tool"]
    assert list(conform(Store().records(copy))) == []
    assert Store().newest() == copy
    summary = Store().summary(copy)
    assert summary.created <= summary.updated  # its records are older than it is
    assert asst("sessions", "fork", two.id, "--at", "9").returncode == 2
    assert asst("sessions", "path", two.id).stdout.strip() == str(two.path)
    assert asst("sessions", "path").stdout.strip() == str(Store().root)
    assert asst("sessions", "rename", two.id, "Nice").returncode == 0
    assert "Nice" in asst("sessions", "list").stdout


def test_rm_asks_and_takes_everything_of_a_session(three: list[Session]) -> None:
    """Without a terminal and --yes nothing is deleted; with --yes, all files of the session are, and no others."""
    old, failed, _ = three
    done = asst("sessions", "rm", old.id)
    assert (done.returncode, "--yes" in done.stderr) == (2, True)
    old.path.with_suffix(".edited.json").write_text("x")
    assert asst("sessions", "rm", old.id, failed.id, "--yes").returncode == 0
    assert _ids() == [three[-1].id]
    assert not list(Store().root.glob(f"*/{old.id}*"))


def test_prune_says_what_it_would_remove_and_then_does(three: list[Session]) -> None:
    """By the last use of a session: an old one that was continued lately stays."""
    for session in three[:2]:
        text = session.path.read_text()
        began = ulid.time_of(session.id) / 1000
        from datetime import UTC, datetime

        today, then = (datetime.fromtimestamp(t, UTC).strftime("%Y-%m-%d") for t in (time.time(), began))
        session.path.write_text(text.replace(today, then))
        session.path.with_suffix(".json").unlink()  # it says when the session was touched, too
    said = asst("sessions", "prune", "--older-than", "5d")
    assert (said.returncode, "2 sessions" in said.stderr, "--yes" in said.stderr) == (0, True, True)
    assert three[0].id in said.stdout
    assert len(_ids()) == 3
    held(["still here"], say("yes"), session=Store().open(three[0].id))
    assert asst("sessions", "prune", "--older-than", "5d", "--yes").returncode == 0
    assert _ids() == [three[2].id, three[0].id]


def test_a_closed_pipe_ends_quietly(three: list[Session]) -> None:
    """`asst sessions list --all | head -0` prints no error."""
    assert three
    reader = asst_command.start(
        [*ASST, "sessions", "list", "--all", "--json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert reader.stdout is not None
    assert reader.stderr is not None
    reader.stdout.close()
    assert reader.stderr.read() == b""
    reader.stderr.close()
    reader.wait()

"""Sessions that were damaged as those of other tools were: what can be read is read, and nothing is dropped in silence."""

from __future__ import annotations

import json

import pytest

from asstproxy.core.errors import SessionError
from asstproxy.core.events import ErrorOccurred, Notice, SetUserMessage
from asstproxy.core.history import History, ToolOutputs
from asstproxy.core.mediator import conform
from asstproxy.core.script import State
from asstproxy.providers.scripted import say
from asstproxy.store.recovery import read_journal, repaired
from asstproxy.store.store import Store

from .rig import asst, held, lines, tool_exchange


def test_a_torn_last_line_is_cut_told_and_kept_beside() -> None:
    """A process that died while it wrote leaves half a line: the session reopens, and the half line is in `<id>.torn`."""
    session = held(["one"], say("1"))
    with session.path.open("ab") as file:
        file.write(b'{"seq":99,"at":"20')
    again = Store().open(session.id)
    again.close()
    assert session.path.with_suffix(".torn").read_bytes() == b'{"seq":99,"at":"20\n'
    assert any(isinstance(r.event, Notice) and "18 bytes" in r.event.text for r in again.past)
    assert list(conform(Store().records(session.id))) == []


def test_a_stub_with_a_record_glued_to_it_costs_only_the_stub() -> None:
    """Torn line and next record in one line (claude-code#52387): the whole record behind the stub is read."""
    session = held(["one", "two"], say("1"), say("2"))
    lines(session.path, lambda all_: [*all_[:3], b'{"seq":4,"at":"2026-' + all_[3], *all_[4:]])
    reading = read_journal(session.path)
    assert len(reading.damage) == 1
    assert "line 4" in reading.damage[0]
    assert Store().transcript(session.id).exchange_count == 2


def test_a_damaged_line_is_told_and_left_in_the_file() -> None:
    """The session goes on; stderr names the file and the line, and the line is still there afterwards."""
    session = held(["one", "two"], say("1"), say("2"))
    lines(session.path, lambda all_: [*all_[:4], b"not json at all\n", *all_[4:]])
    shown = asst("sessions", "show", session.id)
    assert (shown.returncode, "line 5 is damaged" in shown.stderr) == (0, True)
    again = Store().open(session.id)
    again.close()
    assert "line 5" in again.damage[0]
    assert b"not json at all\n" in session.path.read_bytes()
    assert asst("replay", session.id, "--check").returncode == 1


def test_an_orphan_tool_call_gets_a_result_that_says_so() -> None:
    """A lost tool result must not brick the session: the next message is sent with an `interrupted` one."""
    session = held(["one", "two"], *tool_exchange(), say("2"))
    kept = session.path.read_bytes().splitlines(keepends=True)
    lost = [line for line in kept if b'"two"' in line or json.loads(line)["seq"] < 8]
    session.path.write_bytes(b"".join(lost))
    history = History()
    again = Store().open(session.id)
    again.close()
    for record in again.past:
        history.feed(record.event)
    outputs = [item for item in history.items("scripted", "m") if isinstance(item, ToolOutputs)]
    assert [len(item.results) for item in outputs] == [1]


def test_interleaved_writers_lose_no_message() -> None:
    """Two processes wrote into one file without a lock: every message of both is in the history, and all ends settled."""
    one, two = held(["mine"], say("a")), held(["yours"], say("b"))
    a, b = (one.path.read_bytes().splitlines(keepends=True), two.path.read_bytes().splitlines(keepends=True))
    mixed = [line for pair in zip(a, b[1:], strict=False) for line in pair] + a[len(b) - 1 :]
    one.path.write_bytes(b"".join(mixed))
    whole = Store().transcript(one.id)
    assert {entry.user for entry in whole.exchanges} == {"mine", "yours"}
    again = Store().open(one.id)
    again.close()
    assert again.past[-1].state in {State.COMPLETED, State.ERROR}


def test_line_separators_of_unicode_are_no_line_ends() -> None:
    """U+2028, U+2029, U+0085 and a lone CR in a message leave one record one line, and come back unchanged."""
    text = "a\u2028b\u2029c\u0085d\re\x0bf"
    session = held([text], say(text))
    assert session.path.read_bytes().isascii()
    assert all(json.loads(line) for line in session.path.read_text().split("\n")[:-1])
    assert Store().transcript(session.id).exchanges[0].user == text


def test_a_file_that_is_no_journal_is_refused_and_left_alone() -> None:
    """One line says what is wrong; the file is not touched."""
    session = held(["one"], say("1"))
    session.path.write_bytes(b"hello\nworld\n")
    with pytest.raises(SessionError, match="isn't a session of asst"):
        Store().open(session.id)
    assert session.path.read_bytes() == b"hello\nworld\n"
    listed = asst("sessions", "list")
    assert (listed.returncode, "[damaged]" in listed.stdout) == (0, True)


def test_an_empty_journal_is_a_session_without_exchanges() -> None:
    """Killed between making the file and the first line: it opens, and becomes a session."""
    session = held(["one"], say("1"))
    session.path.write_bytes(b"")
    again = Store().open(session.id)
    again.close()
    assert [r.event.type for r in again.past] == ["session_opened"]


def test_a_journal_of_a_newer_asst_is_read_but_never_written() -> None:
    """An unknown version is shown as far as it is understood; going on in it is refused with a way out."""
    session = held(["one"], say("1"))
    lines(session.path, lambda all_: [all_[0].replace(b'"version":1', b'"version":2'), *all_[1:]])
    before = session.path.read_bytes()
    with pytest.raises(SessionError, match="newer asst") as caught:
        Store().open(session.id)
    assert caught.value.hint == "Upgrade asst, or continue in a copy."
    assert "--fork" in asst("ask", "--session", session.id, "hi").stderr
    assert session.path.read_bytes() == before
    assert asst("sessions", "show", session.id).returncode == 0


def test_an_exchange_that_was_left_open_ends_as_interrupted() -> None:
    """Reopening appends the error once, with its hint; a reader does not write."""
    session = held(["one"], say("1"))
    lines(session.path, lambda all_: all_[:-1])
    before = session.path.read_bytes()
    assert Store().summary(session.id).state is not State.ERROR
    assert session.path.read_bytes() == before
    for _ in range(2):
        Store().open(session.id).close()
    errors = [r.event for r in Store().records(session.id) if isinstance(r.event, ErrorOccurred)]
    assert [(e.kind, e.hint) for e in errors] == [("interrupted", "Ask again.")]


def test_mending_leaves_a_whole_session_as_it_is() -> None:
    """Records that conform pass through unchanged."""
    session = held(["one", "two"], *tool_exchange(), say("2"))
    records = read_journal(session.path).records
    assert list(repaired(records)) == records
    assert sum(isinstance(r.event, SetUserMessage) for r in records) == 2

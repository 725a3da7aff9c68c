"""Forks, imports and exports: stopped at any moment, there is the whole file or nothing."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from asstproxy.config.atomic import write_new
from asstproxy.core.events import AssistantMessageRetrieved, Record, SetUserMessage
from asstproxy.core.script import STEPS, State
from asstproxy.store.session import Session
from asstproxy.store.store import Store
from forked import asst_command

from .rig import ASST, asst

EXCHANGES = 4000


@pytest.fixture
def long_session() -> str:
    """A session that takes a while to copy."""
    store = Store()
    at = "2026-11-28T12:00:00.000Z"
    records = [
        record
        for number in range(EXCHANGES)
        for record in (
            Record(0, at, STEPS["set_user_message"].dest, SetUserMessage(f"question {number} " + "x" * 200)),
            Record(0, at, State.COMPLETED, AssistantMessageRetrieved("y" * 500)),
        )
    ]
    return store.copy(records, forked_from="")


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL")
@pytest.mark.parametrize("command", ["fork", "import", "export"])
def test_a_killed_copy_is_whole_or_not_there(long_session: str, tmp_path: Path, command: str) -> None:
    """`kill -9` while a file appears in the folder: it has every exchange, or it is not a session at all."""
    store, target = Store(), tmp_path / "out.json"
    given = {
        "fork": ["fork", long_session],
        "import": ["import", str(store.path(long_session))],
        "export": ["export", long_session, "-f", "json", "-o", str(target)],
    }[command]
    folder = tmp_path if command == "export" else store.path(long_session).parent
    seen = 0
    for delay in (0.0, 0.001, 0.003, 0.01, 0.03):
        before = set(os.listdir(folder))
        process = asst_command.start([*ASST, "sessions", *given], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while set(os.listdir(folder)) == before and process.poll() is None:
            pass
        time.sleep(delay)
        process.send_signal(signal.SIGKILL)
        process.wait()
        seen += set(os.listdir(folder)) != before
        for session in store.ids():
            assert store.transcript(session).exchange_count == EXCHANGES
        if target.exists():
            assert target.read_bytes().endswith(b"}\n")
            target.unlink()
    assert seen, "no attempt wrote anything: nothing is shown"


def test_what_a_killed_copy_left_is_named_and_removed(tmp_path: Path) -> None:
    """`doctor` names the temporary file; the next copy (an export: to the same name) deletes it, but none that is being written."""
    store = Store()
    session = store.copy([], forked_from="")
    target, folder = tmp_path / "out.json", store.path(session).parent
    left = [folder / f".{session}.jsonl.abcd1234", tmp_path / ".out.json.abcd_234"]
    fresh = [folder / f".{session}.jsonl.xyzw1234", tmp_path / ".out.json.xyzw1234", tmp_path / ".other.json.abcd1234"]
    for path in (*left, *fresh):
        path.write_text("{")
    for path in (*left, fresh[-1]):
        os.utime(path, (0, 0))
    assert f"{left[0]}: left by a copy that was stopped" in asst("doctor", "--offline").stdout
    assert asst("sessions", "fork", session).returncode == 0
    assert asst("sessions", "export", session, "-o", str(target)).returncode == 0
    assert [path.name for path in left if path.exists()] == []
    assert [path.name for path in fresh if not path.exists()] == []


def test_a_new_file_replaces_nothing(tmp_path: Path) -> None:
    """What exists stays, also if it is a link to nowhere; no temporary file is left."""
    there, link = tmp_path / "there", tmp_path / "link"
    there.write_text("mine")
    link.symlink_to(tmp_path / "nowhere")
    for path in (there, link):
        with pytest.raises(FileExistsError):
            write_new(path, b"new")
    assert there.read_text() == "mine"
    assert sorted(os.listdir(tmp_path)) == ["link", "there"]


def _torn(session: Session) -> None:
    session.close()
    with session.path.open("ab") as file:
        file.write(b'{"seq":')


@pytest.mark.parametrize("planted", ["symlink", "hardlink", "fifo", "nothing", "torn before"])
def test_names_of_ours_that_lead_elsewhere_are_not_followed(tmp_path: Path, planted: str) -> None:
    """A link or a pipe that has the name of a `.tmp` or `.torn` is replaced; its target stays as it is."""
    target = tmp_path / "target"
    target.write_text("mine\n")
    session = Store().create()
    torn, temporary = session.path.with_suffix(".torn"), session.path.with_suffix(".tmp")
    for path in (torn, temporary):
        match planted:
            case "symlink":
                path.symlink_to(target)
            case "hardlink":
                path.hardlink_to(target)
            case "fifo":
                os.mkfifo(path)
            case "torn before":
                path.write_bytes(b"before\n")
    _torn(session)
    Store().open(session.id).close()
    assert target.read_text() == "mine\n"
    assert torn.read_bytes() == (b"before\n" if planted == "torn before" else b"") + b'{"seq":\n'
    assert not temporary.exists()
    assert session.path.with_suffix(".json").exists()

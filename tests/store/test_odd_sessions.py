"""Sessions that are odd: abandoned, empty, from the future, misplaced, no files at all. They spoil nothing."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from asstproxy.core.events import SetUserMessage, Started
from asstproxy.providers.scripted import say
from asstproxy.store import ulid
from asstproxy.store.store import Store
from forked import asst_command
from servers import ResponsesServer

from .rig import ASST, asst, held

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals, pipes and fork are those of POSIX")


def _abandoned() -> str:
    """A session whose process is gone in the middle of an exchange."""
    session = Store().create()
    session.add(SetUserMessage("and then?"))
    session.add(Started("gpt", "m"))
    session.close()
    return session.id


def _states(*arguments: str) -> dict[str, str]:
    return {row["id"]: row["state"] for row in json.loads(asst("sessions", "list", "--json", *arguments).stdout)}


def test_a_session_that_a_dead_process_left_is_interrupted() -> None:
    """In the list, its JSON, its filter and doctor; while a process holds it, it has the state of its exchange."""
    session = _abandoned()
    held(["hi"], say("hello"))
    assert "  interrupted " in asst("sessions", "list").stdout
    assert _states("--state", "interrupted") == {session: "interrupted"}
    search = ["search", "then", "--json", "--state"]
    assert [row["id"] for row in json.loads(asst("sessions", *search, "interrupted").stdout)] == [session]
    assert json.loads(asst("sessions", *search, "started").stdout) == []
    told = asst("doctor", "--offline").stdout
    assert f"asst chat --session {session}" in told
    mine = Store().open(session, keep_running=True)
    assert _states()[session] == "started"
    assert _states("--state", "interrupted") == {}
    mine.close()


def test_continue_takes_the_newest_session_with_an_exchange(server: ResponsesServer) -> None:
    """`-c` passes over sessions in which nothing was ever asked, and over those that can't be read."""
    session = held(["one"], say("1"), profile="gpt", provider="gpt", model="gpt-6-luna")
    Store().create().close()
    broken = Store().create()
    broken.close()
    broken.path.write_bytes(b"no journal\n")
    assert asst("ask", "-c", "-q", "two").returncode == 0
    assert [entry.user for entry in Store().transcript(session.id).exchanges] == ["one", "two"]


def test_a_chat_that_is_left_at_once_leaves_no_session(server: ResponsesServer, tmp_path: Path) -> None:
    """Nothing was asked: there is no file."""
    sys.path.insert(0, str(Path(__file__).parents[1]))
    from cli.setup.tmux import Tmux

    with Tmux([*ASST, "chat", "-p", "gpt"]) as screen:
        screen.wait_for("new session")
        assert len([*Store().ids()]) == 1
        screen.enter("/quit")
        screen.wait_end(0)
    assert [*Store().root.rglob("*.json*")] == []


def test_pipes_misplaced_files_and_ids_of_the_future_spoil_nothing(server: ResponsesServer) -> None:
    """Every command goes on, `-c` takes the real one, a new session has an id of today; doctor names what is odd."""
    session = held(["one"], say("1"), profile="gpt", provider="gpt", model="gpt-6-luna")
    folder = session.path.parent
    os.mkfifo(folder / f"{ulid.new()}.jsonl")
    (folder / f"{ulid.new()}.jsonl").mkdir()
    misplaced = Store().root / "2001-01" / session.path.name
    misplaced.parent.mkdir()
    misplaced.write_bytes(session.path.read_bytes())
    future = "7ZZZZZZZZZ" + session.id[10:]
    assert Store().copy(Store().records(session.id), forked_from="", wanted=future) == future
    for command in (["list"], ["search", "one"], ["show"], ["export"], ["prune", "--older-than", "1d"]):
        done = asst("sessions", *command, timeout=30)
        assert (done.returncode, done.stderr.count("Traceback")) == (0, 0), done.stderr
    assert asst("ask", "-c", "-q", "two").returncode == 0
    assert [entry.user for entry in Store().transcript(session.id).exchanges] == ["one", "two"]
    assert asst("ask", "-q", "new").returncode == 0
    assert ulid.time_of(Store().newest()) <= time.time() * 1000
    told = asst("doctor", "--offline", "-v", timeout=60).stdout
    assert "not where asst looks for it" in told
    assert "not a file" in told


def test_a_daemon_that_a_tool_starts_does_not_keep_the_session() -> None:
    """A process that a tool forked lives on; the session can be opened, and the daemon can't write to it."""
    session = Store().create()

    def daemon() -> int:
        pid = os.fork()
        if pid == 0:
            try:
                time.sleep(60)
            finally:
                os._exit(0)
        return pid

    pid = daemon()
    try:
        session.close()
        Store().open(session.id).close()
        links = (
            {os.path.realpath(link) for link in Path(f"/proc/{pid}/fd").iterdir()} if Path("/proc").exists() else set()
        )
        assert str(session.path) not in links
    finally:
        os.kill(pid, 9)
        os.waitpid(pid, 0)


def test_a_daemon_of_the_command_does_not_keep_the_session(server: ResponsesServer, tmp_path: Path) -> None:
    """`asst ask` with a tool that forks: the next `-c` goes on while the daemon lives."""
    from servers import Call, Output, Say

    (tmp_path / "forks.py").write_text(
        "import os, time\n\ndef daemon() -> int:\n    'Start a daemon.'\n    pid = os.fork()\n    if pid == 0:\n"
        "        for fd in (0, 1, 2):\n            os.close(fd)\n        time.sleep(30)\n        os._exit(0)\n    return pid\n"
    )
    replies: Iterator[list[Output]] = iter([[Call("daemon")], [Say("started")], [Say("still here")]])
    server.brain = lambda _: next(replies)
    done = asst_command.run(
        [*ASST, "ask", "-q", "-t", str(tmp_path / "forks.py"), "--yes", "go"], capture_output=True, text=True, check=False,
        stdin=subprocess.DEVNULL, timeout=60,
    )  # fmt: skip
    # Its output has an end while the daemon lives: whoever reads it doesn't wait for the daemon.
    assert done.returncode == 0, done.stderr
    pid = int(Store().transcript(Store().newest()).exchanges[0].tools[0].output)
    try:
        assert asst("ask", "-q", "-c", "and now?").stdout == "still here\n"
        os.kill(pid, 0)  # it lives
    finally:
        os.kill(pid, 9)

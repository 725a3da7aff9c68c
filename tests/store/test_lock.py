"""Several processes: one writer for each session, any number of sessions side by side."""

from __future__ import annotations

import os
import subprocess

import pytest

from asstproxy.core.errors import SessionError, SessionInUseError
from asstproxy.core.mediator import conform
from asstproxy.core.script import State
from asstproxy.providers.scripted import say
from asstproxy.store.store import Store
from servers import ResponsesServer, Say

from .rig import asst, held, start


def _all(*processes: subprocess.Popen[str]) -> list[tuple[int, str, str]]:
    done = [process.communicate(timeout=120) for process in processes]
    return [(process.returncode, out, err) for process, (out, err) in zip(processes, done, strict=True)]


def test_the_second_process_is_told_which_one_has_the_session() -> None:
    """The message has the process's number, and the ways out."""
    session = held(["one"], say("1"))
    mine = Store().open(session.id)
    with pytest.raises(SessionInUseError, match=f"process {os.getpid()}") as caught:
        Store().open(session.id)
    assert caught.value.hint == "Close it there first."
    done = asst("ask", "-p", "gpt", "-c", "hi", OPENAI_API_KEY="k", OPENAI_BASE_URL="http://127.0.0.1:9")
    assert (done.returncode, done.stderr.count("\n")) == (5, 1)
    assert f"process {os.getpid()}" in done.stderr
    assert "--wait" in done.stderr
    assert "--fork" in done.stderr
    for command in (["rm", session.id, "--yes"], ["rename", session.id, "x"]):
        done = asst("sessions", *command)
        assert done.returncode == 5
        assert "--wait" not in done.stderr  # these commands have no such option
    assert asst("sessions", "show", session.id).returncode == 0  # readers need no lock
    mine.close()
    Store().open(session.id).close()


def test_fork_goes_on_in_a_copy_while_the_session_is_in_use(server: ResponsesServer) -> None:
    """The original is not touched; the copy holds everything and the new exchange."""
    session = held(["one"], say("1"), profile="gpt", provider="gpt", model="gpt-6-luna")
    mine = Store().open(session.id)
    before = session.path.read_bytes()
    assert asst("ask", "-c", "--fork", "-q", "two").returncode == 0
    mine.close()
    assert session.path.read_bytes() == before
    copy = Store().transcript(Store().newest())
    assert [entry.user for entry in copy.exchanges] == ["one", "two"]
    assert "one" in str(server.requests[-1].json["input"])


def test_six_that_wait_take_turns_and_all_are_kept(server: ResponsesServer) -> None:
    """`--wait` on one session: six exchanges, one after the other."""
    server.brain = lambda _: [Say("Well. " * 5, pace=0.005)]
    session = held(["zero"], say("0"), profile="gpt", provider="gpt", model="gpt-6-luna")
    done = _all(*(start("ask", "-q", "-c", "--wait", f"number {i}") for i in range(6)))
    assert [code for code, _, _ in done] == [0] * 6
    whole = Store().transcript(session.id)
    assert {entry.user for entry in whole.exchanges} == {"zero", *(f"number {i}" for i in range(6))}
    assert all(entry.state is State.COMPLETED for entry in whole.exchanges)
    assert list(conform(Store().records(session.id))) == []


def test_eight_at_once_are_eight_sessions_forty_in_all(server: ResponsesServer) -> None:
    """A fresh data dir and eight first prompts at once: nothing is lost, and nobody waits for a lock."""
    for batch in range(5):
        done = _all(*(start("ask", "-q", f"question {batch}-{i}") for i in range(8)))
        assert [(code, err) for code, _, err in done] == [(0, "")] * 8
    store = Store()
    found = [store.transcript(one) for one in store.ids()]
    assert len(found) == 40
    assert {whole.exchanges[0].user for whole in found} == {f"question {b}-{i}" for b in range(5) for i in range(8)}
    assert len(server.requests) == 40


def test_a_session_that_was_removed_while_we_waited_is_gone() -> None:
    """No writer goes on in a file that nobody will find."""
    session = held(["one"], say("1"))
    Store().remove(session.id)
    with pytest.raises(SessionError, match="can't be opened"):
        Store().open(session.id)
    assert not list(session.path.parent.glob(f"{session.id}*"))


def test_wait_and_fork_need_a_session() -> None:
    """Wrong usage is told before anything happens."""
    done = asst("ask", "-p", "gpt", "--wait", "hi", OPENAI_API_KEY="k")
    assert (done.returncode, "-c" in done.stderr) == (2, True)

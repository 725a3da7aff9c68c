"""Ctrl-C and SIGTERM, wherever an exchange stands: exit code, journal, terminal, and what comes after."""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from asstproxy import Store
from asstproxy.core.errors import SessionError
from asstproxy.core.events import Cancelled, Event, RetryScheduled, ToolStarted, Unknown
from cli.conftest import ASST, Asst
from cli.terminal import Terminal
from servers import Background, Call, ResponsesServer, Say, Script, Stall, Status, Wait

Start = Callable[[Sequence[str]], subprocess.Popen[bytes]]
HANGS = '''
import asyncio, time
from asstproxy import tool

def blocking(n: int = 0) -> str:
    """Hangs in a thread."""
    time.sleep(60)

async def awaiting(n: int = 0) -> str:
    """Hangs in the loop."""
    await asyncio.sleep(60)

@tool(approval="ask")
def asking(n: int = 0) -> str:
    """Needs a person."""
    return "done"
'''


@pytest.fixture
def hangs(tmp_path: Path) -> str:
    """A file of tools that hang."""
    path = tmp_path / "hangs.py"
    path.write_text(HANGS)
    return str(path)


def events() -> list[Event | Unknown]:
    """The journal of the newest session."""
    return [record.event for record in Store().records(Store().newest())]


def until(said: Callable[[], bool]) -> None:
    """Wait for something that another process does."""
    deadline = time.monotonic() + 20
    while not said():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.02)


def has(kind: type[Event]) -> bool:
    """Whether the newest journal holds such an event."""
    try:
        return any(isinstance(event, kind) for event in events())
    except (SessionError, OSError):  # there is no session yet
        return False


@contextmanager
def chat(*arguments: str) -> Iterator[Terminal]:
    with Terminal([ASST, "chat", "-p", "gpt", *arguments]) as terminal:
        terminal.wait_for("›")
        yield terminal


@pytest.mark.parametrize(
    ("number", "code", "reason"), [(signal.SIGINT, 130, "user"), (signal.SIGTERM, 143, "terminated")]
)
def test_a_wait_for_the_next_attempt_is_stopped_at_once(
    number: int, code: int, reason: str, server: ResponsesServer, start: Start
) -> None:
    """Nobody waits for the end of a wait, and no other request goes out."""
    server.faults.add(Status(429, retry_after=50))
    process = start(["ask", "-p", "gpt", "hi"])
    until(lambda: has(RetryScheduled))
    process.send_signal(number)
    began = time.monotonic()
    _, err = process.communicate(timeout=40)
    assert time.monotonic() - began < 30  # the wait would last 50
    assert process.returncode == code
    assert events()[-1] == Cancelled(reason)  # type: ignore[arg-type]
    assert len(server.requests) == 1
    assert "Trying again in 50 s · try 2 of 4" in err.decode()


@pytest.mark.parametrize("name", ["blocking", "awaiting"])
@pytest.mark.parametrize(
    ("number", "code", "reason"), [(signal.SIGINT, 130, "user"), (signal.SIGTERM, 143, "terminated")]
)
def test_a_tool_round_is_stopped_and_answered(
    name: str, number: int, code: int, reason: str, server: ResponsesServer, start: Start, asst: Asst, hangs: str
) -> None:
    """Neither kind of tool holds up the process; the call gets a result, so that the provider takes the next message."""
    server.brain = Script([Call(name)], [Say("Fine.")])
    process = start(["ask", "-p", "gpt", "--yes", "-t", f"{hangs}:{name}", "hi"])
    until(lambda: has(ToolStarted))
    process.send_signal(number)
    process.communicate(timeout=40)
    assert process.returncode == code
    assert events()[-1] == Cancelled(reason)  # type: ignore[arg-type]
    ran = asst("ask", "-c", "again")
    assert (ran.code, ran.out) == (0, "Fine.\n")
    assert "interrupted" in str(server.requests[-1].json["input"])


def test_a_question_is_stopped_in_a_chat(server: ResponsesServer, hangs: str) -> None:
    """Ctrl-C at the question is no answer to it: the exchange is cancelled, the chat goes on."""
    server.brain = Script([Call("asking")], [Say("Fine.")])
    with chat("-t", f"{hangs}:asking") as terminal:
        terminal.enter("hi")
        terminal.wait_for("Run it? ›")
        terminal.type("\x03")
        terminal.wait_for("cancelled")
        assert events()[-1] == Cancelled("user")
        time.sleep(0.3)
        terminal.enter("again")
        terminal.wait_for("Fine.")
    assert len(server.requests) == 2


def test_a_question_is_stopped_in_an_ask(server: ResponsesServer, hangs: str) -> None:
    """Ctrl-C at the question ends the command with its code."""
    server.brain = Script([Call("asking")])
    with Terminal([ASST, "ask", "-p", "gpt", "-t", f"{hangs}:asking", "hi"]) as terminal:
        terminal.wait_for("Run it? ›")
        terminal.type("\x03")
        assert terminal.wait_end() == 130
    assert events()[-1] == Cancelled("user")
    assert len(server.requests) == 1


@pytest.mark.parametrize(("name", "sign"), [("blocking", "running"), ("awaiting", "running"), ("asking", "Run it? ›")])
def test_sigterm_ends_a_chat_in_a_tool_round(name: str, sign: str, server: ResponsesServer, hangs: str) -> None:
    """While a tool hangs, or a person is asked: its code, the reason in the journal, the terminal as it was."""
    server.brain = Script([Call(name)])
    yes = ["--yes"] if name != "asking" else []
    with Terminal([ASST, "chat", "-p", "gpt", *yes, "-t", f"{hangs}:{name}"]) as terminal:
        before = terminal.modes()
        terminal.wait_for("›")
        terminal.enter("hi")
        terminal.wait_for(sign)
        terminal.process.terminate()
        assert terminal.wait_end() == 143
        assert terminal.modes() == before
        assert not terminal.cursor_hidden
    assert events()[-1] == Cancelled("terminated")


@pytest.mark.parametrize("command", ["chat", "ask"])
def test_twice_ends_at_once_and_leaves_a_usable_terminal(command: str, server: ResponsesServer, asst: Asst) -> None:
    """The second Ctrl-C waits for nobody; echo and cursor are there again, and the journal can be gone on with."""
    server.background = Background(queued_seconds=60)
    server.faults.add(Stall(on="/cancel$"))
    words = ["hi"] if command == "ask" else []
    with Terminal([ASST, command, "-p", "gpt", "--background", *words]) as terminal:
        before = terminal.modes()
        if command == "chat":
            terminal.wait_for("›")
            terminal.enter("hi")
        terminal.wait_for("queued")
        terminal.type("\x03")
        time.sleep(0.3)
        terminal.type("\x03")
        began = time.monotonic()
        assert terminal.wait_end() == 130
        assert time.monotonic() - began < 1.9  # the server has two seconds
        assert terminal.modes() == before
        assert not terminal.cursor_hidden
    server.faults.clear()
    server.brain = Script([Say("Fine.")])
    server.responses.clear()  # so that there is nothing to fetch at the provider
    ran = asst("ask", "-c", "--no-stream", "again")
    assert ran.code == 0, ran.err
    assert ran.out == "Fine.\n"


def test_once_in_each_of_two_exchanges_is_not_twice(server: ResponsesServer) -> None:
    """Who stops an answer, and at once the next one, has not asked to end the chat."""
    server.brain = lambda _: [Say("one "), Wait(60)]
    with chat() as terminal:
        for n in (1, 2):
            terminal.enter("hi")
            terminal.wait_until(lambda n=n: terminal.text.count("│ ready") == 1 and len(server.requests) == n)  # type: ignore[misc]
            terminal.type("\x03")
            terminal.wait_until(lambda n=n: terminal.text.count("cancelled · ") == n)  # type: ignore[misc]
        terminal.enter("/help")
        terminal.wait_for("/quit")
    assert events().count(Cancelled("user")) == 2

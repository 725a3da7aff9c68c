"""Signals and time limits, while the reader of an output stalls; and signals that were ignored at the start."""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from asstproxy import Store
from asstproxy.core.events import Cancelled
from forked import asst_command
from servers import ResponsesServer, Say

from .conftest import ASST
from .terminal import Terminal

SIGNALS = pytest.mark.parametrize(
    ("number", "code", "reason"),
    [(signal.SIGINT, 130, "user"), (signal.SIGTERM, 143, "terminated"), (signal.SIGHUP, 129, "terminated")],
)
LONG = "0123456789abcdef" * 1000
"""More than the smallest pipe takes."""


@contextmanager
def _stalled(arguments: Sequence[str], stream: str = "stdout") -> Iterator[subprocess.Popen[bytes]]:
    """The command, once it waits for a reader of this stream, which there never is."""
    reader, writer = os.pipe()
    fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, 4096)
    others: dict[str, Any] = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL} | {stream: writer}
    try:
        with asst_command.start([ASST, *arguments], stdin=subprocess.DEVNULL, **others) as process:
            os.close(writer)
            deadline = time.monotonic() + 30
            while not _unread(reader) and process.poll() is None:
                assert time.monotonic() < deadline, "it did not write"
                time.sleep(0.02)
            time.sleep(0.5)
            try:
                yield process
            finally:
                process.kill()
    finally:
        os.close(reader)


def _unread(pipe: int) -> int:
    import array
    import termios

    count = array.array("i", [0])
    fcntl.ioctl(pipe, termios.FIONREAD, count)
    return count[0]


@SIGNALS
@pytest.mark.parametrize("options", [[], ["--events"]], ids=["text", "events"])
def test_a_signal_ends_an_answer_that_nobody_reads(
    number: int, code: int, reason: str, options: list[str], server: ResponsesServer
) -> None:
    """The signal's code soon; the session says why the exchange ended."""
    server.brain = lambda _: [Say(LONG, pieces=[LONG[i : i + 100] for i in range(0, len(LONG), 100)], pace=0.001)]
    with _stalled(["ask", "-q", "-p", "gpt", *options, "hi"]) as process:
        process.send_signal(number)
        assert process.wait(timeout=10) == code
    records = Store().records(Store().newest())
    assert records[-1].event == Cancelled(reason)  # type: ignore[arg-type]


def test_the_time_limit_ends_an_answer_that_nobody_reads(server: ResponsesServer) -> None:
    """`--timeout`: exit 124; the session says so."""
    server.brain = lambda _: [Say(LONG, pieces=[LONG[i : i + 100] for i in range(0, len(LONG), 100)], pace=0.001)]
    with _stalled(["ask", "-q", "-p", "gpt", "--timeout", "3", "hi"]) as process:
        assert process.wait(timeout=15) == 124
    assert Store().records(Store().newest())[-1].event == Cancelled("timeout")


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)])
@pytest.mark.parametrize("command", ["replay --speed max", "sessions show --events", "sessions list --json"])
def test_a_signal_ends_any_command_that_nobody_reads(
    number: int, code: int, command: str, server: ResponsesServer
) -> None:
    """Whatever writes: the signal's code, nothing else."""
    server.brain = lambda _: [Say(LONG)]
    for _ in range(20 if "list" in command else 1):
        _keep_session()
    with _stalled(command.split()) as process:
        process.send_signal(number)
        assert process.wait(timeout=10) == code


def _keep_session() -> None:
    from asstproxy.providers.scripted import say
    from store.rig import held

    held([LONG[:300]], say(LONG, pieces=3))


def test_a_reader_of_stderr_that_stalls_stops_no_signal(server: ResponsesServer, tmp_path: Path) -> None:
    """What a tool prints fills stderr; Ctrl-C ends the command all the same."""
    tool = tmp_path / "noisy.py"
    tool.write_text('def noisy() -> str:\n    """Noisy."""\n    print("x" * 16000)\n    return "done"\n')
    with _stalled(["tools", "run", f"{tool}:noisy"], "stderr") as process:
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=10) == 143


def test_a_slow_reader_gets_everything(server: ResponsesServer) -> None:
    """One that only takes its time loses nothing."""
    server.brain = lambda _: [Say(LONG, pieces=[LONG[i : i + 100] for i in range(0, len(LONG), 100)])]
    with _stalled(["ask", "-q", "-p", "gpt", "hi"]) as process:
        pass_on = os.open(f"/proc/{process.pid}/fd/1", os.O_RDONLY)
        with os.fdopen(pass_on, "rb") as file:
            got = file.read()
        assert process.wait(timeout=10) == 0
    assert got.decode() == LONG + "\n"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_that_was_ignored_stays_ignored(number: int, server: ResponsesServer) -> None:
    """As under `nohup`, or in the background of a script: the exchange completes."""
    server.brain = lambda _: [Say("one two three", pieces=["one ", "two ", "three"], pace=0.5)]
    with subprocess.Popen(
        ["bash", "-c", f"trap '' {int(number)}; exec \"$@\"", "bash", ASST, "ask", "-q", "-p", "gpt", "hi"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        first = process.stdout.read(3)
        process.send_signal(number)
        assert first + process.stdout.read() == b"one two three\n"
        assert process.wait() == 0


@pytest.mark.parametrize("command", [["chat", "-p", "gpt"], ["ask", "-p", "gpt", "hi"]])
def test_a_terminal_that_hangs_up_ends_the_command(command: list[str], server: ResponsesServer) -> None:
    """SIGHUP: exit 129, and the exchange is over."""
    server.brain = lambda _: [Say("one two three four", pieces=["one ", "two ", "three ", "four"], pace=2)]
    with Terminal([ASST, *command]) as terminal:
        if "chat" in command:
            terminal.enter("hi")
        terminal.wait_for("one")
        terminal.process.send_signal(signal.SIGHUP)
        assert terminal.wait_end() == 129
    assert Store().records(Store().newest())[-1].event == Cancelled("terminated")


def test_a_window_that_is_closed_ends_the_command(server: ResponsesServer, tmp_path: Path) -> None:
    """The terminal is gone, so its modes and what is still to be written fail: exit 129 all the same, and no fault of asst."""
    with (tmp_path / "errors").open("w+") as errors:
        with Terminal([ASST, "chat", "-p", "gpt"], stderr=errors) as terminal:
            terminal.enter("hi")
            terminal.wait_for("completed")
            terminal.wait_for_prompt()
            assert terminal.close_window() == 129
        with Terminal([ASST, "replay", "--step"], stderr=errors) as terminal:
            terminal.wait_for("Step 0 of")
            assert terminal.close_window() == 129
        server.brain = lambda _: [Say("one two", pieces=["one ", "two"], pace=30)]
        with Terminal([ASST, "chat", "-p", "gpt"], stderr=errors) as terminal:
            terminal.enter("hi")
            terminal.wait_for("one")
            assert terminal.close_window() == 129
    assert (tmp_path / "errors").read_text() == ""
    assert Store().records(Store().newest())[-1].event == Cancelled("terminated")

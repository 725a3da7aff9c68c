"""Signals to a batch from a file into a file."""

from __future__ import annotations

import fcntl
import re
import signal
import struct
import subprocess
import termios
import time
from pathlib import Path
from typing import Any

import pytest

from forked import asst_command
from servers import ResponsesServer, Say, Wait

from ..conftest import ASST, Asst
from .items import asked, lines, prompt, run, signals_when, wait_for, write_prompts


@pytest.mark.parametrize(
    ("numbers", "code"), [((signal.SIGINT, signal.SIGINT), 130), ((signal.SIGTERM,), 143), ((signal.SIGHUP,), 129)]
)
def test_what_is_in_flight_is_stopped(
    asst: Asst, server: ResponsesServer, here: Path, numbers: tuple[int, ...], code: int
) -> None:
    """By a second Ctrl-C, and by signals that end a process: at once, with what has arrived; the next run asks the rest."""
    slow = True
    server.brain = lambda request: [Wait(60 if slow and prompt(request) != "n0" else 0), Say(prompt(request))]
    prompts = write_prompts(here / "in.jsonl", 6)
    out = here / "out.jsonl"
    began = time.monotonic()
    with signals_when(lambda: len(asked(server)) == 4 and bool(lines(out)), *numbers):
        ran = run(asst, "--concurrency", "3")
    assert time.monotonic() - began < 20
    assert ran.code == code
    is_graceful = "Finishing what is in flight (3). Ctrl-C again stops it." in ran.err
    assert is_graceful is (code == 130)
    assert re.search(r"\n  Ask the other 5: the same command\n$", ran.err)
    assert [line["answer"] for line in lines(out)] == ["n0"]
    slow = False
    assert run(asst).code == 0
    assert sorted(line["answer"] for line in lines(out)) == prompts
    assert asked(server).count("n0") == 1


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_while_stdin_is_waited_for(server: ResponsesServer, here: Path, number: int, code: int) -> None:
    """A signal ends it, though whoever writes to the pipe goes on; nothing is asked, and no file is made."""
    process = asst_command.start(
        [ASST, "batch", "-", "--lines", "-o", "out.jsonl", "-p", "gpt"],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    assert process.stdin is not None
    try:
        process.stdin.write(b"one\n")
        process.stdin.flush()
        wait_for(lambda: _unread(process.stdin) == 0, 60)
        process.send_signal(number)
        assert process.wait(60) == code
    finally:
        process.kill()
        process.communicate()
    assert not server.requests
    assert not list(here.iterdir())


def _unread(pipe: Any) -> int:
    """Bytes in it that nobody has read yet."""
    return int(struct.unpack("i", fcntl.ioctl(pipe, termios.FIONREAD, bytes(4)))[0])

"""The wait for the next attempt, as a person sees it: counted down where something can move, told in one line elsewhere."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import struct
import subprocess
import termios

import pytest

from cli.conftest import ASST, Asst
from cli.terminal import Terminal
from forked import asst_command
from servers import ResponsesServer, Say, Status


@pytest.fixture
def busy(server: ResponsesServer) -> ResponsesServer:
    """It refuses once, and asks for three seconds."""
    server.brain = lambda _: [Say("Here I am.")]
    server.faults.add(Status(429, retry_after=3, first=1))
    return server


@pytest.mark.parametrize("columns", [80, 120])
@pytest.mark.parametrize("command", ["ask", "chat"])
def test_the_panel_counts_down(command: str, columns: int, busy: ResponsesServer) -> None:
    """Seconds, attempt, reason and how to stop it stand on the screen; afterwards the note, once, and no panel."""
    words = ["hi"] if command == "ask" else []
    with Terminal([ASST, command, "-p", "gpt", *words], columns) as terminal:
        if command == "chat":
            terminal.enter("hi")
        seen: list[int] = []

        def look() -> bool:
            for found in re.findall(r"│ Trying again in (\d) s · try 2 of 4: ", terminal.text):
                if int(found) not in seen:
                    seen.append(int(found))
            return "completed" in terminal.text

        terminal.wait_until(look)
        text = terminal.text
    assert seen in ([3, 2, 1], [2, 1], [3, 1])  # a machine that is busy may skip a frame
    assert "Trying again" not in text
    assert text.count("Tried 2 times: ") == 1
    assert re.search(r"· 3\.\d s lost", " ".join(text.split()))
    assert "answered 429: Rate limit reached" in " ".join(text.split())
    assert "Ctrl-C stops" not in text
    assert max(map(len, text.splitlines())) <= columns


def test_a_pipe_gets_one_line(busy: ResponsesServer, asst: Asst) -> None:
    """On stderr that is no terminal a wait is one line, and the answer is alone on stdout; `--quiet` says nothing."""
    ran = asst("ask", "-p", "gpt", "hi")
    assert (ran.code, ran.out) == (0, "Here I am.\n")
    (line,) = [line for line in ran.err.splitlines() if "Trying again" in line]
    assert re.fullmatch(r"asst: Trying again in 3 s · try 2 of 4: .* answered 429: Rate limit .*", line)
    assert "\x1b" not in ran.err
    busy.faults.add(Status(429, retry_after=0.1, first=1))
    ran = asst("ask", "-q", "-p", "gpt", "hi")
    assert (ran.code, ran.out, ran.err) == (0, "Here I am.\n", "")


def test_stderr_counts_down_while_stdout_is_a_pipe(busy: ResponsesServer) -> None:
    """`asst ask … | less`: the line is rewritten with the seconds that are left, is no wider than the terminal, and stays."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 60, 0, 0))
    process = asst_command.start(
        [ASST, "ask", "-p", "gpt", "hi"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=slave
    )
    os.close(slave)
    out, _ = process.communicate(timeout=20)
    told = b""
    try:
        while piece := os.read(master, 65536):
            told += piece
    except OSError:  # nobody writes any more
        pass
    os.close(master)
    assert out == b"Here I am.\n"
    frames = [frame for frame in told.decode().split("\r\x1b[K") if "Trying again" in frame]
    seconds = [int(found[1]) for frame in frames if (found := re.search(r"Trying again in (\d) s", frame))]
    assert seconds[0] == 3
    assert seconds[-1] == 3  # what stays is what was said first
    assert seconds[:-1] == sorted(seconds[:-1], reverse=True)
    assert len(set(seconds)) >= 2
    assert all(len(frame) < 60 for frame in frames[:-1])
    assert told.decode().endswith("\n")

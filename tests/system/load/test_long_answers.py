"""An answer of five megabytes: nothing of it is lost on any way, and twice as much takes twice as long."""

from __future__ import annotations

import hashlib
import json
import os
import pty
import re
import resource
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from asstproxy import Store
from cli.conftest import ASST, Ran
from forked import asst_command
from servers import Brain, ResponsesServer, Say

MEGABYTE = 1_000_000
MARK = re.compile(r"p\d{6}")
CONTROL = re.compile(rb"\x1b\[[0-9;?]*[A-Za-z]")


def text_of(length: int) -> str:
    """Prose in numbered paragraphs, with some Markdown and some characters of two and more bytes."""
    one = "p{:06} The *quick* brown fox jumps over the `lazy` dog, señor; and 漢字 too, again and again. "
    paragraphs: list[str] = []
    size = 0
    while size < length:
        paragraphs.append(one.format(len(paragraphs)) * 5)
        size += len(paragraphs[-1].encode()) + 2
    return "\n\n".join(paragraphs)


def sha(text: str | bytes) -> str:
    return hashlib.sha256(text.encode() if isinstance(text, str) else text).hexdigest()


def pieces(text: str, size: int = 2500) -> Sequence[str]:
    return [text[at : at + size] for at in range(0, len(text), size)]


def saying(text: str) -> Brain:
    """A model that streams this text."""
    return lambda _: [Say(text, pieces(text))]


def seconds(run: Callable[[], object]) -> float:
    """Processor seconds of the commands that it runs, as children of this process."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    run()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def on_a_terminal(*arguments: str, any_code: bool = False, by_python: bool = False) -> bytes:
    """All that the command writes to a terminal."""
    master, slave = pty.openpty()
    env = {**os.environ, "TERM": "xterm-256color", "COLUMNS": "80", "LINES": "40", "PAGER": "cat"}
    process = asst_command.start(
        [ASST, *arguments], stdin=slave, stdout=slave, stderr=slave, env=env, by_python=by_python
    )
    os.close(slave)
    data = bytearray()
    while True:
        try:
            data += os.read(master, 1 << 20)
        except OSError:  # the other side is closed
            break
    os.close(master)
    code = process.wait()
    assert any_code or code == 0, bytes(data[-2000:])
    return bytes(data)


@pytest.mark.parametrize("way", ["--stream", "--no-stream"])
def test_nothing_is_lost(way: str, asst: Callable[..., Ran], server: ResponsesServer) -> None:
    """Into a pipe, in the journal, the transcript, an export and a replay: five megabytes, the same to the last byte."""
    text = text_of(5 * MEGABYTE)
    server.brain = saying(text)
    asked = asst("ask", "-p", "gpt", "-q", "go on", *([way] if way == "--no-stream" else []), timeout=240)
    assert (asked.code, asked.err) == (0, "")
    assert (len(asked.out.encode()), sha(asked.out)) == (len(text.encode()) + 1, sha(text + "\n"))

    session = Store().newest()
    assert sha(Store().transcript(session).exchanges[0].answer) == sha(text)
    file = Store().path(session).with_suffix(".json")
    assert sha(json.loads(file.read_bytes())["exchanges"][0]["answer"]) == sha(text)
    exported = json.loads(asst("sessions", "export", "-f", "json", timeout=240).out)
    assert sha(exported["exchanges"][0]["answer"]) == sha(text)
    assert sha(asst("replay", "--speed", "max", timeout=240).out) == sha(text + "\n")
    assert asst("replay", "--check", timeout=240).code == 0
    again = "".join(json.loads(line).get("text", "") for line in _lines(asst, "chunk_received"))
    assert sha(again) == sha(text if way == "--stream" else "")


def _lines(asst: Callable[..., Ran], kind: str) -> list[str]:
    events = asst("sessions", "show", "--events", timeout=240).out.splitlines()
    return [line for line in events if f'"type":"{kind}"' in line]


def test_sessions_show_shows_all_of_it(asst: Callable[..., Ran], server: ResponsesServer) -> None:
    """Printed as in the chat, every paragraph is there, in order, once."""
    text = text_of(MEGABYTE)
    server.brain = saying(text)
    assert asst("ask", "-p", "gpt", "-q", "go on", timeout=240).code == 0
    for arguments in (["show"], ["show", "--sequence"], ["export", "-f", "html"], ["export", "-f", "md"]):
        shown = asst("sessions", *arguments, timeout=240)
        assert shown.code == 0
        if "--sequence" not in arguments:
            assert [*dict.fromkeys(MARK.findall(shown.out))] == [*dict.fromkeys(MARK.findall(text))]


@pytest.mark.parametrize(
    "short", [MEGABYTE // 4, pytest.param(MEGABYTE, marks=pytest.mark.slow(reason="six megabytes are drawn"))]
)
def test_the_live_view(short: int, server: ResponsesServer, record_property: Callable[[str, object], None]) -> None:
    """Drawn while it comes, every paragraph gets onto the terminal for good, and the work is proportional to the text."""
    costs = []
    for length in (short, 5 * short):
        text = text_of(length)
        server.brain = saying(text)
        drawn = b""

        def draw() -> None:
            nonlocal drawn
            drawn = on_a_terminal("ask", "-p", "gpt", "go on", by_python=True)

        costs.append(seconds(draw))
        shown = MARK.findall(CONTROL.sub(b"", drawn).decode())
        marks = MARK.findall(text)
        last_seen = {mark: at for at, mark in enumerate(shown)}
        assert [*last_seen] == [*dict.fromkeys(marks)]
        order = [last_seen[mark] for mark in dict.fromkeys(marks)]
        assert order == sorted(order)
    record_property(
        "figure",
        f"{5 * short / MEGABYTE} MB drawn live in {costs[1]:.0f} s of CPU, {costs[1] / costs[0]:.1f} times what a fifth takes",
    )
    assert costs[1] < 5 * 1.5 * costs[0]


def test_into_a_pipe(
    asst: Callable[..., Ran], server: ResponsesServer, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    """`asst ask | wc -c`: the work is proportional, and the reader gets each byte."""
    costs = []
    for megabytes in (1, 4):
        text = text_of(megabytes * MEGABYTE)
        server.brain = saying(text)
        count = tmp_path / "count"

        def ask(count: Path = count) -> None:
            subprocess.run(["sh", "-c", f"{ASST} ask -p gpt -q hi | wc -c > {count}"], check=True, timeout=240)

        costs.append(seconds(ask))
        assert int(count.read_text()) == len(text.encode()) + 1
    record_property(
        "figure", f"4 MB into a pipe take {costs[1] / costs[0]:.1f} times the CPU of 1 MB, start-up included"
    )
    assert costs[1] < 4 * 1.5 * costs[0]

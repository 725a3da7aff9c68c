"""What a tool prints is caught, and the answer on standard output stays the answer."""

# ruff: noqa: T201, ASYNC110 - tools print, and nobody tells when one that was abandoned ends
from __future__ import annotations

import asyncio
import io
import subprocess
import sys
import threading
from collections.abc import Callable
from typing import Any

import pytest

from asstproxy import tool
from asstproxy.tools import as_tool, run_tool


def speak(name: str) -> str:
    """Print in all the usual ways."""
    print(name, "print")
    sys.stdout.write(f"{name} write\n")
    sys.stdout.writelines([f"{name} lines\n"])
    sys.stdout.buffer.write(f"{name} bytes\n".encode())
    sys.stdout.flush()
    print(name, "stderr", file=sys.stderr)
    return name


async def speak_later(name: str) -> str:
    """Print from a task."""
    text = speak(name)
    await asyncio.sleep(0)
    print(name, "later")
    return text


@pytest.mark.parametrize("apart", [False, True])
@pytest.mark.parametrize("function", [speak, speak_later])
async def test_what_is_printed_is_caught(
    function: Callable[[str], Any], apart: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    """By thread or task: several run at once and the program prints meanwhile, and nothing is mixed up."""
    before = sys.stdout
    names = [f"tool{n}" for n in range(8)]
    running = [asyncio.create_task(run_tool(as_tool(function, apart=apart), f'{{"name": "{name}"}}')) for name in names]
    while not all(task.done() for task in running):
        print("answer")
        await asyncio.sleep(0)
    for name, task in zip(names, running, strict=True):
        outcome = await task
        assert outcome.output == name
        words = ["print", "write", "lines", "bytes", "stderr", *(["later"] if function is speak_later else [])]
        assert outcome.printed == "".join(f"{name} {word}\n" for word in words)
    told = capsys.readouterr()
    assert set(told.out.splitlines()) == {"answer"}
    assert told.err == ""
    assert sys.stdout is before


async def test_what_is_kept_is_limited() -> None:
    """A tool that prints without end costs no memory."""

    def flood() -> None:
        for _ in range(1000):
            print("x" * 1000)

    printed = (await run_tool(as_tool(flood), "{}")).printed
    assert len(printed) == 16 * 1024 + 1
    assert printed.endswith("x…")


async def test_a_tool_finds_a_stream_that_is_no_terminal() -> None:
    """And that has no file descriptor, as under `contextlib.redirect_stdout`."""

    def look() -> list[Any]:
        with pytest.raises(io.UnsupportedOperation):
            sys.stdout.fileno()
        return [sys.stdout.isatty(), sys.stdout.encoding.lower()]

    assert (await run_tool(as_tool(look), "{}")).output == '[false,"utf-8"]'


async def test_an_abandoned_tool_still_prints_to_nobody(capsys: pytest.CaptureFixture[str]) -> None:
    """The stand-in stays until it has ended."""
    go, gone = threading.Event(), threading.Event()

    @tool(timeout=0.05)
    def hang() -> None:
        print("in time")
        go.wait(10)
        print("too late")
        gone.set()

    before = sys.stdout
    outcome = await run_tool(as_tool(hang), "{}")
    assert outcome.printed == "in time\n"
    print("answer")
    go.set()
    assert gone.wait(5)
    while sys.stdout is not before:
        await asyncio.sleep(0.01)
    assert capsys.readouterr().out == "answer\n"


RESERVED = """
import asyncio, os, subprocess, sys, threading
from asstproxy.tools import as_tool, reserve_stdout, run_tool

def loud():
    print("print")
    os.write(1, b"descriptor\\n")
    os.system("echo child")
    thread = threading.Thread(target=lambda: print("thread"))
    thread.start(); thread.join()
    return "ok"

async def main():
    outcome = await run_tool(as_tool(loud), "{}")
    print("answer", outcome.output)
    print("more", file=answer, flush=True)
    sys.stdout.buffer.write(b"bytes\\n")

answer = reserve_stdout()
asyncio.run(main())
"""


def test_a_reserved_standard_output_has_the_answer_and_nothing_else() -> None:
    """Child processes, threads of a tool and raw descriptors lead to standard error."""
    done = subprocess.run([sys.executable, "-c", RESERVED], capture_output=True, text=True, check=True)
    assert sorted(done.stdout.splitlines()) == ["answer ok", "bytes", "more"]
    assert sorted(done.stderr.splitlines()) == ["child", "descriptor", "thread"]

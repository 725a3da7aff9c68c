"""Running a tool: whatever it does, there is an outcome in time, and it harms nobody else."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import os
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator, Callable
from typing import Annotated, Any, NoReturn

import pytest
from pydantic import AfterValidator

from asstproxy import ToolError, tool
from asstproxy.tools import Outcome, abandoned_count, as_tool, check_arguments, run_tool
from asstproxy.tools import run_blocking as blocking

SOON = 0.1


@pytest.fixture
async def release() -> AsyncIterator[threading.Event]:
    """Set at the end: what was abandoned goes on then, and is gone."""
    event = threading.Event()
    yield event
    event.set()
    async with asyncio.timeout(30):
        while abandoned_count():  # noqa: ASYNC110 - threads
            await asyncio.sleep(0.01)


async def outcome_of(function: Callable[..., Any], arguments: str = "{}", **options: Any) -> Outcome:
    """What the function gives as a tool."""
    return await run_tool(as_tool(tool(**options)(function), apart=False), arguments)


class BadError(BaseException):
    def __str__(self) -> NoReturn:  # noqa: PLE0307 - it is bad
        sys.exit(7)


def leaves() -> None:
    sys.exit(3)


def interrupts() -> None:
    raise KeyboardInterrupt


def bad() -> None:
    raise BadError


def explains() -> None:
    raise ToolError("Ask for\n  less.")


def mute() -> None:
    raise ValueError


def half() -> None:
    raise ValueError("\ud800")


def group() -> None:
    raise ExceptionGroup("two", [ValueError("a"), KeyError("b")])


def late() -> None:
    raise TimeoutError("the database is slow")


def cancelled() -> None:
    raise asyncio.CancelledError


FAILURES = [
    (leaves, "SystemExit: 3"),
    (interrupts, "KeyboardInterrupt"),
    (bad, "BadError"),
    (explains, "Ask for less."),
    (mute, "ValueError"),
    (half, "ValueError: \N{REPLACEMENT CHARACTER}"),
    (group, "ExceptionGroup: ValueError('a'); KeyError('b')"),
    (late, "TimeoutError: the database is slow"),
    (cancelled, "CancelledError"),
]


@pytest.mark.parametrize("where", ["thread", "loop", "own loop"])
@pytest.mark.parametrize(("function", "error"), FAILURES, ids=lambda value: getattr(value, "__name__", ""))
async def test_whatever_a_tool_raises_is_an_error(function: Callable[[], None], error: str, where: str) -> None:
    """It ends neither the program nor the exchange, and the assistant reads what it was."""

    async def awaited() -> None:
        await asyncio.sleep(0)
        function()

    declared = as_tool(function if where == "thread" else awaited, apart=where == "own loop")
    outcome = await run_tool(declared, "{}")
    assert (outcome.error, outcome.output, outcome.abandoned) == (error, "", False)


@pytest.mark.parametrize("apart", [False, True])
async def test_an_async_tool_is_cancelled_when_its_time_is_over(apart: bool) -> None:
    """It can clean up, and nothing is left of it."""
    cleaned = threading.Event()

    @tool(timeout=SOON)
    async def hang() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            await asyncio.sleep(0.01)
            cleaned.set()

    outcome = await run_tool(as_tool(hang, apart=apart), "{}")
    assert outcome.error == "hang did not return within 0.1 s. It was stopped."
    assert not outcome.abandoned
    assert SOON <= outcome.seconds < 30
    assert cleaned.is_set()
    assert abandoned_count() == 0


async def test_a_blocking_tool_is_abandoned_when_its_time_is_over(release: threading.Event) -> None:
    """A thread cannot be stopped: the assistant is told that what it does may still happen."""
    outcome = await outcome_of(lambda: release.wait(60), name="hang", timeout=SOON)
    assert outcome.error == ("hang did not return within 0.1 s. It was left running, so what it does may still happen.")
    assert outcome.abandoned
    assert outcome.seconds < 30
    assert abandoned_count() == 1


async def test_an_async_tool_that_does_not_stop_is_abandoned(release: threading.Event) -> None:
    """Not even one that takes no cancelling holds up the program."""

    async def stubborn() -> None:
        while not release.is_set():
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.sleep(0.05)

    outcome = await outcome_of(stubborn, timeout=SOON)
    assert outcome.abandoned
    assert outcome.seconds < 30
    release.set()
    await asyncio.sleep(0.1)


async def test_an_async_tool_that_blocks_stands_apart(release: threading.Event) -> None:
    """Found by name, it has a loop that it can block, and others get another one."""

    @tool(timeout=SOON)
    async def block() -> None:
        release.wait(60)

    async def quick() -> str:
        return threading.current_thread().name

    outcome = await run_tool(as_tool(block, apart=True), "{}")
    assert outcome.abandoned
    assert (await run_tool(as_tool(quick, apart=True), "{}")).output == "asst-tools"


async def test_async_tools_that_stand_apart_share_a_loop() -> None:
    """What one keeps between calls (a client, a lock) stays usable."""
    loops: list[asyncio.AbstractEventLoop] = []

    async def note() -> None:
        loops.append(asyncio.get_running_loop())

    for _ in range(2):
        await run_tool(as_tool(note, apart=True), "{}")
    assert loops[0] is loops[1] is not asyncio.get_running_loop()


async def test_a_tool_that_a_program_hands_over_is_awaited_in_its_loop() -> None:
    """So that it can use what belongs to that loop."""
    lock = asyncio.Lock()

    async def locked() -> bool:
        async with lock:
            return asyncio.get_running_loop() is main

    main = asyncio.get_running_loop()
    assert (await outcome_of(locked)).output == "true"


async def test_a_plain_function_may_give_a_coroutine() -> None:
    """A wrapper that is not async itself is a tool like any other."""

    async def inner() -> int:
        await asyncio.sleep(0)
        return 3

    assert (await outcome_of(lambda: inner(), name="outer")).output == "3"  # noqa: PLW0108 - the wrapper is the point


@pytest.mark.parametrize("where", ["thread", "loop", "own loop"])
async def test_cancelling_the_exchange_gives_the_tool_up_at_once(where: str, release: threading.Event) -> None:
    """An async tool is cancelled, a blocking one left to itself."""
    began, ended = threading.Event(), threading.Event()

    def block() -> None:
        began.set()
        release.wait(60)

    async def hang() -> None:
        began.set()
        try:
            await asyncio.sleep(60)
        finally:
            ended.set()

    declared = as_tool(block if where == "thread" else hang, apart=where == "own loop")
    running = asyncio.create_task(run_tool(declared, "{}"))
    while not began.is_set():  # noqa: ASYNC110 - threads
        await asyncio.sleep(0.01)
    running.cancel()
    began_at = time.monotonic()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert time.monotonic() - began_at < 30
    assert ended.is_set() == (where != "thread")


async def test_types_that_check_with_code_of_their_own_are_run_like_the_tool(release: threading.Event) -> None:
    """A validator that hangs or leaves is contained, too, also when only the arguments are checked."""

    def wait(value: int) -> int:
        release.wait(60)
        return value

    def leave(_: int) -> NoReturn:
        sys.exit(3)

    def hang(a: Annotated[int, AfterValidator(wait)]) -> int:
        return a

    def quit_(a: Annotated[int, AfterValidator(leave)]) -> int:
        return a

    assert (await outcome_of(hang, '{"a": 1}', timeout=SOON)).abandoned
    assert (await outcome_of(quit_, '{"a": 1}')).error == "SystemExit: 3"
    slow = as_tool(tool(timeout=SOON)(hang))
    assert await check_arguments(slow, '{"a": 1}') == "The arguments of hang could not be checked within 0.1 s."
    assert await check_arguments(as_tool(quit_), '{"a": 1}') == "SystemExit: 3"
    assert await check_arguments(as_tool(quit_), '{"a": "x"}') == (
        "Invalid arguments: a: Input should be a valid integer, unable to parse string as an integer."
    )


@pytest.mark.parametrize("fails", [False, True])
async def test_output_is_limited_and_says_so(fails: bool) -> None:
    """An error, too; the default is 64 KiB."""

    def flood() -> str:
        if fails:
            raise ValueError("ä" * 1_000_000)
        return "ä" * 1_000_000

    outcome = await outcome_of(flood)
    text = str(outcome.error) if fails else outcome.output
    assert len(text.encode()) in range(64 * 1024 - 2, 64 * 1024 + 1)
    assert "[Cut: these are the first of 2,000,0" in text


async def test_context_variables_reach_the_tool() -> None:
    """Tracing and the like go on in its thread or loop."""
    variable = contextvars.ContextVar("variable", default="unset")
    variable.set("set")

    def get() -> str:
        return variable.get()

    async def get_later() -> str:
        return variable.get()

    for declared in (as_tool(get), as_tool(get_later), as_tool(get_later, apart=True)):
        assert (await run_tool(declared, "{}")).output == "set"


async def test_a_machine_without_threads_gives_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not even that ends the exchange."""

    def refuse(_: threading.Thread) -> NoReturn:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    assert (await outcome_of(leaves)).error == "RuntimeError: can't start new thread"


async def test_other_blocking_code_can_be_run_alike(release: threading.Event) -> None:
    """`run_blocking` gives the value or raises, and what would end the program is a ToolError."""
    assert await blocking(lambda: 3, 1) == 3
    with pytest.raises(ZeroDivisionError):
        await blocking(lambda: 1 // 0, 1)
    with pytest.raises(ToolError, match="SystemExit: 3"):
        await blocking(leaves, 1)
    with pytest.raises(TimeoutError):
        await blocking(lambda: release.wait(60), SOON)


HUNG = """
import asyncio, time
from asstproxy.tools import as_tool, run_tool, tool

@tool(timeout=0.1)
def block():
    time.sleep(60)

@tool(timeout=0.1)
async def block_async():
    time.sleep(60)

@tool(timeout=0.1)
async def stubborn():
    while True:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            pass

async def main():
    for function in (block, block_async, stubborn):
        print((await run_tool(as_tool(function, apart=True), "{}")).abandoned, flush=True)

asyncio.run(main())
print(time.time(), flush=True)
"""


def test_hung_tools_do_not_hold_the_process() -> None:
    """It exits when its work is done; the tools would have gone on for a minute."""
    done = subprocess.run([sys.executable, "-c", HUNG], capture_output=True, text=True, check=True, timeout=30)
    ended = time.time()
    *answers, last = done.stdout.split()
    assert answers == ["True"] * 3
    assert done.stderr == ""
    assert ended - float(last) < 20


def test_what_is_loaded_before_a_function_is_described() -> None:
    """The user proxy, the decorator and the way to find tools load neither pydantic nor an SDK nor package metadata."""
    program = (
        "import sys, asstproxy, asstproxy.user, asstproxy.tools.loading, asstproxy.tools.toolbox\n"
        "@asstproxy.tool\ndef f() -> None: ...\n"
        "print(*sys.modules)"
    )
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, env=env).stdout
    assert not set(loaded.split()) & {"pydantic", "mcp", "yfinance", "anyio", "httpx2", "importlib.metadata"}

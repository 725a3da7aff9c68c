"""An MCP server as a child process: a transport for the official SDK, which implements its public `Transport` protocol.

The SDK's own `stdio_client` gives a server that doesn't stop four seconds and more, and hides the process. Here the server is gone
within 1.5 seconds whatever it does, even if we are cancelled meanwhile; what it may send is limited; and the last line on its
standard error becomes part of the message if it fails.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, TypeVar

import anyio
from mcp.client.stdio import get_default_environment
from mcp.shared.message import SessionMessage

from .mcp_messages import MAX_BYTES, MessageReader
from .mcp_watchdog import Watchdog

if TYPE_CHECKING:
    from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream

__all__ = ["StdioServer"]

T = TypeVar("T")

MAX_OTHER_LINES = 1000
"""Lines that aren't messages: many servers log to the wrong stream; one that does nothing else isn't an MCP server."""
KEPT = 2000
"""Bytes of standard error that are kept for a message."""
KILL = getattr(signal, "SIGKILL", signal.SIGTERM)
STEPS = ((0.6, signal.SIGTERM), (0.5, KILL), (0.3, None))
"""Seconds that a server gets to end, after its input was closed, before each signal."""


class StdioServer:
    """One run of a server. Its environment: the few variables that the SDK considers safe, and its own `env`; not our keys."""

    def __init__(
        self, command: str, args: Sequence[str] = (), env: Mapping[str, str] | None = None, cwd: str = ""
    ) -> None:
        self._command = [command, *args]
        self._env = get_default_environment() | dict(env or {})
        self._cwd = cwd or _home()
        self._process: asyncio.subprocess.Process | None = None
        self._tasks: tuple[asyncio.Task[None], ...] = ()
        self._stderr = b""
        self._messages = MessageReader()
        self._watchdog = Watchdog()
        self._fault = ""
        self._ending: asyncio.Task[None] | None = None

    @property
    def alive(self) -> bool:
        """Whether it can still be used."""
        return self._process is not None and self._process.returncode is None and not self._tasks[0].done()

    def exit_reason(self) -> str:
        """Why it ended, as far as is known: its exit code, and the last line of its standard error."""
        code = self._process.returncode if self._process is not None else None
        ended = "" if code is None else f"it ended with exit code {code}" if code >= 0 else f"signal {-code} ended it"
        how = self._fault or ended
        lines = self._stderr.decode("utf-8", "replace").strip().splitlines()
        return ": ".join(part for part in (how, lines[-1].strip()[:300] if lines else "") if part)

    def first_other_line(self) -> str:
        """The first line of its output that was not a message, as a phrase; "" if there was none."""
        return self._messages.first_other

    async def __aenter__(
        self,
    ) -> tuple[MemoryObjectReceiveStream[SessionMessage | Exception], MemoryObjectSendStream[SessionMessage]]:
        program = shutil.which(self._command[0]) or self._command[0]
        self._watchdog.start()
        try:
            self._process = process = await asyncio.create_subprocess_exec(
                program,
                *self._command[1:],
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                env=self._env,
                cwd=self._cwd,
                limit=MAX_BYTES,
                start_new_session=True,  # Ctrl-C is for us only; and everything that it starts can be stopped with it
            )
        except BaseException:
            self._watchdog.dismiss()
            raise
        self._watchdog.watch(process.pid)
        to_session, from_server = anyio.create_memory_object_stream[SessionMessage | Exception](0)
        to_server, from_session = anyio.create_memory_object_stream[SessionMessage](0)
        self._tasks = (
            asyncio.create_task(self._read(_pipe(process.stdout), to_session)),
            asyncio.create_task(self._write(_pipe(process.stdin), from_session)),
            asyncio.create_task(self._read_stderr(_pipe(process.stderr))),
        )
        return from_server, to_server

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        process, (reading, writing, listening) = _pipe(self._process), self._tasks
        writing.cancel()
        try:
            _pipe(process.stdin).close()
            for seconds, number in STEPS:
                if await _has_ended(process, seconds):
                    break
                if number is not None:
                    _send(process, number)
            await asyncio.wait({reading, listening}, timeout=0.2)
        finally:
            if process.returncode is None or not (reading.done() and listening.done()):
                _send(process, KILL)  # also to processes that it left behind, and also if we are cancelled here
            self._watchdog.dismiss()
            self._ending = asyncio.create_task(self._end_tasks())
        await self.closed()

    async def closed(self) -> None:
        """Wait until nothing of it runs here; also after a cancellation of its end."""
        if self._ending is not None:
            await asyncio.shield(self._ending)

    async def _end_tasks(self) -> None:
        _, left = await asyncio.wait(self._tasks, timeout=0.2)
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)

    async def _read(
        self, server: asyncio.StreamReader, session: MemoryObjectSendStream[SessionMessage | Exception]
    ) -> None:
        with contextlib.suppress(anyio.BrokenResourceError, anyio.ClosedResourceError, OSError):
            async with session:  # the end of the stream tells the session that the server ended
                await self._pass_on(server, session)
                if self._fault:
                    _send(_pipe(self._process), KILL)
                await _has_ended(_pipe(self._process), 0.3)  # so that `exit_reason` has the exit code
                await asyncio.wait(self._tasks[2:], timeout=0.3)
            while await server.read(65536):  # a server that can't write doesn't end
                pass

    async def _pass_on(
        self, server: asyncio.StreamReader, session: MemoryObjectSendStream[SessionMessage | Exception]
    ) -> None:
        while line := await self._line(server):
            await asyncio.sleep(0)  # a server that floods us must not block the loop
            for message in self._messages.read(line):
                await session.send(message if isinstance(message, Exception) else SessionMessage(message))
            if self._messages.other_lines > MAX_OTHER_LINES:
                self._fault = "it does not speak MCP on its standard output"
                return
        for message in self._messages.close():
            await session.send(message if isinstance(message, Exception) else SessionMessage(message))

    async def _line(self, server: asyncio.StreamReader) -> bytes:
        try:
            return await server.readline()
        except ValueError:
            self._fault = f"it sent a line of more than {MAX_BYTES:,} bytes"
            return b""

    async def _write(self, server: asyncio.StreamWriter, session: MemoryObjectReceiveStream[SessionMessage]) -> None:
        with contextlib.suppress(OSError):
            async with session:
                async for outgoing in session:
                    line = outgoing.message.model_dump_json(by_alias=True, exclude_unset=True)
                    server.write(line.encode("utf-8", "replace") + b"\n")
                    await server.drain()

    async def _read_stderr(self, server: asyncio.StreamReader) -> None:
        with contextlib.suppress(OSError):
            while data := await server.read(4096):
                self._stderr = (self._stderr + data)[-KEPT:]


def _home() -> str:
    """Where a server without `cwd` runs. Not in the current folder: `npx` and `python -m` would run code that they find there."""
    try:
        home = Path.home()
    except RuntimeError:  # it is unknown
        home = Path("/")
    return str(home if home.is_dir() else home.anchor)


def _pipe(thing: T | None) -> T:
    assert thing is not None  # noqa: S101 - PIPE was requested
    return thing


async def _has_ended(process: asyncio.subprocess.Process, seconds: float) -> bool:
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(process.wait(), seconds)  # on Python 3.11 this waits for the streams, too
    return process.returncode is not None


def _send(process: asyncio.subprocess.Process, number: int) -> None:
    """Send a signal to the server and everything that it started."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        if hasattr(os, "killpg"):
            os.killpg(process.pid, number)
        elif process.returncode is None:
            process.send_signal(number)

"""The network between the browser and the page's server: a cable that can be pulled, or that goes dead without an error."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from types import TracebackType
from typing import Self

__all__ = ["Cable"]


class Cable:
    """Listens on a port of its own and carries what comes to that of the server, until it is pulled."""

    def __init__(self, server: int) -> None:
        self._server = server
        self._tasks: set[asyncio.Task[None]] = set()
        self._is_pulled = False
        self._streams: set[asyncio.Task[None]] = set()  # connections that carry records
        self._dead: set[asyncio.Task[None]] = set()
        self._dying = 0  # connections to come that are dead from the start
        self._loop = asyncio.new_event_loop()
        self._listener = self._loop.run_until_complete(asyncio.start_server(self._carry, "127.0.0.1", 0))
        self.port: int = self._listener.sockets[0].getsockname()[1]
        self._thread = threading.Thread(target=self._loop.run_forever)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.pull()
        self._loop.call_soon_threadsafe(self._listener.close)
        asyncio.run_coroutine_threadsafe(asyncio.sleep(0.01), self._loop).result(20)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def pull(self) -> None:
        """Cut every connection; those that are made from now on are cut at once."""

        async def cut() -> None:
            self._is_pulled = True
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

        asyncio.run_coroutine_threadsafe(cut(), self._loop).result(20)

    def plug(self) -> None:
        """Carry again."""
        self._is_pulled = False

    def mute(self, *, next_ones: int = 0) -> None:
        """The streams of records go dead, and nobody is told; idle connections are closed, as servers do after seconds.

        `next_ones`: so many new connections are dead as well.
        """

        async def silence() -> None:
            self._dead |= self._streams
            self._dying = next_ones
            for task in self._tasks - self._dead:
                task.cancel()

        asyncio.run_coroutine_threadsafe(silence(), self._loop).result(20)

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        if self._dying:
            self._dying -= 1
            self._dead.add(task)
        other: asyncio.StreamWriter | None = None
        try:
            if not self._is_pulled:
                with contextlib.suppress(OSError):
                    there, other = await asyncio.open_connection("127.0.0.1", self._server)
                    await asyncio.gather(self._pipe(task, reader, other), self._pipe(task, there, writer))
        finally:
            self._tasks.discard(task)
            writer.transport.abort()
            if other is not None:
                other.transport.abort()

    async def _pipe(self, task: asyncio.Task[None], reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            if data.startswith(b"GET ") and b"/events?" in data.partition(b"\n")[0]:
                self._streams.add(task)
            if task not in self._dead:
                writer.write(data)
                await writer.drain()
        if task not in self._dead:
            writer.close()

"""The network between the browser and the page's server: a cable that can be pulled."""

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

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        other: asyncio.StreamWriter | None = None
        try:
            if not self._is_pulled:
                with contextlib.suppress(OSError):
                    there, other = await asyncio.open_connection("127.0.0.1", self._server)
                    await asyncio.gather(_pipe(reader, other), _pipe(there, writer))
        finally:
            self._tasks.discard(task)
            writer.transport.abort()
            if other is not None:
                other.transport.abort()


async def _pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()
    writer.close()

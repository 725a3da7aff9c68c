"""A raw HTTP/1.1 server on its own thread and loop: tests control every byte and can count every socket."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import socket
import struct
import sys
import termios
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from types import TracebackType
from typing import Self
from urllib.parse import parse_qsl, unquote, urlsplit

from .plan import Fault, FaultPlan
from .vendors import OPENAI, Vendor
from .wire import ApiError, Handler, How, Reply, Request, Severed, dumps

REASONS = {200: "OK", 307: "Temporary Redirect", 400: "Bad Request", 404: "Not Found", 429: "Too Many Requests"}


class Server:
    """Serves `handler` on 127.0.0.1 while the `with` block lasts; made for sync and async tests alike."""

    def __init__(
        self, handler: Handler | None = None, *, faults: Sequence[Fault] = (), vendor: Vendor = OPENAI
    ) -> None:
        self.requests: list[Request] = []
        self.sent: list[bytearray] = []  # of each answer, the bytes of the body that went out
        self.connections = 0
        self.disconnects = 0
        self.errors: list[Exception] = []
        self.vendor = vendor
        self.faults = FaultPlan(faults, vendor)
        self.port = 0
        self._handler = handler
        self._open: dict[asyncio.Task[None], asyncio.StreamWriter] = {}
        self._ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._main()), name="test-server", daemon=True)

    @property
    def url(self) -> str:
        """Where the server listens, without a trailing slash."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def open_connections(self) -> int:
        """Connections that neither side has closed."""
        return len(self._open)

    async def answer(self, request: Request) -> Reply:
        """What an honest server says; protocols override this or pass a handler."""
        if self._handler is None:
            msg = "a Server needs a handler"
            raise NotImplementedError(msg)
        return await self._handler(request)

    def wait_for(self, what: Callable[[Self], bool], timeout: float = 30.0) -> None:
        """Block until the server has seen something; from async tests use `eventually`."""
        deadline = time.monotonic() + timeout
        while not what(self):
            if time.monotonic() > deadline:
                msg = f"not within {timeout} s; requests: {[str(r) for r in self.requests]}"
                raise AssertionError(msg)
            time.sleep(0.005)

    async def eventually(self, what: Callable[[Self], bool], within: float = 30.0) -> None:
        """`wait_for` that leaves the client's loop running."""
        await asyncio.to_thread(self.wait_for, what, within)

    def __enter__(self) -> Self:
        self._thread.start()
        if not self._ready.wait(30):
            msg = "the test server did not start"
            raise RuntimeError(msg)
        return self

    def __exit__(self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(30)
        if self._thread.is_alive():
            msg = "the test server did not stop"
            raise RuntimeError(msg)
        # A bug in the fake must not look like a bug in the product, nor pass for a served error.
        if self.errors and kind is None:
            msg = "handlers of the test server failed"
            raise ExceptionGroup(msg, self.errors)

    async def _main(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        listener = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port = listener.sockets[0].getsockname()[1]
        self._ready.set()
        await self._stop.wait()
        # asyncio never closes a connection that it is still setting up when the listener closes: no new ones, then a few
        # rounds of the loop, until every one of them has reached _accept.
        self._loop.remove_reader(listener.sockets[0].fileno())
        for _ in range(5):
            await asyncio.sleep(0)
        listener.close()
        for task, writer in list(self._open.items()):
            task.cancel()
            writer.transport.abort()
        await asyncio.gather(*self._open, return_exceptions=True)
        await asyncio.sleep(0)  # lets the aborted transports close their sockets

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        task = self._loop.create_task(self._converse(reader, writer))
        self._open[task] = writer
        task.add_done_callback(lambda done: self._open.pop(done, None) and None)

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # While an answer goes out, one byte is read ahead: it is the next request, or the news that the client left.
        ahead = self._loop.create_task(_read_byte(reader))
        try:
            while (request := await _read_request(await ahead, reader)) is not None:
                self.requests.append(request)
                ahead = self._loop.create_task(_read_byte(reader))
                if not await self._attend(request, writer, ahead):
                    break
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            ahead.cancel()
            writer.close()

    async def _attend(self, request: Request, writer: asyncio.StreamWriter, ahead: asyncio.Task[bytes]) -> bool:
        """Send the answer; False when the connection is not to be used again."""
        gone: list[Callable[[], None]] = []
        sending = self._loop.create_task(self._send(request, writer, gone))
        try:
            await asyncio.wait({sending, ahead}, return_when=asyncio.FIRST_COMPLETED)
            left = not sending.done() and ahead.result() == b""
            if left:
                sending.cancel()
            await asyncio.wait({sending})
        finally:
            sending.cancel()
        try:
            return sending.result() and request.headers.get("connection", "").lower() != "close"
        except Severed as cut:
            await _sever(writer, cut.how)
        except (ConnectionError, asyncio.CancelledError):
            self.disconnects += 1
        for callback in gone:
            callback()
        return False

    async def _send(self, request: Request, writer: asyncio.StreamWriter, gone: list[Callable[[], None]]) -> bool:
        sent = bytearray()
        self.sent.append(sent)
        reply = await self.faults.reply(request, self._answer_or_500)
        if reply.on_disconnect is not None:
            gone.append(reply.on_disconnect)
        await asyncio.sleep(reply.hold)
        if reply.sever is not None:
            raise Severed(reply.sever)
        length = reply.content_length
        framing = {"transfer-encoding": "chunked"} if length is None else {"content-length": str(length)}
        head = [f"HTTP/1.1 {reply.status} {REASONS.get(reply.status, 'Status')}"]
        head += [f"{name}: {value}" for name, value in {**reply.headers, **framing}.items()]
        writer.write("\r\n".join([*head, "", ""]).encode("latin-1"))
        async for piece in reply.pieces():
            if piece:
                sent += piece
                writer.write(piece if length is not None else b"%x\r\n%b\r\n" % (len(piece), piece))
                await writer.drain()
        if length is None:
            writer.write(b"0\r\n\r\n")
        await writer.drain()
        return not reply.vanish

    async def _answer_or_500(self, request: Request) -> Reply:
        try:
            return await self.answer(request)
        except ApiError as error:
            return self.vendor.refusal(error)
        except Exception as error:  # noqa: BLE001 - reported when the test ends
            self.errors.append(error)
            return Reply(500, {"content-type": "application/json"}, dumps({"error": {"message": repr(error)}}))


async def _read_byte(reader: asyncio.StreamReader) -> bytes:
    try:
        return await reader.read(1)
    except ConnectionError:
        return b""


async def _read_request(first: bytes, reader: asyncio.StreamReader) -> Request | None:
    if not first:
        return None
    head = (first + await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    method, target, _ = head[0].split(" ", 2)
    fields = (line.partition(":") for line in head[1:] if line)
    headers = {name.strip().lower(): value.strip() for name, _, value in fields}
    body = await reader.readexactly(int(headers.get("content-length", 0)))
    parts = urlsplit(target)
    return Request(method, unquote(parts.path), dict(parse_qsl(parts.query, keep_blank_values=True)), headers, body)


async def _sever(writer: asyncio.StreamWriter, how: How) -> None:
    if how == "eof":
        writer.close()
        return
    raw: socket.socket = writer.get_extra_info("socket")
    # Linger 0 makes close() send RST instead of FIN, and drop what the client has not acknowledged: wait for that.
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    deadline = time.monotonic() + 1
    while _unacknowledged(raw) and time.monotonic() < deadline:  # noqa: ASYNC110 - the kernel sets no event
        await asyncio.sleep(0.002)
    writer.transport.abort()


def _unacknowledged(raw: socket.socket) -> int:
    return int.from_bytes(fcntl.ioctl(raw.fileno(), termios.TIOCOUTQ, bytes(4)), sys.byteorder)


@contextlib.contextmanager
def refused_port() -> Iterator[int]:
    """A port on which nobody listens, and which nobody else gets while the block lasts."""
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        yield int(holder.getsockname()[1])

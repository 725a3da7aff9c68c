"""Reading a steady stream: several chunks at a time, and nothing else is held up."""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from asstproxy.provider import HttpTransport
from servers.certificates import self_made

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: %s\r\nTransfer-Encoding: chunked\r\n\r\n"
EVENT = b'data: {"n": %d}\n\n'
APART = 0.002
"""Seconds between two chunks that did not come in one read."""

Send = Callable[[asyncio.StreamWriter], AsyncIterator[None]]


@asynccontextmanager
async def _serving(send: Send, context: ssl.SSLContext | None = None) -> AsyncIterator[HttpTransport]:
    """A server that answers every request with what `send` writes, and what asks it."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        async for _ in send(writer):
            await writer.drain()
        writer.write(b"0\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(answer, "localhost" if context else "127.0.0.1", 0, ssl=context)
    port = server.sockets[0].getsockname()[1]
    transport = HttpTransport(f"https://localhost:{port}" if context else f"http://127.0.0.1:{port}", {})
    try:
        yield transport
    finally:
        await transport.aclose()
        server.close()


def _write(writer: asyncio.StreamWriter, data: bytes) -> None:
    writer.write(b"%x\r\n%s\r\n" % (len(data), data))


async def _steady(writer: asyncio.StreamWriter) -> AsyncIterator[None]:
    """An event every 4 milliseconds, by the clock."""
    writer.write(HEAD % b"text/event-stream")
    began = time.monotonic()
    for n in range(150):
        _write(writer, EVENT % n)
        yield
        await asyncio.sleep(max(0.0, began + 0.004 * n - time.monotonic()))


@pytest.mark.parametrize("encrypted", [False, True])
async def test_a_steady_stream_wakes_us_25_times_a_second(
    encrypted: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """150 events in 0.6 s: the first ones come one by one, the others about ten at a time; none is missing."""
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    context = self_made(tmp_path / "ca.pem", "localhost") if encrypted else None
    seen: list[object] = []
    moments, last = 0, 0.0
    async with _serving(_steady, context) as transport:
        async for together in transport.events("GET", "/stream"):
            now = time.monotonic()
            moments += now - last > APART
            last = now
            seen += [event["n"] for event in together]
    assert seen == list(range(150))
    assert moments <= 20 + 0.6 * 25 + 10


async def test_a_file_is_read_as_fast_as_it_comes() -> None:
    """16 MB in pieces of 4 KB: at 25 reads a second they would take ten seconds."""
    line = b"x" * 4095 + b"\n"

    async def send(writer: asyncio.StreamWriter) -> AsyncIterator[None]:
        writer.write(HEAD % b"text/plain")
        for _ in range(4096):
            _write(writer, line)
            yield

    async with _serving(send) as transport, asyncio.timeout(9):
        assert len([one async for one in transport.lines("/file")]) == 4096

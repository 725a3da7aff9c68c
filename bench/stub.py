"""The stub server: `python stub.py` prints its port and serves until its standard input is closed.

The address says what it does: `/{answer}/{tokens a second}/v1/responses`, or `…/v1/chat/completions`; 0 is as fast as the
reader reads. `GET /last` tells when the last request had arrived, when its first token went out, and its last byte, by the
clock that all processes of the machine share (`time.monotonic_ns`).
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
import time
from asyncio import StreamReader, StreamWriter

from wire import streamed, whole

SLAB = 64 * 1024
STREAM = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
REPLY = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s"

last: dict[str, int] = {}


async def main() -> None:
    """Serve until nobody needs it."""
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.to_thread(sys.stdin.read)
    server.close()


async def serve(reader: StreamReader, writer: StreamWriter) -> None:
    """Answer one connection's requests."""
    with contextlib.suppress(OSError, asyncio.IncompleteReadError):
        while await answer(reader, writer):
            pass
    writer.close()


async def answer(reader: StreamReader, writer: StreamWriter) -> bool:
    """Answer one request; False: there is none any more."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    path = head.split(" ", 2)[1]
    length = next((int(line[15:]) for line in head.lower().split("\r\n") if line.startswith("content-length:")), 0)
    body = await reader.readexactly(length)
    if path == "/last":
        reply = json.dumps(last).encode()
        writer.write(REPLY % (len(reply), reply))
        return True
    arrived = time.monotonic_ns()
    _, what, rate, _, *api = path.split("/")
    kind = "responses" if api == ["responses"] else "chat"
    if not json.loads(body).get("stream"):
        reply = whole(kind, what)
        writer.write(REPLY % (len(reply), reply))
    else:
        before, tokens, after = streamed(kind, what)
        writer.write(STREAM)
        chunk(writer, before)
        first = time.monotonic_ns()
        await (paced(writer, tokens, float(rate)) if rate != "0" else fast(writer, tokens))
        chunk(writer, after)
        writer.write(b"0\r\n\r\n")
        last.update(arrived=arrived, first=first, end=time.monotonic_ns())
    await writer.drain()
    return True


async def paced(writer: StreamWriter, tokens: tuple[bytes, ...], rate: float) -> None:
    """Send the tokens at their times, by the clock: a late one does not make the next ones late."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    for number, token in enumerate(tokens):
        if (wait := began + number / rate - loop.time()) > 0:
            await asyncio.sleep(wait)
        chunk(writer, token)


async def fast(writer: StreamWriter, tokens: tuple[bytes, ...]) -> None:
    """Send the tokens as fast as they are read."""
    everything = b"".join(tokens)
    for at in range(0, len(everything), SLAB):
        chunk(writer, everything[at : at + SLAB])
        await writer.drain()


def chunk(writer: StreamWriter, data: bytes) -> None:
    """Send a piece of a body whose length is not known."""
    writer.write(b"%x\r\n%s\r\n" % (len(data), data))


if __name__ == "__main__":
    asyncio.run(main())

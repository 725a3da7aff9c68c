"""The server of `batch.py`: `python batch_stub.py` prints its port and serves until its standard input is closed.

`POST /{seconds}/v1/responses` or `…/v1/chat/completions` answers after so many seconds, with 20 words.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
from asyncio import StreamReader, StreamWriter

from wire import whole

REPLY = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s"
REPLIES = {kind: whole(kind, "w20") for kind in ("responses", "chat")}


async def main() -> None:
    """Serve until nobody needs it."""
    server = await asyncio.start_server(serve, "127.0.0.1", 0, backlog=1024)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.to_thread(sys.stdin.read)
    server.close()


async def serve(reader: StreamReader, writer: StreamWriter) -> None:
    """Answer one connection's requests."""
    with contextlib.suppress(OSError, asyncio.IncompleteReadError):
        while True:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            _, seconds, *path = head.split(" ", 2)[1].split("/")
            lines = head.lower().split("\r\n")
            await reader.readexactly(next((int(line[15:]) for line in lines if line.startswith("content-length:")), 0))
            if float(seconds):
                await asyncio.sleep(float(seconds))
            reply = REPLIES["responses" if path[-1] == "responses" else "chat"]
            writer.write(REPLY % (len(reply), reply))
            await writer.drain()
    writer.close()


if __name__ == "__main__":
    asyncio.run(main())

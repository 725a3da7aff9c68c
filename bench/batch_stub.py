"""The server of `batch.py`: `python batch_stub.py` prints its port and serves until its standard input is closed.

`POST /{seconds}/v1/responses` or `…/v1/chat/completions` answers after so many seconds, with 20 words. `…/v1/files` and
`…/v1/batches` are OpenAI's batch API: a batch has ended at the first look.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import sys
from asyncio import StreamReader, StreamWriter

from wire import whole

REPLY = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s"
REPLIES = {kind: whole(kind, "w20") for kind in ("responses", "chat")}

ONE = b" ".join(REPLIES["responses"].split(b"\n"))
FILES: list[list[bytes]] = []
"""The names of the requests in each file."""


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
            size = next((int(line[15:]) for line in lines if line.startswith("content-length:")), 0)
            body = await (whole_body(reader) if "transfer-encoding: chunked" in lines else reader.readexactly(size))
            if float(seconds):
                await asyncio.sleep(float(seconds))
            if path[1] in ("files", "batches"):
                reply = batched(head, body)
            else:
                reply = REPLIES["responses" if path[-1] == "responses" else "chat"]
            writer.write(REPLY % (len(reply), reply))
            await writer.drain()
    writer.close()


async def whole_body(reader: StreamReader) -> bytes:
    """A body in chunks."""
    pieces = list[bytes]()
    while size := int((await reader.readline()).split(b";")[0], 16):
        pieces.append(await reader.readexactly(size))
        await reader.readline()
    await reader.readline()
    return b"".join(pieces)


def batched(head: str, body: bytes) -> bytes:
    """What the batch API answers: files and batches are numbered, and a batch has the number of its file."""
    method, where = head.split(" ", 2)[:2]
    number = where.rstrip("/").split("/")[-1]
    if method == "POST" and number == "files":
        FILES.append(re.findall(rb'"custom_id":"([^"]+)"', body))
        return json.dumps({"id": f"{len(FILES) - 1}"}).encode()
    if method == "POST":
        return json.dumps({"id": json.loads(body)["input_file_id"], "status": "validating"}).encode()
    if number == "content":
        names = FILES[int(where.split("/")[-2])]
        return b"".join(b'{"custom_id":"%s","response":{"status_code":200,"body":%s}}\n' % (one, ONE) for one in names)
    return json.dumps({"id": number, "status": "completed", "output_file_id": number}).encode()


if __name__ == "__main__":
    asyncio.run(main())

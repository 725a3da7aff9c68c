"""Fetching a file from an address that a person names: redirects, lies and endless answers."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest

from asstproxy import UsageError, read_attachment
from asstproxy.files.fetching import fetch
from pictures import PNG
from servers import Reply, Request, Server


async def _endless() -> AsyncIterator[bytes]:
    while True:
        yield b"drip\n"
        await asyncio.sleep(0.01)


async def _serve(request: Request) -> Reply:
    match request.path:
        case "/pictures/chart.png":
            return Reply(200, {"content-type": "text/html; charset=utf-8"}, PNG)
        case "/there":
            return Reply(302, {"location": "/pictures/chart.png"})
        case "/round":
            return Reply(302, {"location": "/round"})
        case "/away":
            return Reply(302, {"location": "file:///etc/passwd"})
        case "/endless":
            return Reply(200, {}, _endless())
    return Reply(404, {}, b"<html>no</html>")


async def test_the_bytes_decide_and_not_the_server() -> None:
    """A picture that is served as a web page, behind a redirect, is a picture; its name is that of the address."""
    with Server(_serve) as server:
        for path in ("/pictures/chart.png", "/there"):
            read = await read_attachment(server.url + path)
            assert (read.attachment.media_type, read.attachment.name) == ("image/png", "chart.png")


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("/round", "more than 5 redirects"),
        ("/away", "redirects to something other than http"),
        ("/none", "HTTP 404"),
    ],
)
async def test_what_can_t_be_fetched_is_one_line(path: str, said: str) -> None:
    """Redirects have an end and lead to the web only; a refusal is not taken for the file."""
    with Server(_serve) as server, pytest.raises(UsageError, match=said):
        await read_attachment(server.url + path)


async def test_an_answer_without_end_is_given_up() -> None:
    """A server that never ends is given up after so many seconds, or so many bytes."""
    with Server(_serve) as server:
        with pytest.raises(UsageError, match=r"did not arrive within 0 seconds"):
            await fetch(f"{server.url}/endless", within=0.3)
        with pytest.raises(UsageError, match="too large: more than 20 bytes"):
            await fetch(f"{server.url}/endless", limit=20)


async def test_a_server_that_is_not_there_is_one_line() -> None:
    """No connection: one line, which has no password in it."""
    with pytest.raises(UsageError, match=r"http://127.0.0.1:9/x.png can't be fetched") as raised:
        await read_attachment("http://me:secret@127.0.0.1:9/x.png?token=secret")
    assert "secret" not in str(raised.value)


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("http://", "it names no server"),
        ("http:///chart.png", "it names no server"),
        ("http://127.0.0.1:99999/chart.png", "Port out of range 0-65535"),
        ("http://[::1", "Invalid IPv6 URL"),
    ],
)
async def test_an_address_that_is_none_is_one_line(address: str, said: str) -> None:
    """Also where a redirect leads there; nothing is connected to."""
    with pytest.raises(UsageError) as raised:
        await read_attachment(address)
    assert str(raised.value) == f"{address} can't be fetched: {said}."

    async def answer(_: Request) -> Reply:
        return Reply(302, {"location": address})

    with Server(answer) as server, pytest.raises(UsageError, match="can't be fetched"):
        await read_attachment(server.url)


@pytest.mark.parametrize(
    ("size", "ends", "said"),
    [(10**12, False, "is too large: more than 500 MB"), (1000, True, "the server broke the connection off")],
)
async def test_an_announced_size_is_believed_until_it_is_missed(size: int, ends: bool, said: str) -> None:
    """One beyond the limit is refused before the file arrives; one that isn't reached is a broken connection."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\nbytes" % size)
        await writer.drain()
        with contextlib.suppress(ConnectionError):
            if not ends:
                await reader.read()
            writer.close()
            await writer.wait_closed()
        left.set()

    left = asyncio.Event()
    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(UsageError, match=said):
            await fetch(f"http://127.0.0.1:{port}/a.png", within=20)
        await asyncio.wait_for(left.wait(), 20)

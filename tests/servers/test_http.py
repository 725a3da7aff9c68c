"""The raw server: what it records, what it counts, and how it stops."""

import asyncio
import gc
import threading
import time

import httpx2
import pytest

from .http import Server, refused_port
from .wire import Reply, Request


async def pong(request: Request) -> Reply:
    return Reply.json({"path": request.path, "query": dict(request.query), "body": request.json})


async def hang(request: Request) -> Reply:
    await asyncio.sleep(3600)
    return await pong(request)


async def trickle(request: Request) -> Reply:
    return Reply(body=[b"one", 0.02, b"two", 3600, b"three"])


def test_requests_are_recorded_and_connections_reused() -> None:
    """Path, query, headers and body are there for the test to look at."""
    with Server(pong) as server, httpx2.Client() as client:
        answer = client.post(f"{server.url}/a%20b?x=1&y=", json={"ü": 1}, headers={"X-Thing": "z"})
        assert answer.json() == {"path": "/a b", "query": {"x": "1", "y": ""}, "body": {"ü": 1}}
        client.get(f"{server.url}/again")
        assert [str(request) for request in server.requests] == ["POST /a b", "GET /again"]
        assert server.requests[0].headers["x-thing"] == "z"
        assert (server.connections, server.open_connections) == (1, 1)
    assert server.disconnects == 0


def test_a_client_that_leaves_is_counted() -> None:
    """In the middle of an answer is a disconnect; after it, it is not."""
    with Server(trickle) as server:
        with httpx2.Client() as client, client.stream("GET", server.url) as answer:
            assert next(answer.iter_bytes()) == b"one"
        server.wait_for(lambda server: server.disconnects == 1)
        server.wait_for(lambda server: server.open_connections == 0)


async def test_a_client_that_loses_patience_is_counted() -> None:
    """Before the first byte too."""
    async with httpx2.AsyncClient() as client:
        with Server(hang) as server:
            waiting = asyncio.create_task(client.get(server.url))
            await server.eventually(lambda server: len(server.requests) == 1)
            waiting.cancel()
            await asyncio.wait({waiting})
            await server.eventually(lambda server: (server.disconnects, server.open_connections) == (1, 0))


async def test_hanging_handlers_do_not_hold_up_the_end() -> None:
    """The server stops at once, its thread and its sockets with it, whatever is going on."""
    before = set(threading.enumerate())
    async with httpx2.AsyncClient() as client:
        with Server(hang) as silent, Server(trickle) as slow:
            waiting = [asyncio.create_task(client.get(server.url)) for server in (silent, slow) for _ in range(3)]
            await silent.eventually(lambda server: len(server.requests) == 3)
            await slow.eventually(lambda server: len(server.requests) == 3)
            started = time.monotonic()
        assert time.monotonic() - started < 20
        ended = await asyncio.gather(*waiting, return_exceptions=True)
    assert all(isinstance(end, httpx2.TransportError) for end in ended)
    gc.collect()  # an unclosed socket would warn, and warnings are errors here
    assert "test-server" not in {thread.name for thread in set(threading.enumerate()) - before}


def test_nobody_listens_on_a_refused_port() -> None:
    """The connection is refused, not accepted by some other program."""
    with refused_port() as port, pytest.raises(httpx2.ConnectError):
        httpx2.get(f"http://127.0.0.1:{port}/")

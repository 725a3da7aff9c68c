"""What a hostile page, file, model or tool tries against the page's server, and what it gets."""

from __future__ import annotations

import base64
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from servers import Call, ResponsesServer, Say, Script

from .conftest import Page, WebProcess
from .served import Served

MOST = 200
HOSTILE_NAMES = [
    '"><img src=x onerror=alert(1)>.png',
    "../../../../etc/cron.d/evil.txt",
    "a\r\nX-Evil: 1\r\n\r\n<script>.txt",
    "..\\..\\evil.html",
    "\u202egnp.exe.html",
    "x" * 5000 + ".svg",
]


def _streams(web: Served, page: Page, session: str, number: int) -> list[socket.socket]:
    """So many streams of records that were opened, and of which nothing more is read than the status."""
    cookie = "; ".join(f"{name}={value}" for name, value in page.client.cookies.items())
    head = f"GET /api/sessions/{session}/events HTTP/1.1\r\nhost: 127.0.0.1:{web.port}\r\ncookie: {cookie}\r\n\r\n"
    opened = [socket.create_connection(("127.0.0.1", web.port), timeout=20) for _ in range(number)]
    for one in opened:
        one.sendall(head.encode())
    for one in opened:
        assert one.recv(12) == b"HTTP/1.1 200"
    return opened


@pytest.fixture
def opened() -> Iterator[list[socket.socket]]:
    """Connections that are closed at the end."""
    made: list[socket.socket] = []
    yield made
    for one in made:
        one.close()


def _memory(process: int) -> int:
    line = next(line for line in Path(f"/proc/{process}/status").read_text().splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) * 1024


@pytest.mark.slow("an answer of 2 MB to thirty readers")
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory is read from /proc")
def test_readers_that_never_read_cost_nothing(provider: ResponsesServer, opened: list[socket.socket]) -> None:
    """Thirty of them, an answer of 2 MB: the others get all of it, and the server keeps no copy for each."""
    piece = "x" * 20_000 + "\n\n"
    provider.brain = Script([Say("first")], [Say(piece * 100, pieces=[piece] * 100)])
    with WebProcess("-p", "gpt") as web:
        page = Page(web)
        session = page.send("hi", profile="gpt")
        page.watch(session).until_state("completed")
        opened += _streams(web, page, session, 30)
        before = _memory(web.pid)
        page.send("much", session)
        watch = page.watch(session).until(
            lambda w: len(w.text) >= len(piece) * 100 and w.records[-1]["state"] == "completed"
        )
        assert watch.text == "first" + piece * 100
        assert _memory(web.pid) - before < 50_000_000  # 20 to 30 MB with one reader; 80 MB when each had its own copy


def test_streams_are_limited(page: Page, web: Served, opened: list[socket.socket]) -> None:
    """The 201st is refused in one line, while requests are answered; once another one is closed, there is room again."""
    session = page.send("hi", profile="gpt")
    page.watch(session).until_state("completed")
    opened += _streams(web, page, session, MOST - 1)
    for one in opened:
        while b"event: records" not in one.recv(65536):
            pass
    refused = page.get(f"/sessions/{session}/events")
    assert (refused.status_code, refused.json()["error"]) == (503, "Too many pages are open.")
    assert page.get("/sessions").status_code == 200
    opened.pop().close()
    deadline = time.monotonic() + 20
    status = 0
    while status != 200:  # the server notices the end of a stream a moment later
        assert time.monotonic() < deadline
        with page.client.stream("GET", f"/api/sessions/{session}/events") as response:
            status = response.status_code


@pytest.mark.parametrize("name", HOSTILE_NAMES, ids=lambda name: ascii(name)[:20])
def test_the_name_of_a_file_is_only_a_name(page: Page, name: str, tmp_path: Path) -> None:
    """It leads nowhere, adds no header, and what it names is saved by the browser, not shown."""
    content = base64.b64encode(b"<script>alert(1)</script>").decode()
    answer = page.post("/messages", {"text": "read", "profile": "gpt", "files": [{"name": name, "data": content}]})
    if answer.status_code != 200:
        assert answer.status_code == 400
        assert set(answer.json()) == {"error", "hint"}
        return
    session = answer.json()["session"]
    records = page.watch(session).until_state("completed").records
    (file,) = next(r["attachments"] for r in records if r["type"] == "set_user_message")
    assert file["name"].isprintable()
    assert not set(file["name"]) & set("/\\")
    assert len(file["name"]) <= 255
    got = page.get(f"/sessions/{session}/files/{file['sha256']}")
    assert got.content == b"<script>alert(1)</script>"
    assert got.headers["content-type"] == "application/octet-stream"
    assert got.headers["content-disposition"] == "attachment"
    assert "x-evil" not in got.headers
    assert not [path for path in tmp_path.rglob("*evil*") if "asst-data" not in path.parts]


@pytest.mark.parametrize("sha256", ["../../web-secret", "..%2f..%2fweb-secret", "%2e%2e/web-secret", "0" * 64, "*"])
def test_the_address_of_a_file_leads_to_files_of_the_session_only(page: Page, sha256: str) -> None:
    """Not to the secret of the cookies, nor to anything else in the data dir."""
    session = page.send("hi", profile="gpt")
    assert page.get(f"/sessions/{session}/files/{sha256}").status_code in (400, 404)
    assert page.get("/sessions/..%2f..%2fweb-secret").status_code in (400, 404)


def test_an_approval_is_no_get(page: Page, provider: ResponsesServer) -> None:
    """Nothing that changes something answers to GET, and an image or a link can send nothing else."""
    session = page.send("hi", profile="gpt")
    for path in ("approval", "stop", "resume", "fork", "title", "close", "delete"):
        assert page.get(f"/sessions/{session}/{path}").status_code in (404, 405)
    assert page.get("/messages").status_code in (404, 405)
    assert page.get(f"/sessions/{session}").status_code == 200


def test_a_call_that_fits_no_schema_runs_nothing(provider: ResponsesServer, tmp_path: Path) -> None:
    """Neither from the model nor from the person's edit; the problem is one line of JSON, and it is asked on."""
    from .served import ServedPage
    from .test_server import _with_tool

    ran = tmp_path / "ran"
    _with_tool(tmp_path, ran)
    provider.brain = Script([Call("note", {"text": "milk"})], [Say("Noted.")])
    with ServedPage("work") as web:
        page = Page(web)
        session = page.send("note", profile="work")
        watch = page.watch(session).until(lambda w: w.status.get("asked"))
        (asked,) = watch.status["asked"]
        edits: list[Any] = ['{"text": ["<b>"]}', "<script>", '{"text": "a", "more": 1}', "[" * 100_000, "{}", "null"]
        for arguments in edits:
            body = {"answers": {asked["id"]: {"answer": "yes", "arguments": arguments}}}
            answer = page.post(f"/sessions/{session}/approval", body)
            assert answer.status_code == 400, arguments
            assert "\n" not in answer.json()["error"]
            assert not ran.exists()
        assert (
            page.post(f"/sessions/{session}/approval", {"answers": {asked["id"]: {"answer": "yes"}}}).status_code == 200
        )
        watch.until_state("completed")
    assert ran.read_text() == "milk"


def test_the_token_is_in_no_output(provider: ResponsesServer) -> None:
    """The address is printed once; no log line repeats it, whatever is asked with it."""
    with WebProcess("-p", "gpt") as web:
        page = Page(web)
        for address in (f"/?token={web.token}", f"/api/sessions?token={web.token}", f"/nothing?token={web.token}"):
            page.client.get(address, headers={"referer": f"{web.origin}/?token={web.token}"})
        with socket.create_connection(("127.0.0.1", web.port), timeout=20) as raw:
            raw.sendall(f"GET /?token={web.token} HTTP/9\r\n\x00broken\r\n\r\n".encode())
            assert web.token.encode() not in raw.recv(65536)
        session = page.send("hi", profile="gpt")
        records = page.watch(session).until_state("completed").records
        assert web.token not in str(records)
        web.process.terminate()
        printed, errors = web.process.communicate(timeout=20)
    assert web.token not in printed + errors

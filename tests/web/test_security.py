"""The page's server talks to the person's browser and this page only."""

from __future__ import annotations

import socket
import stat
from pathlib import Path
from typing import Any

import pytest

from servers import ResponsesServer

from .conftest import Page, WebProcess
from .served import Served, ServedPage


def test_it_listens_on_loopback_only() -> None:
    """The address is 127.0.0.1; the token is long and random."""
    with WebProcess("-p", "gpt") as web, ServedPage("gpt") as other:
        assert web.address.startswith("http://127.0.0.1:")
        assert len(web.token) >= 32
        assert other.token != web.token


def test_others_on_the_network_need_the_token(provider: ResponsesServer) -> None:
    """With `--host 0.0.0.0`, one line warns of plain HTTP; any name counts as `Host`; without the token there is nothing."""
    with WebProcess("-p", "gpt", "--host", "0.0.0.0") as web:  # noqa: S104 - what is tested
        name = {"host": f"my-machine.local:{web.port}"}
        assert web.client().get("/api/sessions", headers=name).status_code == 401
        assert web.client().get("/", headers=name, params={"token": "guess"}).status_code == 403
        assert web.client().get("/", headers=name, params={"token": web.token}).status_code == 200
        assert Page(web).post("/messages", {"text": "hi"}, origin="http://evil.example").status_code == 403
        web.process.terminate()
        _, errors = web.process.communicate(timeout=20)
    assert errors.count("\n") == 1
    assert "isn't encrypted" in errors


@pytest.mark.parametrize(
    "host",
    ["evil.example", "evil.example:{port}", "127.0.0.1.evil.example", "", "localhost@evil.example", "[::1].evil"],
)
def test_a_rebound_name_is_refused(page: Page, host: str) -> None:
    """Whatever other name leads here, also with the cookie: 400, and not a word of a session."""
    for path in ("/", "/api/sessions", "/api/about"):
        answer = page.client.get(path, headers={"host": host.format(port=page.web.port)})
        assert answer.status_code == 400
        assert answer.headers["content-type"] == "application/json"


def test_without_the_token_there_is_nothing(web: Served, page: Page) -> None:
    """No cookie, a wrong one, a wrong token: refused, on every path."""
    stranger = web.client()
    for path in ("/", "/index.html", "/api/about", "/api/sessions", "/api/sessions/x/events", "/style.css"):
        assert stranger.get(path).status_code == 401
        assert stranger.get(path, params={"token": "wrong"}).status_code == 403
        assert stranger.get(path, headers={"cookie": f"asst-{web.port}=guess"}).status_code == 401


def test_the_cookie_is_out_of_reach(web: Served, page: Page) -> None:
    """No script reads it, no other site sends it, and the token isn't in it; the address is left at once."""
    answer = web.client().get("/", params={"token": web.token})
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert web.token.lower() not in cookie
    assert 'content="0;url=/"' in answer.text


@pytest.mark.parametrize(
    "changed",
    [
        {"origin": "http://evil.example"},
        {"origin": "null"},
        {"origin": ""},
        {"origin": "http://127.0.0.1:1"},
        {"x-asst": None},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
    ],
    ids=str,
)
def test_a_request_of_another_page_changes_nothing(page: Page, changed: dict[str, Any]) -> None:
    """Even with the cookie: wrong or no origin, no header of ours."""
    headers = {"origin": page.web.origin, "x-asst": "1"} | changed
    answer = page.client.post(
        "/api/messages",
        json={"text": "hi", "profile": "gpt"},
        headers={k: v for k, v in headers.items() if v is not None},
    )
    assert answer.status_code == 403
    assert page.get("/sessions").json() == []


def test_nothing_is_allowed_across_origins(page: Page) -> None:
    """A preflight gets no permission, and no answer has an Access-Control header."""
    for method in ("OPTIONS", "GET"):
        answer = page.client.request(
            method, "/api/sessions", headers={"origin": "http://evil.example", "access-control-request-method": "POST"}
        )
        assert not [name for name in answer.headers if name.startswith("access-control")]


def test_every_answer_has_the_policy(page: Page) -> None:
    """Scripts and styles from here only, none inline; no frame, no sniffing, no referrer, nothing kept."""
    for path in ("/", "/api/sessions", "/api/nothing", "/nothing.js"):
        headers = page.client.get(path).headers
        policy = headers["content-security-policy"]
        assert "default-src 'self'" in policy
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
    assert page.client.get("/api/sessions").headers["cache-control"] == "no-store"


def test_bodies_are_bounded(web: Served, page: Page) -> None:
    """A request that says it is too long is refused; one that doesn't say so is cut off."""
    cookie = "; ".join(f"{name}={value}" for name, value in page.client.cookies.items())
    head = (
        f"POST /api/messages HTTP/1.1\r\nhost: 127.0.0.1:{web.port}\r\norigin: {web.origin}\r\nx-asst: 1\r\n"
        f"cookie: {cookie}\r\n"
    )
    with socket.create_connection(("127.0.0.1", web.port), timeout=20) as raw:
        raw.sendall(f"{head}content-length: 99999999999\r\n\r\n".encode())
        assert raw.recv(12) == b"HTTP/1.1 413"
    with socket.create_connection(("127.0.0.1", web.port), timeout=20) as raw:
        raw.sendall(f"{head}transfer-encoding: chunked\r\n\r\n".encode())
        piece = b"100000\r\n" + b"x" * 0x100000 + b"\r\n"
        refused = False
        for _ in range(100):  # 100 MB
            try:
                raw.sendall(piece)
            except OSError:
                refused = True
                break
        assert refused or not raw.recv(12).startswith(b"HTTP/1.1 200")
    assert page.get("/sessions").status_code == 200


def test_no_file_but_the_pages_own(page: Page) -> None:
    """Paths that lead out of the folder find nothing."""
    for path in ("/../app.py", "/%2e%2e/app.py", "/..%2fapp.py", "/app.py", "//etc/passwd", "/static/../app.py"):
        assert page.client.get(path).status_code in (400, 404)


def test_the_key_never_reaches_the_page(page: Page, tmp_path: Path) -> None:
    """Neither in what it gets about profiles, nor in a session; the secret of the cookies is the user's alone."""
    session = page.send("hi", profile="gpt")
    page.watch(session).until_state("completed")
    key = "test"
    for path in ("/about", "/sessions", f"/sessions/{session}"):
        assert f"sk-{key}" not in page.get(path).text
    (secret,) = tmp_path.rglob("web-secret")
    assert stat.S_IMODE(secret.stat().st_mode) == 0o600


def test_hostile_text_is_text(page: Page, provider: Any) -> None:
    """HTML and dangerous links in an answer are neither elements nor links in the blocks that the page shows."""
    from servers import Say

    hostile = (
        "<script>alert(1)</script> <img src=x onerror=alert(1)>\n\n[x](javascript:alert(1)) ![i](http://evil.example/i.png)\n\n"
        "```html\n<script>alert(2)</script>\n```\n\n| <b>a</b> |\n|---|\n| <svg onload=alert(3)> |\n"
    )
    provider.brain = lambda _: [Say(hostile)]
    session = page.send("hi", profile="gpt")
    watch = page.watch(session).until_state("completed")
    watch.until(lambda w: w.blocks and w.blocks[-1]["end"] == len(hostile))
    html = "".join(block["html"] for block in watch.blocks)
    for bad in ("<script", "<img", "<svg", "<b>", 'href="javascript', "onerror=alert(1)>"):
        assert bad not in html.replace("&lt;", "")

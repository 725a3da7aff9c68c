"""MCP servers behind a URL that answer in forms of their own: what can be read is read, anything else fails at once."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

pytest.importorskip("mcp")

from .mcp_rig import ask, listed, names, servers

PROGRESS = {"jsonrpc": "2.0", "method": "notifications/message", "params": {"level": "info", "data": "working"}}
JSON = "application/json"


def body(form: str, answer: dict[str, Any]) -> tuple[str, bytes]:
    """The content type and the body of an answer."""
    match form:
        case "bom":
            return JSON, b"\xef\xbb\xbf" + json.dumps(answer).encode()
        case "latin1":
            return JSON, json.dumps(answer, ensure_ascii=False).encode("latin-1")
        case "pretty":
            return f"{JSON}; charset=utf-8", json.dumps(answer, indent=2).encode()
        case "batch":
            return JSON, json.dumps([PROGRESS, answer]).encode()
        case "no type":
            return "", json.dumps(answer).encode()
        case "text":
            return "text/plain", json.dumps(answer).encode()
        case "no version":
            return JSON, json.dumps({"id": answer["id"], "result": answer["result"]}).encode()
        case "stream":
            return "text/event-stream", f"data: {json.dumps(answer)}\n\n".encode()
        case "page":
            return "text/html", b"<!doctype html>\n<title>Log in</title>"
        case "comma":
            return JSON, json.dumps(answer).encode()[:-1] + b",}"
        case "huge":
            return JSON, json.dumps(answer | {"padding": "x" * 17_000_000}).encode()
        case "empty":
            return JSON, b""
    return JSON, json.dumps(answer).encode()


@contextmanager
def serving(form: str, form_of_calls: str | None = None) -> Iterator[str]:
    """The URL of a server that answers in this form."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            request = json.loads(self.rfile.read(int(self.headers["content-length"])))
            results = {
                "initialize": {"protocolVersion": "2025-06-18", "capabilities": {}, "serverInfo": {}},
                "tools/list": {"tools": [listed("echo", None), listed("bad", [])]},
                "tools/call": {"content": "café"},
            }
            if "id" not in request:
                self._answer(202, "", b"")
                return
            answer: dict[str, Any] = {"jsonrpc": "2.0", "id": request["id"]}
            if request["method"] in results:
                answer["result"] = results[request["method"]]
                calling = request["method"] == "tools/call"
                self._answer(200, *body(form_of_calls or form if calling else form, answer))
            else:
                self._answer(200, JSON, json.dumps(answer | {"error": {"code": -32601, "message": "no"}}).encode())

        def do_GET(self) -> None:
            self._answer(405, "", b"")

        do_DELETE = do_GET  # noqa: N815 - the name that http.server calls

        def _answer(self, status: int, kind: str, content: bytes) -> None:
            self.send_response(status)
            if kind:
                self.send_header("content-type", kind)
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/mcp"
        finally:
            server.shutdown()


@pytest.mark.parametrize("form", ["bom", "latin1", "pretty", "batch", "no type", "text", "no version", "stream"])
async def test_an_answer_in_a_form_of_its_own_is_read(form: str) -> None:
    """The greeting, the list with its odd schemas, and the result."""
    with serving(form) as url:
        async with servers(s={"url": url, "timeout": 10}) as box:
            assert (names(box), box.notices) == (["s_echo", "s_bad"], [])
            outcome = await ask(box, "s_echo")
            assert (outcome.output, outcome.error) == ("café", None)


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ("page", "line 1 of its answer isn't a JSON-RPC message: <!doctype html>"),
        ("comma", 'line 1 of its answer isn\'t a JSON-RPC message: {"jsonrpc"'),
        ("empty", "its answer is empty"),
        ("huge", "its answer has more than 16,777,216 bytes"),
    ],
)
async def test_an_answer_that_cannot_be_read_fails_at_once(form: str, said: str) -> None:
    """The failure quotes it; for the first one of all, the tools of the server are missing."""
    with serving("plain", form) as url:
        async with servers(s={"url": url}) as box:
            began = time.monotonic()
            error = (await ask(box, "s_echo")).error
            assert time.monotonic() - began < 25
            assert error is not None
            assert error.startswith(f"The MCP server 's' failed: {said}")
    with serving(form) as url:
        async with servers(s={"url": url}) as box:
            (notice,) = box.notices
            assert said in notice

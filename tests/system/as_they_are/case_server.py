"""A server that answers the nth POST with the nth prepared answer, byte by byte: those of other people's servers."""

from __future__ import annotations

import json
import socketserver
import ssl
import threading
import time
from typing import Any

from servers.threaded import ThreadedServer

__all__ = ["CaseServer", "reply", "sse"]

NO_LINE_FEED = b"%nolf\n"


class CaseServer(ThreadedServer):
    """Serves on 127.0.0.1 while the `with` block lasts. `bodies` are the JSON bodies of the requests, `asked` their first lines.

    An answer: status line and headers, an empty line, the body. There, `%sleep N` on a line of its own waits N seconds, `%hang`
    waits until the client leaves, and `%nolf` at the end takes the last line feeds away.
    """

    def __init__(self, *answers: bytes, models: bytes = b"", tls: ssl.SSLContext | None = None) -> None:
        self.bodies: list[Any] = []
        self.asked: list[str] = []
        self.answers = answers
        self.models = models or b"HTTP/1.1 404 Not Found\n\n"
        self._lock = threading.Lock()
        super().__init__(_Handler)
        if tls is not None:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"

    def next_answer(self, line: str, body: bytes) -> bytes:
        """The answer to one more request; the last one again and again. The list of models does not count."""
        if line.startswith("GET ") and "/models " in line:
            return self.models
        with self._lock:
            self.asked.append(line.removesuffix(" HTTP/1.1"))
            self.bodies.append(json.loads(body or b"{}"))
            return self.answers[min(len(self.bodies), len(self.answers)) - 1]


class _Handler(socketserver.StreamRequestHandler):
    owner: CaseServer

    def handle(self) -> None:
        if not (line := self.rfile.readline()):
            return
        size = 0
        while header := self.rfile.readline().strip():
            name, _, value = header.partition(b":")
            size = int(value) if name.lower() == b"content-length" else size
        head, _, rest = self.owner.next_answer(line.decode().strip(), self.rfile.read(size)).partition(b"\n\n")
        if rest.endswith(NO_LINE_FEED):
            rest = rest.removesuffix(NO_LINE_FEED).rstrip(b"\n")
        try:
            if head:
                self.wfile.write(head.replace(b"\n", b"\r\n") + b"\r\nConnection: close\r\n\r\n")
            for line in rest.splitlines(keepends=True):
                if line.startswith(b"%sleep "):
                    time.sleep(float(line.split()[1]))
                elif line.startswith(b"%hang"):
                    self.rfile.read(1)
                else:
                    self.wfile.write(line)
        except OSError:
            pass  # the client has left


def sse(*events: Any, status: str = "200 OK", kind: str = "text/event-stream", end: str = "\n\n") -> bytes:
    """A stream. An event is an object, or a text that is sent as it is (`%hang`, `event: error`, …)."""
    lines = [event if isinstance(event, str) else f"data: {json.dumps(event)}" for event in events]
    return f"HTTP/1.1 {status}\nContent-Type: {kind}\n\n{end.join(lines)}{end}".encode()


def reply(body: Any, status: str = "200 OK", kind: str | None = "application/json", **headers: str) -> bytes:
    """A reply in one piece: JSON, or a text as it is. `kind` None: no `Content-Type`."""
    told = ({} if kind is None else {"Content-Type": kind}) | {k.replace("_", "-"): v for k, v in headers.items()}
    text = body if isinstance(body, str) else json.dumps(body)
    return "\n".join([f"HTTP/1.1 {status}", *(f"{k}: {v}" for k, v in told.items()), "", text]).encode()

"""A backend for an API over HTTP: a local server that gives the replies of a test in the format of your API."""

from __future__ import annotations

import contextlib
import json
import socket
import socketserver
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from types import TracebackType
from typing import Any, Literal, Self

from ..provider import AssistantProxy
from .backend import ReceivedRequest, Reply

__all__ = ["HttpBackend", "HttpRequest", "HttpResponse"]


@dataclass(frozen=True)
class HttpRequest:
    """A request as it arrived; `body` is the decoded JSON, `headers` have lower-case names."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: Any


@dataclass(frozen=True)
class HttpResponse:
    """What the server sends: one JSON document (`body`), or a stream of server-sent events (`events`).

    An event is JSON, or text that is sent as it is (`"[DONE]"`). `ending` is what happens after the last byte of a stream,
    or in the middle of a body: the reply is `complete`; the connection is `cut`; the server `hang`s, with the connection open
    (before it has sent anything, unless it streams).
    """

    status: int = 200
    body: Any = None
    events: Sequence[Any] | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    ending: Literal["complete", "cut", "hang"] = "complete"


class HttpBackend:
    """A `Backend` that listens at `url` inside an `async with` block. Subclass it with `proxy` and `response`.

    `requests` are all that arrived. `received` takes the model from the body; override `model_of` if it is elsewhere.
    """

    secret = "sk-test-0123456789abcdef"  # noqa: S105 - a key for tests

    def __init__(self) -> None:
        self.requests: list[HttpRequest] = []
        self._replies: list[Reply] = []
        self._errors: list[BaseException] = []
        self._active = 0
        self._lock = threading.Lock()
        self._server = _Server(self)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), name="backend")

    def proxy(self) -> AssistantProxy:
        """See `Backend`."""
        raise NotImplementedError

    def response(self, reply: Reply, request: HttpRequest) -> HttpResponse:
        """The reply to this request in the format of your API."""
        raise NotImplementedError

    def model_of(self, request: HttpRequest) -> str:
        """The model that a request asks."""
        return str(request.body["model"])

    @property
    def url(self) -> str:
        """Where the server listens, without a slash at the end."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def will_reply(self, *replies: Reply) -> None:
        """See `Backend`."""
        with self._lock:
            self._replies = list(replies)

    def received(self) -> list[ReceivedRequest]:
        """See `Backend`."""
        return [ReceivedRequest(self.model_of(request), request.body) for request in self.requests]

    def active_requests(self) -> int:
        """See `Backend`."""
        return self._active

    def open_connections(self) -> int:
        """See `Backend`."""
        return len(self._server.connections)

    def answer(self, request: HttpRequest) -> HttpResponse:
        """Take a request in, and give the next reply. The server calls it, in a thread. It has no list of models."""
        if request.method == "GET" and request.path.partition("?")[0].endswith("/models"):
            return HttpResponse(404, {"error": {"message": "This server has no list of models."}})
        with self._lock:
            self.requests.append(request)
            reply = self._replies.pop(0) if len(self._replies) > 1 else self._replies[0]
        try:
            return self.response(reply, request)
        except Exception as error:
            self._errors.append(error)
            raise

    @contextlib.contextmanager
    def working(self) -> Iterator[None]:
        """While a request is answered."""
        with self._lock:
            self._active += 1
        try:
            yield
        finally:
            with self._lock:
                self._active -= 1

    async def __aenter__(self) -> Self:
        self._thread.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.stop()
        self._thread.join()
        if self._errors:
            raise RuntimeError("The backend could not make a response.") from self._errors[0]


class _Server(socketserver.ThreadingTCPServer):  # not HTTPServer, which looks up this machine's name when it starts
    allow_reuse_address = True

    def __init__(self, backend: HttpBackend) -> None:
        self.backend = backend
        self.connections: set[socket.socket] = set()
        super().__init__(("127.0.0.1", 0), _Handler)

    def stop(self) -> None:
        self.shutdown()
        for connection in list(self.connections):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)  # ends what a handler waits for
        self.server_close()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Nothing: a client that leaves early is what many tests are about, and `answer` keeps other errors."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # else head and body of a reply are 40 ms apart

    def setup(self) -> None:
        super().setup()
        self.server.connections.add(self.connection)

    def finish(self) -> None:
        self.server.connections.discard(self.connection)
        super().finish()

    def do_POST(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length)
        if len(body) < length:  # the client has left
            self.close_connection = True
            return
        headers = {name.lower(): value for name, value in self.headers.items()}
        request = HttpRequest(self.command, self.path, headers, json.loads(body) if body else None)
        with self.server.backend.working():
            self._send(self.server.backend.answer(request))

    do_GET = do_DELETE = do_PUT = do_PATCH = do_POST  # noqa: N815

    def _send(self, response: HttpResponse) -> None:
        if response.events is None:
            if response.ending == "hang":
                self._wait_for_client()
                return
            data = json.dumps(response.body, ensure_ascii=False).encode()
            self._head(response, "application/json", ("Content-Length", str(len(data))))
            self.wfile.write(data[: len(data) // 2] if response.ending == "cut" else data)
        else:
            self._head(response, "text/event-stream", ("Transfer-Encoding", "chunked"))
            for event in response.events:
                text = event if isinstance(event, str) else json.dumps(event, ensure_ascii=False)
                data = f"data: {text}\n\n".encode()
                self.wfile.write(b"%x\r\n%b\r\n" % (len(data), data))
            if response.ending == "hang":
                self._wait_for_client()
            elif response.ending == "complete":
                self.wfile.write(b"0\r\n\r\n")
        if response.ending == "cut":
            self.close_connection = True

    def _head(self, response: HttpResponse, content_type: str, length: tuple[str, str]) -> None:
        self.send_response(response.status)
        for name, value in {"Content-Type": content_type, length[0]: length[1], **response.headers}.items():
            self.send_header(name, value)
        self.end_headers()

    def _wait_for_client(self) -> None:
        """Wait until the client closes the connection, or the server stops."""
        self.close_connection = True
        with contextlib.suppress(OSError):
            self.connection.recv(1)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - as the base class names it
        """Nothing: a test needs no access log."""

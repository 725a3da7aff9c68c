"""Two proxies on 127.0.0.1: SOCKS5 (RFC 1928) and HTTP. Whatever host is asked for, they connect to the one server of the test."""

from __future__ import annotations

import re
import socket
import socketserver
import threading

from .threaded import ThreadedServer

__all__ = ["HttpProxy", "SocksProxy"]


class _Proxy(ThreadedServer):
    """Serves while the `with` block lasts. `asked` are the `host:port` that were asked for; `target` is the server's port."""

    scheme = ""
    handler: type[_Handler]

    def __init__(self, target: int, *, refuses: bool = False) -> None:
        self.asked: list[str] = []
        self.target, self.refuses = target, refuses
        super().__init__(self.handler)

    @property
    def url(self) -> str:
        """As a proxy variable names it."""
        return f"{self.scheme}://127.0.0.1:{self.port}"


class _Handler(socketserver.BaseRequestHandler):
    owner: _Proxy

    def relay(self, first: bytes = b"") -> None:
        """Connect to the server of the test, and carry bytes both ways until one side ends."""
        with socket.create_connection(("127.0.0.1", self.owner.target), 5) as server:
            server.sendall(first)
            there = threading.Thread(target=_pump, args=(self.request, server), daemon=True)
            there.start()
            _pump(server, self.request)

    def exactly(self, count: int) -> bytes:
        """So many bytes of what the client sends."""
        data = b""
        while len(data) < count and (more := self.request.recv(count - len(data))):
            data += more
        return data


def _pump(source: socket.socket, sink: socket.socket) -> None:
    try:
        while piece := source.recv(65536):
            sink.sendall(piece)
        sink.shutdown(socket.SHUT_WR)
    except OSError:
        pass  # the other side has left


class _Socks(_Handler):
    def handle(self) -> None:
        version, methods = self.exactly(2)
        self.exactly(methods)
        self.request.sendall(bytes([version, 0]))  # no password
        _, _, _, kind = self.exactly(4)
        size = {1: 4, 4: 16}.get(kind) or self.exactly(1)[0]
        name = self.exactly(size)
        host = name.decode() if kind == 3 else socket.inet_ntop({1: socket.AF_INET, 4: socket.AF_INET6}[kind], name)
        self.owner.asked.append(f"{host}:{int.from_bytes(self.exactly(2))}")
        self.request.sendall(bytes([5, 5 if self.owner.refuses else 0, 0, 1, 0, 0, 0, 0, 0, 0]))  # 5: refused
        if not self.owner.refuses:
            self.relay()


class _Http(_Handler):
    def handle(self) -> None:
        head = b""
        while b"\r\n\r\n" not in head and (piece := self.request.recv(65536)):
            head += piece
        method, address = head.split(b" ", 2)[:2]
        self.owner.asked.append(re.sub(r"^\w+://|(?<=\w)/.*", "", address.decode()))
        if method == b"CONNECT":
            answer = b"407 Proxy Authentication Required" if self.owner.refuses else b"200 OK"
            self.request.sendall(b"HTTP/1.1 " + answer + b"\r\n\r\n")
            if not self.owner.refuses:
                self.relay()
        else:
            self.relay(head)  # the server of the test takes an absolute address, too


class SocksProxy(_Proxy):
    scheme, handler = "socks5", _Socks


class HttpProxy(_Proxy):
    scheme, handler = "http", _Http

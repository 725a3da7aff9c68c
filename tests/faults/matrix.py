"""The matrix: every provider, every way of asking, every fault, and what must come of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from asstproxy.core.assistant import AssistantProxy
from asstproxy.core.settings.config import Profile
from asstproxy.providers import connect
from servers import (
    BROKEN_FRAMINGS,
    LEGAL_FRAMINGS,
    BrokenJson,
    BrokenUtf8,
    Cut,
    Delay,
    Drop,
    Duplicate,
    ErrorEvent,
    Fault,
    Framing,
    GeminiServer,
    Gzip,
    Html,
    InteractionsServer,
    Redirect,
    ResponsesServer,
    Server,
    Split,
    Stall,
    Status,
    Swap,
    UnknownEvent,
    Vanish,
)

__all__ = ["CASES", "WAYS", "Case", "Way"]

SILENCE = 1.0
"""Seconds of a stalled answer that a proxy here puts up with."""


@dataclass(frozen=True)
class Way:
    """A provider's API, and how it is asked."""

    name: str
    server: Callable[..., Any]
    provider: str
    path: str
    stream: bool = True
    options: tuple[tuple[str, Any], ...] = ()

    def __str__(self) -> str:
        return f"{self.name}{'' if self.stream else '-unary'}"

    @contextmanager
    def open(self, brain: Any, key: str) -> Iterator[tuple[Server, AssistantProxy]]:
        """The server with this brain, and a proxy that talks to it with the key in `TEST_KEY`."""
        with self.server(brain, key=key) as server:
            address = {"base_url": server.url + self.path, "api_key_env": "TEST_KEY"}
            options = {**address, "silence": SILENCE, **dict(self.options)}
            yield server, connect(Profile("p", self.provider, model=self.model, options=options))

    @property
    def model(self) -> str:
        """The model that is asked."""
        return "gemini-3.8-flash" if self.provider == "gemini" else "gpt-6-luna"


WAYS = [
    Way(name, server, provider, path, stream, options)
    for name, server, provider, path, options in (
        ("gpt", ResponsesServer, "gpt", "/v1", ()),
        ("gpt-sdk", ResponsesServer, "gpt", "/v1", (("transport", "sdk"),)),
        ("local", ResponsesServer, "local", "/v1", ()),
        ("gemini", GeminiServer, "gemini", "", ()),
        ("interactions", InteractionsServer, "gemini", "", (("api", "interactions"),)),
    )
    for stream in (True, False)
]


@dataclass(frozen=True)
class Case:
    """A fault, and what it must come to: `completed`, `error`, `settled` (either, as the fault spoils what is said or
    not), or `error or resumed` (the whole answer, where the API can send the rest of a stream).

    `kinds` are the kinds of error that it may be. `requests`: how many may be sent at the most for one exchange.
    """

    fault: Fault
    ends: str
    kinds: frozenset[str] = frozenset()
    requests: int = 1
    streamed_only: bool = False

    def __str__(self) -> str:
        return str(self.fault)


def _fails(fault: Fault, *kinds: str, requests: int = 1, streamed_only: bool = False) -> Case:
    return Case(fault, "error", frozenset(kinds), requests, streamed_only)


def _status(status: int, *kinds: str, requests: int = 1, **how: Any) -> Case:
    return _fails(Status(status, **how), *kinds, requests=requests)


AGAIN = 3
"""Requests that the matrix' patience allows."""

BEFORE = [
    Case(Delay(0.1), "completed"),
    _fails(Stall(), "timeout"),
    _fails(Cut(), "connection"),
    _fails(Cut(how="reset"), "connection"),
    Case(Vanish(), "completed"),
    Case(Gzip(), "completed"),
    Case(Split(1), "completed"),
    Case(Split(7), "completed"),
    _fails(Html(), "protocol"),
    _fails(Redirect("/elsewhere"), "protocol"),
    _status(400, "invalid_request"),
    _status(401, "authentication"),
    _status(403, "authentication"),
    _status(404, "not_found"),
    _status(408, "timeout", requests=AGAIN),
    _status(409, "server", "invalid_request", requests=AGAIN),
    _status(413, "context_length", "invalid_request"),
    _status(422, "invalid_request"),
    _status(429, "rate_limit", "quota", requests=AGAIN),
    _status(429, "rate_limit", "quota", requests=AGAIN, retry_after=0.01),
    _status(429, "rate_limit", "quota", retry_after=300.0),
    _status(500, "server", requests=AGAIN),
    _status(503, "server", requests=AGAIN),
    _status(529, "server", requests=AGAIN),
]
MIDDLE = [
    Case(Delay(0.1, event=2), "completed", streamed_only=True),
    _fails(Stall(event=2), "timeout", streamed_only=True),
    _fails(Stall(byte=40), "timeout", streamed_only=True),
    # Interactions resume a stream that was cut, from its last event on.
    *(
        Case(
            Cut(event=2, how=how, first=1),
            "error or resumed",
            frozenset({"connection", "protocol"}),
            AGAIN,
            streamed_only=True,
        )
        for how in ("eof", "end", "reset")
    ),
    *(Case(Cut(byte=40, how=how), "error", frozenset({"connection", "protocol"})) for how in ("eof", "reset")),
    Case(Duplicate(2), "settled", streamed_only=True),
    Case(Swap(2), "settled", streamed_only=True),
    Case(Drop(2), "settled", streamed_only=True),
    Case(BrokenUtf8(2), "settled", streamed_only=True),
    _fails(BrokenJson(2), "protocol", streamed_only=True),
    Case(UnknownEvent(2), "completed", streamed_only=True),
    *(
        _fails(ErrorEvent(2, shape=shape), "server", "protocol", "connection", requests=AGAIN, streamed_only=True)
        for shape in ("flat", "nested")
    ),
    *(Case(Framing(kind), "completed", streamed_only=True) for kind in LEGAL_FRAMINGS),
    *(Case(Framing(kind), "settled", streamed_only=True) for kind in BROKEN_FRAMINGS),
]
CASES = [*BEFORE, *MIDDLE]

"""Bytes that a server sends, over a real connection, through transport and reader: the exchange settles, whatever they are."""

from __future__ import annotations

import asyncio
import functools
import json
import os
from collections.abc import AsyncIterator, Callable
from pathlib import Path

from asstproxy import Conversation, Options, Profile, Record, RetryPolicy, UserProxy, conform
from asstproxy.core.codec import decode, encode
from asstproxy.core.events import ErrorOccurred
from asstproxy.core.script import SETTLED
from asstproxy.providers import connect
from servers import Server
from servers.wire import Reply, Request

from .pieces import pieces

FIXTURES = Path(__file__).parents[2] / "fixtures"
PROVIDERS = {"responses": ("gpt", {}), "generate": ("gemini", {}), "interactions": ("gemini", {"api": "interactions"})}
KEY = "key-of-the-fuzzer"


class _Answering(Server):
    """Says the bytes to whatever it is asked: as a stream, or as one object."""

    data = b""

    async def answer(self, request: Request) -> Reply:
        self.requests.clear()
        if "stream" in request.path + str(request.query) or request.json.get("stream"):
            return Reply(200, {"content-type": "text/event-stream"}, self._pieces(self.data))
        return Reply(200, {"content-type": "application/json"}, self.data[1:])

    @staticmethod
    async def _pieces(data: bytes) -> AsyncIterator[bytes]:
        for piece in pieces(data, data[1:]):
            yield piece


@functools.cache
def _server() -> _Answering:
    return _Answering().__enter__()  # for the life of the process


def seeds(name: str) -> list[bytes]:
    """Streams as servers have sent them, and one object."""
    folder = FIXTURES / ("responses" if name == "responses" else "gemini")
    found = [b"\0" + stream(file.read_text().splitlines()) for file in sorted(folder.glob("*_stream.jsonl"))]
    found += [
        b"\0" + line.encode() for file in sorted(folder.glob("*.jsonl")) for line in file.read_text().splitlines()[-1:]
    ]
    return found if name != "interactions" else [b"\0" + stream(_INTERACTION)]


_INTERACTION = [
    '{"event_type":"interaction.created","interaction":{"id":"i","status":"in_progress","model":"m"},"event_id":"1"}',
    '{"event_type":"step.start","index":0,"step":{"type":"thought"},"event_id":"2"}',
    '{"event_type":"step.delta","index":0,"delta":{"type":"thought_signature","signature":"c2ln"},"event_id":"3"}',
    '{"event_type":"step.stop","index":0,"event_id":"4"}',
    '{"event_type":"step.start","index":1,"step":{"type":"function_call","id":"c","name":"add","arguments":{}},"event_id":"5"}',
    '{"event_type":"step.delta","index":1,"delta":{"type":"arguments_delta","arguments":"{\\"a\\":1}"},"event_id":"6"}',
    '{"event_type":"step.start","index":2,"step":{"type":"model_output"},"event_id":"7"}',
    '{"event_type":"step.delta","index":2,"delta":{"type":"text","text":"Hel"},"event_id":"8"}',
    '{"event_type":"interaction.completed","interaction":{"id":"i","status":"completed","usage":{"total_tokens":3}},"event_id":"9"}',
    "[DONE]",
]


def stream(events: list[str]) -> bytes:
    """As server-sent events."""
    said = []
    for event in events:
        kind = json.loads(event).get("type", "") if event.startswith("{") else ""
        said.append((f"event: {kind}\n" if kind else "") + f"data: {event}\n\n")
    return "".join(said).encode()


def target_of(name: str) -> Callable[[bytes], None]:
    """The target of a provider: two exchanges, one streamed and one not; a tool that may be asked for."""
    provider, options = PROVIDERS[name]

    def add(a: int = 0) -> int:
        """Add one."""
        return a + 1

    async def converse(data: bytes) -> None:
        os.environ["FUZZ_ONE"] = KEY
        server = _server()
        server.data = data
        base = server.url + ("/v1" if provider == "gpt" else "")
        profile = Profile(
            "p", provider, "m", options=options | {"base_url": base, "api_key_env": "FUZZ_ONE", "poll": 0.001}
        )
        for streamed in (True, False):
            heard: list[Record] = []
            conversation = Conversation(
                connect(profile),
                UserProxy([add]),
                options=Options(stream=streamed, retry=RetryPolicy(attempts=1), max_tool_rounds=2),
            )
            conversation.subscribe(heard.append)
            async with asyncio.timeout(20):
                settled = await conversation.exchange("hi")
            await conversation.aclose()
            assert settled.state in SETTLED
            if isinstance(settled.event, ErrorOccurred):
                assert settled.event.kind != "internal", settled.event.message
                assert "\n" not in settled.event.message
            assert list(conform(heard)) == []
            for record in heard:
                assert decode(encode(record)) == record

    def target(data: bytes) -> None:
        """Converse with a server that says this."""
        asyncio.run(converse(data))

    return target

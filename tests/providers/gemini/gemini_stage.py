"""Gemini on the stage: one of the two fake servers, a proxy that talks to it, and everything that was heard."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from asstproxy.core.events import ChunkReceived, Configured, Reasoning
from asstproxy.providers.gemini.generate import GenerateProvider
from asstproxy.providers.gemini.interactions import InteractionsProvider
from asstproxy.providers.gemini.provider import GeminiProvider
from asstproxy.providers.transport.http import HttpTransport
from core.stage import Stage
from servers import GeminiServer, InteractionsServer

__all__ = ["APIS", "MODEL", "WAYS", "add", "bodies", "captured", "on_stage", "proxy", "text_of", "thinking"]

MODEL = "gemini-3.8-flash"
APIS = ("generate", "interactions")
SERVERS = ("last_chunk", "sign", "call_ids", "faults")
WAYS: dict[str, dict[str, bool]] = {
    "streamed": {},
    "unary": {"stream": False},
    "background": {"background": True},
}
CAPTURES = Path(__file__).parents[2] / "fixtures" / "gemini"


def add(a: int, b: int = 2) -> int:
    """Add two numbers."""
    return a + b


def proxy(server: GeminiServer, api: str = "generate", *, silence: float = 5.0) -> GeminiProvider:
    """The provider, as `connect` makes it, with a short temper."""
    transport = HttpTransport(f"{server.url}/v1beta", {"x-goog-api-key": server.key}, silence=silence)
    if api == "interactions":
        return InteractionsProvider(transport, MODEL, poll=0.005)
    return GenerateProvider(transport, MODEL)


@asynccontextmanager
async def on_stage(api: str, *turns: Any, **options: Any) -> AsyncIterator[tuple[Any, Stage]]:
    """A server that says these turns, and a conversation with it; `options` are the server's, or the stage's."""
    ours = {name: options.pop(name) for name in SERVERS if name in options}
    silence = options.pop("silence", 5.0)
    kind = InteractionsServer if api == "interactions" else GeminiServer
    with kind(list(turns), **ours) as server:
        stage = Stage(assistant=proxy(server, api, silence=silence), **options)
        yield server, stage
        await stage.conversation.aclose()


def thinking(stage: Stage) -> None:
    """Let the stage's assistant show its thoughts."""
    stage.conversation.configure(Configured(settings={"thinking_summaries": "auto"}))


def bodies(server: GeminiServer) -> list[Any]:
    """The JSON of every request that had one."""
    return [request.json for request in server.requests if request.body]


def text_of(stage: Stage, kind: type[ChunkReceived | Reasoning] = ChunkReceived) -> str:
    """All pieces of text that were heard."""
    return "".join(event.text for event in stage.published(kind))


def captured(name: str) -> list[Any]:
    """The chunks of an answer of LiteLLM 1.106 in front of llama.cpp, as they were on the wire."""
    return [json.loads(line) for line in (CAPTURES / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()]

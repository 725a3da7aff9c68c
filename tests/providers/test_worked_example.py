"""The test of providers/chat_completions.py as the author of such a provider would write it; docs/providers.md explains it."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from os import environ
from typing import Any, ClassVar
from unittest import mock

from asstproxy import Options
from asstproxy.provider import AssistantProxy, Kind, Profile
from asstproxy.providers.chat_completions import connect
from asstproxy.testing import (
    Backend,
    Calls,
    CutOff,
    ErrorInAnswer,
    Failure,
    Filtered,
    Hang,
    HttpBackend,
    HttpRequest,
    HttpResponse,
    Length,
    ProviderContract,
    RateLimited,
    Reply,
    Signed,
    Text,
)

STATUS: dict[Kind, int] = {"authentication": 401, "not_found": 404, "rate_limit": 429, "server": 500}


class ChatBackend(HttpBackend):
    """A server that speaks Chat Completions."""

    def proxy(self) -> AssistantProxy:
        options = {"base_url": self.url, "api_key_env": "EXAMPLE_KEY"}
        return connect(Profile("mine", "chat-completions", model="small-model", options=options))

    def response(self, reply: Reply, request: HttpRequest) -> HttpResponse:
        streamed = bool(request.body.get("stream"))
        match reply:
            case Text(text):
                return completion(streamed, "stop", {"content": text})
            case Calls(calls, text):
                functions = [{"name": name, "arguments": json.dumps(arguments)} for name, arguments in calls]
                made = [{"index": n, "id": f"c{n}", "type": "function", "function": f} for n, f in enumerate(functions)]
                return completion(streamed, "tool_calls", {"content": text or None, "tool_calls": made})
            case Signed():
                raise NotImplementedError  # see `unsupported`
            case Length(text):
                return completion(streamed, "length", {"content": text})
            case Filtered(text):
                return completion(streamed, "content_filter", {"content": text})
            case CutOff(text):
                return HttpResponse(events=pieces(text)) if streamed else completion(False, "stop", {}, ending="cut")
            case ErrorInAnswer(text):
                error = {"error": {"code": "server_error", "message": f"{self.secret} broke it"}}
                return HttpResponse(events=[*pieces(text), error]) if streamed else HttpResponse(body=error)
            case Failure(kind):
                return HttpResponse(STATUS[kind], {"error": {"message": f"No,\n{self.secret}!"}})
            case RateLimited(seconds):
                return HttpResponse(429, {"error": {"message": "Slow down."}}, headers={"Retry-After": str(seconds)})
            case Hang(text):
                return HttpResponse(events=pieces(text) if streamed else None, ending="hang")


def pieces(text: str) -> list[dict[str, Any]]:
    """A text as the events of a stream, word by word."""
    return [{"choices": [{"index": 0, "delta": {"content": part}}]} for part in re.findall(r"\s*\S+|\s+", text)]


def completion(streamed: bool, reason: str, message: dict[str, Any], **how: Any) -> HttpResponse:
    """A whole answer: one reply, or a stream of it."""
    if not streamed:
        return HttpResponse(body={"choices": [{"message": message, "finish_reason": reason}]}, **how)
    rest = {"index": 0, "delta": {key: value for key, value in message.items() if key != "content"}}
    last = {"choices": [{"index": 0, "delta": {}, "finish_reason": reason}]}
    return HttpResponse(events=[*pieces(message["content"] or ""), {"choices": [rest]}, last, "[DONE]"])


class TestChat(ProviderContract):
    failures = frozenset(STATUS)
    unsupported: ClassVar = {Signed: "Chat Completions signs nothing"}

    @asynccontextmanager
    async def backend(self) -> AsyncIterator[Backend]:
        async with ChatBackend() as backend:
            with mock.patch.dict(environ, {"EXAMPLE_KEY": backend.secret}):
                yield backend


class TestOneReply(TestChat):
    options = Options(stream=False)

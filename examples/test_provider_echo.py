"""The test of provider_echo.py, as its author would write it. Run: pytest examples/test_provider_echo.py"""

from __future__ import annotations

import json
from typing import Any, ClassVar

from provider_echo import ChatProxy

from asstproxy.provider import HttpTransport, Kind
from asstproxy.testing import (
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

    def proxy(self) -> ChatProxy:
        return ChatProxy(HttpTransport(self.url, {"Authorization": f"Bearer {self.secret}"}), "small-model")

    def response(self, reply: Reply, request: HttpRequest) -> HttpResponse:
        match reply:
            case Text(text):
                return completion("stop", {"content": text})
            case Calls(calls, text):
                functions = [{"name": name, "arguments": json.dumps(arguments)} for name, arguments in calls]
                made = [{"id": f"c{n}", "type": "function", "function": f} for n, f in enumerate(functions)]
                return completion("tool_calls", {"content": text or None, "tool_calls": made})
            case Signed():
                raise NotImplementedError  # see `unsupported`
            case Length(text):
                return completion("length", {"content": text})
            case Filtered(text):
                return completion("content_filter", {"content": text})
            case CutOff(text):
                return completion("stop", {"content": text}, ending="cut")
            case ErrorInAnswer():
                return HttpResponse(body={"error": {"code": "server_error", "message": f"{self.secret} broke it"}})
            case Failure(kind):
                return HttpResponse(STATUS[kind], {"error": {"message": f"No,\n{self.secret}!"}})
            case RateLimited(seconds):
                return HttpResponse(429, {"error": {"message": "Slow down."}}, headers={"Retry-After": str(seconds)})
            case Hang():
                return HttpResponse(ending="hang")


def completion(reason: str, message: dict[str, Any], **how: Any) -> HttpResponse:
    return HttpResponse(body={"choices": [{"message": message, "finish_reason": reason}]}, **how)


class TestChat(ProviderContract):
    failures = frozenset(STATUS)
    unsupported: ClassVar = {Signed: "Chat Completions signs nothing"}

    def backend(self) -> ChatBackend:
        return ChatBackend()

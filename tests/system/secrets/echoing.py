"""A server that says the key back to whoever sent it, in one of the ways in which servers do so."""

from __future__ import annotations

from collections.abc import Callable

from servers import Server
from servers.wire import Reply, Request, dumps

__all__ = ["PLACES", "EchoingServer"]

PLACES = (
    "an error's message",
    "an error's code",
    "a list of errors",
    "plain text",
    "a header",
    "a redirect",
    "an error event",
    "a failed response",
    "an answer with an error",
    "an answer that is no JSON",
    "a stream that is no stream",
    "an event that is no JSON",
)


class EchoingServer(Server):
    """`elsewhere` is where a redirect leads."""

    def __init__(self, place: str, elsewhere: str = "") -> None:
        super().__init__()
        self._place, self._elsewhere = place, elsewhere

    async def answer(self, request: Request) -> Reply:
        headers = request.headers
        key = (headers.get("authorization") or headers.get("x-goog-api-key") or "nothing").rpartition(" ")[2]
        return _REPLIES[self._place](f"Your key {key} is not good", key, self._elsewhere)


def _events(*events: bytes) -> Reply:
    return Reply(200, {"content-type": "text/event-stream"}, list(events))


def _event(kind: str, value: dict[str, object]) -> bytes:
    return b"event: %s\ndata: %s\n\n" % (kind.encode(), dumps({"type": kind, "sequence_number": 0} | value))


_REPLIES: dict[str, Callable[[str, str, str], Reply]] = {
    "an error's message": lambda said, _, __: Reply.json({"error": {"message": said, "code": "invalid_api_key"}}, 401),
    "an error's code": lambda _, key, __: Reply.json({"error": {"message": "", "code": key, "type": key}}, 400),
    "a list of errors": lambda said, _, __: Reply.json([{"error": {"message": said, "status": "INVALID"}}], 400),
    "plain text": lambda said, _, __: Reply(500, {"content-type": "text/plain"}, said.encode()),
    "a header": lambda said, key, __: Reply.json(
        {"error": "no"}, 429, {"x-your-key": said, "retry-after": key, "x-request-id": key, "www-authenticate": key}
    ),
    "a redirect": lambda _, key, there: Reply(307, {"location": f"{there}/v1/responses?key={key}"}, b"gone"),
    "an error event": lambda said, key, __: _events(
        _event("error", {"code": key, "message": said, "error": {"message": said, "code": 500}})
    ),
    "a failed response": lambda said, key, __: _events(
        _event(
            "response.failed", {"response": {"id": "r", "status": "failed", "error": {"code": key, "message": said}}}
        )
    ),
    "an answer with an error": lambda said, _, __: Reply.json(
        {"error": {"message": said, "code": 500}, "id": "r", "status": "failed", "output": []}
    ),
    "an answer that is no JSON": lambda said, _, __: Reply(200, {"content-type": "application/json"}, said.encode()),
    "a stream that is no stream": lambda said, _, __: Reply(200, {"content-type": "text/html"}, said.encode()),
    "an event that is no JSON": lambda said, _, __: _events(b"data: " + said.encode() + b"\n\n"),
}

"""The HTTP client of MCP servers behind a URL: a JSON answer is read as tolerantly as the lines of a local server."""

from __future__ import annotations

import json
from typing import Any

import httpx2
from mcp.types import PARSE_ERROR

from .mcp_messages import MAX_BYTES, MessageReader, UnreadableAnswerError

__all__ = ["TolerantHttpClient"]


class TolerantHttpClient(httpx2.AsyncClient):
    """A client that hands the SDK only JSON that it can read.

    Event streams pass unchanged. An answer without a content type is read as JSON, if it looks like it; a batch becomes an event
    stream; what can't be read becomes a JSON-RPC error that quotes it.
    """

    async def send(self, request: httpx2.Request, **options: Any) -> httpx2.Response:
        """Send a request; see `httpx2.AsyncClient.send`."""
        response = await super().send(request, **options)
        kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
        if request.method != "POST" or kind == "text/event-stream" or response.status_code in (202, 204):
            return response
        is_json = kind == "application/json"
        if not is_json and response.status_code != httpx2.codes.OK:
            return response
        body = bytearray()
        async for piece in response.aiter_bytes():
            body += piece
            if len(body) > MAX_BYTES:
                break
        await response.aclose()
        reader = MessageReader("its answer")
        messages = [
            message for line in [*bytes(body).splitlines(), b""] for message in reader.read(line)
        ] + reader.close()
        read = [message for message in messages if not isinstance(message, UnreadableAnswerError)]
        if read and len(body) <= MAX_BYTES:
            lines = [message.model_dump_json(by_alias=True, exclude_unset=True) for message in read]
            if len(lines) == 1:
                return _replaced(response, request, "application/json", lines[0])
            return _replaced(response, request, "text/event-stream", "".join(f"data: {line}\n\n" for line in lines))
        request_id = _id_of(request)
        if response.status_code != httpx2.codes.OK or request_id is None:
            return _replaced(response, request, kind, body.decode("utf-8", "replace"))
        why = reader.first_other or "its answer is empty"
        if len(body) > MAX_BYTES:
            why = f"its answer has more than {MAX_BYTES:,} bytes"
        error = {"jsonrpc": "2.0", "id": request_id, "error": {"code": PARSE_ERROR, "message": why}}
        return _replaced(response, request, "application/json", json.dumps(error))


def _replaced(response: httpx2.Response, request: httpx2.Request, kind: str, body: str) -> httpx2.Response:
    gone = ("content-type", "content-length", "content-encoding", "transfer-encoding")
    headers = [(name, value) for name, value in response.headers.items() if name.lower() not in gone]
    headers.append(("content-type", kind))
    return httpx2.Response(response.status_code, headers=headers, content=body.encode(), request=request)


def _id_of(request: httpx2.Request) -> Any:
    try:
        return json.loads(request.content).get("id")
    except (ValueError, AttributeError, httpx2.RequestNotRead):
        return None

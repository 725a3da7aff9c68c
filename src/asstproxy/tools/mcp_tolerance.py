"""A transport around another one, so that what a server sends in a form of its own passes the SDK's strict checks.

The SDK checks a whole answer against the protocol's types, so one bad schema would cost all tools of a page, and the result of a
tool that ran would be lost. Here an answer to `tools/list` and `tools/call` is replaced by a valid answer that has what the server
sent in its `_meta` (see `mcp_results.raw`); `mcp_servers` judges it piece by piece. So are prompts (`mcp_prompts`) and resources
(`mcp_resources`).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

from mcp.client import Transport
from mcp.shared.message import SessionMessage
from mcp.types import (
    PARSE_ERROR,
    ErrorData,
    JSONRPCError,
    JSONRPCNotification,
    JSONRPCRequest,
    JSONRPCResponse,
)

from .mcp_messages import UnreadableAnswerError, bare
from .mcp_results import RAW

__all__ = ["TolerantTransport"]

Item = SessionMessage | Exception
FIRST_VERSION = "2024-11-05"
"""Of the protocol: what a server speaks that doesn't say so."""


class TolerantTransport:
    """The transport of a connection; it knows which requests wait for an answer."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self._waiting: dict[int | str, str] = {}

    async def __aenter__(self) -> tuple[Any, Any]:
        reading, writing = await self._transport.__aenter__()
        return _Reading(reading, self._received), _Writing(writing, self._sent)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool | None:
        return await self._transport.__aexit__(kind, error, trace)

    def _sent(self, item: SessionMessage) -> None:
        message = item.message
        if isinstance(message, JSONRPCRequest):
            self._waiting[_key(message.id)] = message.method
        elif isinstance(message, JSONRPCNotification) and message.method == "notifications/cancelled":
            self._waiting.pop(_key((message.params or {}).get("requestId", "")), None)

    def _received(self, item: Item) -> list[Item]:
        if isinstance(item, UnreadableAnswerError):
            known = item.request_id is not None and item.request_id in self._waiting
            return self._failed(
                [item.request_id] if known else [*self._waiting], ErrorData(code=PARSE_ERROR, message=str(item))
            )
        if isinstance(item, Exception):
            return [item]
        match item.message:
            case JSONRPCError(id=None, error=error):  # it couldn't read a request: that which it has, if it has one
                return self._failed([*self._waiting] if len(self._waiting) == 1 else [], error)
            case JSONRPCError(id=request_id):
                self._waiting.pop(_key(request_id), None)
            case JSONRPCResponse(id=request_id, result=result) as message:
                method = self._waiting.pop(_key(request_id), "")
                item.message = message.model_copy(update={"result": _valid(method, result)})
        return [item]

    def _failed(self, requests: list[Any], error: ErrorData) -> list[Item]:
        for one in requests:
            self._waiting.pop(one, None)
        return [SessionMessage(JSONRPCError(jsonrpc="2.0", id=one, error=error)) for one in requests]


class _Wrapped:
    """One of the SDK's streams, in our hands: it is closed as the SDK closes its own."""

    _inner: Any

    async def aclose(self) -> None:
        await self._inner.aclose()

    async def __aenter__(self) -> Self:
        await self._inner.__aenter__()
        return self

    async def __aexit__(self, *error: object) -> bool | None:
        return await self._inner.__aexit__(*error)  # type: ignore[no-any-return]


class _Reading(_Wrapped):
    def __init__(self, inner: Any, received: Callable[[Item], list[Item]]) -> None:
        self._inner, self._received = inner, received
        self._ready: deque[Item] = deque()

    @property
    def last_context(self) -> Any:
        """The sender's context, which the SDK asks for."""
        return getattr(self._inner, "last_context", None)

    async def receive(self) -> Item:
        while not self._ready:
            self._ready.extend(self._received(await self._inner.receive()))
        return self._ready.popleft()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Item:
        while not self._ready:
            self._ready.extend(self._received(await self._inner.__anext__()))
        return self._ready.popleft()


class _Writing(_Wrapped):
    def __init__(self, inner: Any, sent: Callable[[SessionMessage], None]) -> None:
        self._inner, self._sent = inner, sent

    async def send(self, item: SessionMessage) -> None:
        self._sent(item)
        await self._inner.send(item)


def _key(request_id: Any) -> int | str:
    """Servers return a number as text."""
    return int(request_id) if isinstance(request_id, str) and request_id.isdecimal() else request_id


def _valid(method: str, result: dict[str, Any]) -> dict[str, Any]:
    match method:
        case "initialize":
            return _valid_greeting(result)
        case "tools/list":
            return _valid_list(result)
        case "tools/call" if result.get("resultType") != "input_required":
            kept = {"resultType": result["resultType"]} if isinstance(result.get("resultType"), str) else {}
            # `isError`: otherwise the SDK lists the tools again, for the schema of the result
            return kept | {"content": [], "isError": True, "_meta": {RAW: bare(result)}}
        case "prompts/list":
            return _kept(result) | {"prompts": [], "_meta": {RAW: bare(result)}}
        case "prompts/get" if result.get("resultType") != "input_required":
            return _kept(result) | {"messages": [], "_meta": {RAW: bare(result)}}
        case "resources/read" if result.get("resultType") != "input_required":
            return _kept(result) | {"contents": [], "_meta": {RAW: bare(result)}}
    return result


def _valid_greeting(result: dict[str, Any]) -> dict[str, Any]:
    version = result.get("protocolVersion")
    can, info, words = result.get("capabilities"), result.get("serverInfo"), result.get("instructions")
    known = {key: value for key, value in info.items() if isinstance(value, str)} if isinstance(info, dict) else {}
    return {
        key: value for key, value in result.items() if key not in ("capabilities", "serverInfo", "instructions")
    } | {
        "protocolVersion": version if isinstance(version, str) else FIRST_VERSION,
        "capabilities": {name: {} for name, value in can.items() if value is not None and value is not False}
        if isinstance(can, dict)
        else {},
        "serverInfo": {"name": known.get("name", "unnamed"), "version": known.get("version", "")},
        **({"instructions": words} if isinstance(words, str) else {}),
    }


def _kept(result: dict[str, Any]) -> dict[str, Any]:
    """What the SDK itself needs of a result."""
    kept = {key: result[key] for key in ("resultType", "ttlMs", "cacheScope") if key in result}
    cursor = result.get("nextCursor")
    return kept | ({"nextCursor": str(cursor)} if isinstance(cursor, str | int) and str(cursor) else {})


def _valid_list(result: dict[str, Any]) -> dict[str, Any]:
    whole = bare(result)
    tools = whole.get("tools") if isinstance(whole, dict) else whole
    if isinstance(tools, dict):  # by name, or what PHP makes of a list with gaps
        tools = [{"name": name} | tool if isinstance(tool, dict) else tool for name, tool in tools.items()]
    elif not isinstance(tools, list):
        tools = []
    return _kept(result) | {
        "tools": [_valid_tool(tool) for tool in tools if isinstance(tool, dict) and isinstance(tool.get("name"), str)],
        "_meta": {RAW: tools},
    }


def _valid_tool(tool: dict[str, Any]) -> dict[str, Any]:
    """Its name; and its schema only where the SDK needs it, for the arguments that HTTP servers want as headers, too."""
    schema = tool.get("inputSchema")
    if not (isinstance(schema, dict) and "x-mcp-header" in str(schema)):
        schema = {}
    return {"name": tool["name"], "inputSchema": schema | {"type": "object"}}

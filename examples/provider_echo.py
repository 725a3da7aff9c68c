"""A provider in one file: any server that speaks Chat Completions, one reply at a time. See docs/providers.md."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Sequence
from typing import Any

import msgspec

from asstproxy.config.profiles import Profile
from asstproxy.core import events
from asstproxy.core.history import AssistantSaid, Item, ToolOutputs, UserSaid
from asstproxy.core.turn import Turn
from asstproxy.providers.transport.http import HttpTransport


class Options(msgspec.Struct):
    """What a profile of this provider must hold, besides `provider` and `model`."""

    base_url: str
    api_key_env: str


def connect(profile: Profile, *, client: Any = None) -> ChatProxy:  # noqa: ARG001 - we use no SDK
    """What the entry point names."""
    options = profile.read(Options)
    key = profile.secret(options.api_key_env)
    return ChatProxy(HttpTransport(options.base_url, {"Authorization": f"Bearer {key}"}), profile.model)


class ChatProxy:
    """One conversation partner. The server keeps nothing, so every request tells it all."""

    provider = "chat"

    def __init__(self, transport: HttpTransport, model: str) -> None:
        self.model, self._transport = model, transport

    async def start_processing(self, turn: Turn) -> AsyncIterator[events.Event]:
        """Open an exchange with the assistant."""
        yield events.Started(self.provider, turn.model)
        self._turn, self._items = turn, [*turn.history, UserSaid(turn.text)]
        yield await self._ask(self._items)

    async def submit_tool_outputs(self, results: Sequence[events.ToolResult]) -> AsyncIterator[events.Event]:
        """Answer the calls of the last `ActionRequired`."""
        yield events.ToolOutputsSubmitted()
        yield await self._ask([*self._items, ToolOutputs(tuple(results))])

    async def _ask(self, items: list[Item]) -> events.Event:
        system = [{"role": "system", "content": self._turn.instructions}]
        tools = [{"type": "function", "function": msgspec.to_builtins(tool)} for tool in self._turn.tools]
        body = {"model": self._turn.model, "messages": system + messages(items)} | ({"tools": tools} if tools else {})
        reply = await self._transport.call("POST", "/chat/completions", body | self._turn.settings)
        message, text = reply["choices"][0]["message"], reply["choices"][0]["message"]["content"] or ""
        if calls := tuple(events.ToolCall(call["id"], **call["function"]) for call in message.get("tool_calls") or ()):
            self._items = [*items, AssistantSaid(text, calls)]  # only now: a request that failed is made again
            return events.ActionRequired(calls, text)
        reason = reply["choices"][0]["finish_reason"]
        return events.AssistantMessageRetrieved(text) if reason == "stop" else events.MessageIncomplete(text, reason)

    async def aclose(self) -> None:
        """Close every connection."""
        await self._transport.aclose()


def messages(items: Iterable[Item]) -> list[Any]:
    """The neutral history in the API's words."""
    told: list[Any] = []
    for item in items:
        match item:
            case UserSaid(text):
                told.append({"role": "user", "content": text})
            case AssistantSaid(text, calls):
                functions = [(call.call_id, {"name": call.name, "arguments": call.arguments}) for call in calls]
                made = [{"id": number, "type": "function", "function": function} for number, function in functions]
                told.append({"role": "assistant", "content": text} | ({"tool_calls": made} if made else {}))
            case ToolOutputs(results):
                told += [{"role": "tool", "tool_call_id": r.call_id, "content": r.error or r.output} for r in results]
    return told

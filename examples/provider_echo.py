"""A provider in one file: any server that speaks Chat Completions, one reply at a time. See docs/providers.md."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterable, Sequence
from contextlib import aclosing
from typing import Annotated, Any

import msgspec

from asstproxy.provider import (
    ActionRequired,
    AssistantError,
    AssistantMessage,
    AssistantMessageRetrieved,
    Event,
    HttpTransport,
    Item,
    MessageIncomplete,
    Profile,
    Started,
    ToolCall,
    ToolOutputs,
    ToolOutputsSubmitted,
    ToolResult,
    Transport,
    Turn,
    Usage,
    UserMessage,
    api_error,
    warn_of_plain_http,
)

INCOMPLETE = {"length": "max_output_tokens", "content_filter": "content_filter"}
"""The API's reasons for an incomplete answer, and ours."""


class Options(msgspec.Struct):
    """The keys of a profile with this provider, besides those that every profile has."""

    base_url: str
    api_key_env: str = ""


def connect(profile: Profile, *, client: Any = None) -> ChatProxy:
    """Make the proxy of a profile. The entry point names this function."""
    options = profile.read(Options)
    warn_of_plain_http(options.base_url, f"'{profile.name}'")
    headers = {"Authorization": f"Bearer {profile.secret(options.api_key_env)}"} if options.api_key_env else {}
    return ChatProxy(HttpTransport(options.base_url, headers), profile.model)


class ChatProxy:
    """One assistant. The server keeps nothing, so every request holds the whole conversation."""

    provider = "chat"

    def __init__(self, transport: Transport, model: str) -> None:
        self.model, self._transport = model, transport
        self._turn, self._items = Turn(""), list[Item]()

    async def start_processing(self, turn: Turn) -> AsyncGenerator[Event]:
        """Open an exchange."""
        yield Started(self.provider, turn.model or self.model)
        self._turn, self._items = turn, [*turn.history, UserMessage(turn.text)]
        async with aclosing(self._ask(self._items)) as events:
            async for event in events:
                yield event

    async def submit_tool_outputs(self, results: Sequence[ToolResult]) -> AsyncGenerator[Event]:
        """Send the results of the calls in the last `ActionRequired`."""
        yield ToolOutputsSubmitted()
        async with aclosing(self._ask([*self._items, ToolOutputs(tuple(results))])) as events:
            async for event in events:
                yield event

    async def _ask(self, items: list[Item]) -> AsyncGenerator[Event]:
        turn = self._turn
        body = {"model": turn.model or self.model, "messages": messages(turn.instructions, items)}
        if turn.tools:
            schemas = [{"name": t.name, "description": t.description, "parameters": t.parameters} for t in turn.tools]
            body["tools"] = [{"type": "function", "function": schema} for schema in schemas]
        reply = decoded(await self._transport.call("POST", "/chat/completions", body | turn.settings))
        message, reason = reply.choices[0].message, reply.choices[0].finish_reason
        text, usage = message.content or message.refusal or "", reply.usage or Tokens()
        calls = tuple(ToolCall(c.id, c.function.name, c.function.arguments or "{}") for c in message.tool_calls or ())
        yield Usage(usage.prompt_tokens, usage.completion_tokens)
        if reason in INCOMPLETE:  # the arguments of a call may be cut, so it is not made
            yield MessageIncomplete(text, INCOMPLETE[reason])
        elif calls:
            self._items = [*items, AssistantMessage(text, calls)]  # only now: a request that failed is made again
            yield ActionRequired(calls, text)
        else:
            yield AssistantMessageRetrieved(text)

    async def aclose(self) -> None:
        """Close every connection."""
        await self._transport.aclose()


# ---- from asst to the API ------------------------------------------------------------------------------------------------


def messages(instructions: str, items: Iterable[Item]) -> list[Any]:
    """The neutral history as the API's messages."""
    made: list[Any] = [{"role": "system", "content": instructions}] if instructions else []
    for item in items:
        match item:
            case UserMessage(text):
                made.append({"role": "user", "content": text})
            case AssistantMessage(text, calls):
                functions = [(call.call_id, {"name": call.name, "arguments": call.arguments}) for call in calls]
                called = [{"id": call_id, "type": "function", "function": function} for call_id, function in functions]
                made.append({"role": "assistant", "content": text} | ({"tool_calls": called} if called else {}))
            case ToolOutputs(results):
                for result in results:
                    content = result.output if result.error is None else f"Error: {result.error}"
                    made.append({"role": "tool", "tool_call_id": result.call_id, "content": content})
    return made


# ---- from the API to asst ------------------------------------------------------------------------------------------------


class Function(msgspec.Struct):
    name: str
    arguments: str = ""


class Call(msgspec.Struct):
    id: str
    function: Function


class Message(msgspec.Struct):
    content: str | None = None
    refusal: str | None = None
    tool_calls: list[Call] | None = None


class Choice(msgspec.Struct):
    message: Message
    finish_reason: str | None = None


class Tokens(msgspec.Struct):
    prompt_tokens: int = 0
    completion_tokens: int = 0


class Reply(msgspec.Struct):
    choices: Annotated[list[Choice], msgspec.Meta(min_length=1)]
    usage: Tokens | None = None


def decoded(reply: dict[str, Any]) -> Reply:
    """The reply, checked. Some servers report an error with the HTTP status of a success."""
    if error := reply.get("error"):
        error = error if isinstance(error, dict) else {"message": error}
        raise api_error(str(error.get("code") or error.get("type") or ""), str(error.get("message") or ""))
    try:
        return msgspec.convert(reply, Reply)
    except msgspec.ValidationError as problem:
        raise AssistantError(
            "protocol", f"The server's reply is not a chat completion: {problem}.", "Check base_url."
        ) from problem

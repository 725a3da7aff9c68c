"""A streaming Chat Completions provider that is written against the bare contract: test_mutants.py breaks it on purpose."""

from __future__ import annotations

import base64
from collections.abc import AsyncGenerator, Iterable, Iterator, Mapping, Sequence
from contextlib import aclosing

from asstproxy.provider import (
    JSON,
    ActionRequired,
    AssistantError,
    AssistantMessage,
    AssistantMessageRetrieved,
    Attachment,
    AttachmentStore,
    ChunkReceived,
    Event,
    Item,
    MessageIncomplete,
    SchemaSupport,
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
    merge_chunks,
    named_schema,
)

ACCEPTED = {"image/png": 1_000_000, "image/jpeg": 1_000_000}
INCOMPLETE = {"length": "max_output_tokens", "content_filter": "content_filter"}


class ChatProvider:
    provider = "chat"
    structured = SchemaSupport()

    def __init__(self, transport: Transport, model: str) -> None:
        self.model, self._transport = model, transport
        self._turn, self._items = Turn(""), list[Item]()

    async def start_processing(self, turn: Turn) -> AsyncGenerator[Event]:
        yield Started(self.provider, turn.model or self.model)
        self._turn, self._items = turn, [*turn.history, UserMessage(turn.text, turn.attachments)]
        async with aclosing(self._ask(self._items)) as events:
            async for event in events:
                yield event

    async def submit_tool_outputs(self, results: Sequence[ToolResult]) -> AsyncGenerator[Event]:
        yield ToolOutputsSubmitted()
        items = [*self._items, ToolOutputs(tuple(results))]
        async with aclosing(self._ask(items)) as events:
            async for event in events:
                yield event

    async def accepts(self, model: str) -> Mapping[str, int]:
        return ACCEPTED

    async def _ask(self, items: list[Item]) -> AsyncGenerator[Event]:
        async with aclosing(self._reply(request(self._turn, self.model, items))) as events:
            async for event in events:
                if isinstance(event, ActionRequired):
                    self._items = [*items, AssistantMessage(event.text, event.calls, event.raw)]
                yield event

    async def _reply(self, body: JSON) -> AsyncGenerator[Event]:
        reader = Reader()
        if not self._turn.stream:
            reply = await self._transport.call("POST", "/chat/completions", body)
            for event in (*reader.feed(reply), *reader.end()):
                yield event
            return
        async with aclosing(self._transport.events("POST", "/chat/completions", body | {"stream": True})) as events:
            async for together in events:
                for event in merge_chunks(event for chunk in together for event in reader.feed(chunk)):
                    yield event
        for event in reader.end():
            yield event

    async def aclose(self) -> None:
        await self._transport.aclose()


class Reader:
    """Folds the chunks of a stream, or a whole reply, into events."""

    def __init__(self) -> None:
        self._text = ""
        self._calls: dict[int, JSON] = {}
        self._reason = self._reasoning = ""
        self._usage: JSON = {}

    def feed(self, chunk: JSON) -> Iterator[Event]:
        if error := chunk.get("error"):
            raise api_error(str(error.get("code") or ""), str(error.get("message") or ""))
        self._usage = chunk.get("usage") or self._usage
        for choice in chunk.get("choices") or ():
            delta = choice.get("delta") or choice.get("message") or {}
            self._reasoning += delta.get("reasoning_content") or ""
            if text := delta.get("content"):
                self._text += text
                yield ChunkReceived(text)
            for index, call in enumerate(delta.get("tool_calls") or ()):
                self._add(call.get("index", index), call)
            self._reason = choice.get("finish_reason") or self._reason

    def _add(self, index: int, piece: JSON) -> None:
        call = self._calls.setdefault(index, {"id": piece.get("id"), "name": "", "arguments": ""})
        function = piece.get("function") or {}
        call["name"] = function.get("name") or call["name"]
        call["arguments"] += function.get("arguments") or ""

    def end(self) -> Iterator[Event]:
        if not self._reason:
            raise AssistantError("connection", "The answer broke off.", "Try again.")
        yield Usage(self._usage.get("prompt_tokens", 0), self._usage.get("completion_tokens", 0))
        raw = {"reasoning_content": self._reasoning} if self._reasoning else None
        calls = [self._calls[index] for index in sorted(self._calls)]
        if self._reason in INCOMPLETE:
            yield MessageIncomplete(self._text, INCOMPLETE[self._reason])
        elif calls:
            made = tuple(ToolCall(call["id"], call["name"], call["arguments"] or "{}") for call in calls)
            yield ActionRequired(made, self._text, raw)
        else:
            yield AssistantMessageRetrieved(self._text, raw)


def request(turn: Turn, model: str, items: Iterable[Item]) -> JSON:
    """The body of a request."""
    system = [{"role": "system", "content": turn.instructions}] if turn.instructions else []
    messages = [message for item in items for message in messages_of(item, turn.files)]
    body: JSON = {"model": turn.model or model, "messages": [*system, *messages]}
    schemas = [{"name": t.name, "description": t.description, "parameters": t.parameters} for t in turn.tools]
    tools = [{"type": "function", "function": schema} for schema in schemas]
    form = {"type": "json_schema", "json_schema": named_schema(turn.schema)} if turn.schema is not None else None
    body |= {"response_format": form} if form else {}
    return body | ({"tools": tools} if tools else {}) | turn.settings


def messages_of(item: Item, files: AttachmentStore | None) -> list[JSON]:
    """One item of the neutral history in the words of the API."""
    match item:
        case UserMessage(text, attachments) if attachments:
            parts = [part_of(one, files) for one in attachments]
            return [{"role": "user", "content": [*parts, {"type": "text", "text": text}]}]
        case UserMessage(text):
            return [{"role": "user", "content": text}]
        case AssistantMessage(text, calls, raw):
            functions = [(call.call_id, {"name": call.name, "arguments": call.arguments}) for call in calls]
            made = [{"id": call_id, "type": "function", "function": function} for call_id, function in functions]
            return [{"role": "assistant", "content": text} | ({"tool_calls": made} if made else {}) | (raw or {})]
        case ToolOutputs(results):
            outputs = [(r.call_id, r.output if r.error is None else f"Error: {r.error}") for r in results]
            return [{"role": "tool", "tool_call_id": call_id, "content": content} for call_id, content in outputs]


def part_of(attachment: Attachment, files: AttachmentStore | None) -> JSON:
    """A file as a part of a message; of one that the model can't read, its name."""
    if attachment.media_type not in ACCEPTED or files is None:
        return {"type": "text", "text": f"[{attachment.name}]"}
    with files.open(attachment) as file:
        data = base64.b64encode(file.read()).decode()
    return {"type": "image_url", "image_url": {"url": f"data:{attachment.media_type};base64,{data}"}}

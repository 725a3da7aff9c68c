"""Recorded streams of both vendors and of Chat Completions, and how a server plays them to an exchange."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from asstproxy import Conversation, Options, Profile, Record, RetryPolicy, UserProxy, conform
from asstproxy.core.events import ActionRequired, ChunkReceived, ErrorOccurred, Event, Notice
from asstproxy.providers import connect

from .case_server import CaseServer

__all__ = ["APIS", "RECORDED", "Answered", "Api", "answered", "exchange"]

FIXTURES = Path(__file__).parents[2] / "fixtures"
KEY = "sk-0123456789abcdef"


@dataclass(frozen=True)
class Api:
    """A way of asking: a provider and options of its profile."""

    provider: str
    options: dict[str, Any] = field(default_factory=dict)
    path: str = "/v1"


APIS = {
    "responses": Api("gpt"),
    "sdk": Api("gpt", {"transport": "sdk"}),
    "local": Api("local"),
    "chat": Api("chat-completions"),
    "generate": Api("gemini", path="/v1beta"),
    "interactions": Api("gemini", {"api": "interactions"}, "/v1beta"),
    "anthropic": Api("anthropic"),
    "assistants": Api("assistants", {"assistant_id": "asst_1", "poll": 0.01}, "/api/v1"),
    "generate-sdk": Api("gemini", {"transport": "sdk"}, "/v1beta"),
    "interactions-sdk": Api("gemini", {"api": "interactions", "transport": "sdk"}, "/v1beta"),
}


def _lines(name: str) -> list[Any]:
    return [json.loads(line) for line in (FIXTURES / name).read_text().splitlines()]


INTERACTION = [
    {"event_type": "interaction.created", "interaction": {"id": "i", "status": "in_progress"}, "event_id": "1"},
    {"event_type": "step.start", "index": 0, "step": {"type": "thought"}, "event_id": "2"},
    {
        "event_type": "step.delta",
        "index": 0,
        "delta": {"type": "thought_signature", "signature": "c2"},
        "event_id": "3",
    },
    {"event_type": "step.start", "index": 1, "step": {"type": "model_output"}, "event_id": "4"},
    {"event_type": "step.delta", "index": 1, "delta": {"type": "text", "text": "one "}, "event_id": "5"},
    {"event_type": "step.delta", "index": 1, "delta": {"type": "text", "text": "two"}, "event_id": "6"},
    {"event_type": "step.stop", "index": 1, "event_id": "7"},
    {
        "event_type": "interaction.completed",
        "interaction": {"id": "i", "status": "completed", "usage": {"total_input_tokens": 3}},
        "event_id": "8",
    },
]
CALLING = [
    *INTERACTION[:3],
    {
        "event_type": "step.start",
        "index": 1,
        "step": {"type": "function_call", "id": "c", "name": "add"},
        "event_id": "4",
    },
    {
        "event_type": "step.delta",
        "index": 1,
        "delta": {"type": "arguments_delta", "arguments": '{"a":'},
        "event_id": "5",
    },
    {"event_type": "step.delta", "index": 1, "delta": {"type": "arguments_delta", "arguments": "1}"}, "event_id": "6"},
    {
        "event_type": "interaction.completed",
        "interaction": {"id": "i", "status": "requires_action", "usage": {}},
        "event_id": "8",
    },
]


def _chunk(reason: str | None = None, **delta: Any) -> Any:
    return {
        "id": "c",
        "object": "chat.completion.chunk",
        "choices": [{"index": 0, "delta": delta, "finish_reason": reason}],
    }


CHAT = [  # as llama.cpp says it
    _chunk(role="assistant", content=None),
    _chunk(reasoning_content="hm"),
    _chunk(content="one "),
    _chunk(content="two"),
    _chunk("stop"),
    {
        "choices": [],
        "usage": {"prompt_tokens": 3, "completion_tokens": 2, "prompt_tokens_details": {"cached_tokens": 1}},
    },
]
CHAT_CALL = [
    _chunk(role="assistant", content=None),
    _chunk(tool_calls=[{"index": 0, "id": "c", "type": "function", "function": {"name": "add", "arguments": '{"a"'}}]),
    _chunk(tool_calls=[{"index": 0, "function": {"arguments": ": 1}"}}]),
    _chunk("tool_calls"),
]
MESSAGE = [  # as Anthropic says it
    {
        "type": "message_start",
        "message": {"id": "m", "type": "message", "role": "assistant", "content": [], "usage": {"input_tokens": 3}},
    },
    {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "one "}},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "two"}},
    {"type": "content_block_stop", "index": 0},
    {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 2}},
    {"type": "message_stop"},
]
TOOL_USE = [
    {
        "type": "content_block_start",
        "index": 0,
        "content_block": {"type": "tool_use", "id": "c", "name": "add", "input": {}},
    },
    {"type": "content_block_delta", "index": 0, "delta": {"type": "input_json_delta", "partial_json": '{"a":'}},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "input_json_delta", "partial_json": " 1}"}},
    {"type": "message_delta", "delta": {"stop_reason": "tool_use"}, "usage": {"output_tokens": 2}},
    {"type": "message_stop"},
]
RECORDED: dict[tuple[str, str], list[Any]] = {
    ("responses", "llama_text"): _lines("responses/llama_text_stream.jsonl"),
    ("responses", "llama_tool"): _lines("responses/llama_tool_stream.jsonl"),
    ("responses", "ogx_text"): _lines("responses/ogx_text_stream.jsonl"),
    ("responses", "ogx_tool"): _lines("responses/ogx_tool_stream.jsonl"),
    ("generate", "text"): _lines("gemini/text_stream.jsonl"),
    ("generate", "tool"): _lines("gemini/tool_stream.jsonl"),
    ("interactions", "text"): INTERACTION,
    ("interactions", "tool"): CALLING,
    ("anthropic", "text"): MESSAGE,
    ("anthropic", "tool"): TOOL_USE,
    ("chat", "text"): CHAT,
    ("chat", "tool"): CHAT_CALL,
    ("assistants", "text"): _lines("assistants/text_stream.jsonl"),
    ("assistants", "tool"): _lines("assistants/tool_stream.jsonl"),
}


@dataclass
class Answered:
    """What came of an exchange: its records, and the bodies of the requests."""

    settled: Record
    records: list[Record]
    bodies: list[Any]
    ran: list[tuple[int, int]] = field(default_factory=list)

    def published(self, kind: type[Event]) -> list[Any]:
        """All events of one type."""
        return [record.event for record in self.records if isinstance(record.event, kind)]

    @property
    def streamed(self) -> str:
        """The pieces of the answer."""
        return "".join(event.text for event in self.published(ChunkReceived) if event.phase == "answer")

    @property
    def text(self) -> str:
        """The text of the closing message, or of an error: what had come."""
        return self.streamed if isinstance(self.settled.event, ErrorOccurred) else self.settled.event.text  # type: ignore[union-attr]

    @property
    def notices(self) -> list[str]:
        """What the person is told."""
        return [event.text for event in self.published(Notice)]

    @property
    def error(self) -> str:
        """Message and hint of the error; empty without one."""
        event = self.settled.event
        return f"{event.message} {event.hint}" if isinstance(event, ErrorOccurred) else ""

    @property
    def calls(self) -> list[Any]:
        """The calls that the assistant asked for."""
        return [call for event in self.published(ActionRequired) for call in event.calls]


async def exchange(
    api: str, *answers: bytes, stream: bool = True, background: bool = False, within: float = 20.0
) -> Answered:
    """One exchange, in which the server gives these answers; the tool `add` is offered. Every record conforms."""
    ran: list[tuple[int, int]] = []

    def add(a: int, b: int = 0) -> int:
        """Add two numbers."""
        ran.append((a, b))
        return a + b

    way = APIS[api]
    if api in ("generate-sdk", "interactions-sdk"):
        pytest.importorskip("google.genai", reason="google-genai, which comes with the extra `vertex`")
    records: list[Record] = []
    with CaseServer(*answers) as server:
        options = {"base_url": server.url + way.path, "api_key_env": "TEST_KEY"} | way.options
        conversation = Conversation(
            connect(Profile("p", way.provider, model="m", options=options)),
            UserProxy([add]),
            options=Options(stream=stream, background=background, retry=RetryPolicy(attempts=1), max_tool_rounds=3),
        )
        conversation.subscribe(records.append)
        try:
            settled = await conversation.exchange("hi", timeout=within)
        finally:
            await conversation.aclose()
    assert list(conform(records)) == []
    return Answered(settled, records, server.bodies, ran)


def answered(reader: Any, events: Iterable[Any]) -> tuple[list[Event], list[Event]]:
    """What a reader makes of a stream: the events before the last of the API's, and those after it."""
    before = [one for event in events for one in reader.feed(event)]
    return before, list(reader.end()) if reader.done else []

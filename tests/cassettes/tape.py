"""What a cassette holds, read without any of the code under test: what was sent, and what the assistant answered."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vcr.serializers import yamlserializer

__all__ = ["Answer", "Interaction", "metadata", "raw", "read", "spoken"]

JSON = dict[str, Any]
Spoken = tuple[str, str]
"""Who ("us" or "assistant") said or called what."""


@dataclass(frozen=True)
class Answer:
    """One turn of the assistant: its text, its calls as (name, arguments), the tokens read and written."""

    text: str
    calls: tuple[tuple[str, JSON], ...]
    tokens: tuple[int, int]
    pieces: tuple[str, ...] = ()

    @property
    def spoken(self) -> list[Spoken]:
        """The turn as the next request must tell it."""
        said = [("assistant", self.text)] if self.text else []
        return said + [("assistant", name) for name, _ in self.calls]


@dataclass(frozen=True)
class Interaction:
    """One request with what came back: `heard` has one object, or one for each event of a stream."""

    method: str
    url: str
    sent: JSON
    status: int
    received: list[JSON]
    streamed: bool

    @property
    def answer(self) -> Answer | None:
        """The assistant's turn that ended here, if one did."""
        if self.status != 200:
            return None
        if "/threads" in self.url:
            return _assistants(self)
        if "/interactions" in self.url:
            return _interactions(self)
        if self.url.endswith("/chat/completions"):
            return _chat(self)
        if self.url.endswith("/messages"):
            return _message(self)
        return _generate(self) if "enerateContent" in self.url else _responses(self)

    @property
    def refusal(self) -> str:
        """The server's own words, when it refused: in an error of HTTP, or in the last event of a stream."""
        last = self.received[-1]
        if self.status == 200 and last.get("object") == "thread.run" and last["last_error"]:
            return str(last["last_error"]["message"])
        if self.status == 200 and last.get("type") != "error":
            return ""
        error = last.get("error") or last
        return str(error.get("message") or error.get("detail"))


def _load(file: Path) -> JSON:
    return dict(yamlserializer.deserialize(file.read_text(encoding="utf-8")))


def metadata(file: Path) -> JSON:
    """What the cassette says about itself."""
    return dict(_load(file)["metadata"]["recorded"])


def read(file: Path) -> list[Interaction]:
    """Everything on the cassette."""
    return [_interaction(request, response) for request, response in raw(file)]


def raw(file: Path) -> list[tuple[JSON, JSON]]:
    """The requests and responses as vcrpy wrote them."""
    return [(one["request"], one["response"]) for one in _load(file)["interactions"]]


def _interaction(request: JSON, response: JSON) -> Interaction:
    body = response["body"]["string"]
    streamed = "text/event-stream" in response["headers"]["content-type"][0]
    lines = [line.removeprefix("data:").strip() for line in body.splitlines() if line.startswith("data:")]
    received = [json.loads(line) for line in (lines if streamed else [body]) if line != "[DONE]"]
    sent = json.loads(request["body"] or "{}")
    return Interaction(request["method"], request["uri"], sent, response["status"]["code"], received, streamed)


# ---- the assistant's turns -------------------------------------------------------------------------------------------


def _responses(one: Interaction) -> Answer | None:
    final = one.received[-1].get("response") or one.received[-1]
    if final.get("object") != "response" or final.get("status") in ("queued", "in_progress"):
        return None
    pieces = tuple(event["delta"] for event in one.received if event.get("type") == "response.output_text.delta")
    done = [event["item"] for event in one.received if event.get("type") == "response.output_item.done"]
    items = done if one.streamed else final["output"]
    text = "".join(pieces) or "".join(part["text"] for item in items for part in item.get("content") or ())
    calls = tuple((i["name"], json.loads(i["arguments"])) for i in items if i["type"] == "function_call")
    usage = final.get("usage") or {}
    return Answer(text, calls, (usage.get("input_tokens", 0), usage.get("output_tokens", 0)), pieces)


def _generate(one: Interaction) -> Answer:
    parts = [part for chunk in one.received for part in chunk["candidates"][0]["content"]["parts"]]
    pieces = tuple(part["text"] for part in parts if part.get("text") and not part.get("thought"))
    calls = tuple((p["functionCall"]["name"], p["functionCall"]["args"]) for p in parts if "functionCall" in p)
    usage = one.received[-1].get("usageMetadata") or {}
    tokens = (usage.get("promptTokenCount", 0), usage.get("candidatesTokenCount", 0))
    return Answer("".join(pieces), calls, tokens, pieces if one.streamed else ())


def _interactions(one: Interaction) -> Answer:
    deltas = [event["delta"] for event in one.received if event.get("event_type") == "step.delta"]
    pieces = tuple(delta["text"] for delta in deltas if delta.get("type") == "text")
    steps = [] if one.streamed else one.received[0]["steps"]
    text = "".join(pieces) or "".join(part["text"] for step in steps for part in step.get("content") or ())
    usage = one.received[-1].get("usage") or one.received[-1].get("interaction", {}).get("usage") or {}
    return Answer(text, (), (usage.get("total_input_tokens", 0), usage.get("total_output_tokens", 0)), pieces)


def _chat(one: Interaction) -> Answer:
    choices = [choice for event in one.received for choice in event.get("choices") or ()]
    told = [choice.get("delta") or choice.get("message") or {} for choice in choices]
    pieces = tuple(part["content"] for part in told if part.get("content"))
    parts = [call for part in told for call in part.get("tool_calls") or ()]
    calls: dict[int, list[str]] = {}
    for number, part in enumerate(parts):
        function = part["function"]
        name, arguments = calls.setdefault(part.get("index", number), [function.get("name", ""), ""])
        calls[part.get("index", number)] = [name, arguments + (function.get("arguments") or "")]
    usage: JSON = next((event["usage"] for event in reversed(one.received) if event.get("usage")), {})
    tokens = (usage.get("prompt_tokens", 0), usage.get("completion_tokens", 0))
    made = tuple((name, json.loads(arguments)) for name, arguments in calls.values())
    return Answer("".join(pieces), made, tokens, pieces if one.streamed else ())


def _message(one: Interaction) -> Answer:
    blocks: list[JSON] = [] if one.streamed else one.received[0]["content"]
    pieces: list[str] = []
    usage: JSON = {}
    for event in one.received:
        usage |= event.get("message", {}).get("usage", {}) | event.get("usage", {})
        delta = event.get("delta", {})
        if "content_block" in event:
            blocks.append(event["content_block"] | {"json": ""})
        elif "text" in delta:
            pieces.append(delta["text"])
        elif "partial_json" in delta:
            blocks[event["index"]]["json"] += delta["partial_json"]
    text = "".join(pieces) or "".join(block.get("text", "") for block in blocks)
    called = [block for block in blocks if block["type"] == "tool_use"]
    calls = tuple((block["name"], json.loads(block.get("json") or "null") or block["input"]) for block in called)
    return Answer(text, calls, (usage.get("input_tokens", 0), usage.get("output_tokens", 0)), tuple(pieces))


def _assistants(one: Interaction) -> Answer | None:
    """A run that was streamed; one that was polled has its calls in the run, and its text among the messages."""
    pieces = tuple(
        part["text"]["value"]
        for event in one.received
        if event.get("object") == "thread.message.delta"
        for part in event["delta"]["content"]
    )
    last = one.received[-1]
    action = last.get("required_action") or {"submit_tool_outputs": {"tool_calls": []}}
    made = [call["function"] for call in action["submit_tool_outputs"]["tool_calls"]]
    calls = tuple((call["name"], json.loads(call["arguments"])) for call in made)
    written = [message for message in last.get("data") or () if message["role"] == "assistant"]
    texts = [part["text"]["value"] for message in written for part in message["content"]]
    text = "".join(pieces) or "".join(texts)
    return Answer(text, calls, (0, 0), pieces) if text or calls else None


# ---- what a request tells --------------------------------------------------------------------------------------------


def spoken(sent: JSON) -> list[Spoken]:
    """The conversation as a request tells it: texts, names of called functions, and their outputs."""
    if "messages" in sent:
        return list(_messages(sent["messages"]))
    if "tool_outputs" in sent:
        return [("us", one["output"]) for one in sent["tool_outputs"]]
    if "additional_messages" in sent:
        return [("us", one["content"]) for one in sent["additional_messages"]]
    return list(_contents(sent["contents"]) if "contents" in sent else _items(sent.get("input") or []))


def _messages(messages: list[JSON]) -> Iterator[Spoken]:
    """Messages of Chat Completions, or of Anthropic's API, whose content is blocks."""
    for message in messages:
        who = "assistant" if message["role"] == "assistant" else "us"
        content = message.get("content") or []
        for block in [{"type": "text", "text": content}] if isinstance(content, str) else content:
            match block["type"]:
                case "text":
                    yield who, block["text"]
                case "tool_use":
                    yield who, block["name"]
                case "tool_result":
                    yield who, block["content"]
        for call in message.get("tool_calls") or ():
            yield who, call["function"]["name"]


def _items(items: list[JSON]) -> Iterator[Spoken]:
    """Input items of the Responses API, or steps of the Interactions API."""
    for item in items:
        match item["type"]:
            case "function_call_output":
                yield "us", item["output"]
            case "function_result":
                yield "us", item["result"]
            case "function_call":
                yield "assistant", item["name"]
            case "message" | "user_input" | "model_output":
                ours = item.get("role") == "user" or item["type"] == "user_input"
                content = item["content"]
                text = content if isinstance(content, str) else "".join(part["text"] for part in content)
                yield "us" if ours else "assistant", text


def _contents(contents: list[JSON]) -> Iterator[Spoken]:
    for content in contents:
        who = "us" if content["role"] == "user" else "assistant"
        for part in content["parts"]:
            if "functionCall" in part:
                yield who, part["functionCall"]["name"]
            elif "functionResponse" in part:
                yield who, part["functionResponse"]["response"]["output"]
            else:
                yield who, part["text"]

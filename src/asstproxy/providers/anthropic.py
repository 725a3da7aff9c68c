"""`anthropic`: Claude, or any server that speaks the Messages API (https://platform.claude.com/docs/en/api/messages)."""

from __future__ import annotations

import re
import time
from collections.abc import Container, Iterable, Iterator, Sequence
from typing import IO, Any

import asstproxy.provider as ap

from ..config.provider_info import BUILT_IN

INFO, HEADERS = BUILT_IN["anthropic"], {"anthropic-version": "2023-06-01"}
STREAMED_TOKENS, UNARY_TOKENS = 64_000, 21_333  # of the answer, where no setting says it: the API wants a limit
PAUSES = 5  # how often the server may pause a turn for its own tools
INCOMPLETE = {"max_tokens": "max_output_tokens", "model_context_window_exceeded": "context_length"}
INCOMPLETE |= {"refusal": "content_filter", "pause_turn": "paused"}
FIELDS = {f"{name}_delta": name for name in ("text", "thinking", "signature")} | {"input_json_delta": "input"}
STEPS = {"thinking": "reasoning", "redacted_thinking": "reasoning", "server_tool_use": "calls of the provider's tools"}
CLAUDE_READS = dict.fromkeys(
    ("image/jpeg", "image/png", "image/gif", "image/webp"), 5 * 2**20 * 3 // 4
)  # 5 MB as base64
CLAUDE_READS |= {
    "application/pdf": 32 * ap.MB
}  # https://platform.claude.com/docs/en/build-with-claude/vision, …/pdf-support
KEPT = 48 * 3600  # seconds; the API takes an hour to 90 days
MEDIA = {"image": "an image", "document": "a document", "container_upload": "a file"}
NEEDED = {"text": "text", "thinking": "signature"}  # the API refuses empty text, and reasoning without its signature


def connect(profile: ap.Profile, *, client: Any = None) -> AnthropicProvider:  # noqa: ARG001 - no SDK is used
    """An Assistant Proxy for this profile; `NotSetUpError` if the key is missing."""
    return AnthropicProvider(_transport(profile), profile.model or INFO.default_model)


async def models(profile: ap.Profile) -> list[ap.ModelInfo]:
    """The models that the key may use; `AssistantError` if the server cannot be reached, or refuses."""
    return await ap.fetch_models(_transport(profile), "/models?limit=1000", INFO.models)


def _transport(profile: ap.Profile) -> ap.Transport:
    return ap.http_transport(profile, profile.read(ap.ServerOptions), INFO, root="/v1", headers=HEADERS)


class Reader(ap.StreamReader):
    """Folds the events of one turn, which the server may pause and continue in another reply."""

    pauses = True

    def __init__(self) -> None:
        self._blocks, self._usage, self._last, self._paused = ap.BlockBuffer(), ap.JSON(), ap.JSON(), 0

    def feed(self, event: ap.JSON) -> Iterator[ap.Event]:
        if (error := ap.find_error(event)) is not None:
            raise ap.reported_error(error)
        usage = ap.get_object(event, "message", "usage") | ap.get_object(event, "usage")  # totals, never to be added
        self._usage |= {key: value for key, value in usage.items() if value is not None}
        index, block = ap.get_index(event, "index"), ap.get_object(event, "content_block")
        delta = ap.get_object(event, "delta")
        field = FIELDS.get(ap.get_text(delta, "type")) or ap.get_text(block, "type")
        piece = ap.get_text(block or delta, "partial_json" if field == "input" else field)
        if block:
            self._blocks.start(index, block)
        elif field:
            self._blocks.add(index, field, piece)
        elif cited := ap.get_object(delta, "citation"):
            self._blocks.append(index, "citations", cited)
        elif "stop_reason" in (last := delta or event):  # and `stop_details`, `container`
            self._last |= {key: value for key, value in last.items() if value is not None}
        if piece and field in ("text", "thinking"):
            yield ap.ChunkReceived(piece) if field == "text" else ap.Reasoning(piece)
        said = ap.get_text(event, "content")
        whole = [{"type": "text", "text": said}] if said else ap.get_objects(event, "content")
        for number, block in enumerate(whole):  # of a whole reply
            yield from self.feed({"index": number, "content_block": block})
        self.done = self.done or bool(self._last.get("stop_reason")) or event.get("type") == "message_stop"

    def resume(self) -> ap.AssistantMessage | None:
        if self._last.pop("stop_reason", "") != "pause_turn" or self._paused > PAUSES:
            return None
        self._blocks.begin_part()
        self.done, self._usage = False, {}
        container = ap.get_text(self._last, "container", "id")
        return ap.AssistantMessage("", raw={"content": _returned(self._blocks.tool_calls()[0]), "container": container})

    def end(self) -> Iterator[ap.Event]:
        reason, (blocks, calls) = ap.get_text(self._last, "stop_reason"), self._blocks.tool_calls()
        if usage := ap.messages_usage(self._usage):
            yield usage
        self._paused += reason == "pause_turn"
        if reason == "pause_turn" and self._paused <= PAUSES:
            return
        text = "".join(ap.get_text(block, "text") for block in blocks if block["type"] == "text")
        raw = None if (content := _returned(blocks)) == _said(text, calls) else {"content": content}
        if reason in INCOMPLETE:  # calls may be cut, and what was refused must not go back
            if explanation := ap.get_text(self._last, "stop_details", "explanation"):
                yield ap.Notice(explanation)
            yield ap.MessageIncomplete(text, INCOMPLETE[reason], {"content": []} if reason == "refusal" else None)
        elif calls:
            yield ap.ActionRequired(calls, text, raw)
        elif reason in ("end_turn", "stop_sequence"):
            kinds = [block["type"] for block in blocks if block["type"] not in ("text", "tool_use")]
            media = [MEDIA[kind] for kind in kinds if kind in MEDIA]
            steps = [STEPS.get(kind, f"a block of the type '{kind}'") for kind in kinds if kind not in MEDIA]
            yield from ap.unshown(media, steps if not text else (), answered=bool(text))
            yield ap.AssistantMessageRetrieved(text, raw)
        elif text or reason not in ("", "tool_use"):
            yield ap.MessageIncomplete(text, reason or "unknown")
        else:
            raise ap.AssistantError("protocol", "The server's reply contains no answer.", "Check base_url.")


def attached(file: ap.SentFile) -> ap.JSON:
    """A file as a block of a message."""
    source = {"type": "file", "file_id": file.reference}
    if not file.reference:
        source = {"type": "base64", "media_type": file.attachment.media_type, "data": file.data}
    return {"type": "image" if file.attachment.kind == "image" else "document", "source": source}


async def upload(transport: ap.HttpTransport, attachment: ap.Attachment, content: IO[bytes]) -> ap.Upload:
    """Copy a file to Anthropic, for two days (https://platform.claude.com/docs/en/build-with-claude/files)."""
    file = {"file": (attachment.name, content, attachment.media_type)}
    _, made = await transport.upload("/files", {}, data={"expires_in_seconds": str(KEPT)}, files=file)
    return ap.Upload(ap.get_text(made, "id"), time.time() + KEPT - 600)


class AnthropicProvider(ap.StatelessProvider):
    """An Assistant Proxy that calls `POST /v1/messages`."""

    provider, reader = "anthropic", Reader
    attachment_format = ap.AttachmentFormat(CLAUDE_READS, attached, inline=22 * ap.MB, upload=upload)

    def __init__(self, transport: ap.Transport, model: str) -> None:
        super().__init__(transport, model)
        self._limit, self._refused = STREAMED_TOKENS, list[ap.JSON]()

    async def recover(self, error: ap.AssistantError, items: list[ap.Item]) -> str | None:
        limit = re.search(r"max_tokens: \d+ > (\d+)", str(error))
        if limit and 0 < int(limit[1]) < self._limit and "max_tokens" not in self.turn.settings:
            self._limit = int(limit[1])
            return ""
        blocks = [block for message in messages(items, self._refused) for block in message["content"]]
        sent = [block for block in blocks if "thinking" in block["type"]]
        if not sent or error.kind != "invalid_request" or not re.search("thinking|signature", str(error)):
            return await super().recover(error, items)
        self._refused += sent
        return "The provider refused the earlier reasoning of this conversation; continuing without it."

    def request(self, turn: ap.Turn, items: Sequence[ap.Item]) -> tuple[str, ap.JSON]:
        limit = min(self._limit, STREAMED_TOKENS if turn.stream else UNARY_TOKENS)
        tools = [{"name": t.name, "description": t.description, "input_schema": t.parameters} for t in turn.tools]
        raw = items[-1].raw if isinstance(items[-1], ap.AssistantMessage) else {}  # of a paused turn
        own = {
            "system": turn.instructions.strip(),
            "stream": turn.stream,
            "container": ap.get_text(raw or {}, "container"),
        }
        said = messages(items, self._refused, self.attachments.parts)
        body: ap.JSON = {"model": turn.model, "max_tokens": limit, "messages": said}
        body |= {key: value for key, value in own.items() if value} | turn.settings
        return "/messages", body | ap.with_hosted_tools(tools, turn.settings)


def messages(
    items: Iterable[ap.Item], refused: Container[ap.JSON] = (), parts: ap.Parts = ap.no_parts
) -> list[ap.JSON]:
    """The conversation, without reasoning that was refused; adjacent messages of one role are joined."""
    sent: list[ap.JSON] = []
    for item in items:
        match item:
            case ap.UserMessage(text, attachments):
                role, content = "user", parts(attachments) + _said(text, ())
            case ap.AssistantMessage(text, calls, raw):
                own = ap.get_objects(raw, "content") if isinstance(raw, dict) else _said(text, calls)
                role, content = "assistant", [block for block in own if block not in refused]
            case ap.ToolOutputs(results):
                role, content = "user", [_result(result) for result in results]
        content = [
            b | {k: re.sub(r"[^a-zA-Z0-9_-]", "_", b[k]) for k in ("id", "tool_use_id") if k in b} for b in content
        ]
        if content and sent and sent[-1]["role"] == role:
            sent[-1]["content"] += content
        elif content:
            sent.append({"role": role, "content": content})
    return sent


def _said(text: str, calls: Iterable[ap.ToolCall]) -> list[ap.JSON]:
    made = [{"id": c.call_id, "name": c.name, "input": ap.parsed_arguments(c.arguments)} for c in calls]
    return [{"type": "text", "text": text}] * bool(text.strip()) + [{"type": "tool_use", **call} for call in made]


def _result(result: ap.ToolResult) -> ap.JSON:
    given = {"content": result.output} if result.error is None else {"content": result.error, "is_error": True}
    return {"type": "tool_result", "tool_use_id": result.call_id, **given}


def _returned(blocks: Iterable[ap.JSON]) -> list[ap.JSON]:
    return [block for block in blocks if ap.get_text(block, NEEDED.get(block["type"], "type")).strip()]

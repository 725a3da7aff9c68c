"""`anthropic`: Claude, or any server that speaks the Messages API (https://platform.claude.com/docs/en/api/messages)."""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Iterator, Sequence
from typing import Any

import asstproxy.provider as ap

from ..config.provider_info import BUILT_IN
from .answer_schema import CLAUDE_DIALECT, claude_format
from .file_parts import CLAUDE

INFO, HEADERS = BUILT_IN["anthropic"], {"anthropic-version": "2023-06-01"}
STREAMED_TOKENS, UNARY_TOKENS = 64_000, 21_333  # of the answer, where no setting says it: the API wants a limit
STEPS = {"thinking": "reasoning", "redacted_thinking": "reasoning", "server_tool_use": "calls of the provider's tools"}
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

    pauses, linger, goes_on = True, 30.0, True  # seconds: as long as a tool of the server's own may take

    def __init__(self) -> None:
        self._blocks, self._usage, self._last = ap.BlockBuffer(NEEDED), ap.JSON(), ap.JSON()
        self._progress = ap.Progress()

    def feed(self, event: ap.JSON) -> Iterator[ap.Event]:
        if (error := ap.find_error(event)) is not None:
            raise ap.reported_error(error)
        self._usage |= ap.not_null(ap.get_object(event, "message", "usage") | ap.get_object(event, "usage"))  # totals
        self._blocks.hold(ap.get_blocks(event, "message", "content"))  # usually empty
        index, delta = ap.get_index(event, "index"), ap.get_object(event, "delta")
        for number, block in enumerate(ap.get_blocks(event, "content")):  # of a whole reply
            yield from self._say(*self._blocks.start(number, block))
        block = ap.get_object(event, "content_block")
        kind, text = self._blocks.start(index, block) if block else self._blocks.add(index, delta)
        if kind:
            yield from self._progress.notes(ap.get_text(block, "name") if kind == "server_tool_use" else kind)
            yield from self._say(kind, text)
        elif cited := ap.get_object(delta, "citation"):
            self._blocks.append(index, "citations", cited)
        elif "stop_reason" in (last := delta or ap.get_object(event, "message") or event):  # and `container`
            reason = ap.later_reason(ap.get_text(self._last, "stop_reason"), ap.get_text(last, "stop_reason"))
            self._last |= ap.not_null(last) | {"stop_reason": reason}
        if event.get("type") == "message_stop":  # the last event: no need to wait for the end of the stream
            self.goes_on, self.linger = False, 0.25
        self.done = bool(self._last.get("stop_reason")) or not self.goes_on

    def _say(self, kind: str, text: str) -> Iterator[ap.Event]:
        self.continued |= bool(self._last.pop("stop_reason", None))  # the answer went on, so it had not ended
        if text and kind in ("text", "thinking"):
            yield ap.ChunkReceived(text) if kind == "text" else ap.Reasoning(text)

    def resume(self) -> ap.AssistantMessage | None:
        if self._last.pop("stop_reason", "") != "pause_turn" or not self.may_pause:
            return None
        self._blocks.begin_part()
        self.done, self._usage, self.goes_on, self.linger = False, {}, True, Reader.linger
        content, container = self._blocks.tool_calls()[0], ap.get_text(self._last, "container", "id")
        return ap.AssistantMessage("", raw={"content": self._blocks.returned(content), "container": container})

    def end(self) -> Iterator[ap.Event]:
        reason, (blocks, calls) = ap.get_text(self._last, "stop_reason"), self._blocks.tool_calls()
        yield from filter(None, [ap.messages_usage(self._usage)])
        if reason == "pause_turn" and self.may_pause:
            return
        text = "".join(ap.get_text(block, "text") for block in blocks if block["type"] == "text")
        raw = None if (content := self._blocks.returned(blocks)) == _content(text, calls) else {"content": content}
        yield from map(ap.Notice, filter(None, [ap.get_text(self._last, "stop_details", "explanation")]))
        known = (whole := ap.is_whole(reason)) or calls or (not text and reason in ("", "tool_use"))
        odd = "call_missing" if reason == "tool_use" else reason or "unknown"
        cut = "paused" if reason == "pause_turn" else ap.cut_by(reason) or ("" if known else odd)
        kept = {"content": []} if reason == "refusal" else None if cut else raw  # calls may be cut, too
        media, steps = ap.describe_blocks((block["type"] for block in blocks), STEPS)
        yield from ap.cited(ap.url_citations(blocks))
        yield from ap.closing(text, calls, kept, cut=cut, media=media, steps=steps, whole=whole)


class AnthropicProvider(ap.StatelessProvider):
    """An Assistant Proxy that calls `POST /v1/messages`."""

    provider, reader, attachment_format = "anthropic", Reader, CLAUDE
    structured, dialect = ap.SchemaSupport(), CLAUDE_DIALECT

    def __init__(self, transport: ap.Transport, model: str) -> None:
        super().__init__(transport, model)
        self._limit, self._refused = STREAMED_TOKENS, list[ap.JSON]()

    async def recover(self, error: ap.AssistantError, items: list[ap.Item]) -> str | None:
        limit = re.search(r"max_tokens: \d+ > (\d+)", str(error))
        if limit and 0 < int(limit[1]) < self._limit and "max_tokens" not in self.turn.settings:
            self._limit = int(limit[1])
            return ""
        sent = [b for message in messages(items, self._refused) for b in message["content"] if "thinking" in b["type"]]
        if not sent or error.kind != "invalid_request" or not re.search("thinking|signature", str(error)):
            return await super().recover(error, items)
        self._refused += sent
        return "The provider refused the earlier reasoning of this conversation; continuing without it."

    def request(self, turn: ap.Turn, items: Sequence[ap.Item]) -> tuple[str, ap.JSON]:
        limit = min(self._limit, STREAMED_TOKENS if turn.stream else UNARY_TOKENS)
        tools = [{"name": t.name, "description": t.description, "input_schema": t.parameters} for t in turn.tools]
        container = ap.get_text(getattr(items[-1], "raw", None) or {}, "container")  # of a paused turn
        own = {"system": turn.instructions.strip(), "stream": turn.stream, "container": container}
        history = messages(items, self._refused, self.attachments.parts)
        body: ap.JSON = {"model": turn.model, "max_tokens": limit, "messages": history}
        body |= {key: value for key, value in own.items() if value} | turn.settings | claude_format(turn)
        return "/messages", body | ap.with_hosted_tools(tools, turn.settings)


def messages(items: Iterable[ap.Item], refused: Container[Any] = (), parts: ap.Parts = ap.no_parts) -> list[ap.JSON]:
    """The conversation, without reasoning that was refused; adjacent messages of one role are joined."""
    turns = list[tuple[str, list[ap.JSON]]]()
    for item in items:
        match item:
            case ap.UserMessage(text, attachments):
                turns.append(("user", parts(attachments) + _content(text, ())))
            case ap.AssistantMessage(text, calls, raw):
                own = ap.get_objects(raw, "content") if isinstance(raw, dict) else _content(text, calls)
                turns.append(("assistant", [block for block in own if block not in refused]))
            case ap.ToolOutputs(results):
                turns.append(("user", [_result(result) for result in results]))
    return ap.joined_turns((role, [ap.with_fitting_ids(block) for block in content]) for role, content in turns)


def _content(text: str, calls: Iterable[ap.ToolCall]) -> list[ap.JSON]:
    made = [{"id": c.call_id, "name": c.name, "input": ap.parsed_arguments(c.arguments)} for c in calls]
    return [{"type": "text", "text": text}] * bool(text.strip()) + [{"type": "tool_use", **call} for call in made]


def _result(result: ap.ToolResult) -> ap.JSON:
    given = {"content": result.output} if result.error is None else {"content": result.error, "is_error": True}
    return {"type": "tool_result", "tool_use_id": result.call_id, **given}

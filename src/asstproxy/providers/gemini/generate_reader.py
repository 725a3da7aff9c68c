"""generateContent, from Google to us: folds the chunks of an answer into our events. No input or output of its own.

A whole reply is a single chunk. Any chunk may lack candidates, content or parts, and texts may be empty; the chunk with
the finish reason may be followed by one that holds only the usage.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from typing import Any

from ...core.errors import AssistantError
from ...core.events import ChunkReceived, Event, Notice, Reasoning, ToolCall, Usage
from ..transport import JSON
from ..transport.failures import refusal
from .finish_reasons import blocked, ending

__all__ = ["Reader"]

PLAIN = ({"text"}, {"text", "thought"})
"""The keys of a part that may be joined to its neighbour; a signed part stands alone."""
SILENT = ("inlineData", "fileData")


class Reader:
    """`feed` it every chunk; `end` gives the closing message."""

    def __init__(self) -> None:
        self.finished = False
        self._reason, self._detail, self._block = "", "", ""
        self._parts: list[JSON] = []
        self._texts: list[list[str]] = []  # the pieces of each part's text
        self._calls: list[ToolCall] = []
        self._usage: JSON = {}

    def feed(self, chunk: JSON) -> Iterator[Event]:
        """Our events for one chunk.

        Raises:
            AssistantError: the chunk reports a failure.
        """
        if isinstance(error := chunk.get("error"), dict):
            code = error.get("code")
            raise refusal(code if isinstance(code, int) else 500, chunk, {}, "Gemini")
        self._usage = _dict(chunk.get("usageMetadata")) or self._usage
        feedback = _dict(chunk.get("promptFeedback"))
        if feedback.get("blockReason"):
            self.finished = True
            self._block, self._detail = str(feedback["blockReason"]), str(feedback.get("blockReasonMessage") or "")
        candidate = next((c for c in _list(chunk.get("candidates")) if not c.get("index")), {})
        for part in _list(_dict(candidate.get("content")).get("parts")):
            yield from self._part(part)
        if candidate.get("finishReason"):
            self.finished = True
            self._reason, self._detail = str(candidate["finishReason"]), str(candidate.get("finishMessage") or "")

    def _part(self, part: JSON) -> Iterator[Event]:
        if text := part.get("text"):
            yield Reasoning(str(text)) if part.get("thought") else ChunkReceived(str(text))
        if isinstance(call := part.get("functionCall"), dict):
            known = {c.call_id for c in self._calls}
            given = str(call.get("id") or "")
            number = given if given and given not in known else f"local_{secrets.token_hex(8)}"
            args = json.dumps(call.get("args") or {}, ensure_ascii=False)
            self._calls.append(ToolCall(number, str(call.get("name") or ""), args))
        if any(key in part for key in SILENT):
            yield Notice("The answer holds something that is no text and is not shown.")
        self._keep(part)

    def _keep(self, part: JSON) -> None:
        last = self._parts[-1] if self._parts else {}
        if set(part) in PLAIN and set(last) == set(part) and last.get("thought") == part.get("thought"):
            self._texts[-1].append(str(part["text"]))
        elif part != {"text": ""}:
            self._parts.append(part)
            self._texts.append([str(part["text"])] if "text" in part else [])

    def _whole(self) -> list[JSON]:
        pairs = zip(self._parts, self._texts, strict=True)
        return [part | {"text": "".join(pieces)} if len(pieces) > 1 else part for part, pieces in pairs]

    def end(self) -> Iterator[Event]:
        """A usage note, then the closing message.

        Raises:
            AssistantError: nothing was said, or what was said is of no use.
        """
        if any(usage := _counts(self._usage)):
            yield Usage(*usage)
        if self._block:
            raise blocked(self._block, self._detail)
        if not self._reason:
            raise AssistantError("protocol", "The answer does not say why it ended.", "Check base_url, or try again.")
        parts = self._whole()
        text = "".join(str(part.get("text") or "") for part in parts if not part.get("thought"))
        if not text and not self._calls and self._reason == "STOP":
            yield Notice("The model ended its turn without a word.")
        yield from ending(self._reason, self._detail, text, tuple(self._calls), _raw(parts))


def _raw(parts: list[JSON]) -> JSON | None:
    """What must go back exactly as it was received; None when our own words say the same."""
    return None if all(_is_plain(part) for part in parts) else {"parts": parts}


def _is_plain(part: JSON) -> bool:
    if set(part) == {"functionCall"}:
        return not _dict(part["functionCall"]).get("id")
    return set(part) in PLAIN  # a thought without a signature is for reading only


def _counts(usage: JSON) -> tuple[int, int, int, int]:
    """Tokens in the order of `Usage`; thoughts are output, as with other providers."""

    def count(name: str) -> int:
        value = usage.get(name)
        return value if isinstance(value, int) else 0

    thoughts = count("thoughtsTokenCount")
    read = count("promptTokenCount") + count("toolUsePromptTokenCount")
    return read, count("candidatesTokenCount") + thoughts, count("cachedContentTokenCount"), thoughts


def _dict(value: Any) -> JSON:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[JSON]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []

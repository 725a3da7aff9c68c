"""generateContent, from Google to us: folds the chunks of an answer into our events.

A whole reply is a single chunk. Any chunk may lack candidates, content or parts, and texts may be empty. A finish reason does
not end the answer: servers send one with every chunk, or after a round of Google's own tools, and go on. Its end is that of the
stream.
"""

from __future__ import annotations

from collections.abc import Iterator

from ...core.errors import AssistantError
from ...core.events import ChunkReceived, Event, Reasoning, Source, Usage
from ..answer_notes import cited, describe_media, unshown
from ..fields import (
    ToolCallBuffer,
    get_arguments,
    get_count,
    get_index,
    get_object,
    get_objects,
    get_text,
    parsed_arguments,
)
from ..stream import StreamReader
from ..transport import JSON
from ..transport.error_words import find_error
from ..transport.failures import refusal, reported_error
from .finish_reasons import WHOLE, blocked, ending, googles_reason
from .partial_call import PartialCall
from .spelling import as_google_writes

__all__ = ["Reader"]

PLAIN = ({"text"}, {"text", "thought"})
"""The keys of a part that may be joined to its neighbour; a signed part stands alone."""
NO_REASON = "BLOCK_REASON_UNSPECIFIED"
CODE = ("executableCode", "codeExecutionResult")
KNOWN = (*CODE, "functionCall", "inlineData", "fileData", "videoMetadata", "partMetadata", "mediaResolution")


class Reader(StreamReader):
    """Folds chunks, or one whole reply, into our events. `several`: the person asked for several candidates, of which the first
    is read.
    """

    linger, goes_on = 30.0, True  # seconds: as long as Google's own code execution may take

    def __init__(self, *, several: bool = False) -> None:
        self._several = several
        self._reason, self._detail, self._block = "", "", ""
        self._parts: list[JSON] = []
        self._texts: list[list[str]] = []  # the pieces of each part's text
        self._calls, self._partial = ToolCallBuffer(), PartialCall()
        self._usage: JSON = {}
        self._sources: list[Source] = []

    def feed(self, chunk: JSON) -> Iterator[Event]:
        """See `StreamReader`."""
        if (error := find_error(chunk)) is not None:
            if not isinstance(error, dict):
                raise reported_error(error)
            raise refusal(get_index(error, "code") or 500, {"error": error}, {}, "Gemini")
        chunk = as_google_writes(chunk)
        self._usage = get_object(chunk, "usageMetadata") or self._usage
        feedback = get_object(chunk, "promptFeedback")
        if (reason := get_text(feedback, "blockReason")) and reason != NO_REASON:
            self.done = True
            self._block, self._detail = reason, get_text(feedback, "blockReasonMessage")
        candidates = get_objects(chunk, "candidates")
        self._several = self._several or len(candidates) > 1
        candidate = next((c for c in candidates if not self._several or not c.get("index")), {})
        plain = get_text(candidate, "content")  # of servers that only look like Google's
        parts = [{"text": plain}] if plain else get_objects(candidate, "content", "parts")
        if self.done and any(_has_content(part) for part in parts):
            self.done, self.continued, self._reason = False, True, ""
        for part in parts:
            yield from self._part(part)
        self._sources += _sources(candidate)
        if (reason := googles_reason(candidate.get("finishReason"))) and not (self._reason and reason in WHOLE):
            self.done = True
            self._reason, self._detail = reason, get_text(candidate, "finishMessage")

    def _part(self, part: JSON) -> Iterator[Event]:
        if text := get_text(part, "text"):
            yield Reasoning(text) if _is_thought(part) else ChunkReceived(text)
        if isinstance(part.get("functionCall"), dict):
            if (whole := self._partial.add(part)) is None:
                return
            part, call = whole, whole["functionCall"]
            arguments = get_arguments(call, "args")
            self._calls.add(len(self._calls), get_text(call, "id"), get_text(call, "name"), arguments)
            if isinstance(call.get("args"), str):  # it goes back as Google would have written it
                part = part | {"functionCall": call | {"args": parsed_arguments(arguments)}}
        self._keep(part)

    def _keep(self, part: JSON) -> None:
        last = self._parts[-1] if self._parts else {}
        if set(part) in PLAIN and set(last) == set(part) and last.get("thought") == part.get("thought"):
            self._texts[-1].append(get_text(part, "text"))
        elif part != {"text": ""}:
            self._parts.append(part)
            self._texts.append([get_text(part, "text")] if "text" in part else [])

    def _whole(self) -> list[JSON]:
        pairs = zip(self._parts, self._texts, strict=True)
        return [part | {"text": "".join(pieces)} if len(pieces) > 1 else part for part, pieces in pairs]

    def end(self) -> Iterator[Event]:
        """See `StreamReader`: a usage note, then the closing event."""
        if any(usage := _counts(self._usage)):
            yield Usage(*usage)
        if self._block:
            raise blocked(self._block, self._detail)
        if not self._reason:
            raise AssistantError("protocol", "The answer doesn't say why it ended.", "Check base_url, or try again.")
        yield from cited(self._sources)
        parts = self._whole()
        text = "".join(get_text(part, "text") for part in parts if not _is_thought(part))
        answered = bool(text or self._calls)
        if self._partial and self._reason in WHOLE:  # it never ended, so nobody knows what is missing
            self._reason = "MALFORMED_FUNCTION_CALL"
        if answered or self._reason in WHOLE:
            yield from unshown(_media(parts), _steps(parts), answered=answered)
        yield from ending(self._reason, self._detail, text, self._calls.finish(), _raw(parts))


def _has_content(part: JSON) -> bool:
    return bool(get_text(part, "text") or part.keys() - {"text", "thought", "thoughtSignature"})


def _is_thought(part: JSON) -> bool:
    return str(part.get("thought")).lower() == "true"  # some servers write it as a text


def _sources(candidate: JSON) -> Iterator[Source]:
    """What grounding found (web pages, files, places), and what a text repeats."""
    for chunk in get_objects(candidate, "groundingMetadata", "groundingChunks"):
        for kind in ("web", "retrievedContext", "maps"):
            yield Source(get_text(chunk, kind, "uri"), get_text(chunk, kind, "title"))
    for name in ("citationSources", "citations"):
        for source in get_objects(candidate, "citationMetadata", name):
            yield Source(get_text(source, "uri"), get_text(source, "title"))


def _media(parts: list[JSON]) -> Iterator[str]:
    for part in parts:
        for holder in ("inlineData", "fileData"):
            if part.get(holder):
                yield describe_media(get_text(part, holder, "mimeType"))


def _steps(parts: list[JSON]) -> Iterator[str]:
    for part in parts:
        if _is_thought(part):
            yield "reasoning"
        if any(part.get(name) for name in CODE):
            yield "code"
        yield from (
            f"a part of the type '{name}'" for name in part if name not in KNOWN and isinstance(part[name], dict)
        )


def _raw(parts: list[JSON]) -> JSON | None:
    """What must go back exactly as it was received; None if text and calls say the same."""
    return None if all(_is_plain(part) for part in parts) else {"parts": parts}


def _is_plain(part: JSON) -> bool:
    if set(part) == {"functionCall"}:
        return not get_object(part, "functionCall").get("id")
    return set(part) in PLAIN  # a thought without a signature is for reading only


def _counts(usage: JSON) -> tuple[int, int, int, int]:
    """Tokens in the order of `Usage`; thoughts are output, as with other providers."""
    thoughts = get_count(usage, "thoughtsTokenCount")
    read = get_count(usage, "promptTokenCount") + get_count(usage, "toolUsePromptTokenCount")
    written = get_count(usage, "candidatesTokenCount") + thoughts
    return read, written, get_count(usage, "cachedContentTokenCount"), thoughts

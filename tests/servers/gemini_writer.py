"""What the model says, as generateContent's parts and chunks."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal

from .brain import Call, Fail, Incomplete, Output, Refuse, Say, Think, Wait, tokens, words
from .ids import Ids
from .openai_writer import paced
from .wire import ApiError, Json

LastChunk = Literal["empty_part", "no_parts", "no_content", "no_candidates"]
"""What the chunk with the finish reason looks like; with `no_candidates` one follows that has only the usage."""

REASONS = {"max_output_tokens": "MAX_TOKENS", "content_filter": "SAFETY"}
FAILURES = {
    "rate_limit_exceeded": 429,
    "RESOURCE_EXHAUSTED": 429,
    "INVALID_ARGUMENT": 400,
    "UNAVAILABLE": 503,
    "DEADLINE_EXCEEDED": 504,
    "CANCELLED": 499,
}


@dataclass
class Usage:
    """Counted as the answer grows, so that every chunk carries the sum so far."""

    prompt: int
    cached: int
    thoughts: int = 0
    spoken: int = 0

    def metadata(self) -> Json:
        """The usageMetadata of a chunk; what is zero is not there."""
        counts = {"thoughtsTokenCount": self.thoughts, "cachedContentTokenCount": self.cached}
        return {
            "promptTokenCount": self.prompt,
            "candidatesTokenCount": self.spoken,
            "totalTokenCount": self.prompt + self.thoughts + self.spoken,
            "promptTokensDetails": [{"modality": "TEXT", "tokenCount": self.prompt}],
            **{name: count for name, count in counts.items() if count},
        }


@dataclass
class Writer:
    """Plays one turn; `parts` grows with it, text by text."""

    ids: Ids
    usage: Usage
    show_thoughts: bool
    sign: bool = True
    call_ids: bool = True
    last_chunk: LastChunk = "empty_part"
    signature: str | None = None
    """Of a thought, on its way to the next part that can carry it."""
    parts: list[Json] = field(default_factory=list)

    async def play(self, outputs: Iterable[Output]) -> AsyncIterator[Json]:
        """Chunks without their head: candidates and usage."""
        reason = "STOP"
        for group in grouped(outputs):
            match group[0]:
                case Wait(seconds):
                    await asyncio.sleep(seconds)
                case Fail(code, message):
                    raise ApiError(FAILURES.get(code, 500), message)
                case Incomplete(given):
                    reason = REASONS.get(given, given)
                    break
                case _:
                    async for parts in self._speak(group):
                        yield self._chunk(parts)
        for chunk in self._ending(reason):
            yield chunk

    async def _speak(self, group: Sequence[Output]) -> AsyncIterator[list[Json]]:
        match group[0]:
            case Think() as thought:
                self.signature = thought.encrypted or self.ids.blob()
                self.usage.thoughts += tokens(thought.summary)
                if self.show_thoughts and thought.summary:
                    async for piece in paced(words(thought.summary), thought.pace):
                        yield [{"text": piece, "thought": True}]
            case Call():
                yield self._calls(group)
            case Say() as say:
                async for piece in paced(say.parts(), say.pace):
                    yield [{"text": piece}]
            case Refuse(text):
                yield [{"text": text}]

    def _calls(self, group: Sequence[Output]) -> list[Json]:
        parts: list[Json] = []
        for call in group:
            if not isinstance(call, Call):
                raise TypeError(call)
            name: Json = {"name": call.name, "args": call.arguments_dict}
            if self.call_ids and call.call_id != "":
                name["id"] = call.call_id or self.ids("call")
            parts.append({"functionCall": name})
        if self.signature or self.sign:
            # Of parallel calls only the first is signed.
            parts[0]["thoughtSignature"] = self.signature or self.ids.blob()
            self.signature = None
        return parts

    def _ending(self, reason: str) -> list[Json]:
        signed: Json = {"text": "", "thoughtSignature": self.signature} if self.signature else {"text": ""}
        chunks = []
        if self.signature and self.last_chunk in {"no_parts", "no_content"}:
            chunks.append(self._chunk([signed]))
        match self.last_chunk:
            case "no_parts":
                last = self._chunk([])
                last["candidates"][0]["content"] = {"role": "model"}
            case "no_content":
                last = self._chunk([])
                del last["candidates"][0]["content"]
            case _:
                last = self._chunk([signed])
        last["candidates"][0]["finishReason"] = reason
        if reason != "STOP":
            last["candidates"][0]["finishMessage"] = f"The model stopped: {reason}."
        chunks.append(last)
        if self.last_chunk == "no_candidates":
            chunks.append({"usageMetadata": self.usage.metadata()})
        return chunks

    def whole(self) -> list[Json]:
        """The parts of an answer that is not streamed: there the last text carries the signature itself."""
        if len(self.parts) > 1 and set(self.parts[-2]) == {"text"} and self.parts[-1].get("text") == "":
            return [*self.parts[:-2], {**self.parts[-1], **self.parts[-2]}]
        return self.parts

    def _chunk(self, parts: list[Json]) -> Json:
        for part in parts:
            self.usage.spoken += 0 if part.get("thought") else tokens(part)
            self._keep(part)
        candidate = {"content": {"parts": parts, "role": "model"}, "index": 0}
        return {"candidates": [candidate], "usageMetadata": self.usage.metadata()}

    def _keep(self, part: Json) -> None:
        """Add to the whole answer: text joins the text before, unless either is signed or only one is a thought."""
        last = self.parts[-1] if self.parts else {}
        plain = "text" in last and "text" in part and "thoughtSignature" not in last and "thoughtSignature" not in part
        if plain and last.get("thought") == part.get("thought"):
            last["text"] += part["text"]
        elif part != {"text": ""}:
            self.parts.append(dict(part))


def grouped(outputs: Iterable[Output]) -> list[list[Output]]:
    """Calls in a row belong together, unless one of them is paced."""
    groups: list[list[Output]] = []
    for output in outputs:
        parallel = isinstance(output, Call) and groups and isinstance(groups[-1][0], Call) and not output.pace
        if parallel:
            groups[-1].append(output)
        else:
            groups.append([output])
    return groups

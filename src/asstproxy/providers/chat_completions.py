"""`chat-completions`: any server that speaks OpenAI's Chat Completions (https://developers.openai.com/api/reference/resources/chat)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import asstproxy.provider as ap

from ..config.setting_tables import CHAT_COMPLETIONS
from ..config.vendors import Quirks
from .file_parts import CHAT, joined_content

INFO = ap.ProviderInfo(
    "any server that speaks Chat Completions",
    questions=ap.SERVER_QUESTIONS,
    settings=CHAT_COMPLETIONS,
    output_limit="max_tokens",
)
OWN_KEYS = ("index", "id", "type", "function", "custom", "name", "arguments")  # of a call; all others go back


def connect(profile: ap.Profile, *, client: Any = None) -> ChatCompletionsProvider:  # noqa: ARG001 - no SDK is used
    """An Assistant Proxy for this profile; `NotSetUpError` if it lacks an address, a key, or a vendor's model."""
    return ChatCompletionsProvider.of(profile, INFO)


async def models(profile: ap.Profile) -> list[ap.ModelInfo]:
    """The models of the server; `AssistantError` if it cannot be reached, or refuses."""
    return await ap.fetch_models(ap.vendor_transport(profile, INFO), "/models", {})


class Reader(ap.StreamReader):
    """Folds the chunks of a stream, or a whole reply (`message` for `delta`); all but the finish reason may be missing.

    `remembers`: the reasoning goes back with an answer, too, not only with calls.
    """

    linger, goes_on = 30.0, True  # seconds: as long as a tool of the server's own may take

    def __init__(self, *, remembers: bool = False) -> None:
        self._content, self._tags, self._text = ap.TextFold(), ap.ThinkTags(), ap.TextBuffer()
        self._reasoning, self._calls, self._sources = ap.ReasoningBuffer(), ap.ToolCallBuffer(), list[ap.Source]()
        self._usage, self._reason, self._remembers, self._thought = ap.JSON(), "", remembers, False
        self._media, self._waits, self._tier, self._several = list[str](), list[str](), "", False

    def feed(self, event: ap.JSON) -> Iterator[ap.Event]:
        self._usage = ap.get_object(event, "usage") or self._usage
        self._tier = ap.service_tier(event) or self._tier
        choices = ap.get_objects(event, "choices")
        self._several |= len(choices) > 1
        choice = next((one for one in choices if not (self._several and one.get("index"))), {})  # the first answer
        for holder in (event, choice):
            if (error := ap.find_error(holder)) is not None:
                raise ap.reported_error(error)
        delta, message = ap.get_object(choice, "delta"), ap.get_object(choice, "message")
        self._sources += ap.url_citations([event, delta, message])
        old = {"content": ap.get_text(choice, "text")}  # of the API before this one
        news = [one for holder in (delta, old, message) for one in self._read(holder, holder is message)]
        self.continued = self.continued or (self.done and bool(news))
        kept = "" if news else self._reason  # the answer went on, so it has not ended
        reason = ap.get_text(choice, "finish_reason").lower() or ("" if kept or delta or not message else "stop")
        self._reason = ap.later_reason(kept, reason)
        self.done = bool(self._reason)
        yield from (one for one in news if one is not None)

    def _read(self, holder: ap.JSON, whole: bool) -> Iterator[ap.Event | None]:
        """What is new in a delta or a message; None for what is not text."""
        if not (whole and self._reasoning) and (thought := self._reasoning.add(holder)):  # a message repeats the deltas
            yield from self._say([(True, thought)])
        text = ap.get_content(holder, "content") or ap.get_text(holder, "refusal")
        text = text or ap.get_text(holder, "audio", "transcript")
        text = self._content.complete(text) if whole else self._content.add(text)
        yield from self._say(self._tags.add(text))
        parts = [ap.get_text(part, "type") for part in ap.get_objects(holder, "content")]
        self._media += ["audio"] * bool(ap.get_object(holder, "audio"))
        self._media += ["an image"] * ("image_url" in parts or bool(ap.get_objects(holder, "images")))
        if whole and self._calls:
            return
        old = ap.get_object(holder, "function_call")  # as it was before `tool_calls`
        for number, call in enumerate(ap.get_objects(holder, "tool_calls") or ([{"function": old}] if old else [])):
            if ap.get_object(call, "custom"):
                self._waits.append("the result of a custom tool")
            place = ap.get_index(call, "index")
            key, call_id = number if whole and place is None else place, ap.get_text(call, "id")
            extra = {name: value for name, value in call.items() if value and name not in OWN_KEYS}
            self._calls.add(key, call_id, *ap.function_of(call), extra)
            yield None

    def _say(self, pieces: Iterable[tuple[bool, str]]) -> Iterator[ap.Event]:
        for thought, words in pieces:
            self._thought |= thought
            if not thought:
                self._text.add(words)
            yield ap.Reasoning(words) if thought else ap.ChunkReceived(words)

    def end(self) -> Iterator[ap.Event]:
        yield from self._say(self._tags.rest())
        if usage := self._usage:
            yield ap.chat_usage(usage, self._tier)
        yield from ap.cited(self._sources)
        calls, cut = self._calls.finish(), ap.cut_by(self._reason)
        raw = {"reasoning": self._reasoning.raw, "tool_calls": self._calls.extras} if calls or self._remembers else {}
        raw = {name: value for name, value in raw.items() if value and not cut}
        more: Any = {"waits": self._waits, "media": self._media, "reason": self._reason, "cut": cut}
        yield from ap.closing(str(self._text), calls, raw or None, steps=["reasoning"] * self._thought, **more)


class ChatCompletionsProvider(ap.VendorProvider):
    """An Assistant Proxy that calls `POST /chat/completions`; it sends nothing that was not set."""

    optional = ("stream_options",)
    attachment_format = CHAT

    async def accepts(self, model: str) -> Mapping[str, int]:
        return await ap.readable_by(self.transport, model, self.attachments.accepted)

    def new_reader(self) -> Reader:
        return Reader(remembers=self.quirks.reasoning == "always")

    def request(self, turn: ap.Turn, items: Sequence[ap.Item]) -> tuple[str, ap.JSON]:
        system = [{"role": "system", "content": text}] if (text := self.instructions_for(turn)) else []
        schemas = [{"name": t.name, "description": t.description, "parameters": t.parameters} for t in turn.tools]
        tools = ap.with_hosted_tools([{"type": "function", "function": one} for one in schemas], turn.settings)
        named = {"model": turn.model} if turn.model else {}
        body = named | {"messages": [*system, *messages(items, self.quirks, self.attachments.parts)]}
        counted = {"stream_options": {"include_usage": True}} if self.quirks.asks_for_usage else {}
        streamed = {"stream": True, **counted} if turn.stream else {}
        return "/chat/completions", body | streamed | self.settings_for(turn) | tools


def messages(items: Sequence[ap.Item], quirks: Quirks = ap.NO_QUIRKS, parts: ap.Parts = ap.no_parts) -> list[ap.JSON]:
    """The conversation as messages; adjacent ones of the user are joined, because many servers demand turns."""
    sent: list[ap.JSON] = []
    for item, reasoning in ap.items_for(quirks, items):
        match item:
            case ap.UserMessage(text, attachments):
                before = sent.pop()["content"] if sent and sent[-1]["role"] == "user" else ""
                sent.append({"role": "user", "content": joined_content(before, parts(attachments), text)})
            case ap.AssistantMessage(text, calls, raw) if text or calls:
                functions = [{"name": call.name, "arguments": call.arguments} for call in calls]
                extras = ap.get_objects(raw, "tool_calls") or [{}] * len(calls)
                each = zip(calls, functions, extras, strict=True)
                made = [{"id": call.call_id, "type": "function", "function": f} | extra for call, f, extra in each]
                sent.append({"role": "assistant", "content": text} | ({"tool_calls": made} if made else {}) | reasoning)
            case ap.ToolOutputs(results):  # the API has no field for an error, and some servers refuse an empty output
                outputs = [(r.call_id, r.output if r.error is None else f"Error: {r.error}") for r in results]
                sent += [{"role": "tool", "tool_call_id": call_id, "content": text or "-"} for call_id, text in outputs]
    return sent

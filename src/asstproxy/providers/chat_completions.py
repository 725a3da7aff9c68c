"""`chat-completions`: any server that speaks OpenAI's Chat Completions (https://developers.openai.com/api/reference/resources/chat)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import asstproxy.provider as ap

from ..config.setting_tables import CHAT_COMPLETIONS
from ..config.vendors import VENDORS

INFO = ap.ProviderInfo(
    "any server that speaks Chat Completions",
    questions=ap.SERVER_QUESTIONS,
    settings=CHAT_COMPLETIONS,
    output_limit="max_tokens",
)
PICTURES, SOUNDS = ("image/png", "image/jpeg", "image/webp", "image/gif"), {"audio/wav": "wav", "audio/mpeg": "mp3"}
READS = dict.fromkeys(
    (*PICTURES, "application/pdf", *SOUNDS), 20 * ap.MB
)  # our own limit: servers differ, few state theirs
WHOLE = {"stop", "eos", "eos_token", "end_turn", "stop_sequence", "tool_calls", "function_call", "tool_use", "end"}
CUT = {"length", "model_length", "max_tokens", "max_output_tokens", "max_new_tokens"}
FILTERED = {"content_filter", "safety", "recitation", "blocklist", "prohibited_content", "spii", "refusal", "sensitive"}
BROKEN = {"error", "abort", "aborted", "cancelled", "network_error", "insufficient_system_resource", "timeout"}
INCOMPLETE = dict.fromkeys(CUT, "max_output_tokens") | dict.fromkeys(FILTERED, "content_filter")
INCOMPLETE |= dict.fromkeys(BROKEN, "broken")
ODD = "The server ended its answer with the reason '{reason}', which asst doesn't know. The answer may not be whole."


def connect(profile: ap.Profile, *, client: Any = None) -> ChatCompletionsProvider:  # noqa: ARG001 - no SDK is used
    """An Assistant Proxy for this profile; `NotSetUpError` if it names no address, or a key that is not set."""
    made = ChatCompletionsProvider(_transport(profile), profile.model)
    made.provider = profile.provider  # it may be the name of a vendor
    return made


async def models(profile: ap.Profile) -> list[ap.ModelInfo]:
    """The models of the server; `AssistantError` if it cannot be reached, or refuses."""
    return await ap.fetch_models(_transport(profile), "/models", {})


def _transport(profile: ap.Profile) -> ap.Transport:
    return ap.http_transport(profile, profile.read(ap.ServerOptions), VENDORS.get(profile.provider, INFO))


class Reader(ap.StreamReader):
    """Folds the chunks of a stream, or a whole reply (`message` for `delta`); all but the finish reason may be missing.

    `several`: the person asked for several choices, of which the first is read.
    """

    linger, goes_on = 30.0, True  # seconds: as long as a tool of the server's own may take

    def __init__(self, *, several: bool = False) -> None:
        self._text, self._calls, self._usage, self._reason = ap.TextFold(), ap.ToolCallBuffer(), ap.JSON(), ""
        self._sources, self._tier = list[ap.Source](), ""
        self._several, self._steps, self._media, self._waits = several, list[str](), list[str](), list[str]()

    def feed(self, event: ap.JSON) -> Iterator[ap.Event]:
        if (error := ap.find_error(event)) is not None:
            raise ap.reported_error(error)
        self._usage = ap.get_object(event, "usage") or self._usage
        self._tier = ap.service_tier(event) or self._tier
        for choice in (one for one in ap.get_objects(event, "choices") if not self._several or not one.get("index")):
            delta, message = ap.get_object(choice, "delta"), ap.get_object(choice, "message")
            if (error := ap.find_error(choice)) is not None:
                raise ap.reported_error(error)
            old = {"content": ap.get_text(choice, "text")}  # of the API before this one
            news = [
                one
                for holder, whole in ((delta, False), (old, False), (message, True))
                for one in self._read(holder, whole)
            ]
            self.continued = self.continued or (self.done and bool(news))
            kept = "" if news else self._reason  # the answer went on, so it has not ended
            self._reason = (
                ap.get_text(choice, "finish_reason").lower() or kept or ("stop" if message and not delta else "")
            )
            self.done = bool(self._reason)
            yield from (one for one in news if one is not None)
            break  # the first choice is the answer

    def _read(self, holder: ap.JSON, whole: bool) -> Iterator[ap.Event | None]:
        """What is new in a delta or a message; None for what is not text."""
        thought = ap.get_text(holder, "reasoning_content") or ap.get_text(holder, "reasoning")
        if thought and not (whole and self._steps):  # a message next to a delta repeats it
            self._steps.append("reasoning")
            yield ap.Reasoning(thought)
        text = ap.get_content(holder, "content") or ap.get_text(holder, "refusal")
        self._sources += ap.url_citations([holder])
        if text := self._text.complete(text) if whole else self._text.add(text):
            yield ap.ChunkReceived(text)
        parts = [ap.get_text(part, "type") for part in ap.get_objects(holder, "content")]
        self._media += ["audio"] * bool(ap.get_object(holder, "audio"))
        self._media += ["an image"] * ("image_url" in parts or bool(ap.get_objects(holder, "images")))
        if whole and self._calls:
            return
        old = ap.get_object(holder, "function_call")  # as it was before `tool_calls`
        for number, call in enumerate(ap.get_objects(holder, "tool_calls") or ([{"function": old}] if old else [])):
            if ap.get_object(call, "custom"):
                self._waits.append("the result of a custom tool")
            name, arguments = ap.get_text(call, "function", "name"), ap.get_arguments(call, "function", "arguments")
            index = ap.get_index(call, "index")
            self._calls.add(number if whole and index is None else index, ap.get_text(call, "id"), name, arguments)
            yield None

    def end(self) -> Iterator[ap.Event]:
        if usage := self._usage:
            yield ap.chat_usage(usage, self._tier)
        yield from ap.cited(self._sources)
        text = str(self._text)
        if self._waits:
            yield ap.waits_for(self._waits)
            yield ap.MessageIncomplete(text, ap.WAITING)
        elif self._reason in INCOMPLETE:  # the calls are cut, too
            yield ap.MessageIncomplete(text, INCOMPLETE[self._reason])
        elif self._calls:
            yield ap.ActionRequired(self._calls.finish(), text)
        elif text or self._media or self._reason not in ("", "tool_calls"):
            if self._reason and self._reason not in WHOLE:
                yield ap.Notice(ODD.format(reason=self._reason))
            yield from ap.unshown(self._media, self._steps, answered=bool(text))
            yield ap.AssistantMessageRetrieved(text)
        else:
            raise ap.AssistantError("protocol", "The server's reply contains no answer.", "Check base_url.")


def attached(file: ap.SentFile) -> ap.JSON:
    """A file as a part of a message."""
    if file.attachment.kind == "image":
        return {"type": "image_url", "image_url": {"url": file.url}}
    if (sound := SOUNDS.get(file.attachment.media_type)) is not None:
        return {"type": "input_audio", "input_audio": {"data": file.data, "format": sound}}
    return {"type": "file", "file": {"filename": file.attachment.name, "file_data": file.url}}


class ChatCompletionsProvider(ap.StatelessProvider):
    """An Assistant Proxy that calls `POST /chat/completions`; it sends nothing that was not set."""

    provider = "chat-completions"
    optional = ("stream_options",)
    attachment_format = ap.AttachmentFormat(READS, attached, inline=40 * ap.MB)

    async def accepts(self, model: str) -> Mapping[str, int]:
        return await ap.readable_by(self.transport, model, self.attachments.accepted)

    def new_reader(self) -> Reader:
        return Reader(several=self.turn.settings.get("n", 1) != 1)

    def request(self, turn: ap.Turn, items: Sequence[ap.Item]) -> tuple[str, ap.JSON]:
        system = [{"role": "system", "content": turn.instructions}] if turn.instructions else []
        schemas = [{"name": t.name, "description": t.description, "parameters": t.parameters} for t in turn.tools]
        functions = [{"type": "function", "function": schema} for schema in schemas]
        body = {"model": turn.model, "messages": [*system, *messages(items, self.attachments.parts)]}
        streamed = {"stream": True, "stream_options": {"include_usage": True}} if turn.stream else {}
        return "/chat/completions", body | streamed | turn.settings | ap.with_hosted_tools(functions, turn.settings)


def messages(items: Iterable[ap.Item], parts: ap.Parts = ap.no_parts) -> list[ap.JSON]:
    """The conversation as messages; adjacent ones of the user are joined, because many servers demand turns."""
    sent: list[ap.JSON] = []
    for item in items:
        match item:
            case ap.UserMessage(text, attachments):
                before = sent.pop()["content"] if sent and sent[-1]["role"] == "user" else ""
                sent.append({"role": "user", "content": _joined(before, parts(attachments), text)})
            case ap.AssistantMessage(text, calls) if text or calls:
                functions = [(call.call_id, {"name": call.name, "arguments": call.arguments}) for call in calls]
                made = [{"id": call_id, "type": "function", "function": function} for call_id, function in functions]
                sent.append({"role": "assistant", "content": text} | ({"tool_calls": made} if made else {}))
            case ap.ToolOutputs(results):  # the API has no field for an error, and some servers refuse an empty output
                outputs = [(r.call_id, r.output if r.error is None else f"Error: {r.error}") for r in results]
                sent += [{"role": "tool", "tool_call_id": call_id, "content": text or "-"} for call_id, text in outputs]
    return sent


def _joined(before: str | list[ap.JSON], files: list[ap.JSON], text: str) -> str | list[ap.JSON]:
    """A message after one that came `before`: as text, which every server understands, unless there are files."""
    if isinstance(before, str) and not files:
        return "\n\n".join(filter(None, [before, text]))
    earlier = [{"type": "text", "text": before}] * bool(before) if isinstance(before, str) else before
    return [*earlier, *files, *[{"type": "text", "text": text}] * bool(text)]

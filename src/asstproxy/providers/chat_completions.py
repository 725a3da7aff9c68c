"""`chat-completions`: any server that speaks OpenAI's Chat Completions (https://developers.openai.com/api/reference/resources/chat)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import asstproxy.provider as ap

INFO = ap.ProviderInfo("any server that speaks Chat Completions", questions=ap.SERVER_QUESTIONS)
INCOMPLETE = {"length": "max_output_tokens", "model_length": "max_output_tokens", "content_filter": "content_filter"}


def connect(profile: ap.Profile, *, client: Any = None) -> ChatCompletionsProvider:  # noqa: ARG001 - no SDK is used
    """An Assistant Proxy for this profile; `NotSetUpError` if it names no address, or a key that is not set."""
    return ChatCompletionsProvider(ap.http_transport(profile, profile.read(ap.ServerOptions), INFO), profile.model)


async def models(profile: ap.Profile) -> list[ap.ModelInfo]:
    """The models of the server; `AssistantError` if it cannot be reached, or refuses."""
    return await ap.fetch_models(ap.http_transport(profile, profile.read(ap.ServerOptions), INFO), "/models", {})


class Reader(ap.StreamReader):
    """Folds the chunks of a stream, or a whole reply (`message` for `delta`); all but the finish reason may be missing."""

    linger = 1.0  # the token counts follow the finish reason

    def __init__(self) -> None:
        self._text, self._calls, self._usage, self._reason = ap.TextBuffer(), ap.ToolCallBuffer(), ap.JSON(), ""

    def feed(self, event: ap.JSON) -> Iterator[ap.Event]:
        if event.get("error") or event.get("type") == "error":
            raise ap.reported_error(event.get("error") or event)
        self._usage = ap.get_object(event, "usage") or self._usage
        for choice in (choice for choice in ap.get_objects(event, "choices") if not choice.get("index")):
            whole, delta = "message" in choice, ap.get_object(choice, "delta") or ap.get_object(choice, "message")
            if thought := ap.get_text(delta, "reasoning_content") or ap.get_text(delta, "reasoning"):
                yield ap.Reasoning(thought)
            if text := ap.get_content(delta, "content") or ap.get_text(delta, "refusal"):
                self._text.add(text)
                yield ap.ChunkReceived(text)
            for number, call in enumerate(ap.get_objects(delta, "tool_calls")):
                name, arguments = ap.get_text(call, "function", "name"), ap.get_arguments(call, "function", "arguments")
                index = call.get("index", number if whole else None)
                self._calls.add(index, ap.get_text(call, "id"), name, arguments)
            self._reason = ap.get_text(choice, "finish_reason") or self._reason or ("stop" if whole else "")
        self.done = bool(self._reason)

    def end(self) -> Iterator[ap.Event]:
        if usage := self._usage:
            cached = ap.get_count(usage, "prompt_tokens_details", "cached_tokens")
            thought = ap.get_count(usage, "completion_tokens_details", "reasoning_tokens")
            read, written = ap.get_count(usage, "prompt_tokens"), ap.get_count(usage, "completion_tokens")
            yield ap.Usage(read, written, cached, thought)
        text = str(self._text)
        if self._reason in INCOMPLETE:  # the calls are cut, too
            yield ap.MessageIncomplete(text, INCOMPLETE[self._reason])
        elif self._calls:
            yield ap.ActionRequired(self._calls.finish(), text)
        elif text or self._reason not in ("", "tool_calls"):
            yield ap.AssistantMessageRetrieved(text)
        else:
            raise ap.AssistantError("protocol", "The server's reply contains no answer.", "Check base_url.")


class ChatCompletionsProvider(ap.StatelessProvider):
    """An Assistant Proxy that calls `POST /chat/completions`; it sends nothing that was not set."""

    provider = "chat-completions"
    reader = Reader
    optional = ("stream_options",)

    def request(self, turn: ap.Turn, items: Sequence[ap.Item]) -> tuple[str, ap.JSON]:
        system = [{"role": "system", "content": turn.instructions}] if turn.instructions else []
        schemas = [{"name": t.name, "description": t.description, "parameters": t.parameters} for t in turn.tools]
        tools = {"tools": [{"type": "function", "function": schema} for schema in schemas]} if schemas else {}
        body = {"model": turn.model, "messages": [*system, *messages(items)]} | tools
        streamed = {"stream": True, "stream_options": {"include_usage": True}} if turn.stream else {}
        return "/chat/completions", body | streamed | turn.settings


def messages(items: Iterable[ap.Item]) -> list[ap.JSON]:
    """The conversation as messages; adjacent ones of the user are joined, because many servers demand turns."""
    sent: list[ap.JSON] = []
    for item in items:
        match item:
            case ap.UserMessage(text):
                before = [sent.pop()["content"]] if sent and sent[-1]["role"] == "user" else []
                sent.append({"role": "user", "content": "\n\n".join([*before, text])})
            case ap.AssistantMessage(text, calls) if text or calls:
                functions = [(call.call_id, {"name": call.name, "arguments": call.arguments}) for call in calls]
                made = [{"id": number, "type": "function", "function": function} for number, function in functions]
                sent.append({"role": "assistant", "content": text} | ({"tool_calls": made} if made else {}))
            case ap.ToolOutputs(results):  # the API has no field for an error, and some servers refuse an empty output
                told = [(r.call_id, r.output if r.error is None else f"Error: {r.error}") for r in results]
                sent += [{"role": "tool", "tool_call_id": number, "content": words or "-"} for number, words in told]
    return sent

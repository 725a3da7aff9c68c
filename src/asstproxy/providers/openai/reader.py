"""The Responses protocol, from the API to us: folds the events of a stream, or a whole response, into our events.

Source: https://developers.openai.com/api/docs/api-reference/responses-streaming. Everything depends on the type of an event; all
else may be missing, null, or of another type.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ...core.errors import AssistantError
from ...core.events import (
    ActionRequired,
    AssistantMessageRetrieved,
    ChunkReceived,
    Event,
    MessageIncomplete,
    Notice,
    Reasoning,
    Skipped,
)
from ..answer_notes import WAITING, Progress, cited, unshown, url_citations, waits_for
from ..fields import get_index, get_object, get_objects, get_text
from ..stream import JobReader
from ..transport import JSON
from ..usage import responses_usage
from .output import Output, StreamedOutput, calls_of

__all__ = ["Reader"]

ENDINGS = {  # the last event, and the status that it means where the response has none
    "response.completed": "completed",
    "response.done": "completed",
    "response.incomplete": "incomplete",
    "response.failed": "failed",
    "response.cancelled": "cancelled",
    "response.canceled": "cancelled",
}
STATUSES = ("completed", "incomplete", "failed", "cancelled")
REASONS = {"length": "max_output_tokens"}
"""Other servers' names for OpenAI's reasons."""
CHANGED = "The server's final text differs from the text that it streamed. The final one is saved."
TEXTS = {"response.output_text", "response.refusal", "response.text", "response.audio.transcript"}
"""What carries text: pieces as `.delta`, a whole part as `.done`. Other servers have the names of OpenAI's older APIs, too."""
OURS = ("message", "function_call")
WAITS = {  # items that somebody has to answer, and what is missing
    "custom_tool_call": "the result of a custom tool",
    "mcp_approval_request": "an approval for an MCP tool",
    "computer_call": "an action on a computer",
    "local_shell_call": "the output of a shell command",
    "shell_call": "the output of a shell command",
    "apply_patch_call": "the result of a patch",
}
STEPS = {  # items on the way to an answer
    "reasoning": "reasoning",
    "code_interpreter_call": "code",
    "web_search_call": "a web search",
    "file_search_call": "a file search",
    "mcp_call": "a call of an MCP tool",
    "mcp_list_tools": "a list of MCP tools",
    "compaction": "a summary of the conversation",
    "program": "code",
}
MEDIA = {"image_generation_call": "an image"}
PARTS = {
    "output_audio": "audio",
    "audio": "audio",
    "output_image": "an image",
    "image": "an image",
    "image_url": "an image",
}


class Reader(JobReader):
    """Folds the API's streaming events, one by one, into ours. `position` is the number of the last event, if it has one."""

    def __init__(self) -> None:
        self._output = StreamedOutput()
        self._response: JSON = {}
        self._status = ""  # as the last event says
        self._thought = False
        self._from_start: bool | None = None
        self._progress = Progress()

    def feed(self, event: JSON) -> Iterator[Event]:
        """See `StreamReader`; nothing after the last event.

        Raises:
            AssistantError: the API reports a failure, in any of its shapes.
        """
        if self.done:
            return
        if self._from_start is None:
            self._from_start = self.position is None
        kind = event.get("type")
        if (number := get_index(event, "sequence_number")) is not None:
            self.position = number
        match kind:
            case str() if kind.removesuffix(".delta") in TEXTS:
                yield from _chunk(self._output.add_text(event, get_text(event, "delta")))
            case str() if kind.removesuffix(".done") in TEXTS:
                yield from _chunk(self._output.end_part(event, get_text(event, "text") or get_text(event, "refusal")))
            case "response.content_part.added":
                self._output.begin_part(event)
            case "response.content_part.done" if not get_text(event, "part", "type").startswith("reasoning"):
                part = get_object(event, "part")
                yield from _chunk(self._output.end_part(event, get_text(part, "text") or get_text(part, "refusal")))
            case "response.reasoning_summary_text.delta" | "response.reasoning_text.delta":
                yield from self._reasoning(get_text(event, "delta"))
            case "response.reasoning_summary_part.done":
                yield from self._reasoning("\n\n")
            case "response.function_call_arguments.delta":
                self._output.add_arguments(event, get_text(event, "delta"))
            case "response.function_call_arguments.done":
                self._output.end_arguments(event)
            case "response.output_item.added":
                self._output.begin_item(event)
                yield from self._progress.notes(get_text(event, "item", "type"))
            case "response.output_item.done":
                yield from _chunk(self._output.end_item(event))
            case "response.created" | "response.queued" | "response.in_progress":
                self.job_id = get_text(event, "response", "id") or self.job_id
            case str() if kind in ENDINGS:
                self.done, self._status = True, ENDINGS[kind]
                self._response = get_object(event, "response") or event  # some servers have its fields here
            case None if _is_whole(event):
                self.done, self._response, self._status = True, event, "completed"
            case str() if kind.endswith((".in_progress", ".searching")):
                yield from self._progress.notes(kind.split(".")[1])
            case _ if (error := _failure_in(event)) is not None:
                raise error
            case str() if not kind.startswith("response."):
                yield Skipped(kind[:80])

    def _reasoning(self, text: str) -> Iterator[Event]:
        if text:
            self._thought = True
            yield Reasoning(text)

    def end(self) -> Iterator[Event]:
        """See `StreamReader`: a usage note, what the stream left out, notices, then the closing event.

        Raises:
            AssistantError: the response failed or was cancelled.
        """
        return self._outcome(self._response, self._status)

    def reply(self, reply: JSON) -> Iterator[Event]:
        """See `StreamReader`: the same for a whole response.

        Raises:
            AssistantError: the response failed or was cancelled, it is not finished, or this is not a response.
        """
        reported = get_text(reply, "status").lower()
        if not reported and not _is_whole(reply):
            if (error := _failure_in(reply)) is not None:  # a failure with the status of a success
                raise error
            raise AssistantError("protocol", "The server's reply is not a response of this API.", "Check base_url.")
        if reported in ("queued", "in_progress"):
            raise AssistantError(
                "protocol",
                "The server works on the answer in the background, unasked.",
                "Ask for an answer in the background.",
            )
        if reported and reported not in STATUSES:
            raise AssistantError("protocol", f"The response has the unknown status '{reported}'.", "Check base_url.")
        yield from self._outcome(reply, "completed")

    def _outcome(self, response: JSON, status: str) -> Iterator[Event]:
        if get_object(response, "usage"):
            yield responses_usage(response)
        reported = get_text(response, "status").lower()
        status = reported if reported in STATUSES else status
        reason = get_text(response, "incomplete_details", "reason") or get_text(response, "incomplete_details")
        error = response.get("error")
        if status == "failed" or (error and not response.get("output") and reported not in STATUSES):
            raise _failure(error or response)
        if status == "cancelled":
            raise AssistantError("interrupted", "The response was cancelled at the provider.", "Ask again.")
        output = self._output.finish(response)
        if output.rest:
            yield ChunkReceived(output.rest)
        if isinstance(error, dict | str) and error:
            yield from _remark(error)
        if status == "completed" and (reason or any(get_text(one, "status") == "incomplete" for one in output.items)):
            status = "incomplete"
        if output.changed and self._from_start:
            yield Notice(CHANGED)
        yield from self._closing(output, status, reason or "unknown")

    def _closing(self, output: Output, status: str, reason: str) -> Iterator[Event]:
        parts = (part for item in output.items for part in get_objects(item, "content"))
        yield from cited(url_citations(parts))
        calls = calls_of(output.items)
        kinds = [get_text(item, "type") for item in output.items]
        missing = [WAITS[kind] for kind, item in zip(kinds, output.items, strict=True) if _waits(item, output.items)]
        if missing:
            yield waits_for(missing)
            yield MessageIncomplete(output.text, WAITING)  # nothing that goes back: the API would want an answer first
            return
        if status == "incomplete":
            # A call that was cut off will never be answered, so nothing that came with it goes back.
            yield MessageIncomplete(output.text, REASONS.get(reason, reason), raw=None if calls else _raw(output.items))
            return
        steps = [*(["reasoning"] if self._thought else []), *filter(None, map(_step, kinds))]
        yield from unshown(_media(output.items), steps, answered=bool(output.text or calls))
        if calls:
            yield ActionRequired(calls, output.text, raw=_raw(output.items))
        else:
            yield AssistantMessageRetrieved(output.text, raw=_raw(output.items))


def _is_whole(event: JSON) -> bool:
    """Whether this is not an event, but a whole response."""
    return bool(event.keys() & {"output", "output_text"}) and event.get("status") not in ("queued", "in_progress")


def _chunk(piece: tuple[str, str]) -> Iterator[ChunkReceived]:
    text, phase = piece
    if text:
        yield ChunkReceived(text, "commentary") if phase == "commentary" else ChunkReceived(text)


def _failure_in(reply: JSON) -> AssistantError | None:
    """The failure that an object reports, if it reports one."""
    from ..transport.error_words import find_error  # late: most answers report none
    from ..transport.failures import reported_error

    error = find_error(reply)
    return None if error is None else reported_error(error)


def _failure(error: Any) -> AssistantError:
    """What made a response fail; with words of ours if the server has none."""
    from ..transport.error_words import error_words
    from ..transport.failures import reported_error

    has_words = bool(error_words(error)) or not isinstance(error, dict)
    return reported_error(error if has_words else error | {"message": "The response failed."})


def _remark(error: Any) -> Iterator[Event]:
    """A notice of an error that came with an answer, if it has words."""
    from ..transport.error_words import error_words

    if words := error_words(error):
        yield Notice(f"The server reported an error with its answer: {words}")


def _step(kind: str) -> str:
    if kind in OURS or kind in WAITS or kind in MEDIA:
        return ""
    return STEPS.get(kind) or (f"an item of the type '{kind}'" if kind and not kind.endswith("_output") else "")


def _waits(item: JSON, items: list[JSON]) -> bool:
    """Whether somebody has to answer this item: it is not answered in the same output, by the server."""
    if get_text(item, "type") not in WAITS:
        return False
    numbers = {get_text(item, "call_id"), get_text(item, "id")} - {""}
    answers = (other for other in items if get_text(other, "type").endswith(("_output", "_response")))
    return not any({get_text(one, "call_id"), get_text(one, "approval_request_id")} & numbers for one in answers)


def _media(items: list[JSON]) -> Iterator[str]:
    for item in items:
        kind = get_text(item, "type")
        if kind in MEDIA:
            yield MEDIA[kind]
        if kind == "message":
            yield from (PARTS[one] for part in get_objects(item, "content") if (one := get_text(part, "type")) in PARTS)


def _raw(items: list[JSON]) -> list[JSON] | None:
    """What must go back unchanged; None if text and calls say the same."""
    while items and items[-1].get("type") == "reasoning":  # OpenAI refuses reasoning without the item it led to
        items = items[:-1]
    plain = all(item.get("type") in OURS and not get_text(item, "phase") for item in items)
    return None if plain else items

"""The Interactions API, from Google to us: folds the events of a stream, or a whole interaction, into our events.

Source: https://ai.google.dev/api/interactions-api. Events carry steps piece by piece; the last one says how it ended
and usually leaves the steps out.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

from ...core.coalesce import TextBuffer
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
    ToolCall,
    Usage,
)
from ..answer_notes import WAITING, Progress, cited, describe_media, unshown, url_citations, waits_for
from ..fields import (
    get_arguments,
    get_count,
    get_index,
    get_object,
    get_objects,
    get_text,
    parsed_arguments,
    readable_arguments,
    unique_id,
)
from ..stream import JobReader
from ..text_fold import differs, rest_of
from ..transport import JSON
from ..transport.error_words import error_words, find_error
from ..transport.failures import failure
from .finish_reasons import FILTERED, blocked
from .interactions_beta import TO_COME, steps_of, todays_event

__all__ = ["Reader"]


ENDINGS = {  # the last event, and the status that it means where the interaction has none
    "interaction.completed": "completed",
    "interaction.done": "completed",
    "interaction.requires_action": "requires_action",
    "interaction.incomplete": "incomplete",
    "interaction.failed": "failed",
    "interaction.cancelled": "cancelled",
}
FINAL = (
    "completed",
    "requires_action",
    "incomplete",
    "requires_continuation",
    "budget_exceeded",
    "failed",
    "cancelled",
)
CUT = ("incomplete", "requires_continuation", "budget_exceeded")
CHANGED = "Google's final text differs from the text that it streamed. The final one is saved."
OURS = ("model_output", "function_call")
STEPS = {
    "thought": "reasoning",
    "code_execution_call": "code",
    "code_execution_result": "code",
    "google_search_call": "a web search",
    "url_context_call": "a look at a web page",
    "file_search_call": "a file search",
    "mcp_server_tool_call": "a call of an MCP tool",
}
MEDIA = ("image", "audio", "video", "document")


class Reader(JobReader):
    """Folds the API's streaming events into ours. `position` is the id of the last event, `job_id` that of the interaction."""

    def __init__(self) -> None:
        self._interaction: JSON = {}
        self._status = ""  # as the last event says
        self._seen: set[str] = set()
        self._steps: dict[int, JSON] = {}
        self._pieces: dict[int, list[str]] = {}  # of a text, or of the JSON of arguments
        self._begun: dict[int, JSON] = {}  # what a step began with
        self._moved: dict[int, int] = {}  # numbers that the server gave to several steps, and the place of the newest
        self._text = TextBuffer()
        self._from_start: bool | None = None
        self._progress = Progress()
        self._annotated: list[JSON] = []  # deltas that carry annotations

    def feed(self, event: JSON) -> Iterator[Event]:
        """See `StreamReader`; an event that was read before gives nothing, nor does one after the last."""
        if self.done:
            return
        if self._from_start is None:
            self._from_start = self.position is None
        if number := get_text(event, "event_id"):
            if number in self._seen:
                return
            self._seen.add(number)
            self.position = number
        event = todays_event(event)
        kind = get_text(event, "event_type") or get_text(event, "type")
        match kind:
            case "interaction.created":
                self.job_id = get_text(_interaction(event), "id") or self.job_id
            case "interaction.status_update" if event.get("status") == "cancelled":
                raise _cancelled()
            case "interaction.status_update" if event.get("status") == "failed":
                raise _failure(find_error(event))
            case "step.start":
                yield from self._start(get_index(event, "index"), get_object(event, "step"))
            case "step.delta":
                yield from self._delta(get_index(event, "index"), get_object(event, "delta"))
            case "step.stop" | "step.done":
                yield from self._stop(get_index(event, "index"), get_object(event, "step"))
            case _ if kind in ENDINGS or (not kind and _is_whole(event)):
                self.done, self._status = True, ENDINGS.get(kind, "completed")
                self._interaction = _interaction(event)
                self.job_id = get_text(self._interaction, "id") or self.job_id
            case _ if (error := find_error(event)) is not None:
                raise _failure(error)
            case _ if kind and not kind.startswith(("interaction.", "step.")):
                yield Skipped(kind[:80])

    def end(self) -> Iterator[Event]:
        """See `StreamReader`."""
        return self._outcome(self._interaction, self._status)

    def reply(self, reply: JSON) -> Iterator[Event]:
        """See `StreamReader`."""
        status = get_text(reply, "status").lower()
        if not status and (error := find_error(reply)) is not None:  # a failure with the status of a success
            raise _failure(error)
        if not status and not _is_whole(reply):
            raise AssistantError("protocol", "The server's reply is not an interaction.", "Check base_url.")
        if status and status not in FINAL:
            raise AssistantError("protocol", f"The interaction has the unknown status '{status}'.", "Check base_url.")
        if not self._steps:
            for step in steps_of(reply):
                yield from _summary(step)
        yield from self._outcome(reply, "completed")

    def _outcome(self, interaction: JSON, status: str) -> Iterator[Event]:
        """The end of the assistant's turn: a usage note, then the closing event, whose `resume` is the interaction's id.

        Raises:
            AssistantError: the interaction failed or was cancelled.
        """
        if any(usage := _counts(get_object(interaction, "usage"))):
            yield Usage(*usage)
        reported = get_text(interaction, "status").lower()
        status = reported if reported in FINAL else status
        problem = interaction.get("errors") or interaction.get("error")
        problem = problem[0] if isinstance(problem, list) else problem
        if status == "failed":
            raise _failure(problem)
        if status == "cancelled":
            raise _cancelled()
        final = steps_of(interaction)
        steps = self._union(final)
        streamed, whole = str(self._text), text_of(final) or get_text(interaction, "output_text")
        text = streamed if streamed and (not whole or streamed.strip() == whole.strip()) else whole
        if streamed and (rest := rest_of(streamed, whole)):
            yield ChunkReceived(rest)
        if streamed and differs(streamed, whole) and self._from_start:
            yield Notice(CHANGED)
        parts = (part for step in steps for part in get_objects(step, "content"))
        yield from cited(url_citations([*self._annotated, *parts]))
        yield from _closing(status, steps, text, error_words(problem), self.job_id or get_text(interaction, "id"))

    def _start(self, index: int | None, step: JSON) -> Iterator[Event]:
        place = len(self._steps) if index is None else self._place(index)
        known = index is not None and self._begun.get(place, TO_COME) != TO_COME
        if index is not None and known and (self._pieces.get(place) or self._begun[place] != step):
            place = self._moved[index] = max(self._steps) + 1
        self._begun[place], self._steps[place], self._pieces[place] = step, copy.deepcopy(step), []
        if text := text_of([step]):
            self._text.add(text)
            yield ChunkReceived(text)
        yield from _summary(step)
        yield from self._progress.notes(get_text(step, "type"))

    def _stop(self, index: int | None, step: JSON) -> Iterator[Event]:
        """A step has ended; some servers have the whole of it here."""
        place = max(self._steps, default=0) if index is None else self._place(index)
        if not step:
            return
        if place not in self._steps:
            yield from self._start(place, step)
            return
        mine = self._steps[place]
        if get_text(mine, "type") == "function_call":
            mine |= {name: step[name] for name in ("id", "name") if step.get(name) and not mine.get(name)}
            if not self._pieces.get(place) and not mine.get("arguments"):
                mine["arguments"] = step.get("arguments")
        elif rest := rest_of(text_of([mine]) + "".join(self._pieces.get(place, ())), text_of([step])):
            yield from self._delta(place, {"type": "text", "text": rest})

    def _place(self, index: int) -> int:
        return self._moved.get(index, index)

    def _delta(self, index: int | None, delta: JSON) -> Iterator[Event]:
        index = max(self._steps, default=0) if index is None else self._place(index)  # without one, it is the newest
        step = self._steps.setdefault(index, {"type": "model_output"})
        pieces = self._pieces.setdefault(index, [])
        if "annotations" in delta:
            self._annotated.append(delta)
        match delta.get("type"):
            case kind if kind == "arguments_delta" or (not isinstance(kind, str) and "arguments" in delta):
                pieces.append(get_arguments(delta, "arguments"))
            case "thought_summary":
                content = get_object(delta, "content")
                step["summary"] = _with(get_objects(step, "summary"), content)
                if text := get_text(content, "text"):
                    yield Reasoning(text)
            case "thought_signature":
                step["signature"] = delta.get("signature")
            case kind if (text := get_text(delta, "text")) and (kind == "text" or step.get("type") == "model_output"):
                pieces.append(text)
                self._text.add(text)
                yield ChunkReceived(text)
            case kind if kind in MEDIA:
                step["content"] = [*get_objects(step, "content"), delta]

    def _whole(self) -> list[JSON]:
        """The steps that were streamed, as a plain reply would have them."""
        for index, step in self._steps.items():
            text, self._pieces[index] = "".join(self._pieces.get(index, ())), []
            if text and step.get("type") == "function_call":
                step["arguments"] = parsed_arguments(text)
            elif text:
                step["content"] = [{"type": "text", "text": text_of([step]) + text}, *_media(step)]
        return [self._steps[index] for index in sorted(self._steps)]

    def _union(self, final: list[JSON]) -> list[JSON]:
        """The steps of the finished interaction, and the calls that only the stream had."""
        streamed = self._whole()
        if not final:
            return streamed
        calls = [step for step in streamed if step.get("type") == "function_call"]
        for step in final:
            same = next((call for call in calls if _same_call(call, step)), None)
            if same is not None:
                calls.remove(same)
                missing = ("id", "name", "arguments")
                step.update({name: same[name] for name in missing if not step.get(name) and same.get(name)})
        return [*final, *calls]


def _closing(status: str, steps: list[JSON], text: str, problem: str, number: str | None) -> Iterator[Event]:
    number = number or None
    calls = _calls(steps)
    if status in CUT:
        if problem:
            yield Notice(f"The model stopped: {problem}")
        reason = "budget_exceeded" if status == "budget_exceeded" else "max_output_tokens"
        # A call that was cut off is never answered, so nothing that came with it goes back.
        yield MessageIncomplete(text, reason, raw=None if calls else _raw(steps), resume=number)
        return
    if status == "requires_action" and not calls:
        kinds = (
            f"an answer to '{kind}'" for step in steps if (kind := get_text(step, "type")) not in (*OURS, "thought")
        )
        yield waits_for(tuple(kinds) or ("an action",))
        yield MessageIncomplete(text, WAITING)
        return
    on_the_way = [STEPS.get(kind, f"a step of the type '{kind}'") for kind in _kinds(steps) if kind not in OURS]
    media = [describe_media(get_text(part, "type")) for step in steps for part in _media(step)]
    yield from unshown(media, on_the_way, answered=bool(text or calls))
    if calls:
        yield ActionRequired(calls, text, raw=_raw(steps), resume=number)
    else:
        yield AssistantMessageRetrieved(text, raw=_raw(steps), resume=number)


def _calls(steps: list[JSON]) -> tuple[ToolCall, ...]:
    """The calls; an id that is missing or doubled is replaced by one of ours, in the step, too."""
    calls: dict[str, ToolCall] = {}
    for step in steps:
        if step.get("type") == "function_call":
            step["id"] = number = unique_id(get_text(step, "id"), calls)
            arguments = readable_arguments(get_arguments(step, "arguments"))
            if isinstance(step.get("arguments"), str):  # it goes back as Google would have written it
                step["arguments"] = parsed_arguments(arguments)
            calls[number] = ToolCall(number, get_text(step, "name"), arguments)
    return tuple(calls.values())


def _same_call(call: JSON, other: JSON) -> bool:
    if other.get("type") != "function_call":
        return False
    if call.get("id") and call["id"] == other.get("id"):
        return True
    mine, theirs = get_arguments(call, "arguments"), get_arguments(other, "arguments")
    return call.get("name") == other.get("name") and (not mine or parsed_arguments(mine) == parsed_arguments(theirs))


def _kinds(steps: list[JSON]) -> Iterator[str]:
    return filter(None, (get_text(step, "type") for step in steps))


def _media(step: JSON) -> list[JSON]:
    return [part for part in get_objects(step, "content") if part.get("type") in MEDIA]


def _is_whole(event: JSON) -> bool:
    """Whether this is not an event, but a whole interaction."""
    ended = get_text(event, "status").lower() in ("", *FINAL)
    return ended and bool(steps_of(event) or get_text(event, "output_text"))


def _interaction(event: JSON) -> JSON:
    """The interaction in an event; LiteLLM (1.106) puts its fields into the event itself."""
    return get_object(event, "interaction") or event


def _summary(step: JSON) -> Iterator[Event]:
    for part in get_objects(step, "summary"):
        if text := get_text(part, "text"):
            yield Reasoning(text)


def _with(summary: list[JSON], content: JSON) -> list[JSON]:
    """A summary with one more piece; text joins the text before it."""
    last = summary[-1] if summary else {}
    if set(last) == {"type", "text"} == set(content) and last["type"] == content["type"]:
        return [*summary[:-1], last | {"text": get_text(last, "text") + get_text(content, "text")}]
    return [*summary, content]


def _failure(error: Any) -> AssistantError:
    details = error if isinstance(error, dict) else {}
    given = details.get("code")
    code = str(given).rpartition("/")[2] if isinstance(given, str | int) else ""
    message = error_words(error)
    return blocked(code, message) if code in FILTERED else failure(code, message or "The interaction failed.")


def _cancelled() -> AssistantError:
    return AssistantError("interrupted", "The interaction was cancelled at Google.", "Ask again.")


def _raw(steps: list[JSON]) -> JSON | None:
    """What must go back unchanged; None if text and calls say the same."""
    return None if all(step.get("type") in ("model_output", "function_call") for step in steps) else {"steps": steps}


def text_of(steps: list[JSON]) -> str:
    """The text of the model's output in these steps."""
    outputs = (step.get("content") for step in steps if step.get("type") == "model_output")
    return "".join(content if isinstance(content, str) else _joined(content) for content in outputs)


def _joined(content: Any) -> str:
    parts = [part for part in content if isinstance(part, dict)] if isinstance(content, list) else []
    return "".join(get_text(part, "text") for part in parts if part.get("type", "text") == "text")


def _counts(usage: JSON) -> tuple[int, int, int, int]:
    """Tokens in the order of `Usage`; thoughts are output, as with other providers."""
    read, tools, written, cached, thought = (
        get_count(usage, f"total_{name}_tokens") for name in ("input", "tool_use", "output", "cached", "thought")
    )
    return read + tools, written + thought, cached, thought

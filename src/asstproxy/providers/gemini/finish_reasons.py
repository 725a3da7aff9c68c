"""How a turn of Gemini may end, in plain words: finish reasons, and why a prompt was blocked.

Source: https://ai.google.dev/api/generate-content#FinishReason and `#BlockReason`. A reason that is not listed here is shown by
its name; the text that came before it is kept.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ...core.errors import AssistantError, Kind
from ...core.events import ActionRequired, AssistantMessageRetrieved, Event, MessageIncomplete, Notice, ToolCall
from ..closing import CALLING as CALLING_ELSEWHERE
from ..closing import cut_by, is_whole

__all__ = ["FILTERED", "WHOLE", "blocked", "ending", "googles_reason"]

REPHRASE = "Rephrase it, or set safetySettings."
FILTERED = {
    "SAFETY": ("Google's safety filter", REPHRASE),
    "PROHIBITED_CONTENT": ("Google's filter for prohibited content", "Rephrase it."),
    "BLOCKLIST": ("a list of blocked words", "Rephrase it."),
    "SPII": ("Google's filter for personal data", "Leave out personal data."),
    "RECITATION": ("Google's filter for text that repeats a source word for word", "Ask for a summary."),
    "MODEL_ARMOR": ("Model Armor, the filter of your Google Cloud project", "Ask its administrator."),
    "JAILBREAK": ("Google's filter for attempts to break the model's rules", "Rephrase it."),
    "ESCALATION": ("a rule of Google's filters", "Rephrase it."),
    "LANGUAGE": ("Google's filter for languages that the model doesn't speak", "Ask in another language."),
    "IMAGE_SAFETY": ("Google's safety filter for images", REPHRASE),
    "IMAGE_PROHIBITED_CONTENT": ("Google's filter for prohibited images", "Rephrase it."),
    "IMAGE_RECITATION": ("Google's filter for images that repeat a source", "Ask for another image."),
}
"""Reason: what stopped the text, and what to do."""

FAILED: dict[str, tuple[Kind, str, bool]] = {
    "MALFORMED_FUNCTION_CALL": ("server", "The model wrote a tool call that can't be read.", True),
    "MALFORMED_RESPONSE": ("server", "The model wrote an answer that can't be read.", True),
    "UNEXPECTED_TOOL_CALL": ("server", "The model called a tool that it wasn't offered.", True),
    "TOO_MANY_TOOL_CALLS": ("server", "The model called Google's own tools too often in one request.", False),
    "MISSING_THOUGHT_SIGNATURE": (
        "invalid_request",
        "A thought signature is missing in the conversation.",
        False,
    ),
    "PUP_LIMITED_DISABLED": (
        "authentication",
        "Google has limited this account under its Prohibited Use Policy.",
        False,
    ),
}
"""Reason: kind of the error, what went wrong, and whether the same request may work."""

STOPPED = {
    "OTHER": "The model stopped, and Google doesn't say why.",
    "IMAGE_OTHER": "The model stopped while it made an image, and Google doesn't say why.",
    "NO_IMAGE": "The model was asked for an image and made none.",
}
"""Reason: what happened, in words; a reason that is not listed is used as it is."""
TOO_LONG = {"MAX_TOKENS": "max_output_tokens", "CONTINUATION": "max_output_tokens"}
CALLING = ("FUNCTION_CALL", "TOOL_CALLS")  # other servers' names
WHOLE = ("STOP", *CALLING)
NUMBERS = ("", "STOP", "MAX_TOKENS", "SAFETY", "RECITATION", "OTHER")
"""Reasons by their numbers; from 6 on, Google's two APIs number them differently."""
MOST_REASONS = 100


def googles_reason(given: Any) -> str:
    """A finish reason under Google's name for it, as far as it has one; empty if none was given."""
    if isinstance(given, int) and not isinstance(given, bool):
        return NUMBERS[given] if 0 <= given < len(NUMBERS) else "OTHER" if 0 < given < MOST_REASONS else ""
    reason = given.upper().removeprefix("FINISHREASON.") if isinstance(given, str) else ""
    if reason in {"FINISH_REASON_UNSPECIFIED", *WHOLE, *TOO_LONG, *FILTERED, *FAILED, *STOPPED}:
        return "" if reason == "FINISH_REASON_UNSPECIFIED" else reason
    other = reason.lower()  # of a server that only looks like Google's
    if other in CALLING_ELSEWHERE:
        return CALLING[0]
    return "STOP" if is_whole(other) else "MAX_TOKENS" if cut_by(other) == "max_output_tokens" else reason


def ending(reason: str, detail: str, text: str, calls: tuple[ToolCall, ...], raw: Any) -> Iterator[Event]:
    """The closing event of a turn that ended for this reason. `detail` is Google's own message, if it gave one.

    Raises:
        AssistantError: the text is missing, or can't be used.
    """
    if reason in CALLING and text and not calls:
        yield MessageIncomplete(text, "call_missing", raw=raw)
        return
    if reason in WHOLE:
        yield ActionRequired(calls, text, raw=raw) if calls else AssistantMessageRetrieved(text, raw=raw)
        return
    kept = None if calls else raw  # a call that was cut off is never answered, so nothing that came with it goes back
    if reason in TOO_LONG:
        if not (text or calls):
            yield Notice("The model used up its tokens while thinking. Raise maxOutputTokens, or lower thinkingLevel.")
        yield MessageIncomplete(text, TOO_LONG[reason], raw=kept)
        return
    if reason in FAILED:
        kind, words, again = FAILED[reason]
        raise AssistantError(kind, _with(words, detail), "Try again.", retryable=again)
    filtered = reason in FILTERED
    words = (
        f"The answer was stopped by {FILTERED[reason][0]}."
        if filtered
        else STOPPED.get(reason, f"The model stopped: {reason}.")
    )
    hint = FILTERED[reason][1] if filtered else "Try again."
    if not text:
        raise AssistantError("content" if filtered else "server", _with(words, detail), hint)
    yield Notice(_with(words, detail))
    yield MessageIncomplete(text, "content_filter" if filtered else reason.lower(), raw=kept)


def blocked(reason: str, detail: str) -> AssistantError:
    """The error for a prompt that the model was not allowed to answer."""
    who, hint = FILTERED.get(reason, (f"Google ({reason})", "Rephrase it."))
    return AssistantError("content", _with(f"The prompt was refused by {who}.", detail), hint)


def _with(words: str, detail: str) -> str:
    return f"{words} ({detail.rstrip('.')})" if detail else words

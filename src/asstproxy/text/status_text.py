"""How an exchange ended, in words: one table for the pipe, the terminal, replays and exports."""

from __future__ import annotations

from typing import NamedTuple

from ..core.events import Cancelled, ErrorOccurred, Event, MessageIncomplete, Unknown
from .safe_text import clean_line

__all__ = ["REASONS", "Ending", "ending", "join_sentences", "reason_text"]

REASONS = {
    # MessageIncomplete
    "max_output_tokens": "the answer reached its length limit",
    "content_filter": "the provider's content filter stopped the answer",
    "context_length": "the conversation filled the model's context window",
    "paused": "the provider paused its own tools too many times",
    "expired": "the provider gave up after too long",
    "tool_rounds": "the assistant asked for tools too many times",
    "call_missing": "the assistant was about to call a tool, but no call came",
    "broken": "the server broke it off",
    "unknown": "the provider doesn't say why",
    "other": "the provider doesn't say why",
    "image_other": "the model didn't finish an image",
    "no_image": "the model made no image",
    "budget_exceeded": "the budget of the request is used up",
    "schema": "the answer doesn't fit the schema",
    "waiting": "the assistant waits for something that asst can't give",
    # Cancelled
    "user": "you stopped it",
    "timeout": "it reached the time limit (--timeout)",
    "terminated": "asst was terminated",
}


_AGAIN = ("Try again.", "Try again later.", "Ask again.")


class Ending(NamedTuple):
    """What to say after an exchange that did not complete."""

    label: str
    message: str
    hint: str = ""

    def without_repeat(self) -> Ending:
        """Without the advice to try again at the end of the hint: a line that names the command for that follows."""
        again = next((one for one in _AGAIN if self.hint.endswith(one)), "")
        return self._replace(hint=self.hint.removesuffix(again).rstrip())

    def __str__(self) -> str:
        message = self.message if self.label == "Error" else f"{self.label}: {self.message}"
        return join_sentences(message, self.hint)


def join_sentences(*texts: str) -> str:
    """Texts in one line; one that ends without punctuation gets a full stop, so that the next doesn't run into it."""
    *before, last = [text.strip() for text in texts if text.strip()] or [""]
    return " ".join([*(text if text[-1] in ".!?…:;" else f"{text}." for text in before), last])


def reason_text(reason: str) -> str:
    """The reason of an incomplete or cancelled exchange, in words that continue a sentence."""
    return REASONS.get(reason) or clean_line(reason.removeprefix("max_cost: "))


def ending(event: Event | Unknown) -> Ending | None:
    """What happened and what to do next; None for a completed exchange."""
    match event:
        case ErrorOccurred(message=message, hint=hint):
            return Ending("Error", clean_line(message), clean_line(hint))
        case MessageIncomplete(reason="schema", problems=problems):
            return Ending("Mismatch", f"{reason_text('schema')}: {clean_line('; '.join(problems))}.")
        case MessageIncomplete(reason=reason):
            return Ending("Cut short", f"{reason_text(reason)}.")
        case Cancelled(reason=reason):
            return Ending("Cancelled", f"{reason_text(reason)}.")
    return None

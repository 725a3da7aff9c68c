"""The Interactions API as it was in its beta, which other servers still speak (OGX): `outputs` and `content.delta` for steps.

Source: https://ai.google.dev/gemini-api/docs/interactions as of December 2025; what is read here is rewritten in today's form.
"""

from __future__ import annotations

from ..fields import get_object, get_objects, get_text
from ..transport import JSON

__all__ = ["TO_COME", "as_step", "steps_of", "todays_event"]

KINDS = {
    "interaction.start": "interaction.created",
    "interaction.complete": "interaction.completed",
    "content.start": "step.start",
    "content.delta": "step.delta",
    "content.stop": "step.stop",
}
TO_COME: JSON = {"type": ""}
"""A step that another event has."""
CONTENT = ("text", "image", "audio", "video", "document")
PIECES = ("text", "thought_summary", "thought_signature", "arguments_delta")
"""Deltas that have a part of something; any other is a whole output."""


def as_step(output: JSON) -> JSON:
    """An output as a step: what the model says and shows is the content of one, everything else is one itself."""
    return {"type": "model_output", "content": [output]} if get_text(output, "type") in CONTENT else output


def steps_of(interaction: JSON) -> list[JSON]:
    """The steps of a finished interaction, in whichever form."""
    return get_objects(interaction, "steps") or [as_step(output) for output in get_objects(interaction, "outputs")]


def todays_event(event: JSON) -> JSON:
    """An event with today's name, and steps for its content."""
    name = "event_type" if get_text(event, "event_type") else "type"
    if (kind := KINDS.get(get_text(event, name))) is None:
        return event
    renamed = event | {name: kind}
    if kind == "step.start":
        content = get_object(event, "content")
        is_call = get_text(content, "type").endswith("_call")  # of which the delta has everything
        return renamed | {"step": TO_COME if is_call else as_step(content)}
    delta = get_object(event, "delta")
    if kind == "step.delta" and get_text(delta, "type") not in (*PIECES, *CONTENT, ""):
        return renamed | {name: "step.start", "step": delta}
    return renamed

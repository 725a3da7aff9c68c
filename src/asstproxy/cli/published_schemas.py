"""The JSON Schemas of what asst prints and saves, from the types that write it: `asst schema`.

docs/schemas/ has the same; docs/schemas.md says what may change.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from ..batches.result import BatchLine
from ..core.codec import EVENTS
from ..core.events import SessionOpened
from ..core.script import State
from ..store.transcript import Summary, Transcript
from ..store.transcript_file import FORMAT, VERSION
from .render.result import Result

__all__ = ["BATCH_VERSION", "RESULT_VERSION", "SCHEMAS"]

JSON = dict[str, Any]
DRAFT = "https://json-schema.org/draft/2020-12/schema"
REF = "#/$defs/{name}"
RESULT_VERSION = BATCH_VERSION = 1


def events() -> JSON:
    """A line of `--events` and of a session file."""
    _, parts = msgspec.json.schema_components([*EVENTS.values(), State], ref_template=REF)
    stamp = {
        "seq": {"type": "integer", "minimum": 1, "description": "Counts up within a session."},
        "at": {"type": "string", "format": "date-time", "description": "When it happened, UTC, with milliseconds."},
        "state": {"$ref": "#/$defs/State", "description": "The state that it led to."},
        "type": {
            "type": "string",
            "description": "What happened. A reader must accept, and may skip, types that it doesn't know.",
        },
    }
    known = [
        {"if": {"properties": {"type": {"const": tag}}}, "then": {"$ref": REF.format(name=kind.__name__)}}
        for tag, kind in EVENTS.items()
    ]
    return _headed("events", SessionOpened("").version, "A line of `asst ask --events`, and of a session file.") | {
        "type": "object",
        "required": [*stamp],
        "properties": stamp,
        "allOf": known,
        "$defs": _described(parts),
    }


def result() -> JSON:
    """What `asst ask --json` prints."""
    (root,), parts = msgspec.json.schema_components([Result], ref_template=REF)
    return _headed("result", RESULT_VERSION, "What `asst ask --json` prints.") | root | {"$defs": _described(parts)}


def batch() -> JSON:
    """A line that `asst batch` writes."""
    (root,), parts = msgspec.json.schema_components([BatchLine], ref_template=REF)
    return _headed("batch", BATCH_VERSION, "A line that `asst batch` writes.") | root | {"$defs": _described(parts)}


def transcript() -> JSON:
    """The transcript of a session: its `.json` file, and `asst sessions export -f json`."""
    _, parts = msgspec.json.schema_components([Transcript], ref_template=REF)
    whole = parts.pop("Transcript")
    head = {
        "format": {"const": FORMAT},
        "version": {"const": VERSION},
        "digest": {"type": "string", "description": "Shows whether somebody has edited the file."},
        "journal_bytes": {"type": "integer", "minimum": 0, "description": "How much of the journal it covers."},
    }
    return _headed("transcript", VERSION, "The transcript of a session (`asst sessions export -f json`).") | {
        "type": "object",
        "required": [*head, *Summary.__struct_fields__, "exchanges"],
        "properties": head | whole["properties"],
        "$defs": _described(parts),
    }


SCHEMAS: dict[str, Callable[[], JSON]] = {"events": events, "result": result, "batch": batch, "transcript": transcript}
"""By the name that `asst schema` takes."""


def _headed(name: str, version: int, title: str) -> JSON:
    return {"$schema": DRAFT, "$id": f"urn:asst:{name}:{version}", "title": title}


def _described(parts: JSON) -> JSON:
    """The definitions, each description in one piece."""
    for part in parts.values():
        if isinstance(words := part.get("description"), str):
            part["description"] = " ".join(words.split())
    return parts

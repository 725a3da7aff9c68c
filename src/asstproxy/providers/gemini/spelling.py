"""Replies of Google's API in the spellings of Python libraries, which gateways pass on as they read them.

`finish_reason` for `finishReason`, null for what is not there (pydantic's `model_dump`), a number for a finish reason (proto-plus's
`to_dict`, https://proto-plus-python.readthedocs.io/en/stable/messages.html).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from ..fields import get_objects
from ..transport import JSON

__all__ = ["as_google_writes"]

OPAQUE = ("args", "response")
"""What a function takes and returns: its names are the person's own."""


def as_google_writes(chunk: JSON) -> JSON:
    """The chunk with Google's own names, and in its parts without nulls; the chunk itself if that changes nothing."""
    return _renamed(chunk) if any(_is_pythonic(one) for one in _holders(chunk)) else chunk


def _holders(chunk: JSON) -> Iterator[JSON]:
    yield chunk
    for candidate in get_objects(chunk, "candidates"):
        yield candidate
        yield from get_objects(candidate, "content", "parts")


def _is_pythonic(holder: JSON) -> bool:
    return any("_" in name or value is None for name, value in holder.items())


def _renamed(value: Any, depth: int = 12) -> Any:
    if not depth:
        return value
    if isinstance(value, list):
        return [_renamed(one, depth - 1) for one in value]
    if not isinstance(value, dict):
        return value
    return {
        (camel := re.sub(r"_([a-z])", lambda found: found[1].upper(), name)): (
            one if camel in OPAQUE else _renamed(one, depth - 1)
        )
        for name, one in value.items()
        if one is not None
    }

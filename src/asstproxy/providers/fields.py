"""Reading fields of an API's JSON: what is missing, null or of another type counts as empty, since servers differ in it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from .transport import JSON

__all__ = ["get_arguments", "get_count", "get_object", "get_objects", "get_text"]


def get_text(holder: Mapping[str, Any], name: str) -> str:
    """A text; empty if it is none."""
    value = holder.get(name)
    return value if isinstance(value, str) else ""


def get_count(holder: Mapping[str, Any], name: str) -> int:
    """A number of tokens; 0 for everything but a positive integer."""
    value = holder.get(name)
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else 0


def get_object(holder: Mapping[str, Any], name: str) -> JSON:
    """An object; empty if it is none."""
    value = holder.get(name)
    return value if isinstance(value, dict) else {}


def get_objects(holder: Mapping[str, Any], name: str) -> list[JSON]:
    """The objects in a list; other things in it are left out."""
    value = holder.get(name)
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def get_arguments(holder: Mapping[str, Any], name: str = "arguments") -> str:
    """The arguments of a tool call as JSON text, which some servers send as an object; `{}` if there are none."""
    value = holder.get(name)
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict) else get_text(holder, name) or "{}"

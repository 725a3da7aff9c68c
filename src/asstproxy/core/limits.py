"""How deep values from outside may be nested: deeper ones would fail later, wherever they are walked through."""

from __future__ import annotations

from typing import Any

__all__ = ["MAX_DEPTH", "is_too_deep"]

MAX_DEPTH = 64
"""Levels of objects and arrays; nobody writes so many."""


def is_too_deep(value: Any) -> bool:
    """Whether a value of JSON or TOML has more than `MAX_DEPTH` levels; found level by level, without recursion."""
    level = [value] if isinstance(value, dict | list) else []
    for _ in range(MAX_DEPTH):
        level = [
            child
            for parent in level
            for child in (parent.values() if isinstance(parent, dict) else parent)
            if isinstance(child, dict | list)
        ]
        if not level:
            return False
    return True

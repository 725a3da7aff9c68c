"""The note before a tool's result that a person changed the arguments. It is for the assistant: the person knows."""

from __future__ import annotations

from .serialize import truncate

__all__ = ["edit_note", "without_edit_note"]

_MAX_QUOTED = 1000
"""Bytes of the arguments."""


def edit_note(arguments: str) -> str:
    """The note about a call that ran with these arguments; without it, the assistant would misread the result."""
    return f"The person changed the arguments to {truncate(arguments, _MAX_QUOTED)}."


def without_edit_note(result: str, arguments: str) -> str:
    """An output or an error of a call that ran with these arguments, without the note."""
    note = edit_note(arguments)
    return result[len(note) + 1 :] if result.startswith((f"{note}\n", f"{note} ")) else result

"""What a tool returns, as the text that the assistant gets."""

from __future__ import annotations

import base64
from typing import Any

from ..core.codec import repair_json, repair_surrogates
from ..core.errors import ToolError

__all__ = ["serialize", "truncate"]


def serialize(value: Any) -> str:
    """A string as it is; bytes as UTF-8 or else base64; anything else as JSON.

    Models, dataclasses, enums, dates, Decimals, sets and iterators become what they mean; NaN and infinity become
    strings, since JSON has no word for them; an unknown object becomes its own `tolist()` or `str()`.

    Raises:
        ToolError: the value holds itself, is nested too deeply, or has keys that no JSON has.
    """
    if isinstance(value, bytes | bytearray):
        try:
            value = value.decode()
        except UnicodeDecodeError:
            value = base64.urlsafe_b64encode(value).decode()
    if isinstance(value, str):
        return repair_surrogates(value)
    from pydantic_core import to_json, to_jsonable_python

    try:
        return to_json(value, inf_nan_mode="strings", bytes_mode="utf8", fallback=_plain).decode()
    except (ValueError, TypeError):
        pass  # bytes that are no text, half a character, or what is no JSON at all
    try:
        plain = to_jsonable_python(value, inf_nan_mode="strings", bytes_mode="base64", fallback=_plain)
        return to_json(repair_json(plain), inf_nan_mode="strings").decode()
    except (ValueError, TypeError) as error:
        raise ToolError(f"The tool returned a {type(value).__name__} that is no JSON: {error}") from error


def truncate(text: str, limit: int) -> str:
    """The text within `limit` bytes; where it is cut, it says so."""
    data = text.encode()
    if len(data) <= limit:
        return text
    note = f"\n[Cut: this is the beginning of {len(data):,} bytes. Ask for less at once.]"
    return data[: max(0, limit - len(note))].decode(errors="ignore") + note


def _plain(value: Any) -> Any:
    """What an object that JSON does not know is told as: numpy's have `tolist`."""
    plain = getattr(value, "tolist", None)
    return plain() if callable(plain) else str(value)

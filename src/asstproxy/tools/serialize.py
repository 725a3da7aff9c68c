"""What a tool returns, as text for the assistant."""

from __future__ import annotations

import base64
from typing import Any

from ..core.codec import repair_json, repair_surrogates
from ..core.errors import ToolError

__all__ = ["serialize", "truncate"]


def serialize(value: Any) -> str:
    """A string as it is; bytes as UTF-8 or else base64; anything else as JSON.

    Models, dataclasses, enums, dates, Decimals, sets and iterators are converted as pydantic does it; NaN and infinity become
    strings, since JSON doesn't have them; an unknown object becomes its `tolist()` (NumPy) or `str()`.

    Raises:
        ToolError: the value contains itself, is nested too deeply, or has keys that JSON can't have.
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
        pass  # bytes that aren't text, a lone surrogate, or not JSON at all
    try:
        plain = to_jsonable_python(value, inf_nan_mode="strings", bytes_mode="base64", fallback=_plain)
        return to_json(repair_json(plain), inf_nan_mode="strings").decode()
    except (ValueError, TypeError) as error:
        raise ToolError(f"The tool returned a {type(value).__name__} that JSON can't represent: {error}") from error


def truncate(text: str, limit: int) -> str:
    """The text, cut to `limit` bytes with a note."""
    data = text.encode()
    if len(data) <= limit:
        return text
    note = f"\n[Cut: these are the first of {len(data):,} bytes. Ask for less at once.]"
    return data[: max(0, limit - len(note))].decode(errors="ignore") + note


def _plain(value: Any) -> Any:
    """What an object of an unknown type becomes: those of NumPy have `tolist`."""
    plain = getattr(value, "tolist", None)
    return plain() if callable(plain) else str(value)

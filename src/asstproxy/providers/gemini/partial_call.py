"""A function call whose arguments arrive piece by piece, which a person may ask Google for (`streamFunctionCallArguments`).

Source: https://cloud.google.com/vertex-ai/generative-ai/docs/multimodal/function-calling#streaming-fc. Each piece says with a JSON
path where it belongs; the last one doesn't say `willContinue`.
"""

from __future__ import annotations

import re
from typing import Any

from ..fields import get_objects, get_text
from ..transport import JSON

__all__ = ["PartialCall"]

VALUES = ("stringValue", "numberValue", "boolValue")
MAX_INDEX = 10_000
"""The largest place in a list: a server can't make us fill memory with one number."""
_STEP = re.compile(r"\.([^.\[\]]+)|\[(\d+)\]|\[['\"]([^'\"]*)['\"]\]")


class PartialCall:
    """Puts the parts of one call after the other together."""

    def __init__(self) -> None:
        self._part: JSON = {}
        self._args: JSON = {}

    def __bool__(self) -> bool:
        """Whether a call has begun and not ended."""
        return bool(self._part)

    def add(self, part: JSON) -> JSON | None:
        """The part with the whole call; None if it goes on. A part with a whole call is returned as it is."""
        call = part["functionCall"]
        if not self._part and not (call.get("willContinue") or call.get("partialArgs")):
            return part
        before = self._part.get("functionCall", {})
        given = {name: value for name, value in call.items() if name not in ("partialArgs", "willContinue") and value}
        self._part = self._part | part | {"functionCall": before | given}
        for piece in get_objects(call, "partialArgs"):
            value = next((piece[name] for name in VALUES if name in piece), None)
            steps = [key or quoted or int(place) for key, place, quoted in _STEP.findall(get_text(piece, "jsonPath"))]
            if steps:
                _put(self._args, steps, value)
        if call.get("willContinue"):
            return None
        whole = self._part["functionCall"]
        whole = self._part | {"functionCall": whole | {"args": self._args or whole.get("args") or {}}}
        self._part, self._args = {}, {}
        return whole


def _put(holder: Any, steps: list[str | int], value: Any) -> None:
    """Set the value at this place, or add to the text there; lists and objects on the way are made."""
    for step, following in zip(steps, [*steps[1:], None], strict=True):
        if isinstance(step, int) != isinstance(holder, list) or (isinstance(step, int) and step > MAX_INDEX):
            return
        if isinstance(holder, list):
            holder.extend([None] * (int(step) + 1 - len(holder)))
            old = holder[int(step)]
        else:
            old = holder.get(step)
        if following is None:
            holder[step] = old + value if isinstance(old, str) and isinstance(value, str) else value
            return
        if old is None:
            old = holder[step] = [] if isinstance(following, int) else {}
        if not isinstance(old, list | dict):
            return
        holder = old

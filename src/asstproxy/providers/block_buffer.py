"""The content blocks of an answer, which arrive in pieces: objects with a `type`, and fields that are added to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ..core.events import ToolCall
from .fields import ToolCallBuffer, get_arguments, get_objects, get_text, parsed_arguments
from .transport import JSON

__all__ = ["BlockBuffer"]

FIELDS = {"text": "text", "thinking": "thinking", "signature": "signature", "partial_json": "input"}
"""The fields of a delta, and those of a block to which they add."""
KINDS = {"text": "text", "thinking": "thinking", "input": "tool_use"}
"""What a block without a type is, by a field that it has."""


class BlockBuffer:
    """Blocks by their number in the answer; one without a number is the newest.

    After `begin_part` they are numbered from 0 again: the answer goes on in another reply. `needed`: by the type of a block, the
    field without which the API does not take it back.
    """

    def __init__(self, needed: Mapping[str, str] | None = None) -> None:
        self._needed = needed or {}
        self._blocks: dict[int, JSON] = {}
        self._held: list[JSON] = []
        self._pieces: dict[int, dict[str, list[str]]] = {}
        self._first = 0
        self._begun: dict[int, JSON] = {}  # what the server said at the beginning of a block, by its place
        self._moved: dict[int, int] = {}  # numbers that the server gave to several blocks, and the place of the newest

    def begin_part(self) -> None:
        """What follows comes after all blocks so far."""
        self._first, self._moved = max(self._blocks, default=-1) + 1, {}

    def hold(self, blocks: list[JSON]) -> None:
        """Blocks that count only where no other comes: many servers repeat them piece by piece."""
        self._held = [block | {"type": _kind(block)} for block in blocks] or self._held

    def start(self, index: int | None, block: JSON) -> tuple[str, str]:
        """A block begins, or is here as a whole; its type, which some servers leave out, and its text so far.

        One that has the number of another block follows all of them; the same once more is the same block.
        """
        place = self._place(index)
        if index is not None and place in self._begun and (place in self._pieces or self._begun[place] != block):
            self._moved[index] = place = max(self._blocks) + 1
        kind = _kind(block)
        self._begun[place], self._blocks[place] = block, block | {"type": kind}
        return kind, get_text(block, kind)

    def add(self, index: int | None, delta: JSON) -> tuple[str, str]:
        """A piece of a field that holds text, or, as `input`, JSON; the name of the field, and the piece.

        Both are empty if the delta has none. Its type is not needed. A block that never began is of the type of the field.
        """
        key, field = next((pair for pair in FIELDS.items() if pair[0] in delta), ("", ""))
        piece = get_arguments(delta, key) if field == "input" else get_text(delta, key)
        if field:
            place = self._place(index)
            self._blocks.setdefault(place, {"type": field})
            self._pieces.setdefault(place, {}).setdefault(field, []).append(piece)
        return field, piece

    def append(self, index: int | None, field: str, value: JSON) -> None:
        """One more object for a field that holds a list."""
        block = self._blocks.setdefault(self._place(index), {"type": "text"})
        block[field] = [*get_objects(block, field), value]

    def _place(self, index: int | None) -> int:
        return max(self._blocks, default=0) if index is None else self._moved.get(index, self._first + index)

    def whole(self) -> list[JSON]:
        """The blocks, in their order. An `input` that came in pieces is still text, as the model wrote it."""
        found: list[JSON] = []
        for place, block in sorted(self._blocks.items() or enumerate(self._held)):
            joined = {field: "".join(pieces) for field, pieces in self._pieces.get(place, {}).items()}
            texts = {f: text if f == "input" else get_text(block, f) + text for f, text in joined.items() if text}
            found.append({**block, **texts})
        return found

    def tool_calls(self) -> tuple[list[JSON], tuple[ToolCall, ...]]:
        """The blocks as they go back, with their `input` as an object, and the calls among them (`tool_use`) with their ids."""
        blocks, calls = self.whole(), ToolCallBuffer()
        wanted = [block for block in blocks if block["type"] == "tool_use"]
        for number, block in enumerate(wanted):
            calls.add(number, get_text(block, "id"), get_text(block, "name"), get_arguments(block, "input"))
        made = calls.finish()
        for block in blocks:
            if block["type"] == "tool_use" or "input" in block:
                block["input"] = parsed_arguments(get_arguments(block, "input"))
        for block, call in zip(wanted, made, strict=True):
            block["id"] = call.call_id  # some servers give none, or the same twice
        return blocks, made

    def returned(self, blocks: Iterable[JSON]) -> list[JSON]:
        """Those blocks, as `tool_calls` gives them, that go back: they have what they need."""
        return [one for one in blocks if get_text(one, self._needed.get(one["type"], "type")).strip()]


def _kind(block: JSON) -> str:
    """The type of a block, which some servers leave out."""
    return get_text(block, "type") or next((kind for field, kind in KINDS.items() if field in block), "")

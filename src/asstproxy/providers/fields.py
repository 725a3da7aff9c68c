"""Reading an API's JSON: what is missing, null or of another type counts as empty, because servers differ.

`get_count(reply, "usage", "input_tokens")` reads `reply["usage"]["input_tokens"]`.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..core.events import ToolCall
from .transport import JSON

__all__ = [
    "ToolCallBuffer",
    "function_calls",
    "function_of",
    "get_arguments",
    "get_blocks",
    "get_content",
    "get_count",
    "get_index",
    "get_object",
    "get_objects",
    "get_text",
    "joined_turns",
    "not_null",
    "parsed_arguments",
    "readable_arguments",
    "unique_id",
    "with_fitting_ids",
    "with_hosted_tools",
]

MAX_DIGITS = 16
LARGEST = 2**53
"""Beyond it a JSON number is not exact, and no count of tokens and no position in an answer."""


def get_text(holder: Mapping[str, Any], *path: str) -> str:
    """A text; empty if it is none."""
    value = _get(holder, path)
    return value if isinstance(value, str) else ""


def not_null(holder: Mapping[str, Any]) -> JSON:
    """The fields that hold something."""
    return {name: value for name, value in holder.items() if value is not None}


def get_content(holder: Mapping[str, Any], *path: str) -> str:
    """The content of a message: a text, or the texts of its parts, joined."""
    return get_text(holder, *path) or "".join(get_text(part, "text") for part in get_objects(holder, *path))


def get_count(holder: Mapping[str, Any], *path: str) -> int:
    """A number of tokens; 0 for everything but a positive integer."""
    return _natural(_get(holder, path)) or 0


def get_index(holder: Mapping[str, Any], *path: str) -> int | None:
    """A position, from 0 on; None if it is none. Some servers write it as a text, or as 1.0."""
    value = _get(holder, path)
    if isinstance(value, str):
        return int(value) if value.isascii() and value.isdecimal() and len(value) < MAX_DIGITS else None
    return _natural(int(value) if isinstance(value, float) and value.is_integer() else value)


def get_object(holder: Mapping[str, Any], *path: str) -> JSON:
    """An object; empty if it is none."""
    value = _get(holder, path)
    return value if isinstance(value, dict) else {}


def get_objects(holder: Mapping[str, Any], *path: str) -> list[JSON]:
    """The objects in a list, or the only one without a list; other things in it are left out."""
    value = _get(holder, path)
    if isinstance(value, dict):
        return [value] if value else []
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def get_blocks(holder: Mapping[str, Any], *path: str) -> list[JSON]:
    """Content blocks; a text stands for the only one."""
    text = get_text(holder, *path)
    return [{"type": "text", "text": text}] if text else get_objects(holder, *path)


def get_arguments(holder: Mapping[str, Any], *path: str) -> str:
    """The arguments of a tool call as JSON text, which some servers send as an object; empty if there are none."""
    value = _get(holder, path)
    if not isinstance(value, dict):
        return get_text(holder, *path)
    try:
        return json.dumps(value, ensure_ascii=False)
    except RecursionError:
        return ""


MIN_REPEATED = 2
MAX_ENCODED = 5
"""How often arguments may be encoded as a JSON string: each gateway on the way may do it once."""


def readable_arguments(*candidates: str) -> str:
    """The first arguments that are not empty, else `{}`. JSON within a JSON string, as some servers send, is taken out."""
    found = next((text for text in candidates if text.strip() not in ("", "{}", "null")), "{}")
    inner: Any = found
    try:
        for _ in range(MAX_ENCODED):
            if not isinstance(inner, str) or not inner.lstrip().startswith('"'):
                break
            inner = json.loads(inner)
        return inner if isinstance(inner, str) and isinstance(json.loads(inner), dict) else found
    except (ValueError, RecursionError):
        return found


def parsed_arguments(arguments: str) -> JSON:
    """The arguments of a call as an object, even if a model wrote something else."""
    try:
        value = json.loads(readable_arguments(arguments))
    except (ValueError, RecursionError):
        value = None
    return value if isinstance(value, dict) else {"arguments": arguments}


def unique_id(given: str, taken: Container[str]) -> str:
    """The id of a call, or one of ours if the server gave none, or gave it to another call, too."""
    return given if given and given not in taken else f"call_{os.urandom(12).hex()}"


def _natural(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < LARGEST else None


def _get(holder: Any, path: tuple[str, ...]) -> Any:
    for name in path:
        holder = holder.get(name) if isinstance(holder, Mapping) else None
    return holder


class ToolCallBuffer:
    """Tool calls that arrive whole or in pieces. A call without an id, or with that of another call, gets one of ours."""

    def __init__(self) -> None:
        self._calls: dict[int | str, _Call] = {}
        self._newest: dict[int, int] = {}  # numbers that the server gave to several calls

    def __len__(self) -> int:
        return len(self._calls)

    def add(self, key: object, call_id: str, name: str, arguments: str, extra: JSON | None = None) -> None:
        """Add a call, or a piece of the call with this number: arguments are appended, an id or a name replaces the earlier one.

        `extra` has what the server wants back with the call. Pieces without a number: a new id opens a call, and so does a name
        without an id; any other piece belongs to the newest. A number may stand for several calls (Google's compatible API gives 0
        to all): after whole arguments, a name with another id or with whole arguments opens the next one. A call that comes again
        with its id and its arguments is the same one.
        """
        if not isinstance(key, int) or isinstance(key, bool):
            key = call_id or (f"#{len(self._calls)}" if name else next(reversed(self._calls), ""))
        else:
            before = self._calls.get(number := self._newest.get(key, key))
            if before is not None and before.repeats(call_id, arguments):
                return
            if before is not None and name and before.is_followed_by(call_id, arguments):
                self._newest[key] = number = max(one for one in self._calls if isinstance(one, int)) + 1
            key = number
        call = self._calls.setdefault(key, _Call())
        call.id, call.name = call_id or call.id, name or call.name
        call.arguments.append(arguments)
        call.extra |= extra or {}

    def finish(self) -> tuple[ToolCall, ...]:
        """The calls, in the order of their numbers if all have one, else as they arrived; no arguments are `{}`."""
        made: dict[str, ToolCall] = {}
        for call in self._in_order():
            call_id = unique_id(call.id, made)
            made[call_id] = ToolCall(call_id, call.name, readable_arguments(call.whole_arguments()))
        return tuple(made.values())

    @property
    def extras(self) -> list[JSON]:
        """The `extra` of each call, in the order of `finish`; empty if no call has any."""
        found = [call.extra for call in self._in_order()]
        return found if any(found) else []

    def _in_order(self) -> list[_Call]:
        numbered = all(isinstance(key, int) for key in self._calls)
        return [self._calls[key] for key in (sorted(self._calls) if numbered else self._calls)]


def function_of(call: Mapping[str, Any]) -> tuple[str, str]:
    """Name and arguments of a call of Chat Completions; some servers have them in the call itself, as the Responses API does."""
    function = get_object(call, "function") or call
    return get_text(function, "name"), get_arguments(function, "arguments")


def function_calls(calls: Iterable[Mapping[str, Any]], answered: Container[str] = ()) -> tuple[ToolCall, ...]:
    """The calls in a list of OpenAI's older form (`id`, `function` with `name` and `arguments`), but for those answered."""
    buffer = ToolCallBuffer()
    for number, call in enumerate(calls):
        if (call_id := get_text(call, "id")) not in answered:
            buffer.add(number, call_id, *function_of(call))
    return buffer.finish()


@dataclass(slots=True)
class _Call:
    id: str = ""
    name: str = ""
    arguments: list[str] = field(default_factory=list)
    extra: JSON = field(default_factory=dict)

    def whole_arguments(self) -> str:
        """The pieces, joined; only the last if it has all of them, as some servers send, or nothing but `{}` comes before."""
        pieces = [piece for piece in self.arguments if piece]
        joined = "".join(pieces)
        if len(pieces) < MIN_REPEATED or _is_object(joined):
            return joined
        *before, last = pieces
        if _is_object(last) and (last.startswith(before[-1]) or "".join(before) in ("{}", last)):
            return last
        return "".join(pieces[1:]) if pieces[0] == "{}" else joined

    def repeats(self, call_id: str, arguments: str) -> bool:
        """Whether a piece is this call once more."""
        return bool(call_id) and call_id == self.id and _is_object(arguments) and arguments == "".join(self.arguments)

    def is_followed_by(self, call_id: str, arguments: str) -> bool:
        """Whether this call is whole, and a piece with a name is of another one."""
        another = bool(self.id) and call_id not in ("", self.id)
        return (another or _is_object(arguments)) and _is_object("".join(self.arguments))


def _is_object(arguments: str) -> bool:
    try:
        return isinstance(json.loads(arguments), dict)
    except (ValueError, RecursionError):
        return False


def joined_turns(turns: Iterable[tuple[str, list[JSON]]]) -> list[JSON]:
    """Roles with their blocks as messages, which alternate: adjacent ones of one role are one, and what is empty is left out."""
    sent: list[JSON] = []
    for role, content in turns:
        if content and sent and sent[-1]["role"] == role:
            sent[-1]["content"] += content
        elif content:
            sent.append({"role": role, "content": content})
    return sent


def with_fitting_ids(block: JSON) -> JSON:
    """The block with ids of a call that consist of letters, digits, `-` and `_`: not every API takes those of another one."""
    ids = {name: block[name] for name in ("id", "tool_use_id") if name in block}
    return block | {name: re.sub(r"[^a-zA-Z0-9_-]", "_", value) for name, value in ids.items()}


def with_hosted_tools(functions: list[JSON], settings: Mapping[str, Any]) -> JSON:
    """The `tools` of a body: the person's functions, and after them the server's own tools that a setting names."""
    hosted = settings.get("tools") or []
    tools = [*functions, *(hosted if isinstance(hosted, list) else [hosted])]
    return {"tools": tools} if tools or "tools" in settings else {}

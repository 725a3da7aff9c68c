"""The output of a response, gathered from every event that carries a part of it.

Servers that speak the Responses protocol leave out indexes, ids, `*.done` events, or the output at the end. So each text and
each call is the union of what came: in pieces, whole at the end of a part or an item, and in the finished response.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import msgspec

from ...core.coalesce import TextBuffer
from ...core.events import ToolCall
from ..fields import get_arguments, get_index, get_object, get_objects, get_text, readable_arguments, unique_id
from ..text_fold import TextFold, differs, rest_of
from ..transport import JSON

__all__ = ["Output", "StreamedOutput", "calls_of", "text_of"]


class _Item(msgspec.Struct):
    """An item, as far as its events describe it. `begun` and `done` are what `output_item.added` and `.done` hold."""

    kind: str
    item_id: str = ""
    index: int | None = None
    phase: str = ""
    begun: JSON = msgspec.field(default_factory=dict)
    done: JSON = msgspec.field(default_factory=dict)
    text: TextFold = msgspec.field(default_factory=TextFold)
    arguments: TextBuffer = msgspec.field(default_factory=TextBuffer)
    whole_arguments: str = ""

    def holds(self, other: JSON) -> bool:
        """Whether another item is this one, received again: by its ids, else (of a call) by what it calls."""
        if _kind(other) != self.kind:
            return False
        mine = self.begun | self.done
        if any(name in other and get_text(other, name) and get_text(mine, name) == other[name] for name in IDS):
            return True
        if self.kind != CALL:
            return False
        (_, name, arguments), (_, my_name, mine_so_far) = _Item(CALL).call(other), self.call({})
        return name == my_name and (mine_so_far == "{}" or _parsed(arguments) == _parsed(mine_so_far))

    @property
    def is_empty(self) -> bool:
        """Whether no part of its content has come; a call is known by its id alone."""
        return self.kind == CALL or not (len(self.text) or self.done)

    def is_usable(self, *, alone: bool) -> bool:
        """Whether it counts although the finished output lacks it. `alone`: that output is empty."""
        if self.kind == CALL:
            return bool(self.call({})[1])
        return bool(self.kind and self.done) and (alone or self.kind != MESSAGE)

    def call(self, final: JSON) -> tuple[str, str, str]:
        """Id, name and arguments of a call: the last word first."""
        versions = (final, self.done, self.begun)
        number = next(filter(None, (get_text(item, "call_id") for item in versions)), "")
        name = next(filter(None, (get_text(item, "name") for item in versions)), "")
        whole = [get_arguments(item, "arguments") for item in versions]
        return number, name, readable_arguments(*whole[:2], self.whole_arguments, str(self.arguments), whole[2])

    def merged(self, final: JSON) -> JSON:
        """The item with everything that was received about it."""
        item = self.begun | self.done | final | {"type": self.kind}
        if self.kind != CALL:
            return item
        number, name, arguments = self.call(final)
        return item | {"call_id": number, "name": name, "arguments": arguments}


SAID = ("text", "refusal", "transcript")
"""The fields of a part that may hold what the model says."""
MESSAGE, CALL = "message", "function_call"
IDS = ("call_id", "id")


class Output(msgspec.Struct, frozen=True):
    """A finished output. `changed`: its text is another one than the text that was streamed."""

    items: list[JSON]
    text: str
    rest: str
    changed: bool


class StreamedOutput:
    """Gathers the output of one response. Its methods return text that has not come before."""

    def __init__(self) -> None:
        self._items: list[_Item] = []
        self._text = TextBuffer()  # the answer, without commentary

    def begin_item(self, event: JSON) -> None:
        """`response.output_item.added`."""
        item = get_object(event, "item")
        kind, number = _kind(item), get_text(item, "id")
        if number and any(one.item_id == number and one.kind == kind and one.is_empty for one in self._items):
            return  # the event came twice
        self._items.append(_Item(kind, number, get_index(event, "output_index"), get_text(item, "phase"), item))

    def begin_part(self, event: JSON) -> None:
        """`response.content_part.added`."""
        if item := self._find(event, MESSAGE):
            item.text.begin_part()

    def add_text(self, event: JSON, piece: str) -> tuple[str, str]:
        """A piece of the text of a message; returns it with the message's phase."""
        return self._added(item := self._message(event), item.text.add(piece))

    def end_part(self, event: JSON, whole: str) -> tuple[str, str]:
        """A whole part of the text of a message; returns what is new in it, with the phase."""
        return self._added(item := self._message(event), item.text.end_part(whole, get_index(event, "content_index")))

    def add_arguments(self, event: JSON, piece: str) -> None:
        """A piece of the arguments of a call."""
        self._call(event).arguments.add(piece)

    def end_arguments(self, event: JSON) -> None:
        """`response.function_call_arguments.done`, which may name the function, too."""
        item = self._call(event)
        item.whole_arguments = get_arguments(event, "arguments")
        item.begun.setdefault("name", event.get("name"))

    def end_item(self, event: JSON) -> tuple[str, str]:
        """`response.output_item.done`; returns what is new in the text of a message, with its phase."""
        received = get_object(event, "item")
        kind, whole = _kind(received), text_of([received], commentary=True)
        place = {"item_id": received.get("id"), "output_index": event.get("output_index")}
        item = self._find(place, kind, alike=whole)
        if item is None:
            item = _Item(kind, get_text(received, "id"), get_index(event, "output_index"), get_text(received, "phase"))
            self._items.append(item)
        item.done = received or {"type": kind}
        item.phase = item.phase or get_text(received, "phase")
        return self._added(item, item.text.complete(whole)) if kind == MESSAGE else ("", item.phase)

    def finish(self, response: JSON) -> Output:
        """The output of the finished response, together with what was streamed of it."""
        final = [item | {"type": kind} for item in get_objects(response, "output") if (kind := _kind(item))]
        streamed = str(self._text)
        whole = self._whole(final) or get_text(response, "output_text") or get_text(response, "output")
        left = list(self._items)
        items: list[JSON] = []
        for received in final:
            same = next((item for item in left if item.holds(received)), None)
            if same is not None:
                left.remove(same)
            items.append((same or _Item(_kind(received))).merged(received))
        for item in (item for item in left if not any(item.holds(received) for received in final)):
            if item.is_usable(alone=not final):
                place = item.index if final and item.index is not None else len(items)
                items.insert(min(place, len(items)), item.merged({}))
        rest = rest_of(streamed, whole)
        text = streamed if streamed and (not whole or streamed.strip() == whole.strip()) else whole
        if text and not text_of(items):
            items.append({"type": MESSAGE, "role": "assistant", "content": text})
        return Output(items, text, rest if streamed else "", changed=bool(streamed) and differs(streamed, whole))

    def _whole(self, final: list[JSON]) -> str:
        """The text of the finished messages, and of those that were streamed and are not among them."""
        texts = {get_text(item, "id"): text_of([item]) for item in final if item["type"] == MESSAGE}
        streamed = [
            item for item in self._items if item.kind == MESSAGE and item.phase != "commentary" and item.item_id
        ]
        if not texts or not texts.keys() <= {item.item_id for item in streamed}:
            return text_of(final)
        every = text_of(final)
        lost = {item.item_id: str(item.text) for item in streamed if item.item_id not in texts}
        texts |= {number: text for number, text in lost.items() if text.strip() not in every}
        return "".join(texts.get(number, "") for number in dict.fromkeys(item.item_id for item in streamed))

    def _added(self, item: _Item, text: str) -> tuple[str, str]:
        if item.phase != "commentary":
            self._text.add(text)
        return text, item.phase

    def _call(self, event: JSON) -> _Item:
        found = self._find(event, CALL)
        if found is None:
            found = _Item(CALL, get_text(event, "item_id"), get_index(event, "output_index"))
            self._items.append(found)
        return found

    def _message(self, event: JSON) -> _Item:
        found = self._find(event, MESSAGE)
        if found is None:
            phase = self._items[-1].phase if self._items else ""
            found = _Item(MESSAGE, get_text(event, "item_id"), get_index(event, "output_index"), phase)
            self._items.append(found)
        return found

    def _find(self, event: JSON, kind: str, alike: str | None = None) -> _Item | None:
        """The item that an event is about: by its id, by its place, else the newest one that has not ended.

        `alike`: the whole text of the item; the newest one must have begun like it.
        """
        last = self._items[-1] if self._items else None
        number, index = get_text(event, "item_id"), get_index(event, "output_index")
        if last is not None and last.kind == kind and number and last.item_id == number:
            return last
        same = [item for item in self._items if item.kind == kind]
        for item in same:
            if number and item.item_id == number:
                return item
        for item in reversed(same):
            if index is not None and item.index == index:
                return item
        opened = next((item for item in reversed(same) if not item.done), None)
        if opened is None or (number and opened.item_id and index is not None and opened.index is not None):
            return None
        return opened if alike is None or alike.startswith(str(opened.text)) else None


def _kind(item: JSON) -> str:
    kind = item.get("type")
    if isinstance(kind, str) and kind:
        return kind
    return MESSAGE if item.get("role") == "assistant" else CALL if get_text(item, "call_id") else ""


def text_of(items: Iterable[JSON], *, commentary: bool = False) -> str:
    """The text of the messages in an output, without their commentary."""
    texts = (
        _content(item.get("content"))
        for item in items
        if item.get("type") == MESSAGE and (commentary or item.get("phase") != "commentary")
    )
    return "".join(texts)


def _content(content: Any) -> str:
    if isinstance(content, str):
        return content
    parts = [part for part in content if isinstance(part, dict)] if isinstance(content, list) else []
    spoken = [part for part in parts if not _is_reasoning(part)]
    return "".join(next(filter(None, (get_text(part, name) for name in SAID)), "") for part in spoken)


def _parsed(arguments: str) -> Any:
    try:
        return json.loads(arguments)
    except (ValueError, RecursionError):
        return arguments


def _is_reasoning(part: JSON) -> bool:
    return get_text(part, "type").startswith("reasoning")


def calls_of(items: list[JSON]) -> tuple[ToolCall, ...]:
    """The calls in an output, but for those that the server has answered in it. An id that is missing or doubled is replaced by
    one of ours, in the item, too.
    """
    calls: dict[str, ToolCall] = {}
    answered = {get_text(item, "call_id") for item in items if item.get("type") == f"{CALL}_output"} - {""}
    for item in items:
        if item.get("type") == CALL and get_text(item, "call_id") not in answered:
            number = unique_id(get_text(item, "call_id") or get_text(item, "id"), calls)
            arguments = readable_arguments(get_arguments(item, "arguments"))
            item |= {"call_id": number, "arguments": arguments}
            calls[number] = ToolCall(number, get_text(item, "name"), arguments)
    return tuple(calls.values())

"""An item of a batch: one question with its id, from a line of JSON, a row of CSV or a line of text."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from hashlib import blake2b
from typing import Any, cast

import msgspec

from ..config.template import Template
from ..core.codec import repair_json
from ..core.errors import UsageError
from ..core.near_names import did_you_mean

__all__ = [
    "KEYS",
    "Item",
    "PastTurn",
    "check_all",
    "fingerprint",
    "item_from",
    "messages_of",
    "require_text",
    "text_of",
    "with_template",
]

KEYS = ("id", "prompt", "messages", "attachments", "system", "model")
"""What an object of the input may have. With a template, every other key is a variable of it."""
LONGEST_ID = 512
"""Characters."""


class PastTurn(msgspec.Struct, frozen=True):
    """An earlier exchange of an item: what the user said, and the answer."""

    user: str
    answer: str


class Item(msgspec.Struct, frozen=True):
    """One question of a batch. `line` is where it stands in the input, from 1.

    `system` and `model` replace those of the profile; `settings` are merged into the profile's. `values` are for a template.
    `schema` is the JSON Schema that the answer must fit, as text.
    """

    id: str
    prompt: str
    line: int = 0
    system: str | None = None
    model: str = ""
    history: tuple[PastTurn, ...] = ()
    attachments: tuple[str, ...] = ()
    settings: dict[str, Any] = {}
    values: dict[str, str] = {}
    schema: str = ""

    @property
    def body(self) -> int:
        """A fingerprint of everything that is asked, without the id: 64 bits."""
        asked = (self.prompt, self.system, self.model, self.history, self.attachments, self.settings, self.schema)
        return fingerprint(msgspec.json.encode(asked))


def fingerprint(data: bytes) -> int:
    """64 bits that stand for these bytes; never 0."""
    return int.from_bytes(blake2b(data, digest_size=8).digest(), "big") or 1


def item_from(data: Mapping[str, Any], line: int) -> Item:
    """The item of an object: `{"id"?, "prompt" | "messages" | template variables, "attachments"?, "system"?, "model"?}`.

    Without an id, the number of the line is its id.

    Raises:
        UsageError: something in it is wrong; `data["key"]` names the key, if it is one of them.
    """
    data = _repaired(data)
    prompt, system = _text(data, "prompt"), data.get("system")
    history: tuple[PastTurn, ...] = ()
    if "messages" in data:
        if prompt:
            raise _wrong("messages", '"prompt" and "messages" can\'t be combined', "Leave one of them out.")
        from_messages, prompt, history = messages_of(data["messages"])
        system = system if system is not None else from_messages
    if system is not None and not isinstance(system, str):
        raise _wrong("system", '"system" must be text')
    attachments = data.get("attachments") or []
    if not isinstance(attachments, list) or not all(isinstance(one, str) for one in attachments):
        raise _wrong("attachments", '"attachments" must be a list of paths and addresses')
    return Item(
        id=_id(data, line),
        prompt=prompt,
        line=line,
        system=system,
        model=_text(data, "model"),
        history=history,
        attachments=tuple(attachments),
        values={str(key): text_of(value) for key, value in data.items() if key not in KEYS and value is not None},
    )


def _repaired(data: Mapping[str, Any]) -> Mapping[str, Any]:
    """The same without lone surrogates. Looking for them by encoding takes a tenth of the time."""
    try:
        msgspec.json.encode(data)
    except (UnicodeEncodeError, TypeError, ValueError, OverflowError, RecursionError):
        return cast("Mapping[str, Any]", repair_json(data))
    return data


def _id(data: Mapping[str, Any], line: int) -> str:
    found = data.get("id")
    if found is None or found == "":
        return str(line)
    if isinstance(found, bool) or not isinstance(found, str | int):
        raise _wrong("id", '"id" must be text or a whole number')
    found = str(found)
    if len(found) > LONGEST_ID:
        raise _wrong("id", f'"id" is longer than {LONGEST_ID} characters')
    return found


def _text(data: Mapping[str, Any], key: str) -> str:
    value = data.get(key)
    if value is not None and not isinstance(value, str):
        raise _wrong(key, f'"{key}" must be text')
    return value or ""


def text_of(value: Any) -> str:
    """A JSON value as the text that a template puts in."""
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def _wrong(key: str, what: str, hint: str = "") -> UsageError:
    return UsageError(what, hint, data={"key": key})


# ---- messages ----------------------------------------------------------------------------------------------------------


def messages_of(messages: Any) -> tuple[str | None, str, tuple[PastTurn, ...]]:
    """The instructions, the message to send and the exchanges before it, from a list of `{"role", "content"}`.

    Raises:
        UsageError: it isn't such a list, or doesn't end with a message of the user.
    """
    key = "messages"
    if not isinstance(messages, list) or not messages:
        raise _wrong(key, '"messages" must be a list of {"role", "content"}')
    system: list[str] = []
    turns: list[tuple[str, str]] = []
    for message in messages:
        role = message.get("role") if isinstance(message, dict) else None
        if role not in ("system", "developer", "user", "assistant"):
            raise _wrong(key, f"a message has the role {text_of(role)}", "Use system, user and assistant.")
        content = _content(message.get("content"))
        if role in ("system", "developer"):
            system.append(content)
        elif turns and turns[-1][0] == role:
            turns[-1] = (role, f"{turns[-1][1]}\n\n{content}")
        else:
            turns.append((role, content))
    if not turns or turns[-1][0] != "user":
        raise _wrong(key, '"messages" must end with a message of the user')
    if turns[0][0] != "user":
        raise _wrong(key, 'the first of "messages" must be of the user')
    past = tuple(PastTurn(user, answer) for (_, user), (_, answer) in zip(turns[:-1:2], turns[1:-1:2], strict=True))
    return "\n\n".join(system) if system else None, turns[-1][1], past


def _content(content: Any) -> str:
    """The text of a message: a string, or a list of parts with text."""
    if isinstance(content, str):
        return content
    parts = content if isinstance(content, list) else [None]
    texts = [part.get("text") if isinstance(part, dict) else None for part in parts]
    if not all(isinstance(text, str) for text in texts):
        raise _wrong("messages", "the content of a message must be text", 'Name files in "attachments".')
    return "".join(str(text) for text in texts)


# ---- templates ---------------------------------------------------------------------------------------------------------


def with_template(template: Template, values: Mapping[str, str]) -> Callable[[Item], Item]:
    """A function that puts an item into a template; `values` are for every item, those of the item win.

    It raises `UsageError` for an item that lacks a value, or has one that the template doesn't allow.
    """

    def fill(item: Item) -> Item:
        known = {name: value for name, value in item.values.items() if name in template.names}
        try:
            filled = template.fill({**values, **known}, item.prompt, may_be_empty=bool(item.attachments))
        except UsageError as error:
            if error.code != "template_input_missing":
                raise
            raise UsageError(
                f'the template "{template.name}" needs an input', "Add a prompt.", code="batch_prompt_missing"
            ) from None
        system = item.system if item.system is not None else filled.system
        return msgspec.structs.replace(item, prompt=filled.text, system=system, values={})

    return fill


def require_text(item: Item) -> Item:
    """The item as it is without a template: it must have something to send, and no key that is a slip.

    Raises:
        UsageError: it hasn't.
    """
    for key in item.values:
        if near := _slip(key):
            raise _wrong(key, f'unknown key "{key}"', near)
    if not item.prompt.strip() and not item.attachments:
        raise UsageError(
            'it has neither "prompt" nor "messages"', "Variables need a template.", code="batch_without_prompt"
        )
    return item


@lru_cache(maxsize=256)
def _slip(key: str) -> str:
    return did_you_mean(key, KEYS)


def check_all(checks: Sequence[Callable[[Item], Item]]) -> Callable[[Item], Item]:
    """One function that does all of these, in this order."""

    def check(item: Item) -> Item:
        for one in checks:
            item = one(item)
        return item

    return check

"""Settings of an API on the command line (`-O key=value`) and in templates: typed by the provider's table."""

from __future__ import annotations

import difflib
import json
import math
import re
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple, NoReturn

from ..core.errors import UsageError
from .setting_tables import Kind, Setting
from .toml import is_too_deep

__all__ = ["TypedSettings", "checked_settings", "merge_settings", "typed_settings", "unknown_settings"]

_BOOLS = dict.fromkeys(("true", "yes", "on", "1"), True) | dict.fromkeys(("false", "no", "off", "0"), False)
_MESSAGE = ("input", "messages", "contents")
"""Where the APIs have the message."""
_LARGEST = 2**53
"""Beyond it a JSON number is not exact."""
_WANTED: dict[Kind, str] = {
    "bool": "true or false",
    "int": "a whole number",
    "float": "a number",
    "list": 'a list: a,b or ["a", "b"]',
    "json": "JSON",
    "text": "a text",
    "any": "a text or JSON",
}


class TypedSettings(NamedTuple):
    """Settings to send; None leaves one out. `unknown` are the names that the provider's table doesn't have."""

    values: dict[str, Any]
    unknown: tuple[str, ...] = ()


def typed_settings(pairs: Iterable[str], table: Mapping[str, Setting]) -> TypedSettings:
    """Settings from texts `key=value`: the values have the types of the table, and stand where it says.

    `reasoning.effort=low` sets a value within an object. A key that isn't in the table takes JSON, or else a text. `key=null`
    leaves out what the profile sets.

    Raises:
        UsageError: a text isn't `key=value`, the value has another type, or the key is one that asst sends itself.
    """
    values: dict[str, Any] = {}
    unknown = []
    for pair in pairs:
        key, sign, text = pair.partition("=")
        key = key.strip()
        if not sign or not all(key.split(".")):
            raise UsageError(f'"{pair}" isn\'t key=value.', "For example: temperature=0.2")
        setting, is_known = _setting(key, table)
        if not is_known:
            unknown.append(key)
        value = None if text.strip() == "null" else _value(key, text, setting.kind)
        _put(values, setting.path or key, value, pair)
    return TypedSettings(values, tuple(unknown))


def checked_settings(values: Mapping[str, Any], table: Mapping[str, Setting]) -> TypedSettings:
    """Settings that have types already, such as those of a template, where the table says that they stand.

    Raises:
        UsageError: a value has another type than in the table, or the key is one that asst sends itself.
    """
    found: dict[str, Any] = {}
    unknown = []
    for key, value in values.items():
        setting, is_known = _setting(key, table)
        if not is_known and _snake_case(key) not in table:  # one of Google's APIs takes camelCase as well
            unknown.append(key)
        if value is not None and not _fits(value, setting.kind):
            _refuse(key, value if isinstance(value, str) else json.dumps(value), setting.kind)
        _put(found, setting.path or key, value, f"{key}={value}")
    return TypedSettings(found, tuple(unknown))


def merge_settings(settings: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Settings with others over them: an object is merged, any other value replaced, and None leaves one out."""
    merged = dict(settings)
    for name, value in over.items():
        before = merged.get(name)
        if value is None:
            merged.pop(name, None)
        elif isinstance(value, dict):
            merged[name] = merge_settings(before if isinstance(before, dict) else {}, value)
        else:
            merged[name] = value
    return merged


def unknown_settings(names: Iterable[str], table: Mapping[str, Setting], provider: str) -> str:
    """One line about settings that a provider's table doesn't have; empty for none."""
    names = list(names)
    if not names or not table:
        return ""
    near = [match for name in names for match in difflib.get_close_matches(name, table, 1, 0.8)]
    meant = f" Did you mean {' or '.join(near)}?" if near else ""
    quoted = ", ".join(f'"{name}"' for name in names)
    verb = "is sent as it is" if len(names) == 1 else "are sent as they are"
    return f"{quoted} {verb}: asst doesn't know {'it' if len(names) == 1 else 'them'} for {provider}.{meant}"


def _setting(key: str, table: Mapping[str, Setting]) -> tuple[Setting, bool]:
    """What a table says of a key, and whether it has it, or the object that it is in."""
    message = f'"{key}" is not a setting of the API: asst sends it.'
    if key == "model":
        raise UsageError(message, code="model_is_sent")
    if key == "stream":
        raise UsageError(message, code="stream_is_sent")
    if key in _MESSAGE:
        raise UsageError(message, code="message_is_sent")
    setting = table.get(key)
    return setting or Setting("any"), setting is not None or key.partition(".")[0] in table


def _snake_case(key: str) -> str:
    return re.sub("[A-Z]", lambda letter: f"_{letter[0].lower()}", key)


def _put(values: dict[str, Any], path: str, value: Any, written: str) -> None:
    """Put a value where the path says, into objects that are made for it."""
    *outer, last = path.split(".")
    for name in outer:
        values = values.setdefault(name, {})
        if not isinstance(values, dict):
            raise UsageError(f'"{written}": {name} is set to a value that has no parts.')
    values[last] = value


def _fits(value: Any, kind: Kind) -> bool:
    match kind:
        case "text":
            return isinstance(value, str)
        case "bool":
            return isinstance(value, bool)
        case "int":
            return isinstance(value, int) and not isinstance(value, bool)
        case "float":
            return isinstance(value, int | float) and not isinstance(value, bool)
        case "list":
            return isinstance(value, list | str)
        case "json":
            return isinstance(value, dict | list)
    return True


def _value(key: str, text: str, kind: Kind) -> Any:
    text = text.strip()
    if not text:
        raise UsageError(f"{key}= has no value.", f"It takes {_WANTED[kind]}; {key}=null leaves it out.")
    match kind:
        case "text":
            return text
        case "bool":
            return _BOOLS[text.lower()] if text.lower() in _BOOLS else _refuse(key, text, kind)
        case "int" | "float":
            return _number(key, text, kind)
        case "list" if not text.startswith("["):
            return [word.strip() for word in text.split(",") if word.strip()]
    value = _json(text)
    if kind == "any" and value is None:
        return text
    if value is None or (kind == "list" and not isinstance(value, list)):
        _refuse(key, text, kind)
    return value


def _number(key: str, text: str, kind: Kind) -> int | float:
    try:
        value = int(text) if kind == "int" else float(text)
    except ValueError:
        _refuse(key, text, kind)
    if not math.isfinite(value) or abs(value) > _LARGEST:
        _refuse(key, text, kind)
    return value


def _json(text: str) -> Any:
    """The value of a JSON text; None if it isn't one that a request can carry."""
    try:
        value = json.loads(text, parse_constant=_refuse_constant)
        if is_too_deep(value):
            return None
        json.dumps(value, allow_nan=False)
        return value if not isinstance(value, int) or abs(value) <= _LARGEST else None
    except (ValueError, RecursionError):
        return None


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(name)


def _refuse(key: str, text: str, kind: Kind) -> NoReturn:
    shown = text if len(text) <= 60 else f"{text[:60]}…"
    raise UsageError(f'{key}: "{shown}" isn\'t {_WANTED[kind]}.')

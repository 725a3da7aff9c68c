"""The arguments of a call: JSON text from an assistant, or `key=value` pairs from a person, as a JSON object within limits."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, Never

from ..config.toml import MAX_DEPTH, is_too_deep
from ..core.errors import ToolError, UsageError

__all__ = ["MAX_BYTES", "from_pairs", "parse"]

MAX_BYTES = 1024 * 1024
"""No assistant writes more at once; anything larger is a bug, or an attack."""


def parse(text: str) -> dict[str, Any]:
    """The arguments as a dict; an empty text gives an empty dict.

    Raises:
        ToolError: they aren't a JSON object, are too large or too deep, or have a key twice.
    """
    if len(text) > MAX_BYTES:
        raise ToolError(f"The arguments have {len(text):,} characters; the limit is {MAX_BYTES:,}. Send less.")
    try:
        value = json.loads(text.strip() or "{}", object_pairs_hook=_unique, parse_constant=_refuse_constant)
    except ToolError:
        raise
    except RecursionError:
        raise _too_deep() from None
    except ValueError as error:
        raise ToolError(f"The arguments are not JSON: {error}. Send one JSON object.") from None
    if not isinstance(value, dict):
        raise ToolError(f"The arguments are not a JSON object but {_kind(value)}. Send one JSON object.")
    if is_too_deep(value):
        raise _too_deep()
    return value


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):  # a person could be shown one value, and the tool be given the other
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise ToolError(f"The arguments have the key '{twice[:100]}' twice.")
    return members


def _refuse_constant(name: str) -> Never:
    raise ToolError(f"The arguments are not JSON: {name} isn't a JSON number.")


def _too_deep() -> ToolError:
    return ToolError(f"The arguments are nested too deeply: the limit is {MAX_DEPTH} levels.")


def _kind(value: Any) -> str:
    names = {"list": "an array", "str": "a string", "bool": "a boolean", "NoneType": "null"}
    return names.get(type(value).__name__, "a number")


def from_pairs(pairs: Iterable[str], parameters: dict[str, Any], text: str = "") -> str:
    """The arguments that a person wrote as `key=value` (`asst tools run`), as JSON text; `text` is JSON to start from.

    A value is text if the parameter is a string; otherwise it is read as JSON, if it is JSON.

    Raises:
        UsageError: a pair has no `=`, or `text` isn't a JSON object.
    """
    try:
        values = parse(text)
    except ToolError as error:
        raise UsageError(str(error), "Give one JSON object.", code="arguments_not_json") from None
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals or not key:
            raise UsageError(f"'{pair}' isn't an argument.", "Write name=value.", code="argument_not_a_pair")
        values[key] = _from_person(value, parameters.get("properties", {}).get(key, {}))
    return json.dumps(values, ensure_ascii=False)


def _from_person(value: str, schema: dict[str, Any]) -> Any:
    kinds = [choice.get("type") for choice in (schema, *schema.get("anyOf", ()))]
    try:
        read = json.loads(value, parse_constant=_refuse_constant)
    except (ValueError, RecursionError, ToolError):
        return value
    if "string" in kinds and not (read is None and "null" in kinds):
        return value
    return read

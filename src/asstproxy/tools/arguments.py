"""The arguments of a call: JSON text from an assistant, or `key=value` from a person, as an object within limits."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, Never

from ..config.toml import MAX_DEPTH, is_too_deep
from ..core.errors import ToolError, UsageError

__all__ = ["MAX_BYTES", "from_pairs", "parse"]

MAX_BYTES = 1024 * 1024
"""No assistant writes more at once; what does is a fault, or an attack."""


def parse(text: str) -> dict[str, Any]:
    """The arguments as an object; no text at all is an object without members.

    Raises:
        ToolError: this is not JSON, not an object, too large or too deep, or says a key twice.
    """
    if len(text) > MAX_BYTES:
        raise ToolError(f"The arguments have {len(text):,} characters; at most {MAX_BYTES:,} are taken. Send less.")
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
    if len(members) < len(pairs):  # a person would be shown one of the values, and the tool given the other
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise ToolError(f"The arguments have the key '{twice[:100]}' twice.")
    return members


def _refuse_constant(name: str) -> Never:
    raise ToolError(f"The arguments are not JSON: {name} is no JSON number.")


def _too_deep() -> ToolError:
    return ToolError(f"The arguments are nested too deeply: at most {MAX_DEPTH} levels are taken.")


def _kind(value: Any) -> str:
    names = {"list": "an array", "str": "a string", "bool": "a boolean", "NoneType": "null"}
    return names.get(type(value).__name__, "a number")


def from_pairs(pairs: Iterable[str], parameters: dict[str, Any], text: str = "") -> str:
    """The arguments that a person wrote as `key=value` (`asst tools run`), as JSON text; `text` is JSON to start from.

    A value is taken as text where the parameter is one; else as JSON where it is JSON.

    Raises:
        UsageError: a pair has no `=`, or `text` is no JSON object.
    """
    try:
        values = parse(text)
    except ToolError as error:
        raise UsageError(str(error), "Give one JSON object.", code="arguments_not_json") from None
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals or not key:
            raise UsageError(f"'{pair}' is not an argument.", "Write name=value.", code="argument_not_a_pair")
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

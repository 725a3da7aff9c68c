"""Reading TOML that a person may have edited: an error names the file, the line, and what is expected there.

Neither `tomllib` nor `tomlkit` reports the line of a value, which an error of its type needs: `line_of` finds it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeVar, get_args, get_type_hints

from ..core.errors import NotSetUpError

__all__ = ["MAX_DEPTH", "convert", "is_too_deep", "line_of", "read_toml"]

T = TypeVar("T")

FIX_HINT = "Fix the file and try again."
MAX_DEPTH = 64
"""Levels of objects and arrays; nobody writes so many, and code that walks through more of them would fail."""
_AT = re.compile(r"^(.*?)\s*\(at (?:line (\d+), column (\d+)|end of document)\)$", re.DOTALL)
_WORDS = {
    "array": "a list",
    "bool": "true or false",
    "float": "a number",
    "int": "a number",
    "object": "a table",
    "str": "text",
}
"""Types, in the words of a person who writes TOML."""
_PART = r"""(?:[\w-]++|"[^"\n]*+"|'[^'\n]*+')"""
_KEY = re.compile(rf"^\s*+({_PART}(?:\s*+\.\s*+{_PART})*)\s*+=")  # possessive: a line of prose must not take forever


def read_toml(path: Path) -> dict[str, Any]:
    """The content of the file; empty if the file doesn't exist.

    Raises:
        NotSetUpError: it can't be read, or isn't TOML.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        return {}
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise NotSetUpError(f"{path}, line {line}: TOML must be UTF-8 text.", FIX_HINT) from None
    except OSError as error:
        raise NotSetUpError(f"{path} can't be read: {error.strerror}.") from None
    import tomllib

    try:
        values = tomllib.loads(text)
        if is_too_deep(values):
            raise RecursionError
    except tomllib.TOMLDecodeError as error:
        found = _AT.match(str(error))
        what = (found[1] if found else str(error)).rstrip(".")
        lines = text.count("\n") + 1
        where = f"line {found[2]}, column {found[3]}" if found and found[2] else f"line {lines}, at its end"
        raise NotSetUpError(f"{path}, {where}: {what}.", FIX_HINT) from None
    except RecursionError:
        raise NotSetUpError(f"{path} is nested too deeply: more than {MAX_DEPTH} levels.", FIX_HINT) from None
    return values


def is_too_deep(value: Any) -> bool:
    """Whether a JSON or TOML value has more than `MAX_DEPTH` levels; checked level by level, without recursion."""
    level = [value] if isinstance(value, dict | list) else []
    for _ in range(MAX_DEPTH):
        level = [
            child
            for parent in level
            for child in (parent.values() if isinstance(parent, dict) else parent)
            if isinstance(child, dict | list)
        ]
        if not level:
            return False
    return True


def convert(values: Any, kind: type[T], path: Path, keys: tuple[str, ...] = ()) -> T:
    """Values of the file, converted to this type; `keys` lead to them in the file.

    Raises:
        NotSetUpError: a value has another type; the message has its line and its key.
    """
    import msgspec

    try:
        return msgspec.convert(values, kind)
    except msgspec.ValidationError as error:
        what, _, place = str(error).partition(" - at `$")
        place = place.rstrip("`")
        inner = re.findall(r"\.([^.\[\]]+)", place)
        what, hint = _in_plain_words(what, kind, inner)
        line = line_of(path, (*keys, *inner))
        where = (".".join(keys) + place).lstrip(".")
        at = f", line {line}" if line else ""
        raise NotSetUpError(f"{path}{at}: {what}{f', at {where}' if where else ''}.", hint) from None


def _in_plain_words(what: str, kind: type, inner: Sequence[str]) -> tuple[str, str]:
    """What msgspec says of the member of a `kind` that these keys lead to, in a person's words, and what to do."""
    if found := re.match(r"Invalid enum value '?(.*?)'?$", what):
        return f'"{found[1]}" isn\'t one of {", ".join(_choices(kind, inner))}', FIX_HINT
    if found := re.match(r"Expected `([^`]+)`, got `([^`]+)`$", what):
        wanted = [_WORDS.get(name.strip(), name.strip()) for name in found[1].split("|") if name.strip() != "null"]
        return f"expected {' or '.join(wanted)}, found {_WORDS.get(found[2], found[2])}", FIX_HINT
    if found := re.match(r"Object contains unknown field `(.*)`$", what):
        from ..core.near_names import did_you_mean

        near = did_you_mean(found[1], getattr(kind, "__struct_fields__", ()))
        return f'unknown key "{found[1]}"', near or FIX_HINT
    if found := re.match(r"Object missing required field `(.*)`$", what):
        return f'the key "{found[1]}" is missing', FIX_HINT
    return what, FIX_HINT


def _choices(kind: Any, inner: Sequence[str]) -> list[str]:
    """What a member may be that has a fixed set of values."""
    for name in inner:
        kind = get_type_hints(kind).get(name)
    return [str(one) for one in get_args(kind)]


def line_of(path: Path, keys: tuple[str, ...]) -> int | None:
    """The line of this key, or else of the innermost table around it; for messages, so it need not know all of TOML."""
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError):
        return None
    table: tuple[str, ...] = ()
    best: tuple[int, int] = (0, 0)
    for number, line in enumerate(lines, 1):
        if line.lstrip().startswith("["):
            table = _keys(line) or table
            here = table
        else:
            named = _KEY.match(line)
            here = (*table, *_keys(f"{named[1]} = 0")) if named else ()
        if here and here == keys[: len(here)] and len(here) > best[0]:
            best = (len(here), number)
    return best[1] or None


def _keys(line: str) -> tuple[str, ...]:
    import tomllib

    try:
        value: Any = tomllib.loads(line)
    except (tomllib.TOMLDecodeError, RecursionError):
        return ()
    keys: list[str] = []
    while isinstance(value, (dict, list)) and value:
        if isinstance(value, list):
            value = value[0]
        else:
            key, value = next(iter(value.items()))
            keys.append(key)
    return tuple(keys)

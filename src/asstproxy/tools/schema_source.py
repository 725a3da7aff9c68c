"""What a person may write for the schema of an answer: a file, JSON, a Python class by its name, or the short form."""

from __future__ import annotations

import json
import re
import stat
from dataclasses import dataclass
from typing import Any

from ..config.paths import expand_home
from ..core.answer_schema import AnswerSchema, Check
from ..core.errors import UsageError
from .answer_type import answer_type, wrapped
from .loading import find_class
from .short_schema import short_schema

__all__ = ["ChosenSchema", "choose_schema"]

LARGEST = 1_000_000
"""Bytes of a schema's file."""
_CLASS = re.compile(r"[^\s,:{}]+(\.py)?:[A-Za-z_][\w.]*")
_FILE = re.compile(r"[^\n{}]+\.json|[^\n{},]*/[^\n{},:]*")


@dataclass(frozen=True, slots=True)
class ChosenSchema:
    """A valid JSON Schema, and what else an answer must be."""

    schema: dict[str, Any]
    check: Check | None = None


def choose_schema(text: str, *, many: bool = False, from_template: bool = False) -> ChosenSchema:
    """The schema that this text stands for; with `many`, that of a list of such values, in the member `items`.

    `from_template`: somebody else may have written the text, so that it names no file and no code.

    Raises:
        UsageError: it stands for none; the message has the reason.
    """
    check: Check | None = None
    if text.lstrip().startswith("{"):
        schema = _parsed(text, "The schema")
    elif from_template:
        schema = short_schema(text)
    elif _CLASS.fullmatch(text.strip()):
        described = answer_type(find_class(text.strip()))
        schema, check = described.schema, described.check
    elif _FILE.fullmatch(text.strip()) or _is_file(text.strip()):
        schema = _parsed(_contents(text.strip()), f"'{text.strip()}'")
    else:
        schema = short_schema(text)
    if many:
        one, schema = check, wrapped(AnswerSchema(schema).schema, "items", many=True)
        if one is not None:
            check = lambda data: [problem for item in data["items"] for problem in one(item)]  # noqa: E731
    return ChosenSchema(AnswerSchema(schema).schema, check)


def _is_file(name: str) -> bool:
    try:
        return expand_home(name).is_file()
    except OSError:  # too long for a name
        return False


def _contents(name: str) -> str:
    path = expand_home(name)
    try:
        state = path.stat()
        if not stat.S_ISREG(state.st_mode):
            raise UsageError(f"'{name}' isn't a file.", "Name a file with a JSON Schema.")
        if state.st_size > LARGEST:
            raise UsageError(f"'{name}' has {state.st_size} bytes.", f"A schema has {LARGEST} at most.")
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise UsageError(f"Can't read the schema '{name}': {error.strerror or error}.", "Check the path.") from None
    except UnicodeDecodeError:
        raise UsageError(f"'{name}' isn't text in UTF-8.", "Name a file with a JSON Schema.") from None


def _parsed(text: str, what: str) -> dict[str, Any]:
    try:
        schema = json.loads(text)
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise UsageError(f"{what} isn't JSON: {error.msg} ({where}).", "Fix the schema.") from None
    except RecursionError:
        raise UsageError(f"{what} is nested too deeply.", "Make the schema flatter.") from None
    if not isinstance(schema, dict):
        raise UsageError(f"{what} isn't a JSON object.", "A JSON Schema is an object.")
    return schema

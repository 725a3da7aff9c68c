"""The keys of a template's front matter: each has one shape, and a mistake is named with its line and its column."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any, NoReturn

from ..core.errors import UsageError
from ..core.near_names import did_you_mean
from .picoschema import json_schema
from .template import Template, Variable
from .template_text import INPUT, parse_text
from .yaml_reader import Node, at

__all__ = ["Keys", "with_input", "with_keys", "with_schema"]

KEYS = ("description", "profile", "model", "config", "system", "tools", "attachments", "input", "output")
_FORMATS = ("json", "text")


class Keys:
    """A mapping of the front matter, read key by key."""

    def __init__(self, node: Node, path: Path, known: Iterable[str], inside: str = "") -> None:
        self._path, self._inside = path, f"{inside}." if inside else ""
        self.node = node
        if not isinstance(node.value, dict):
            self.fail(node, f"{inside or 'the front matter'} must be keys with values", "Write key: value.")
        self._values: dict[str, Node] = node.value
        known = tuple(known)
        for key, place in node.keys.items():
            if key not in known:
                near = did_you_mean(key, known)
                raise UsageError(
                    f'{at(path, *place)}: unknown key "{self._inside}{key}".', near or f"Known: {', '.join(known)}."
                )

    def fail(self, node: Node, what: str, hint: str = "Fix the file.") -> NoReturn:
        """Raise a UsageError about this place."""
        raise UsageError(f"{at(self._path, node.line, node.column)}: {what}.", hint)

    def get(self, key: str) -> Node | None:
        """The value of a key; None if the key isn't there, or has none."""
        node = self._values.get(key)
        return None if node is None or node.value is None else node

    def text(self, key: str) -> str:
        """The text of a key; empty if it isn't there."""
        node = self.get(key)
        if node is None:
            return ""
        if isinstance(node.value, dict | list):
            self.fail(node, f"{self._inside}{key} must be text")
        return node.text.strip()

    def texts(self, key: str) -> tuple[str, ...]:
        """The texts of a key's list; one text is a list of one."""
        node = self.get(key)
        if node is None:
            return ()
        nodes = node.value if isinstance(node.value, list) else [node]
        for one in nodes:
            if isinstance(one.value, dict | list) or not one.text.strip():
                self.fail(one, f"{self._inside}{key} must be a list of texts")
        return tuple(one.text.strip() for one in nodes)

    def mapping(self, key: str) -> dict[str, Node]:
        """The mapping of a key; empty if it isn't there."""
        node = self.get(key)
        if node is None:
            return {}
        if not isinstance(node.value, dict):
            self.fail(node, f"{self._inside}{key} must be keys with values", "Write key: value.")
        found: dict[str, Node] = node.value
        return found

    def inner(self, key: str, known: Iterable[str]) -> Keys | None:
        """The keys below a key."""
        node = self.get(key)
        return Keys(node, self._path, known, f"{self._inside}{key}") if node is not None else None


def with_keys(template: Template, node: Node, path: Path) -> Template:
    """The template with what its front matter says.

    Raises:
        UsageError: a key is unknown, or its value has another shape; the message has the line and the column.
    """
    keys = Keys(node, path, KEYS)
    config = keys.mapping("config")
    system = keys.get("system")
    template = replace(
        template,
        description=keys.text("description"),
        profile=keys.text("profile"),
        model=keys.text("model"),
        config={key: value.plain for key, value in config.items()},
        tools=keys.texts("tools"),
        attachments=keys.texts("attachments"),
    )
    if keys.text("system") and system is not None:
        template = replace(template, system=parse_text(keys.text("system"), str(path), system.line, system.column))
    return with_input(with_schema(template, keys, path), keys, path)


def with_schema(template: Template, keys: Keys, path: Path) -> Template:
    """The template with the schema of its answer.

    Raises:
        UsageError: it isn't a schema; the message has the line and the column.
    """
    output = keys.inner("output", ("format", "schema"))
    return template if output is None else replace(template, schema=_schema(output, path))


def _schema(output: Keys, path: Path) -> Any:
    form, schema = output.get("format"), output.get("schema")
    if form is not None and form.text not in _FORMATS:
        output.fail(form, f'output.format can\'t be "{form.text}"', f"Use one of: {', '.join(_FORMATS)}.")
    if schema is None:
        return {"type": "object"} if form is not None and form.text == "json" else None
    if isinstance(schema.value, str):  # what `--schema` takes
        return schema.text
    return json_schema(schema, path)


def with_input(template: Template, keys: Keys, path: Path, *, is_strict: bool = True) -> Template:
    """The template with its variables: those of `input.schema`, and the values of `input.default`.

    `is_strict`: a name that the template's texts don't use is an error.

    Raises:
        UsageError: a variable is declared in a form that a text can't have.
    """
    inside = keys.inner("input", ("default", "schema"))
    if inside is None:
        return template
    variables = _declared(inside, path)
    for name, node in inside.mapping("default").items():
        if isinstance(node.value, dict | list):
            inside.fail(node, f"input.default.{name} must be text")
        variables[name] = replace(variables.get(name, Variable()), default=node.text if node.value is not None else "")
    used = (*template.names, INPUT)
    for key in ("default", "schema"):
        declared = inside.get(key)
        if declared is None or not is_strict:
            continue
        for name, place in _names(declared).items():
            if name not in used:
                raise UsageError(
                    f'{at(path, *place)}: input.{key} has "{name}", but no {{{{{name}}}}} is in the text.',
                    did_you_mean(name, used) or "Remove it, or use it.",
                )
    return replace(template, variables={name: one for name, one in variables.items() if name in used})


def _names(node: Node) -> dict[str, tuple[int, int]]:
    """The variables that a part of `input` names, with their places."""
    properties = node.value.get("properties") if isinstance(node.value, dict) else None
    if properties is not None and isinstance(properties.value, dict):
        return dict(properties.keys)
    return {key.partition("(")[0].strip().rstrip("?"): place for key, place in node.keys.items()}


def _declared(inside: Keys, path: Path) -> dict[str, Variable]:
    node = inside.get("schema")
    if node is None:
        return {}
    schema = json_schema(node, path)
    properties = schema.get("properties")
    if not isinstance(properties, dict):
        inside.fail(node, "input.schema must name the variables", "Write name: string, description.")
    required = schema.get("required") or ()
    return {
        name: _variable(name, one, name in required, lambda what: inside.fail(node, what))
        for name, one in properties.items()
    }


def _variable(name: str, schema: Any, is_required: bool, fail: Callable[[str], NoReturn]) -> Variable:
    schema = schema if isinstance(schema, dict) else {}
    kinds = schema.get("type", "string")
    kind = next((one for one in ([kinds] if isinstance(kinds, str) else kinds) if one != "null"), "string")
    if kind in ("object", "array"):
        fail(f"{name} can't be an {kind}: values are texts")
    default = schema.get("default")
    choices = tuple(_as_text(one) for one in schema.get("enum", ()) if one is not None)
    given = None if is_required else ""
    return Variable(
        about=str(schema.get("description", "")),
        default=given if default is None else _as_text(default),
        kind=str(kind),
        choices=choices,
    )


def _as_text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)

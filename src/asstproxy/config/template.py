"""A template: a prompt that was kept, with what it is asked with. Its variables are texts; it has no logic."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..core.errors import UsageError
from ..core.near_names import did_you_mean, near_names
from .template_text import INPUT, TemplateText

__all__ = ["Filled", "Template", "Variable"]


@dataclass(frozen=True, slots=True)
class Variable:
    """What a template says about one of its variables.

    `default`: its value if none is given; None: one must be. `kind`: a JSON type that the text must have; `choices`: all that
    it may be.
    """

    about: str = ""
    default: str | None = None
    kind: str = "string"
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Filled:
    """A template with values: the instructions (None if it has none), and the message."""

    system: str | None
    text: str


@dataclass(frozen=True, slots=True)
class Template:
    """One template.

    `body` becomes the message, `system` the instructions. `config` are the provider's own settings. `schema` is a JSON Schema,
    or a text that stands for one. `variables` are those of which more is known than the name. `path`: the file that it was read
    from; `is_trusted`: whether that file may name code and other files, which only the user's own templates may.
    """

    name: str
    body: TemplateText = field(default_factory=TemplateText)
    system: TemplateText = field(default_factory=TemplateText)
    description: str = ""
    profile: str = ""
    model: str = ""
    config: Mapping[str, Any] = field(default_factory=dict)
    tools: tuple[str, ...] = ()
    attachments: tuple[str, ...] = ()
    schema: Mapping[str, Any] | str | None = None
    variables: Mapping[str, Variable] = field(default_factory=dict)
    path: Path | None = None
    is_trusted: bool = True

    @property
    def names(self) -> tuple[str, ...]:
        """The variables of its texts, each once; not `input`."""
        return tuple(name for name in dict.fromkeys(self.system.names + self.body.names) if name != INPUT)

    @property
    def needs_input(self) -> bool:
        """Whether there must be a text to put in for `{{input}}`, or to send at all."""
        if INPUT in self.system.names + self.body.names:
            return self.variables.get(INPUT, Variable()).default is None
        return not self.body.source.strip()

    def unused(self, values: Mapping[str, str]) -> list[str]:
        """One line about each value that the template has no variable for."""
        return [
            " ".join(
                filter(None, (f'The template "{self.name}" has no variable "{name}".', did_you_mean(name, self.names)))
            )
            for name in values
            if name not in self.names
        ]

    def check(self, values: Mapping[str, str]) -> None:
        """Check that these values are enough, and what the template allows.

        Raises:
            UsageError: one is missing, or isn't allowed.
        """
        if INPUT in values:
            raise UsageError('"input" is what is typed or piped in, not a value.', "Give it as the message.")
        missing = [name for name in self.names if name not in values and self._variable(name).default is None]
        if missing:
            first = missing[0]
            about = self._variable(first).about
            given = [name for name in near_names(first, values) if name not in self.names]
            raise UsageError(
                f'The template "{self.name}" needs a value for {" and ".join(missing)}'
                f"{f' ({first}: {about})' if about else ''}{f', and has no {given[0]}' if given else ''}.",
                code="template_value_missing",
                data={"values": " ".join(f"-P {name}=…" for name in missing)},
            )
        for name in self.names:
            if name in values:
                self._check_one(name, values[name])

    def _check_one(self, name: str, value: str) -> None:
        variable = self._variable(name)
        if variable.choices and value not in variable.choices:
            near = did_you_mean(value, variable.choices)
            raise UsageError(
                f'{name} can\'t be "{value}" in the template "{self.name}".',
                near or f"Use one of: {', '.join(variable.choices)}.",
            )
        pattern, article = _KINDS.get(variable.kind, ("", ""))
        if pattern and not re.fullmatch(pattern, value.strip()):
            raise UsageError(f'{name} must be {article} in the template "{self.name}", not "{value}".')

    def fill(self, values: Mapping[str, str], text: str = "", *, may_be_empty: bool = False) -> Filled:
        """The template with these values and this input, which follows the body if that has no `{{input}}`.

        `may_be_empty`: a file takes the place of the input.

        Raises:
            UsageError: a value or the input is missing, or isn't allowed.
        """
        self.check(values)
        if not text.strip():
            if self.needs_input and not may_be_empty:
                raise UsageError(
                    f'The template "{self.name}" needs an input.',
                    code="template_input_missing",
                    data={"name": self.name},
                )
            text = self.variables.get(INPUT, Variable()).default or ""
        known = {name: variable.default for name, variable in self.variables.items() if variable.default is not None}
        filled = {**known, **values, INPUT: text}
        body = self.body.fill(filled)
        if INPUT not in self.system.names + self.body.names:
            body = "\n\n".join(part for part in (body, text) if part.strip())
        elif INPUT not in self.body.names and not body.strip():
            body = text
        return Filled(self.system.fill(filled) if self.system else None, body)

    def _variable(self, name: str) -> Variable:
        return self.variables.get(name, _PLAIN)


_PLAIN = Variable()
_KINDS = {
    "integer": (r"[-+]?\d+", "a whole number"),
    "number": (r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?", "a number"),
    "boolean": ("true|false", "true or false"),
}

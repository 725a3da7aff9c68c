"""What a docstring says about a function and its parameters, in Google's, Sphinx's or NumPy's style.

`griffelib` (https://mkdocstrings.github.io/griffelib/) parses the styles; `docstring-parser` would be lighter, but drops text that
follows a section. Nothing is imported for a docstring without sections.
"""

from __future__ import annotations

import inspect
import re
import textwrap
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from griffe import DocstringSection

__all__ = ["parse_docstring"]

_STYLES: dict[str, dict[str, Any]] = {
    "google": {"returns_multiple_items": False, "returns_named_value": False, "warnings": False},
    "numpy": {"warnings": False},
    "sphinx": {"warnings": False},
}
_SECTION = re.compile(r"^:\w+|^\w[\w ]*:\s*$|^-{3,}\s*$", re.MULTILINE)
_EMPTY_SECTION = re.compile(r"^(args|arguments|parameters|params)\s*:\s*\Z", re.IGNORECASE | re.MULTILINE)
_LEFT_OUT = ("example", "examples", "references", "see also", "seealso", "todo")


def parse_docstring(docstring: str | None) -> tuple[str, dict[str, str]]:
    """What the function does, and what each parameter is.

    The description keeps what the function returns, which an assistant can use; exceptions and examples are left out.
    """
    text = _EMPTY_SECTION.sub("", inspect.cleandoc(docstring or "")).strip()
    if not _SECTION.search(text):
        return text, {}
    parsed = [one for style in _STYLES if (one := _parse(text, style))]
    best = max(parsed, key=lambda one: one.score, default=None)
    return (best.text, best.parameters) if best and best.score else (text, {})


def _parse(text: str, style: str) -> _Parsed | None:
    from griffe import Docstring

    try:
        return _Parsed(Docstring(text).parse(style, **_STYLES[style]), style)  # type: ignore[arg-type]  # a literal
    except Exception:  # noqa: BLE001 - griffelib stumbles over some malformed sections, such as an empty `Returns:`
        return None


class _Parsed:
    """The sections of a docstring in one style; `score` says how much of the docstring follows the style."""

    def __init__(self, sections: list[DocstringSection], style: str) -> None:
        from griffe import DocstringSectionKind as Kind

        self.parameters: dict[str, str] = {}
        self.score = 0
        texts: list[str] = []
        for section in sections:
            match section.kind:
                case Kind.text:
                    texts.append(section.value)
                case Kind.parameters | Kind.other_parameters:
                    self.score += len(section.value)
                    for parameter in section.value:
                        if description := _line(parameter.description):
                            self.parameters[parameter.name.lstrip("*")] = description
                case Kind.returns:
                    self.score += 1
                    separator = " " if style == "numpy" else ": "  # in NumPy's style, text may take the place of a type
                    for result in section.value:
                        parts = (str(part) for part in (result.annotation, result.description) if part)
                        texts.append(f"Returns: {_line(separator.join(parts))}")
                case Kind.admonition if section.value.kind.lower() not in _LEFT_OUT:
                    texts.append(f"{section.title}:\n{textwrap.indent(section.value.contents, '    ')}")
                case _:
                    self.score += 1
        self.text = "\n\n".join(texts).strip()


def _line(text: str) -> str:
    return " ".join(text.split())

"""What a docstring says about a function and its parameters, in Google's, Sphinx's or NumPy's style.

Our own eighty lines rather than a library: the core's wall lets in none, and only two sections matter here.
"""

from __future__ import annotations

import inspect
import re

__all__ = ["parse_docstring"]

_SECTION = re.compile(
    r"(args|arguments|parameters|params|keyword args|keyword arguments|other parameters|returns?|yields?|raises|"
    r"warns|attributes|examples?|see also|references|todo)\s*:?\s*",
    re.IGNORECASE,
)
_PARAMETERS = ("arg", "param", "keyword arg", "other param")
_ENTRY = re.compile(r"\*{0,2}(\w+)\s*(?:\(.*?\))?\s*:\s*(.*)")
_NUMPY_ENTRY = re.compile(r"(\*{0,2}\w+(?:\s*,\s*\*{0,2}\w+)*)\s*(?::.*)?")
_FIELD = re.compile(
    r":(param|parameter|arg|argument|key|keyword|type|returns?|rtype|raises?|except)\b\s*([^:]*):\s*(.*)"
)


def parse_docstring(docstring: str | None) -> tuple[str, dict[str, str]]:
    """What the function does, and what each parameter is.

    The description keeps what it returns, which an assistant can use; what it raises and examples are left out.
    """
    about, parameters = _without_fields(inspect.cleandoc(docstring or "").splitlines())
    text: list[str] = []
    while about:
        heading = _heading(about)
        if heading is None:
            text.append(about.pop(0))
            continue
        name, underlined = heading
        body, about = _body(about[2 if underlined else 1 :], underlined=underlined)
        if name.startswith(_PARAMETERS):
            parameters |= _entries(body, _NUMPY_ENTRY if underlined else _ENTRY)
        elif name.startswith("return"):
            text.append("Returns: " + " ".join(line.strip() for line in body if line.strip()))
    return re.sub(r"\n{3,}", "\n\n", "\n".join(text)).strip(), parameters


def _without_fields(lines: list[str]) -> tuple[list[str], dict[str, str]]:
    """The lines that are no Sphinx field (`:param x: …`), and the parameters from those that are."""
    rest: list[str] = []
    fields: list[tuple[str, str, list[str]]] = []
    inside = False
    for line in lines:
        if field := _FIELD.fullmatch(line):
            kind, what, said = field.groups()
            fields.append((kind, what, [said]))
            inside = True
        elif inside and line.startswith((" ", "\t")):
            fields[-1][2].append(line.strip())
        else:
            inside = False
            rest.append(line)
    parameters: dict[str, str] = {}
    for kind, what, said in fields:
        if kind.startswith("return"):
            rest.append("Returns: " + " ".join(said))
        elif what.split() and kind.startswith(("param", "arg", "key")):
            parameters[what.split()[-1].lstrip("*")] = " ".join(said).strip()
    return rest, parameters


def _heading(lines: list[str]) -> tuple[str, bool] | None:
    """The section that begins here, and whether it is underlined (NumPy)."""
    if not _SECTION.fullmatch(lines[0]):
        return None
    underlined = len(lines) > 1 and re.fullmatch(r"-{3,}\s*", lines[1]) is not None
    return (lines[0].rstrip(": ").lower(), underlined) if underlined or lines[0].rstrip().endswith(":") else None


def _body(lines: list[str], *, underlined: bool) -> tuple[list[str], list[str]]:
    """The lines of a section, without their common indentation, and those after it."""
    end = 0
    while end < len(lines):
        outside = lines[end].strip() and not lines[end].startswith((" ", "\t"))
        if _heading(lines[end:]) if underlined else outside:
            break
        end += 1
    return inspect.cleandoc("\n" + "\n".join(lines[:end])).splitlines(), lines[end:]


def _entries(body: list[str], pattern: re.Pattern[str]) -> dict[str, str]:
    found: dict[str, list[str]] = {}
    current: list[str] = []
    for line in body:
        entry = pattern.fullmatch(line) if line[:1].strip() else None
        if entry:
            current = [name.strip().lstrip("*") for name in entry.group(1).split(",")]
            found |= {name: [*entry.groups()[1:]] for name in current}
        else:
            for name in current:
                found[name].append(line.strip())
    return {name: text for name, said in found.items() if (text := " ".join(" ".join(said).split()))}

"""Templates of other tools: `llm`'s YAML files, and plain dotprompt files (`.prompt`).

What can't be taken over is named. A text with logic is refused as a whole: with holes in it, it would say something else.
Sources: <https://llm.datasette.io/en/stable/templates.html>, <https://google.github.io/dotprompt/reference/frontmatter/>.
"""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

from ..core.errors import UsageError
from .template import Template, Variable
from .template_file import front_matter, read_template, read_text
from .template_keys import Keys, with_input, with_schema
from .template_text import escape, parse_text
from .yaml_reader import Node, at, read_yaml

__all__ = ["SUFFIXES", "import_template", "read_dotprompt"]

SUFFIXES = (".md", ".markdown", ".prompt", ".yaml", ".yml")
"""Of the files that can be imported."""

_LLM_KEYS = {
    "name": "",
    "prompt": "",
    "system": "",
    "model": "",
    "defaults": "",
    "options": "",
    "schema_object": "",
    "attachments": "",
    "attachment_types": "",
    "extract": "",
    "extract_last": "",
    "tools": "they are plugins of llm",
    "functions": "a template holds no code: put it into a file of tools",
    "fragments": "attach the files instead",
    "system_fragments": "put the text into system",
}
"""The keys of an llm template; those that are never taken over have the reason."""
_DOTPROMPT_KEYS = ("name", "variant", "version", "description", "model", "config", "input", "output", "tools")
_DOTPROMPT_OTHER = ("toolDefs", "maxTurns", "returnToolRequests", "toolChoice", "use", "resources", "ext")
_IGNORED = ("name", "variant", "version", "metadata", "raw")
"""Keys of dotprompt that say nothing about the request."""
_PROFILES = {
    "googleai": "gemini",
    "google": "gemini",
    "vertexai": "gemini",
    "openai": "gpt",
    "anthropic": "anthropic",
    "ollama": "ollama",
}
"""The profile for the prefix of a model's name, as dotprompt and llm write it."""
_BY_MODEL = ((r"gpt-|chatgpt|o\d", "gpt"), (r"gemini-", "gemini"), (r"claude-", "anthropic"))
_GPT_NAMES = {"max_tokens": "max_output_tokens", "maxOutputTokens": "max_output_tokens", "topP": "top_p"}
"""Settings under the name that they have in the Responses API."""

_DOLLAR = re.compile(
    r"\$(?:(?P<escaped>\$)|(?P<named>[_a-z][_a-z0-9]*)|\{(?P<braced>[_a-z][_a-z0-9]*)\})", re.ASCII | re.IGNORECASE
)
_ROLE = re.compile(r"\{\{\s*role\s+[\"'](\w+)[\"']\s*\}\}\n?")
_TRIPLE = re.compile(r"\{\{\{\s*([\w-]+)\s*\}\}\}")


def import_template(path: Path, name: str) -> tuple[Template, list[str]]:
    """The template in a file of any known form, under this name, and a line for each part that could not be taken over.

    Raises:
        UsageError: the file can't be read, has an error, or can't be expressed as a template.
    """
    match path.suffix.lower():
        case ".yaml" | ".yml":
            return _read_llm(path, name)
        case ".prompt":
            template, notes = read_dotprompt(path, is_trusted=True)
            return replace(template, name=name), notes
        case ".md" | ".markdown":
            return read_template(path, name, is_trusted=True), []
    if not path.exists():
        raise UsageError(f"No such file: {path}.", "Check the path.")
    raise UsageError(f"{path} can't be imported.", f"Known: {', '.join(SUFFIXES)}.")


# ---- llm ---------------------------------------------------------------------------------------------------------------


def _read_llm(path: Path, name: str) -> tuple[Template, list[str]]:
    root = read_yaml(read_text(path), path)
    if isinstance(root.value, str):  # the file is the prompt
        return Template(name, _from_dollars(root, path), path=path), []
    keys = Keys(root, path, _LLM_KEYS)
    notes = [f"{key} ({why})" for key, why in _LLM_KEYS.items() if why and keys.get(key) is not None]
    notes += [
        f"{key} (an option of each request, not of a template)"
        for key in ("extract", "extract_last")
        if (node := keys.get(key)) is not None and node.value is True
    ]
    profile, model = _profile_of(keys.text("model"))
    types = keys.get("attachment_types")
    typed = [_attachment_of(one, path) for one in (types.value if types and isinstance(types.value, list) else ())]
    body, system = keys.get("prompt"), keys.get("system")
    template = Template(
        name,
        body=_from_dollars(body, path) if body is not None else parse_text("", str(path)),
        system=_from_dollars(system, path) if system is not None else parse_text("", str(path)),
        profile=profile,
        model=model,
        config=_renamed(profile, {key: node.plain for key, node in keys.mapping("options").items()}),
        attachments=(*keys.texts("attachments"), *typed),
        schema={key: node.plain for key, node in keys.mapping("schema_object").items()} or None,
        path=path,
    )
    defaults = {key: Variable(default=node.text) for key, node in keys.mapping("defaults").items()}
    unused = [f"defaults.{key} (the text doesn't use it)" for key in defaults if key not in (*template.names, "input")]
    known = {key: value for key, value in defaults.items() if key in (*template.names, "input")}
    return replace(template, variables=known), notes + unused


def _from_dollars(node: Node, path: Path) -> Any:
    """`$name` becomes `{{name}}`, `$$` one dollar, and a brace stays a brace."""
    text, source, end = node.text, "", 0
    for found in _DOLLAR.finditer(text):
        name = found["named"] or found["braced"]
        source += escape(text[end : found.start()]) + (f"{{{{{name}}}}}" if name else "$")
        end = found.end()
    return parse_text((source + escape(text[end:])).strip("\n"), str(path), node.line)


def _attachment_of(node: Node, path: Path) -> str:
    value = node.value.get("value") if isinstance(node.value, dict) else None
    if value is None or not value.text:
        raise UsageError(f"{at(path, node.line, node.column)}: an attachment needs a value.", "Fix the file.")
    return str(value.text)


# ---- dotprompt ---------------------------------------------------------------------------------------------------------


def read_dotprompt(path: Path, *, is_trusted: bool) -> tuple[Template, list[str]]:
    """The template in a `.prompt` file, and a line for each part that could not be taken over.

    Raises:
        UsageError: the file can't be read, has an error, or its text has logic; the message has the line.
    """
    head, body, line = front_matter(read_text(path), path)
    system, message = _roles(body, path, line)
    template = Template(
        path.stem.partition(".")[0], body=message, system=system, path=path, is_trusted=is_trusted
    )  # name.variant.prompt
    if not head.strip():
        return template, []
    node = read_yaml(head, path, 2)
    known = (*_DOTPROMPT_KEYS, *_DOTPROMPT_OTHER, *_IGNORED)
    extensions = [key for key in node.keys if "." in key]  # `vendor.key` is for others
    keys = Keys(node, path, (*known, *extensions))
    notes = [
        f"{key} (asst has no such setting)" for key in (*_DOTPROMPT_OTHER, *extensions) if keys.get(key) is not None
    ]
    notes += ["tools (name them with -t)"] if keys.texts("tools") else []
    profile, model = _profile_of(keys.text("model"))
    template = replace(
        template,
        description=keys.text("description"),
        profile=profile,
        model=model,
        config=_renamed(profile, {key: value.plain for key, value in keys.mapping("config").items()}),
    )
    return with_input(with_schema(template, keys, path), keys, path, is_strict=False), notes


def _roles(body: str, path: Path, line: int) -> tuple[Any, Any]:
    """The instructions and the message of a text: it may begin with a part for the role `system`."""
    body = _TRIPLE.sub(r"{{\1}}", _without_comments(body))
    parts = _ROLE.split(body)  # text, role, text, role, text …
    texts: dict[str, tuple[str, int]] = {}
    begin = line
    for number in range(0, len(parts), 2):
        role = parts[number - 1] if number else "user"
        text = parts[number]
        if text.strip():
            if role not in ("system", "user") or role in texts:
                raise UsageError(
                    f"{path}, line {begin}: a template is one message, and this text has several.",
                    "Keep one system and one user part.",
                )
            texts[role] = (text.strip("\n"), begin + len(text) - len(text.lstrip("\n")))
        begin += text.count("\n") + 1 if number + 1 < len(parts) else 0
    empty = ("", line)
    return (
        parse_text(*_placed(texts.get("system", empty), path)),
        parse_text(*_placed(texts.get("user", empty), path)),
    )


def _without_comments(text: str) -> str:
    """The text without `{{! … }}` and `{{!-- … --}}`; its lines keep their numbers."""
    parts, end = [], 0
    while (start := text.find("{{!", end)) >= 0:
        close = "--}}" if text.startswith("{{!--", start) else "}}"
        stop = text.find(close, start)
        if stop < 0:
            break  # `parse_text` names it
        parts += [text[end:start], "\n" * text.count("\n", start, stop)]
        end = stop + len(close)
    return "".join([*parts, text[end:]])


def _placed(text: tuple[str, int], path: Path) -> tuple[str, str, int]:
    return text[0], str(path), text[1]


# ---- models and their settings -----------------------------------------------------------------------------------------


def _profile_of(model: str) -> tuple[str, str]:
    """The profile that a model's name points to (empty: the default one), and the model's name there."""
    prefix, slash, rest = model.partition("/")
    if slash and prefix in _PROFILES:
        return _PROFILES[prefix], rest
    return next((profile for pattern, profile in _BY_MODEL if re.match(pattern, model)), ""), model


def _renamed(profile: str, settings: dict[str, Any]) -> dict[str, Any]:
    return {_GPT_NAMES.get(key, key) if profile == "gpt" else key: value for key, value in settings.items()}

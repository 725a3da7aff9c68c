"""`asst templates list|show|edit|path|import`: the user's templates, and the prompts of a profile's MCP servers."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...config.paths import private_dir
from ...config.profiles import load_config
from ...config.template import Template
from ...config.template_file import SKILLS, read_template, read_text
from ...config.templates import (
    find_template,
    load_template,
    save_template,
    template_file,
    template_names,
    templates_dir,
)
from ...config.who_answers import choose_profile
from ...core.codec import pretty
from ...core.errors import AsstError, NotSetUpError, UsageError
from ...core.near_names import did_you_mean
from ...text.safe_text import clean, clean_line
from ..error_output import print_error, print_warning
from ..exit_codes import OK
from ..fitted import fitted
from ..standard_streams import write_json

if TYPE_CHECKING:
    from ...tools.mcp_prompts import McpPrompt

__all__ = ["edit_template", "import_templates", "list_templates", "print_path", "show_template"]

NEW = """\
---
description: What it is for
# profile: gpt
# model: …
# system: You are …
# input:
#   default: {lang: English}
---

Answer in {{lang}}.

{{input}}
"""


async def list_templates(profile: str, *, as_json: bool) -> int:
    """Print every template: its name, its variables, its description. With a profile, the prompts of its MCP servers, too."""
    rows = []
    for name in template_names():
        try:
            rows.append(_row(load_template(name)))
        except AsstError as error:
            print_error(error)
    if profile:
        from .mcp_prompt import prompts_of

        prompts, failed = await prompts_of(choose_profile(load_config(), profile))
        rows += map(_prompt_row, prompts)
        for line in failed:
            print_warning(line)
    if as_json:
        write_json(pretty(rows) + b"\n")
        return OK
    _print_rows([(row["name"], " ".join(_marked(one) for one in row["variables"]), row["description"]) for row in rows])
    if not rows:
        sys.stderr.write(
            fitted('No templates. Save one: asst ask "Translate to {{lang}}: {{input}}" --save-template NAME\n')
        )
    return OK


async def show_template(named: str, profile: str) -> int:
    """Print the file of a template, or what an MCP server says about its prompt.

    Raises:
        UsageError: there is none.
    """
    if find_template(named) is None and ":" in named:
        from ...tools.mcp_prompts import find_prompt
        from .mcp_prompt import mcp_server

        server_name, _, name = named.partition(":")
        async with mcp_server(choose_profile(load_config(), profile), server_name) as server:
            prompt = await find_prompt(server, name)
        sys.stdout.write(clean(f"{prompt.full_name}   {prompt.about}".rstrip()) + "\n")
        for one in prompt.arguments:
            about = clean_line(f"{one.about}{'' if one.is_required else ' (optional)'}")
            sys.stdout.write(f"  {clean_line(one.name):<16} {about}\n")
        return OK
    found = find_template(named)
    if found is None:
        load_template(named)  # raises
        return OK
    text = read_text(found[0])
    sys.stdout.write(clean(text) if sys.stdout.isatty() else text)
    return OK


def print_path(named: str) -> None:
    """Print the path of a template's file, or of the folder.

    Raises:
        UsageError: the template is unknown.
    """
    if not named:
        sys.stdout.write(f"{templates_dir()}\n")
        return
    path = template_file(named)
    if not path.exists():
        load_template(named)  # raises
    sys.stdout.write(f"{path}\n")


def edit_template(name: str) -> None:
    """Edit a template in the user's editor; one that doesn't exist is begun. A text with an error replaces nothing.

    Raises:
        UsageError: the name is invalid.
        NotSetUpError: no editor is found, the text has an error, or the file can't be written.
    """
    from ...config.atomic import write_atomically
    from ..editor import edited

    path = template_file(name)
    if not path.exists() and (near := did_you_mean(name, template_names())):
        sys.stderr.write(f"{name} is new. {near}\n")
    before = read_text(path) if path.exists() else ""
    after = edited(path, before or NEW, lambda copy: read_template(copy, name, is_trusted=True))
    if after == (before or NEW):
        sys.stderr.write("No changes.\n")
        return
    try:
        private_dir(path.parent.parent)
        write_atomically(path, after.encode())
    except OSError as error:
        raise NotSetUpError(f"{path} can't be written: {error.strerror}.", "Fix its permissions.") from error
    sys.stderr.write(f"Saved: {path}\n")


def import_templates(named: Sequence[Path], name: str) -> int:
    """Import files, and the templates in folders; prints the name of each, and on stderr what was not taken over.

    Returns the exit code: of the last file that couldn't be imported, else 0.

    Raises:
        UsageError: a name is given for several files.
    """
    from ...config.template_imports import import_template

    files = [file for path in named for file in _files(path)]
    if name and len(files) != 1:
        raise UsageError("--name names one template.", f"There are {len(files)} files: import them one by one.")
    code = OK
    for file in files:
        try:
            template, notes = import_template(file, name or _name_of(file))
            template = _absolute(template, file)
            save_template(template)
        except AsstError as error:
            code = print_error(error)
            continue
        sys.stdout.write(f"{template.name}\n")
        for what, items in (("attaches", template.attachments), ("offers the tools", template.tools)):
            if items:
                notes.append(f"{what} {', '.join(items)}")
        for line in notes:
            print_warning(f"{template.name}: {line}")
    return code


def _files(path: Path) -> list[Path]:
    from ...config.template_imports import SUFFIXES

    if not path.is_dir():
        return [path]
    try:
        names = sorted(os.listdir(path))
    except OSError as error:
        raise UsageError(f"{path} can't be read: {error.strerror}.") from None
    skill = [path / one for one in names if one.upper() == SKILLS[0]]
    found = skill or [path / one for one in names if one.lower().endswith(SUFFIXES)]
    if not found:
        raise UsageError(f"{path} has no templates.", f"Their names end in {', '.join(SUFFIXES)}.")
    return found


def _name_of(file: Path) -> str:
    if file.name.upper() == SKILLS[0]:
        return file.resolve().parent.name
    return file.name.partition(".")[0] if file.suffix.lower() == ".prompt" else file.stem


def _absolute(template: Template, file: Path) -> Template:
    """The template with the files that it names: they are relative to where it came from."""
    from .apply import place_of

    origin = replace(template, path=file)
    return replace(template, attachments=tuple(place_of(one, origin) for one in template.attachments))


# ---- rows --------------------------------------------------------------------------------------------------------------


def _row(template: Template) -> dict[str, Any]:
    return {
        "name": template.name,
        "description": template.description or _first_line(template),
        "profile": template.profile,
        "model": template.model,
        "variables": [
            {
                "name": name,
                "description": one.about if one else "",
                "default": one.default if one else None,
                "required": one is None or one.default is None,
            }
            for name in template.names
            for one in [template.variables.get(name)]
        ],
        "path": str(template.path),
    }


def _prompt_row(prompt: McpPrompt) -> dict[str, Any]:
    return {
        "name": prompt.full_name,
        "description": prompt.about,
        "variables": [
            {"name": one.name, "description": one.about, "default": None, "required": one.is_required}
            for one in prompt.arguments
        ],
    }


def _first_line(template: Template) -> str:
    text = (template.system.source or template.body.source).strip()
    return text.partition("\n")[0][:80]


def _marked(variable: dict[str, Any]) -> str:
    return f"{variable['name']}{'' if variable['required'] else '?'}"


def _print_rows(rows: Sequence[Sequence[str]]) -> None:
    cells = [[clean_line(cell) for cell in row] for row in rows]
    if not sys.stdout.isatty():
        sys.stdout.writelines("\t".join(row) + "\n" for row in cells)
        return
    widths = [max((len(row[column]) for row in cells), default=0) for column in range(2)]
    for name, variables, about in cells:
        sys.stdout.write(f"{name:<{widths[0]}}  {variables:<{widths[1]}}  {about}".rstrip() + "\n")

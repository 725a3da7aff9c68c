"""The user's templates: one Markdown file each in the folder `templates` of the config folder."""

from __future__ import annotations

import os
import re
from pathlib import Path

from ..core.errors import NotSetUpError, UsageError
from ..core.near_names import did_you_mean
from ..core.warnings import warn_once
from .atomic import write_new
from .paths import config_dir, ensure_private, expand_home, private_dir
from .template import Template
from .template_file import SKILLS, read_template

__all__ = [
    "check_template_name",
    "find_template",
    "load_template",
    "save_template",
    "template_file",
    "template_names",
    "templates_dir",
]

_NAME = re.compile(r"\w[\w.-]{0,63}")
_SUFFIXES = (".md", ".markdown", ".prompt")


def templates_dir() -> Path:
    """The folder with the templates; it need not exist."""
    return config_dir() / "templates"


def template_names() -> list[str]:
    """The templates, by their names.

    Raises:
        NotSetUpError: the folder can't be read.
    """
    try:
        return sorted(name.removesuffix(".md") for name in os.listdir(templates_dir()) if name.endswith(".md"))
    except FileNotFoundError:
        return []
    except OSError as error:
        raise NotSetUpError(f"{templates_dir()} can't be read: {error.strerror}.") from None


def check_template_name(name: str) -> str:
    """The name, if it is valid for a template.

    Raises:
        UsageError: it isn't.
    """
    if not _NAME.fullmatch(name) or name.lower().endswith(_SUFFIXES):
        raise UsageError(f"Invalid template name: '{name}'.", "Use letters, digits, dots, - and _, without .md.")
    return name


def template_file(name: str) -> Path:
    """The file of the user's template with this name, whether it exists or not.

    Raises:
        UsageError: the name is invalid.
    """
    return templates_dir() / f"{check_template_name(name)}.md"


def find_template(named: str) -> tuple[Path, bool] | None:
    """The file that `named` stands for, and whether it is one of the user's own templates; None if there is none.

    It is a path if it has a slash or ends as templates do (of a folder, its SKILL.md is meant), else a name.

    Raises:
        UsageError: the path leads nowhere.
    """
    if named.lower().endswith(_SUFFIXES) or "/" in named or os.sep in named:
        path = expand_home(named)
        if path.is_dir():
            path = next((path / name for name in os.listdir(path) if name.upper() == SKILLS[0]), path)
        if path.suffix == ".py":
            raise UsageError(f"{path} is a Python file, not a template.", "Tools are named with -t.")
        if not os.path.lexists(path):
            raise UsageError(f"No such file: {path}.", "Name a template, or the path of a Markdown file.")
        if is_own := path.resolve().parent == templates_dir().resolve():
            ensure_private(path.parent, path)
        return path, is_own
    if _NAME.fullmatch(named) and (path := template_file(named)).exists():
        ensure_private(path.parent, path)
        return path, True
    return None


def load_template(named: str) -> Template:
    """The template with this name, or in this file.

    ```python
    review = load_template("review").fill({"lang": "de"}, diff)
    user = start_conversation("gpt", instructions=review.system)
    ```

    Raises:
        UsageError: there is none, or its file has an error; the message has the line and the column.
    """
    found = find_template(named)
    if found is None:
        hint = did_you_mean(named, template_names())
        raise UsageError(f"No such template: '{named}'.", hint, code="" if hint else "template_unknown")
    path, is_own = found
    if path.suffix.lower() == ".prompt":
        from .template_imports import read_dotprompt

        template, notes = read_dotprompt(path, is_trusted=is_own)
        for note in notes:
            warn_once(f"{path}: not used: {note}.")
        return template
    name = path.parent.name if path.name.upper() == SKILLS[0] and path.parent.name else path.stem
    return read_template(path, name, is_trusted=is_own)


def save_template(template: Template) -> Path:
    """Write a new template of the user; returns its file.

    Raises:
        UsageError: the name is invalid, or a template has it.
        NotSetUpError: the file can't be written.
    """
    from .template_writer import template_text

    path = template_file(template.name)
    try:
        private_dir(config_dir())
        private_dir(path.parent)
        write_new(path, template_text(template).encode())
    except FileExistsError:
        raise UsageError(
            f"The template '{template.name}' exists.", code="template_exists", data={"name": template.name}
        ) from None
    except OSError as error:
        raise NotSetUpError(
            f"{path} can't be written: {error.strerror}.", "Fix its permissions, or set ASST_CONFIG_DIR."
        ) from error
    return path

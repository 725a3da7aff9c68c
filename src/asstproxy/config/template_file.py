"""Template files: Markdown with front matter whose keys are named as in dotprompt.

```markdown
---
description: Review a change
profile: gpt                     # and model, config, tools, attachments, output.schema
system: You review code in {{language}}.
input:
  default: {language: Python}
---
Review this change. Answer in {{lang}}.

{{input}}
```
"""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path

from ..core.errors import UsageError
from .template import Template
from .template_text import TemplateText, escape, parse_text

__all__ = ["SKILLS", "front_matter", "read_template", "read_text", "without_front_matter"]

MAX_BYTES = 1_000_000
"""Of a template file: nobody writes so much, and a model reads all of it."""
SKILLS = ("SKILL.MD", "AGENTS.MD")
"""Files of instructions, in capitals: they have no variables."""

_READ = getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
_FENCE = re.compile(r"---[ \t]*")


def read_text(path: Path) -> str:
    """The text of a file; its lines end as on Unix.

    Raises:
        UsageError: it isn't a file, is too large, can't be read, or isn't UTF-8 text.
    """
    try:
        fd = os.open(path, os.O_RDONLY | _READ)  # else opening a pipe would wait for its writer
        with os.fdopen(fd, "rb") as file:
            if not stat.S_ISREG(os.fstat(fd).st_mode):
                raise UsageError(f"{path} isn't a file.", "Name a Markdown file.")
            data = file.read(MAX_BYTES + 1)
    except IsADirectoryError:
        raise UsageError(f"{path} is a folder.", "Name a Markdown file.") from None
    except OSError as error:
        raise UsageError(f"Can't read the template {path}: {error.strerror}.") from None
    if len(data) > MAX_BYTES:
        raise UsageError(f"{path} is too large for a template: more than {MAX_BYTES // 1_000_000} MB.")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise UsageError(f"{path}, line {line}: a template must be UTF-8 text.", "Convert it.") from None
    if "\0" in text:
        line = text[: text.index("\0")].count("\n") + 1
        raise UsageError(f"{path}, line {line}: a template must be text, without NUL bytes.", "Convert it.")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def front_matter(text: str, path: Path) -> tuple[str, str, int]:
    """The front matter (empty without one), the body, and the line that the body begins in.

    Raises:
        UsageError: the front matter has no end.
    """
    lines = text.split("\n")
    if not _FENCE.fullmatch(lines[0]):
        return "", text, 1
    end = next((number for number, line in enumerate(lines[1:], 1) if _FENCE.fullmatch(line)), 0)
    if not end:
        raise UsageError(f"{path}, line 1: the front matter has no end.", "Put a line --- below it.")
    return "\n".join(lines[1:end]) + "\n", "\n".join(lines[end + 1 :]), end + 2


def without_front_matter(text: str) -> str:
    """A text without its front matter: the name and the description of a SKILL.md are for choosing it, not for following it."""
    lines = text.split("\n")
    ends = [number for number, line in enumerate(lines) if _FENCE.fullmatch(line)]
    return "\n".join(lines[ends[1] + 1 :]) if len(ends) > 1 and ends[0] == 0 else text


def read_template(path: Path, name: str, *, is_trusted: bool) -> Template:
    """The template in a file. A `SKILL.md` or `AGENTS.md` is instructions, and nothing in it is a variable.

    Raises:
        UsageError: the file can't be read, or something in it isn't a template; the message has the line and the column.
    """
    text = read_text(path)
    if path.name.upper() in SKILLS:
        about = re.search(r"^description:[ \t]*(\S.*)$", text, re.MULTILINE)
        system = without_front_matter(text).strip()
        return Template(
            name,
            system=TemplateText(escape(system), (system,)),
            description=about[1].strip("'\" ") if about else "",
            path=path,
            is_trusted=is_trusted,
        )
    head, body, line = front_matter(text, path)
    line += len(body) - len(body.lstrip("\n"))
    template = Template(name, parse_text(body.strip("\n"), str(path), line), path=path, is_trusted=is_trusted)
    if not head.strip():
        return template
    from .template_keys import with_keys
    from .yaml_reader import read_yaml

    return with_keys(template, read_yaml(head, path, 2), path)

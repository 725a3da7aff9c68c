"""The user's editor: `$VISUAL`, `$EDITOR`, or what is installed."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import tempfile
from pathlib import Path

from ..config.paths import create_private
from ..core.errors import NotSetUpError, UsageError

__all__ = ["edit_text", "open_editor"]

_USUAL = ("editor", "nano", "vi", "notepad")


def open_editor(path: Path) -> None:
    """Edit a file; returns when the editor has ended.

    Raises:
        NotSetUpError: no editor is found, or it failed.
    """
    named = os.environ.get("VISUAL") or os.environ.get("EDITOR") or ""
    try:
        command = shlex.split(named) if named else [next(filter(None, map(shutil.which, _USUAL)), "")]
    except ValueError:
        command = [named]
    if not command or not command[0] or shutil.which(command[0]) is None:
        raise NotSetUpError(f"No editor found: {command[0] if command else ''}".rstrip(": ") + ".", "Set EDITOR.")
    done = subprocess.run([*command, str(path)], check=False)  # noqa: S603 - the user's own editor
    if done.returncode:
        raise NotSetUpError(f"{command[0]} ended with exit code {done.returncode}.", "Nothing was changed.")


def edit_text(text: str) -> str:
    """The text as the user left it in the editor, without white space at its end.

    Raises:
        NotSetUpError: no editor is found, or it failed.
        UsageError: the file is not UTF-8 text any more.
    """
    with tempfile.TemporaryDirectory(prefix="asst-") as folder:
        file = create_private(Path(folder) / "message.md")
        file.write_text(text, encoding="utf-8", errors="replace", newline="\n")
        open_editor(file)
        try:
            return file.read_text(encoding="utf-8-sig").rstrip()
        except (OSError, UnicodeDecodeError) as error:
            raise UsageError(f"Can't read what the editor saved: {error}.", "Save it as UTF-8 text.") from None

"""The user's editor (`$VISUAL`, `$EDITOR`, or what is installed), for a copy of a file or for a message."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

from ..core.errors import AsstError, NotSetUpError, UsageError

__all__ = ["edit_text", "edited"]


def edited(path: Path, text: str, check: Callable[[Path], object]) -> str:
    """The text after it was edited in a copy of `path`; `check` raises for a copy with an error, which is edited again.

    Raises:
        NotSetUpError: no editor is found, it failed, or the text has an error.
    """
    import tempfile

    from ..config.paths import create_private
    from .setup.prompts import confirm

    with tempfile.TemporaryDirectory(prefix="asst-") as folder:
        copy = create_private(Path(folder) / path.name)
        copy.write_text(text, encoding="utf-8")
        while True:
            _open_editor(copy)
            try:
                check(copy)
                return copy.read_text(encoding="utf-8")
            except AsstError as error:
                what = str(error).replace(str(copy), str(path))
                if not sys.stdin.isatty() or not confirm(f"{what} Edit again?", default=True):
                    raise NotSetUpError(what, "Nothing was changed.") from None


def edit_text(text: str) -> str:
    """A message as the user left it in the editor, without white space at its end.

    Raises:
        NotSetUpError: no editor is found, or it failed.
        UsageError: what it saved is not UTF-8 text.
    """
    import tempfile

    from ..config.paths import create_private

    with tempfile.TemporaryDirectory(prefix="asst-") as folder:
        file = create_private(Path(folder) / "message.markdown")
        file.write_text(f"{text}\n" if text else "", encoding="utf-8", errors="replace", newline="\n")
        _open_editor(file)
        try:
            return file.read_text(encoding="utf-8-sig").rstrip()
        except (OSError, UnicodeDecodeError) as error:
            raise UsageError(f"Can't read what the editor saved: {error}.", "Save it as UTF-8 text.") from None


def _open_editor(path: Path) -> None:
    import shlex
    import shutil
    import subprocess

    named = os.environ.get("VISUAL") or os.environ.get("EDITOR") or ""
    try:
        command = shlex.split(named) or [next(filter(None, map(shutil.which, ("nano", "vi", "notepad"))), "")]
    except ValueError:  # a quotation mark is missing
        command = [named]
    if not command[0] or shutil.which(command[0]) is None:
        raise NotSetUpError(f"No editor found: {command[0]}".rstrip(": ") + ".", "Set EDITOR.")
    done = subprocess.run([*command, str(path)], check=False)  # noqa: S603 - the user's own editor
    if done.returncode:
        raise NotSetUpError(f"{command[0]} ended with exit code {done.returncode}.", "Nothing was changed.")

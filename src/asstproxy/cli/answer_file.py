"""`asst ask -o FILE`: the complete answer in a file."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from ..config.atomic import replace_file
from ..config.paths import expand_home
from ..core.codec import repair_surrogates
from ..core.errors import AsstError, UsageError

__all__ = ["output_path", "save_answer"]


def output_path(name: str) -> Path:
    """The file of that name, once it is clear that it can be written: before anything is asked.

    Raises:
        UsageError: it can't.
    """
    if name.strip() in ("", "-"):
        raise UsageError(f'-o needs the name of a file, not "{name}".', "Leave it out: the answer is on stdout.")
    path = expand_home(name)
    folder = path.resolve().parent
    try:
        kind = path.stat().st_mode if path.exists() else stat.S_IFREG
    except OSError as error:
        raise UsageError(f"Can't write {path}: {error.strerror}.") from None
    if stat.S_ISDIR(kind):
        raise UsageError(f"Can't write {path}: it is a folder.", "Name a file in it.")
    if not stat.S_ISREG(kind):
        raise UsageError(f"Can't write {path}: it isn't a file.", "Leave out -o: the answer is on stdout.")
    if not folder.is_dir():
        raise UsageError(
            f"Can't write {path}: the folder {folder} doesn't exist.", "Create it, or choose another file."
        )
    if not os.access(folder, os.W_OK | os.X_OK) or (path.exists() and not os.access(path, os.W_OK)):
        raise UsageError(f"Can't write {path}: permission denied.", "Choose another file.")
    return path


def save_answer(path: Path, text: str, *, in_session: bool) -> None:
    """Replace the file by this text, at once; the line feed at its end is as on stdout. `in_session`: a session has it, too.

    Raises:
        AsstError: it can't be written; nothing has changed.
    """
    text = repair_surrogates(text)
    try:
        replace_file(path, (text if text.endswith("\n") else f"{text}\n").encode())
    except OSError as error:
        hint = "It is saved in the session: asst sessions show" if in_session else "It is on stdout only."
        raise AsstError(f"The answer isn't in {path}: {error.strerror}.", hint) from error

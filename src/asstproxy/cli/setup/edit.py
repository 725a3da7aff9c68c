"""`asst setup edit`: the file in an editor, as a copy; only what has no error takes its place."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from ...config.edit import Change
from ...config.paths import create_private
from ...config.profiles import Config, config_file
from ...config.toml import convert, read_toml
from ...core.errors import AsstError, NotSetUpError
from .from_options import writable
from .prompts import confirm, say

__all__ = ["edit_config"]

HEAD = """\
# Profiles of asst: who answers, and how. See: asst setup --help
# default = "gpt"
#
# [profiles.work]
# provider = "gpt"
# model = "gpt-6-luna"
# instructions = "Answer briefly."
"""


def edit_config() -> None:
    """Edit the profiles; with an error in them the editor opens again, or the file stays as it was.

    Raises:
        NotSetUpError: there is no editor, or the text has an error.
    """
    path = config_file()
    writable()
    try:
        before = path.read_text(encoding="utf-8-sig") if path.exists() else ""
    except (OSError, UnicodeDecodeError) as error:
        raise NotSetUpError(f"{path} cannot be read: {error}.") from None
    with tempfile.TemporaryDirectory(prefix="asst-") as folder:
        copy = create_private(Path(folder) / path.name)
        copy.write_text(before or HEAD, encoding="utf-8")
        while True:
            _open(copy)
            try:
                _examine(copy)
                break
            except AsstError as error:
                what = str(error).replace(str(copy), str(path))
                if not sys.stdin.isatty() or not confirm(f"{what} Edit again?", default=True):
                    raise NotSetUpError(what, "Nothing was changed.") from None
        change = Change(path, before, copy.read_text(encoding="utf-8"))
    change.write()
    for line in change.diff:
        say(f"  {line}")
    say("Written." if change else "Nothing changed.")


def _open(path: Path) -> None:
    named = os.environ.get("VISUAL") or os.environ.get("EDITOR") or ""
    command = shlex.split(named) if named else [next(filter(None, map(shutil.which, ("nano", "vi"))), "")]
    if not command[0] or shutil.which(command[0]) is None:
        raise NotSetUpError(f"There is no editor {command[0]}".rstrip() + ".", "Set EDITOR.")
    done = subprocess.run([*command, str(path)], check=False)  # noqa: S603 - the person's own editor
    if done.returncode:
        raise NotSetUpError(f"{command[0]} ended with {done.returncode}.", "Nothing was changed.")


def _examine(path: Path) -> None:
    """Every profile can be read."""
    from ...config import toml

    config = convert(read_toml(path), Config, path)
    if config.default and config.default not in config.names:
        line = toml.line_of(path, ("default",))
        raise NotSetUpError(f"{path}, line {line}: there is no profile '{config.default}', at default.")
    for name, table in config.tables.items():
        _readable(name, table, path)


def _readable(name: str, table: dict[str, object], path: Path) -> None:
    from ...config.profiles import Table

    convert({"provider": name} | table, Table, path, ("profiles", name))

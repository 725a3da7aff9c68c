"""Writing profiles: one table of the user's file changes, the rest of it stays as it is, comments and all.

`tomlkit`, not `tomli-w`: a file that a person has edited keeps its comments, its order and the keys we do not know.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable
from contextlib import suppress
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..core.errors import NotSetUpError, UsageError
from .atomic import write_atomically
from .profiles import config_file, load_config

__all__ = ["Change", "check_name", "make_default", "remove_profile", "set_profile"]

_NAME = re.compile(r"\w[\w.-]{0,63}")


@dataclass(frozen=True, slots=True)
class Change:
    """What is to become of the file. Nothing is written before `write()`."""

    path: Path
    before: str
    after: str

    def __bool__(self) -> bool:
        return self.before != self.after

    @property
    def diff(self) -> list[str]:
        """The lines that go and come, with one line around them, and `…` for what lies between."""
        import difflib

        lines = difflib.unified_diff(self.before.splitlines(), self.after.splitlines(), lineterm="", n=1)
        shown = ["…" if line.startswith("@@") else line for line in list(lines)[2:]]
        return shown[1:]

    def write(self) -> None:
        """Write it.

        Raises:
            NotSetUpError: it cannot be written, or somebody else has changed the file; it is as it was.
        """
        try:
            if _text(self.path) != self.before:
                raise NotSetUpError(f"{self.path} was changed meanwhile, by another program.", "Do it once more.")
            if self:
                write_atomically(self.path, self.after)
        except OSError as error:
            raise NotSetUpError(
                f"{self.path} cannot be written: {error.strerror}.", "Mend its permissions, or set ASST_CONFIG_DIR."
            ) from error

    def undo(self) -> None:
        """Put the file back as it was."""
        with suppress(OSError):
            if self.before:
                write_atomically(self.path, self.before)
            else:
                self.path.unlink()


def check_name(name: str) -> str:
    """The name, if a profile can have it.

    Raises:
        UsageError: it cannot.
    """
    if not _NAME.fullmatch(name):
        raise UsageError(f"'{name}' is no name for a profile.", "Take letters, digits, dots, - and _.")
    return name


def set_profile(name: str, values: dict[str, Any], *, default: bool = False) -> Change:
    """These keys of a profile as they are to be; None takes a key out.

    Raises:
        UsageError: the name is none.
        NotSetUpError: the file has an error, or cannot be read.
    """
    check_name(name)

    def change(document: Any, table: Callable[[], Any], written: Callable[[Any], Any]) -> None:
        profiles = document.setdefault("profiles", table())
        profile = profiles.setdefault(name, table())
        for key, value in values.items():
            if value is not None:
                if profile.get(key) != value:
                    profile[key] = written(value)
            elif key in profile:
                del profile[key]
        if default:
            document["default"] = name

    return _changed(change)


def remove_profile(name: str) -> Change:
    """The file without a profile; if that was the default one, without a default.

    Raises:
        NotSetUpError: there is no such profile in the file, or it has an error.
    """
    config = load_config()
    if name not in config.tables:
        config.profile(name)  # one that nobody knows
        raise NotSetUpError(f"The profile '{name}' is as asst brings it: there is nothing to remove.")

    def change(document: Any, *_: Any) -> None:
        del document["profiles"][name]
        if not document["profiles"]:
            del document["profiles"]
        if document.get("default") == name:
            del document["default"]

    return _changed(change)


def make_default(name: str) -> Change:
    """The file in which this profile answers when none is named.

    Raises:
        NotSetUpError: there is no such profile, or the file has an error.
    """
    load_config().profile(name)

    def change(document: Any, *_: Any) -> None:
        document["default"] = name

    return _changed(change)


def _changed(change: Callable[[Any, Callable[[], Any], Callable[[Any], Any]], None]) -> Change:
    """Make the change twice, in the values and in the text; both must come to the same."""
    import tomlkit
    import tomlkit.exceptions

    load_config()  # complains of what we could not change
    path = config_file()
    try:
        before = _text(path)
    except OSError as error:
        raise NotSetUpError(f"{path} cannot be read: {error.strerror}.") from None
    wanted = deepcopy(tomllib.loads(before))
    change(wanted, dict, lambda value: value)
    try:
        document = tomlkit.parse(before)
        change(document, tomlkit.table, lambda value: _written(value, tomlkit))
        after = tomlkit.dumps(document)
        if not before.strip():
            after = after.lstrip("\n")
        same = tomllib.loads(after) == wanted
    except (tomlkit.exceptions.TOMLKitError, ValueError, TypeError, KeyError):
        same = False
    if not same:  # an odd way to write TOML that tomlkit mistakes: better no change than a wrong one
        raise NotSetUpError(
            f"{path} is written in a way that asst cannot change.",
            "Edit the file yourself.",
            code="config_not_editable",
        )
    return Change(path, before, after)


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8-sig") if path.exists() else ""


def _written(value: Any, tomlkit: Any) -> Any:
    """A value as a person would write it: a text of several lines stands on several lines."""
    if isinstance(value, str) and "\n" in value and "\r" not in value and not value.startswith("\n"):
        return tomlkit.string(value, multiline=True)
    return value

"""Changing profiles: one table of the user's file changes; the rest stays as it is, including comments.

`tomlkit`, not `tomli-w`: a file that a person has edited keeps its comments, its order and the keys we don't know.
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
from .atomic import only_writer, write_atomically
from .profiles import config_file, load_config

__all__ = ["Change", "check_name", "make_change", "make_default", "remove_profile", "set_profile"]

_NAME = re.compile(r"\w[\w.-]{0,63}")


@dataclass(frozen=True, slots=True)
class Change:
    """A change of the file. Nothing is written before `write()`.

    `again` makes the same change in another text; `about` finds in a file's values what must not have changed meanwhile.
    """

    path: Path
    before: str
    after: str
    again: Callable[[str], str] | None = None
    about: Callable[[dict[str, Any]], object] | None = None

    def __bool__(self) -> bool:
        return self.before != self.after

    @property
    def diff(self) -> list[str]:
        """The removed and added lines with one line of context; `…` between distant changes."""
        import difflib

        lines = difflib.unified_diff(self.before.splitlines(), self.after.splitlines(), lineterm="", n=1)
        shown = ["…" if line.startswith("@@") else line for line in list(lines)[2:]]
        return shown[1:]

    def write(self) -> None:
        """Write the change. What another asst wrote meanwhile about other profiles is kept.

        Raises:
            NotSetUpError: it can't be written, or the same was changed meanwhile; the file is left as it is.
        """
        try:
            if not self and _text(self.path) == self.before:
                return
            with only_writer(self.path.parent):
                current = _text(self.path)
                write_atomically(self.path, (self.after if current == self.before else self._rebased(current)).encode())
        except OSError as error:
            raise NotSetUpError(
                f"{self.path} can't be written: {error.strerror}.", "Fix its permissions, or set ASST_CONFIG_DIR."
            ) from error

    def _rebased(self, current: str) -> str:
        """The change in a text that another program wrote meanwhile.

        Raises:
            NotSetUpError: that program changed the same thing.
        """
        with suppress(ValueError):
            then, now = tomllib.loads(self.before), tomllib.loads(current)
            if self.again and self.about and self.about(then) == self.about(now):
                return self.again(current)
        raise NotSetUpError(f"{self.path} was changed meanwhile by another program.", "Try again.")

    def undo(self) -> None:
        """Restore the file, unless another program has changed it since."""
        with suppress(OSError), only_writer(self.path.parent):
            if _text(self.path) != self.after:
                return
            if self.before:
                write_atomically(self.path, self.before.encode())
            else:
                self.path.unlink()


def check_name(name: str) -> str:
    """The name, if it is valid for a profile.

    Raises:
        UsageError: it isn't.
    """
    if not _NAME.fullmatch(name):
        raise UsageError(f"Invalid profile name: '{name}'.", "Use letters, digits, dots, - and _.")
    return name


def set_profile(name: str, values: dict[str, Any], *, default: bool = False) -> Change:
    """Set these keys of a profile; None removes a key.

    Raises:
        UsageError: the name is invalid.
        NotSetUpError: the file has an error, or can't be read.
    """
    check_name(name)
    seen: list[Any] = []  # the default that was there when the person was asked

    def change(document: Any, table: Callable[[], Any], written: Callable[[Any], Any]) -> None:
        profiles = document.setdefault("profiles", table())
        profile = profiles.setdefault(name, table())
        for key, value in values.items():
            if value is not None:
                if profile.get(key) != value:
                    profile[key] = written(value)
            elif key in profile:
                del profile[key]
        seen[:] = seen or [document.get("default")]
        if default and document.get("default") == seen[0]:
            document["default"] = name

    return make_change(change, lambda file: file.get("profiles", {}).get(name))


def remove_profile(name: str) -> Change:
    """Remove a profile from the file; if it was the default, the default, too.

    Raises:
        NotSetUpError: the profile isn't in the file, or the file has an error.
    """
    config = load_config()
    if name not in config.tables:
        config.profile(name)  # raises for an unknown name
        raise NotSetUpError(f"The built-in profile '{name}' was not changed: there is nothing to remove.")

    def change(document: Any, *_: Any) -> None:
        del document["profiles"][name]
        if not document["profiles"]:
            del document["profiles"]
        if document.get("default") == name:
            del document["default"]

    return make_change(change, lambda file: file.get("profiles", {}).get(name))


def make_default(name: str) -> Change:
    """Make this profile the default.

    Raises:
        NotSetUpError: the profile doesn't exist, or the file has an error.
    """
    load_config().profile(name)

    def change(document: Any, *_: Any) -> None:
        document["default"] = name

    return make_change(change, lambda file: file.get("default"))


_Apply = Callable[[Any, Callable[[], Any], Callable[[Any], Any]], None]
"""Changes a document, given how to make a table and how to write a value."""


def make_change(apply: _Apply, about: Callable[[dict[str, Any]], object]) -> Change:
    """The change that `apply` makes; see `Change` for `about`.

    Raises:
        NotSetUpError: the file has an error, can't be read, or has TOML that can't be changed.
    """
    load_config()  # raises for a file that we couldn't change
    path = config_file()
    try:
        before = _text(path)
    except OSError as error:
        raise NotSetUpError(f"{path} can't be read: {error.strerror}.") from None

    def again(text: str) -> str:
        return _applied(apply, path, text)

    return Change(path, before, again(before), again, about)


def _applied(apply: _Apply, path: Path, before: str) -> str:
    """Make the change twice, in the values and in the text: the results must be the same."""
    import tomlkit
    import tomlkit.exceptions

    wanted = deepcopy(tomllib.loads(before))
    apply(wanted, dict, lambda value: value)
    try:
        document = tomlkit.parse(before)
        apply(document, tomlkit.table, lambda value: _formatted(value, tomlkit))
        after = tomlkit.dumps(document)
        if not before.strip():
            after = after.lstrip("\n")
        same = tomllib.loads(after) == wanted
    except (tomlkit.exceptions.TOMLKitError, ValueError, TypeError, KeyError):
        same = False
    if not same:  # odd TOML that tomlkit misunderstands: better no change than a wrong one
        raise NotSetUpError(
            f"{path} has TOML that asst can't change.", "Edit the file yourself.", code="config_not_editable"
        )
    return after


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8-sig") if path.exists() else ""


def _formatted(value: Any, tomlkit: Any) -> Any:
    """A value as a person would write it: a text of several lines takes several lines."""
    if isinstance(value, str) and "\n" in value and "\r" not in value and not value.startswith("\n"):
        return tomlkit.string(value, multiline=True)
    return value

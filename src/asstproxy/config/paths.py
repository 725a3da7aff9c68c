"""Where things are kept: the config, data and cache folders, each of them private to the user.

What is used and turns out to be open to others is closed, with a notice. What is not used is not looked at: a store may have
100,000 sessions, and a folder that is closed closes all that is in it.
"""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..core.warnings import warn_once

__all__ = ["cache_dir", "config_dir", "create_private", "data_dir", "ensure_private", "private_dir", "read_only"]

VARIABLES = ("ASST_CONFIG_DIR", "ASST_DATA_DIR", "ASST_CACHE_DIR")
OURS = ("config.toml", "credentials.toml", "sessions", "chat-history", "models", "index.sqlite3")
"""What asst keeps in its folders, by the beginnings of the names."""
_is_looking = False


def _dir(variable: str, kind: str) -> Path:
    chosen = os.environ.get(variable)
    if chosen:
        return Path(chosen).expanduser()
    import platformdirs

    return Path(getattr(platformdirs, f"user_{kind}_dir")("asst", appauthor=False))


def config_dir() -> Path:
    """Profiles and credentials: `ASST_CONFIG_DIR`, or the user config dir."""
    return _dir("ASST_CONFIG_DIR", "config")


def data_dir() -> Path:
    """Sessions: `ASST_DATA_DIR`, or the user data dir."""
    return _dir("ASST_DATA_DIR", "data")


def cache_dir() -> Path:
    """What may be deleted: `ASST_CACHE_DIR`, or the user cache dir."""
    return _dir("ASST_CACHE_DIR", "cache")


def private_dir(path: Path) -> Path:
    """The folder, for the user alone (0700): made if it is not there, closed if others can look into it.

    Raises:
        OSError: it cannot be made.
    """
    missing = [folder for folder in (path, *path.parents) if not folder.exists()]
    for folder in reversed(missing):  # not `parents=True`, which makes them for everybody
        folder.mkdir(mode=0o700, exist_ok=True)
    path.mkdir(exist_ok=True)
    ensure_private(path)
    return path


def create_private(path: Path) -> Path:
    """The file, for the user alone (0600): made, empty, if it is not there.

    Raises:
        OSError: it cannot be made.
    """
    os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600))
    ensure_private(path)
    return path


def ensure_private(*paths: Path) -> None:
    """Close these files and folders to others, where they are ours and open; never fails.

    A folder that is shared by its nature (sticky, as /tmp is), is the home, or holds what is not ours (a variable may name
    any folder) stays as it is: what we put there is closed.
    """
    if sys.platform == "win32" or _is_looking:  # Windows has no such modes
        return
    for path in paths:
        try:
            found = path.stat()
            mode, is_folder = stat.S_IMODE(found.st_mode), stat.S_ISDIR(found.st_mode)
            if mode & 0o077 and not (is_folder and (mode & stat.S_ISVTX or _is_shared(path))):
                _close(path, mode, found.st_uid, is_folder=is_folder)
        except (OSError, RuntimeError):  # not there, or there is no home
            continue


def _is_shared(folder: Path) -> bool:
    named = str(folder) in (os.environ.get(name) for name in VARIABLES)
    return folder.samefile(Path.home()) or (
        named and any(not entry.lstrip(".").startswith(OURS) for entry in os.listdir(folder))
    )


def _close(path: Path, mode: int, owner: int, *, is_folder: bool) -> None:
    what = f"{path} is open to others ({mode:04o})"
    if sys.platform != "win32" and owner != os.geteuid():
        # it may be the system's, which everybody reads and nobody else changes
        if owner != 0 or mode & 0o022 or path.name == "credentials.toml":
            warn_once(f"{what}, and belongs to another user: it cannot be trusted.")
        return
    closed = mode & (0o700 if is_folder else 0o600)
    try:
        path.chmod(closed)
    except OSError as error:
        warn_once(f"{what}, and stays so: {error.strerror}.")
        return
    if is_folder:
        warn_once(f"{path} was open to others ({mode:04o}); it is closed to them now ({closed:04o}).")
    else:  # one line for a folder of them
        warn_once(
            f"{path.parent} had files that others could read (such as {path.name}, {mode:04o}): now they cannot.",
            about=f"files in {path.parent}",
        )


@contextmanager
def read_only() -> Iterator[None]:
    """For a while nothing is changed: whoever examines wants to tell what is there."""
    global _is_looking  # noqa: PLW0603 - a command does nothing else meanwhile
    _is_looking = True
    try:
        yield
    finally:
        _is_looking = False

"""The config, data and cache folders, each private to the user.

A file or folder that is used and turns out to be open to other users is closed, with a notice. What is not used is not checked:
a store may have 100,000 sessions, and closing a folder closes everything in it.
"""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ..core.errors import NotSetUpError, UsageError
from ..core.warnings import warn_once

__all__ = [
    "cache_dir",
    "config_dir",
    "create_private",
    "data_dir",
    "ensure_private",
    "expand_home",
    "private_dir",
    "read_only",
    "refuse_device",
    "sync_folder",
]

VARIABLES = ("ASST_CONFIG_DIR", "ASST_DATA_DIR", "ASST_CACHE_DIR")
OURS = (
    "config.toml",
    "credentials.toml",
    "prices.toml",
    "sessions",
    "chat-history",
    "models",
    "templates",
    "web-secret",
    "index.sqlite3",
)
"""How the names of asst's own files and folders begin."""
_is_read_only = False


def _dir(variable: str, kind: str) -> Path:
    chosen = os.environ.get(variable)
    if chosen:
        return expand_home(chosen)
    import platformdirs

    try:
        found = Path(getattr(platformdirs, f"user_{kind}_dir")("asst", appauthor=False))
    except RuntimeError:  # of newer versions; older ones leave `~/.config` as it is
        found = Path()
    if not found.is_absolute():
        raise NotSetUpError("Your home folder is unknown.", f"Set HOME, or {variable}.")
    return found


def expand_home(path: str) -> Path:
    """The path, with `~` replaced by the home folder.

    Raises:
        UsageError: the user does not exist, or the home folder is unknown.
    """
    try:
        return Path(path).expanduser()
    except RuntimeError:
        raise UsageError(f"{path}: this home folder is unknown.", "Set HOME, or write the whole path.") from None


def refuse_device(path: Path) -> Path:
    """The path, unless it is a device, which may have no end (`/dev/zero`).

    Raises:
        UsageError: it is one.
    """
    try:
        kind = path.stat().st_mode
    except OSError:  # who reads it says so
        return path
    if stat.S_ISCHR(kind) or stat.S_ISBLK(kind):
        raise UsageError(f"{path} is a device, not a file.", "Name a file.")
    return path


def config_dir() -> Path:
    """Profiles and credentials: `ASST_CONFIG_DIR`, or the user config dir."""
    return _dir("ASST_CONFIG_DIR", "config")


def data_dir() -> Path:
    """Sessions: `ASST_DATA_DIR`, or the user data dir."""
    return _dir("ASST_DATA_DIR", "data")


def cache_dir() -> Path:
    """Files that may be deleted: `ASST_CACHE_DIR`, or the user cache dir."""
    return _dir("ASST_CACHE_DIR", "cache")


def private_dir(path: Path) -> Path:
    """The folder, for the user only (0700): created if it doesn't exist, closed if others can read it.

    Raises:
        OSError: it can't be created.
    """
    missing = [folder for folder in (path, *path.parents) if not folder.exists()]
    for folder in reversed(missing):  # not `parents=True`, which creates them with the default mode
        folder.mkdir(mode=0o700, exist_ok=True)
        sync_folder(folder.parent)
    path.mkdir(exist_ok=True)
    ensure_private(path)
    return path


def sync_folder(folder: Path) -> None:
    """Have the names in a folder on the disk: a power cut may take a file's new name, although its content was synced."""
    if sys.platform == "win32":  # opens no folders
        return
    with suppress(OSError):  # not every file system can; what the file itself reports counts
        fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)


def create_private(path: Path) -> Path:
    """The file, for the user only (0600): created, empty, if it doesn't exist.

    Raises:
        OSError: it can't be created.
    """
    os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600))
    ensure_private(path)
    return path


def ensure_private(*paths: Path) -> None:
    """Close these files and folders to other users, if they are ours and open.

    A file that a variable names in place of a folder isn't asst's, and stays as it is. A folder that is meant to be shared
    (sticky, like /tmp), the home folder, and one that holds files of others (a variable may name any folder) stay as they are:
    only our own files in them are closed.

    Raises:
        NotSetUpError: one belongs to another user, and others can change it.
    """
    if sys.platform == "win32" or _is_read_only:  # Windows has no such modes
        return
    for path in paths:
        try:
            found = path.stat()
            mode, is_folder = stat.S_IMODE(found.st_mode), stat.S_ISDIR(found.st_mode)
            if not is_folder and _is_named(path):
                continue
            if not (is_folder and mode & stat.S_ISVTX):
                _refuse_foreign(path, mode, found.st_uid)
            if mode & 0o077 and not (is_folder and (mode & stat.S_ISVTX or _is_shared(path))):
                _close(path, mode, found.st_uid, is_folder=is_folder)
        except (OSError, RuntimeError):  # it doesn't exist, or the home folder is unknown
            continue


def _is_named(path: Path) -> bool:
    return str(path) in (os.environ.get(name) for name in VARIABLES)


def _refuse_foreign(path: Path, mode: int, owner: int) -> None:
    if sys.platform != "win32" and owner != os.geteuid() and mode & 0o022:
        folders = {"ASST_CONFIG_DIR": config_dir(), "ASST_DATA_DIR": data_dir(), "ASST_CACHE_DIR": cache_dir()}
        variable = next((name for name, folder in folders.items() if path.is_relative_to(folder)), "ASST_DATA_DIR")
        raise NotSetUpError(
            f"{path} belongs to another user, and others can change it ({mode:04o}): asst doesn't use it.",
            f"Set {variable} to a folder of your own.",
        )


def _is_shared(folder: Path) -> bool:
    return folder.samefile(Path.home()) or (
        _is_named(folder) and any(not entry.lstrip(".").startswith(OURS) for entry in os.listdir(folder))
    )


def _close(path: Path, mode: int, owner: int, *, is_folder: bool) -> None:
    may_write = mode & 0o022 != 0  # then somebody may have changed it, which a person must know even with --quiet
    act = "change" if may_write else "read"
    open_to_others = f"Others can {act} {path} ({mode:04o})"
    if sys.platform != "win32" and owner != os.geteuid():
        # it may be the system's: everyone may read it, and only root may change it
        if owner != 0 or path.name == "credentials.toml":
            warn_once(f"{open_to_others}, and it belongs to another user: don't trust it.")
        return
    closed = mode & (0o700 if is_folder else 0o600)
    try:
        path.chmod(closed)
    except OSError as error:
        warn_once(f"{open_to_others}, and that can't be changed: {error.strerror}.", urgent=may_write)
        return
    if is_folder:
        warn_once(f"Others could {act} {path} ({mode:04o}); now only you can ({closed:04o}).", urgent=may_write)
    else:  # one line for all files of a folder
        warn_once(
            f"Others could {act} files in {path.parent} (such as {path.name}, {mode:04o}); now only you can.",
            about=f"files in {path.parent}, {act}",
            urgent=may_write,
        )


@contextmanager
def read_only() -> Iterator[None]:
    """Change no permissions for a while: `asst doctor` reports what it finds."""
    global _is_read_only  # noqa: PLW0603 - one command runs in a process
    _is_read_only = True
    try:
        yield
    finally:
        _is_read_only = False

"""Writing a whole file of the user: the whole new content or what was there before, readable by the user only."""

from __future__ import annotations

import errno
import os
import stat
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from .paths import private_dir, sync_folder

__all__ = [
    "append_private",
    "leftovers",
    "only_writer",
    "open_new",
    "remove_leftovers",
    "replace_file",
    "write_atomically",
    "write_new",
]

_PATIENCE = 30.0
"""Seconds to wait for a lock that is held for some milliseconds: 200 processes may want it at once."""
_LEFT = 3600.0
"""Seconds after which a temporary file that nobody writes is a leftover: its process was killed."""
_RANDOM = "[a-z0-9_]" * 8
_NEW = os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)


def write_atomically(path: Path, data: bytes | Iterable[bytes], *, single_writer: bool = False) -> None:
    """Replace the content of a file. There is always a whole file, also after a power cut; a symbolic link stays one.

    Large data may come in pieces.

    `single_writer`: a lock makes this process the only one that writes the file. The temporary file then has a fixed name
    (`<stem>.tmp`), so that one left by a killed process is replaced. Otherwise each write takes a new name.

    Raises:
        OSError: it can't be written; the old file is unchanged.
    """
    private_dir(path.parent)
    path = path.resolve()
    if single_writer:
        temporary = path.with_suffix(".tmp")
        with suppress(FileNotFoundError):
            temporary.unlink()
        fd = open_new(temporary, os.O_WRONLY)
    else:
        remove_leftovers(path.parent, path.name)
        temporary, fd = _temporary(path)
    try:
        _fill(fd, data)
        temporary.replace(path)
        if not single_writer:  # what one writer replaces all the time may be the one before, after a power cut
            sync_folder(path.parent)
    except BaseException:
        with suppress(OSError):
            temporary.unlink()
        raise


def replace_file(path: Path, data: bytes) -> None:
    """Write a file of the user's wherever it is, at once: there is the whole new file or what was there before.

    A new file is for the user only (0600), one that exists keeps its permissions; a symbolic link stays one.

    Raises:
        OSError: it can't be written; nothing has changed.
    """
    path = path.resolve()
    temporary, fd = _temporary(path)
    try:
        if path.exists():
            temporary.chmod(stat.S_IMODE(path.stat().st_mode))
        _fill(fd, data)
        temporary.replace(path)
        sync_folder(path.parent)
    except BaseException:
        with suppress(OSError):
            temporary.unlink()
        raise


def write_new(path: Path, data: bytes) -> None:
    """Write a new file, for the user only (0600), at once: stopped at any moment, there is the whole file or none.

    Raises:
        FileExistsError: something of that name exists.
        OSError: it can't be written; nothing is left.
    """
    if os.path.lexists(path):
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(path))
    temporary, fd = _temporary(path)
    try:
        _fill(fd, data)
        try:
            os.link(temporary, path)  # unlike a rename, this never replaces a file that appeared meanwhile
        except FileExistsError:
            raise
        except OSError:  # a file system without links
            temporary.rename(path)
        sync_folder(path.parent)
    finally:
        with suppress(OSError):
            temporary.unlink()


def open_new(path: Path, flags: int) -> int:
    """A descriptor of a new file, for the user only (0600), opened with these flags, too; never of a link's target.

    Raises:
        FileExistsError: something of that name exists, or a link does.
        OSError: it can't be created.
    """
    return os.open(path, flags | _NEW, 0o600)


def append_private(path: Path, data: bytes) -> None:
    """Append to a file of ours; a link, a pipe or another's file that has taken its name is replaced.

    Raises:
        OSError: it can't be written.
    """
    with suppress(FileNotFoundError):
        found = path.lstat()
        if not stat.S_ISREG(found.st_mode) or found.st_nlink > 1:
            path.unlink()
    try:
        fd = open_new(path, os.O_WRONLY | os.O_APPEND)
    except FileExistsError:
        fd = os.open(path, os.O_WRONLY | os.O_APPEND | getattr(os, "O_NOFOLLOW", 0))
    with os.fdopen(fd, "ab") as file:
        file.write(data)
        file.flush()
        os.fsync(fd)
    sync_folder(path.parent)


def leftovers(folder: Path, name: str = "", *, suffix: str = "") -> Iterator[Path]:
    """The temporary files that killed processes left in a folder: of the file `name`, or of all with that suffix."""
    import glob

    for path in folder.glob(f".{glob.escape(name[:100])}{'' if name else '*'}{suffix}.{_RANDOM}"):
        with suppress(OSError):
            found = path.lstat()
            if stat.S_ISREG(found.st_mode) and time.time() - found.st_mtime > _LEFT:
                yield path


def remove_leftovers(folder: Path, name: str = "", *, suffix: str = "") -> None:
    """Delete them."""
    for path in leftovers(folder, name, suffix=suffix):
        with suppress(OSError):
            path.unlink()


if sys.platform == "win32":

    @contextmanager
    def only_writer(folder: Path) -> Iterator[None]:
        """Hold the lock of a folder: between reading a file in it and writing it, no other asst writes it.

        Raises:
            OSError: another process holds it for too long.
        """
        import msvcrt

        private_dir(folder)
        fd = os.open(folder / ".lock", os.O_CREAT | os.O_RDWR, 0o600)
        try:
            msvcrt.locking(fd, msvcrt.LK_LOCK, 1)  # tries for ten seconds
            yield
            os.lseek(fd, 0, os.SEEK_SET)
            msvcrt.locking(fd, msvcrt.LK_UNLCK, 1)
        finally:
            os.close(fd)

else:

    @contextmanager
    def only_writer(folder: Path) -> Iterator[None]:
        """Hold the lock of a folder: between reading a file in it and writing it, no other asst writes it.

        Raises:
            OSError: another process holds it for too long.
        """
        import fcntl

        fd = os.open(private_dir(folder), os.O_RDONLY)  # the folder itself: a lock file would stay
        try:
            until = time.monotonic() + _PATIENCE
            while True:
                try:
                    fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    if time.monotonic() > until:
                        raise TimeoutError(errno.ETIMEDOUT, "another process keeps it locked", str(folder)) from None
                    time.sleep(0.005)
            yield
        finally:
            os.close(fd)


def _temporary(path: Path) -> tuple[Path, int]:
    import tempfile

    fd, name = tempfile.mkstemp(prefix=f".{path.name[:100]}.", dir=path.parent)  # O_EXCL, O_NOFOLLOW, mode 0600
    return Path(name), fd


def _fill(fd: int, data: bytes | Iterable[bytes]) -> None:
    with os.fdopen(fd, "wb") as file:
        file.writelines([data] if isinstance(data, bytes) else data)
        file.flush()
        os.fsync(file.fileno())

"""Where a batch is: the name that it has in the database, kept in the folder of its output. The address is not kept."""

from __future__ import annotations

import secrets
from pathlib import Path

import msgspec

from ...config.atomic import write_atomically
from ...config.paths import private_dir
from ...core.errors import UsageError
from ..journal import JOURNAL, folder_of

__all__ = ["PLACE", "is_local", "known_place", "new_place", "refuse_queued"]

PLACE = "queue.json"


class _Place(msgspec.Struct):
    batch: str


def known_place(out: Path) -> str | None:
    """The name of the batch that writes this file; None if it isn't in a database.

    Raises:
        UsageError: the file that says so is damaged.
    """
    path = folder_of(out) / PLACE
    try:
        return msgspec.json.decode(path.read_bytes(), type=_Place).batch
    except FileNotFoundError:
        return None
    except ValueError:
        raise UsageError(f"{path} is damaged.", "Choose another output file.") from None


def is_local(out: Path) -> bool:
    """Whether a batch writes this file that isn't in a database.

    Raises:
        UsageError: as `known_place`.
    """
    return known_place(out) is None and (folder_of(out) / JOURNAL).is_file()


def new_place(out: Path) -> str:
    """Give the batch that writes this file a name, and keep it.

    Raises:
        OSError: it can't be written.
    """
    name = f"{out.stem[:40]}-{secrets.token_hex(4)}"
    write_atomically(private_dir(folder_of(out)) / PLACE, msgspec.json.encode(_Place(name)) + b"\n")
    return name


def refuse_queued(out: Path) -> None:
    """Check that workers don't ask the items of this output already.

    Raises:
        UsageError: they do.
    """
    if known_place(out) is not None:
        raise UsageError(
            f"{out} was begun with a database, and workers ask its items.",
            "Name the database.",
            code="batch_queued",
        )

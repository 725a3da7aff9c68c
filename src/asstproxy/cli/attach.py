"""`-a`: the files that go with a message, read before anything else happens."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..core.attachment import AttachedFile, Attachment
from ..core.errors import UsageError
from .resources import is_resource

if TYPE_CHECKING:
    from typing import IO

__all__ = ["STDIN", "attachment_lines", "read_attachments", "read_stdin_attachment"]

STDIN = "-"


def read_stdin_attachment(sources: Sequence[str], stdin: IO[str] | None) -> AttachedFile | None:
    """The file on stdin, if one of the sources is `-`. Called before there is a loop, so that signals end it.

    Raises:
        UsageError: it can't be read; see `asstproxy.files`.
    """
    if STDIN not in sources:
        return None
    if list(sources).count(STDIN) > 1:
        raise UsageError("-a - can be given once: stdin is one file.", "Name the others: -a PATH")
    if stdin is None:
        raise UsageError("-a - reads stdin, and --no-stdin says not to.", "Leave one of them out.")
    from ..files.reading import read_stdin

    return read_stdin(stdin.fileno())


async def read_attachments(sources: Sequence[str], stdin: AttachedFile | None = None) -> list[AttachedFile]:
    """The files that were named, in their order. Resources of MCP servers are read later: see `resources`.

    Raises:
        UsageError: one can't be read; see `asstproxy.files`.
    """
    if not sources:
        return []
    from ..files import read_attachment

    found = []
    for source in sources:
        if is_resource(source):
            continue
        if source != STDIN:
            found.append(await read_attachment(source))
        elif stdin is not None:
            found.append(stdin)
    return found


def attachment_lines(attachments: Sequence[Attachment], start: int = 1) -> list[str]:
    """A line for each file: `[1] screenshot.png · image · 212 kB`."""
    return [f"[{number}] {one.label}" for number, one in enumerate(attachments, start)]

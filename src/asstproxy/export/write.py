"""A session as bytes in one of the export formats, and those bytes as a new file."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from ..config.atomic import remove_leftovers, write_new
from ..core.attachment import AttachmentStore
from ..core.errors import UsageError
from ..core.events import Record
from ..store.transcript import Transcript

__all__ = ["SUFFIXES", "export", "form_of", "write_export"]

_FORMS = {
    ".json": "json",
    ".md": "md",
    ".markdown": "md",
    ".html": "html",
    ".htm": "html",
    ".mmd": "mermaid",
    ".mermaid": "mermaid",
}

SUFFIXES = tuple(_FORMS)
"""The ends of file names that choose a format."""


def form_of(path: Path | None) -> str:
    """The format that a file name asks for with its suffix; `json` without one.

    Raises:
        UsageError: no format has this suffix.
    """
    suffix = path.suffix.lower() if path is not None else ""
    if suffix and suffix not in _FORMS:
        raise UsageError(
            f'No format has the suffix "{suffix}".',
            "Use .json, .md, .html or .mmd.",
            code="export_suffix_unknown",
        )
    return _FORMS.get(suffix, "json")


def export(
    transcript: Transcript,
    records: Sequence[Record],
    form: str,
    *,
    files: AttachmentStore | None = None,
    with_files: bool = False,
) -> bytes:
    """A session in a format; the records are needed for the drawings of `html` and for `mermaid`.

    `files` has the bytes of its attachments: `html` shows pictures; `json` takes the bytes in if `with_files` says so.

    Raises:
        UsageError: a drawing was asked for, without records.
    """
    if form == "mermaid":
        from .mermaid import mermaid
        from .sequence import arrows

        if not records:
            raise UsageError("A diagram needs the session's steps, and this chat isn't saved.", "Choose .json or .md.")
        return mermaid(arrows(records)).encode()
    if form == "html":
        from .html import page

        return page(transcript, records, files).encode("utf-8", "replace")
    if form == "md":
        from .markdown import markdown

        return markdown(transcript).encode("utf-8", "replace")
    from ..store.transcript_file import to_json

    if with_files and files is not None:
        for one in (one for entry in transcript.exchanges for one in entry.attachments):
            with suppress(OSError), files.open(one) as content:
                transcript.files = {**transcript.files, one.sha256: content.read()}
    return to_json(transcript)


def write_export(path: Path, data: bytes) -> None:
    """Write a new file that only its owner can read: whether others may read a conversation is for its owner to decide.

    Raises:
        UsageError: the file exists, or it can't be written.
    """
    try:
        remove_leftovers(path.parent, path.name)
        write_new(path, data)
    except FileExistsError:
        if path.is_dir():
            raise UsageError(f"{path} is a folder.", "Name a file in it.") from None
        raise UsageError(f"{path} already exists.", "Choose another name.") from None
    except FileNotFoundError:
        raise UsageError(
            f"Can't write {path}: the folder {path.parent} doesn't exist.", "Create it, or choose another file."
        ) from None
    except OSError as error:
        raise UsageError(f"Can't write {path}: {error.strerror}.") from error

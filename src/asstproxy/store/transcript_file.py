"""The transcript's file: indented JSON beside the journal, written so that there is always a whole one.

Its head stands first, so that a list of sessions reads a few lines of each. `journal_bytes` says how much of the journal is
folded in: a transcript whose number is not the journal's length is out of date, whatever the clocks say. `digest` tells a file
that a person has edited from one that may be replaced.

Versions: readers keep working for every version that was ever shipped; `MIGRATIONS[n]` makes version n + 1 of version n, and
`tests/fixtures/transcripts/v<n>.json` must load for ever. 1: the first.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import msgspec

from ..config.paths import create_private, ensure_private
from ..core.codec import pretty
from ..core.errors import SessionError
from .transcript import ExchangeEntry, Summary, Transcript

__all__ = ["assemble", "load_transcript", "read_head", "render", "replace_file", "save_transcript", "to_json"]

FORMAT, VERSION = "asst-transcript", 1
MIGRATIONS: dict[int, Callable[[dict[str, Any]], dict[str, Any]]] = {}
assert set(MIGRATIONS) == set(range(1, VERSION))  # noqa: S101 - a version without its migration must not be released

_HEAD = 8192
_EXCHANGES = b'\n  "exchanges": ['
_UNSEALED = b'\n  "digest": "' + b"0" * 32 + b'"'


class _Head(Summary):
    format: str = ""
    version: int = 0
    journal_bytes: int = 0


def render(entry: ExchangeEntry) -> bytes:
    """One exchange as it stands in the file."""
    return b"    " + pretty(entry).replace(b"\n", b"\n    ")


def assemble(summary: Summary, exchanges: Iterable[bytes], journal_bytes: int) -> bytes:
    """The whole file, from exchanges that are rendered."""
    own: dict[str, Any] = {name: getattr(summary, name) for name in Summary.__struct_fields__}
    head = {"format": FORMAT, "version": VERSION, "digest": "0" * 32, "journal_bytes": journal_bytes} | own
    text = pretty(head).removesuffix(b"\n}")
    body = b",\n".join(exchanges)
    data = text + b"," + _EXCHANGES + (b"\n" + body + b"\n  ]\n}\n" if body else b"]\n}\n")
    return data.replace(_UNSEALED, b'\n  "digest": "' + _digest(data) + b'"', 1)


def to_json(transcript: Transcript, journal_bytes: int = 0) -> bytes:
    """The transcript as its file holds it."""
    return assemble(transcript, map(render, transcript.exchanges), journal_bytes)


def _digest(unsealed: bytes) -> bytes:
    return hashlib.blake2b(unsealed, digest_size=16).hexdigest().encode()


def _is_ours(data: bytes) -> bool:
    """Whether the file is as some asst wrote it."""
    at = data.find(_UNSEALED[:14], 0, _HEAD)
    if at < 0:
        return False
    start, end = at + 14, at + 14 + 32
    return data[start:end] == _digest(data[:start] + b"0" * 32 + data[end:])


# ---- reading -----------------------------------------------------------------------------------------------------------


def read_head(path: Path, journal_bytes: int) -> Summary | None:
    """The head, of a file that is up to date with a journal of this length; None if it is not there, older or unreadable."""
    try:
        with path.open("rb") as file:
            data = file.read(_HEAD)
            if _EXCHANGES not in data:
                data += file.read()
        head, found, _ = data.partition(_EXCHANGES)
        known = msgspec.json.decode(head + _EXCHANGES + b"]}" if found else data, type=_Head)
    except (OSError, ValueError):
        return None
    return known if known.version == VERSION and known.journal_bytes == journal_bytes else None


def load_transcript(data: bytes, name: str) -> Transcript:
    """The transcript of a file, of whatever version; `name` is for the error message.

    Raises:
        SessionError: it is none, it is damaged, or a newer asst wrote it.
    """
    try:
        values = msgspec.json.decode(data)
        if not isinstance(values, dict) or values.get("format") != FORMAT:
            raise SessionError(f"{name} is no transcript of asst.", "Give a transcript, a journal, or llm's logs.db.")
        version = values.get("version")
        if not isinstance(version, int) or version < 1:
            raise SessionError(f"{name} is damaged: it has no version.", "The file was not changed.")
        if version > VERSION:
            raise SessionError(f"{name} was written by a newer asst (version {version}).", "Upgrade asst to read it.")
        for step in range(version, VERSION):
            values = MIGRATIONS[step](values)
        return msgspec.convert(values, Transcript)
    except (ValueError, RecursionError) as error:
        raise SessionError(f"{name} is damaged: {error}.", "The file was not changed.") from error


# ---- writing -----------------------------------------------------------------------------------------------------------


def save_transcript(path: Path, data: bytes, *, ours: bool = False) -> None:
    """Replace the file. One that a person has edited is kept beside it, as `<id>.edited.json`; `ours`: it is known not to be.

    Raises:
        OSError: it cannot be written; the old one is there, whole.
    """
    if not ours:
        with contextlib.suppress(FileNotFoundError):
            if not _is_ours(path.read_bytes()):
                ensure_private(path.rename(_free(path)))
    replace_file(path, data)


def _free(path: Path) -> Path:
    number, name = 1, path.with_suffix(".edited.json")
    while name.exists():
        number += 1
        name = path.with_suffix(f".edited-{number}.json")
    return name


def replace_file(path: Path, data: bytes) -> None:
    """Write a file so that there is always a whole one, the old or the new, also when the power fails.

    Raises:
        OSError: it cannot be written.
    """
    temporary = path.with_suffix(".tmp")  # one name: what a killed process left is overwritten by the next
    try:
        with create_private(temporary).open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise

"""The file of a transcript: indented JSON next to the journal.

The head comes first, so that a list of sessions reads a few lines of each file. `journal_bytes` says how much of the journal
the transcript covers: if it isn't the journal's length, the transcript is out of date, whatever the clocks say. `digest` shows
whether a person has edited the file: then it is kept under another name when it is replaced.

Versions: every version that was ever released can be read. `MIGRATIONS[n]` turns version n into version n + 1, and
`tests/fixtures/transcripts/v<n>.json` must load forever. 1: the first.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import chain, count
from pathlib import Path
from typing import Any

import msgspec

from ..config.atomic import write_atomically
from ..config.paths import ensure_private
from ..core.codec import pretty
from ..core.errors import SessionError
from .transcript import ExchangeEntry, Summary, Transcript

__all__ = ["assemble", "edited_copies", "load_transcript", "read_head", "render", "save_transcript", "to_json"]

FORMAT, VERSION = "asst-transcript", 1
MIGRATIONS: dict[int, Callable[[dict[str, Any]], dict[str, Any]]] = {}
assert set(MIGRATIONS) == set(range(1, VERSION))  # noqa: S101 - no version is released without its migration

_HEAD, _PIECE = 8192, 1 << 16
_EXCHANGES = b'\n  "exchanges": ['
_UNSEALED = b'\n  "digest": "' + b"0" * 32 + b'"'


class _Head(Summary):
    format: str = ""
    version: int = 0
    journal_bytes: int = 0


def render(entry: ExchangeEntry) -> bytes:
    """One exchange as it is in the file."""
    return b"    " + pretty(entry).replace(b"\n", b"\n    ")


def assemble(
    summary: Summary, exchanges: Iterable[bytes], journal_bytes: int, files: Mapping[str, bytes] | None = None
) -> list[bytes]:
    """The whole file in pieces, from rendered exchanges. `files` are the bytes of attachments, in base64 at its end.

    In pieces, because a long session's file takes megabytes, and each copy of it as many again.
    """
    own: dict[str, Any] = {name: getattr(summary, name) for name in Summary.__struct_fields__}
    head = {"format": FORMAT, "version": VERSION, "digest": "0" * 32, "journal_bytes": journal_bytes} | own
    text = pretty(head).removesuffix(b"\n}")
    pieces = [text + b"," + _EXCHANGES]
    for exchange in exchanges:
        pieces += (b"\n" if len(pieces) == 1 else b",\n", exchange)
    pieces.append(b"]" if len(pieces) == 1 else b"\n  ]")
    if files:
        pieces += (b',\n  "files": ', msgspec.json.encode(files))
    pieces.append(b"\n}\n")
    pieces[0] = pieces[0].replace(_UNSEALED, b'\n  "digest": "' + _digest(pieces) + b'"', 1)
    return pieces


def to_json(transcript: Transcript, journal_bytes: int = 0) -> bytes:
    """The whole file of a transcript."""
    return b"".join(assemble(transcript, map(render, transcript.exchanges), journal_bytes, transcript.files))


def _digest(unsealed: Iterable[bytes]) -> bytes:
    digest = hashlib.blake2b(digest_size=16)
    for piece in unsealed:
        digest.update(piece)
    return digest.hexdigest().encode()


def _is_ours(path: Path) -> bool:
    """Whether the file is as an asst wrote it, without a person's changes.

    Raises:
        OSError: it can't be read.
    """
    with path.open("rb") as file:
        head = file.read(_HEAD)
        if (at := head.find(_UNSEALED[:14])) < 0:
            return False
        start, end = at + 14, at + 14 + 32
        rest = iter(lambda: file.read(_PIECE), b"")
        return head[start:end] == _digest(chain([head[:start] + b"0" * 32 + head[end:]], rest))


# ---- reading -----------------------------------------------------------------------------------------------------------


def read_head(path: Path, journal_bytes: int) -> Summary | None:
    """The head of a file that covers a journal of this length; None if the file is missing, older or unreadable."""
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
    """The transcript of a file of any version; `name` is for the error message.

    Raises:
        SessionError: it isn't a transcript, it is damaged, or a newer asst wrote it.
    """
    try:
        values = msgspec.json.decode(data)
        if not isinstance(values, dict) or values.get("format") != FORMAT:
            raise SessionError(
                f"{name} isn't a transcript of asst.", "Give a session's .jsonl or .json file, or llm's logs.db."
            )
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


def save_transcript(path: Path, pieces: Iterable[bytes], *, ours: bool = False) -> None:
    """Replace the file by one that consists of these pieces.

    One that a person has edited is kept as `<id>.edited.json`; `ours`: it is known to be unedited.

    Raises:
        OSError: it can't be written; the old file is unchanged.
    """
    if not ours:
        with contextlib.suppress(FileNotFoundError):
            if not _is_ours(path):
                free = next(name for name in _edited_names(path) if not name.exists())
                ensure_private(path.rename(free))
    write_atomically(path, pieces, single_writer=True)  # the session's lock sees to that


def edited_copies(path: Path) -> Iterator[Path]:
    """The files that `save_transcript` kept of a session."""
    for name in _edited_names(path):
        if not name.exists():
            return
        yield name


def _edited_names(path: Path) -> Iterator[Path]:
    yield path.with_suffix(".edited.json")
    yield from (path.with_suffix(f".edited-{number}.json") for number in count(2))

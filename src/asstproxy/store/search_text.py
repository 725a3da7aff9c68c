"""What the search index holds of a session, and how a person's words become its query."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec

from ..core.errors import SessionError
from ..core.script import State
from .store import Store

__all__ = ["Words", "query", "texts", "words_of"]

MOST = 1_000_000
"""Characters of one session that are searched."""


class Words(msgspec.Struct):
    """A session as the index takes it: `said` is all text of it."""

    id: str
    bytes: int
    title: str
    said: str
    provider: str = ""
    profile: str = ""
    state: str = ""


class _Tool(msgspec.Struct):
    name: str
    arguments: str = ""
    output: str = ""


class _Exchange(msgspec.Struct):
    user: str
    answer: str = ""
    reason: str = ""
    tools: list[_Tool] = []


class _Session(msgspec.Struct):
    """The few fields of a transcript that are searched; the others are skipped, which is three times as fast."""

    title: str = ""
    state: State = State.NEW
    profile: str = ""
    provider: str = ""
    journal_bytes: int = -1
    exchanges: list[_Exchange] = []


_decoder = msgspec.json.Decoder(_Session)


def words_of(store: Store, session: str, size: int) -> Words:
    """The words of a session: from its transcript when that is up to date, else from the journal; none if it is damaged."""
    found = _transcript(store.path(session).with_suffix(".json"), size) or _journal(store, session)
    said = "\n".join(_said_of(found))
    return Words(session, size, found.title, said[:MOST], found.provider, found.profile, found.state)


def _said_of(session: _Session) -> list[str]:
    """Every text of a session, in order."""
    parts = []
    for exchange in session.exchanges:
        parts.append(exchange.user)
        for tool in exchange.tools:
            parts += (tool.name, tool.arguments, tool.output)
        parts += (exchange.answer, exchange.reason)
    return [part for part in parts if part]


def texts(store: Store, session: str) -> list[str]:
    """Every text of a session, as it stands now."""
    try:
        size = store.path(session).stat().st_size
    except OSError:
        return []
    return _said_of(_transcript(store.path(session).with_suffix(".json"), size) or _journal(store, session))


def _transcript(path: Path, size: int) -> _Session | None:
    try:
        found = _decoder.decode(path.read_bytes())
    except (OSError, ValueError):
        return None
    return found if found.journal_bytes == size else None


def _journal(store: Store, session: str) -> _Session:
    try:
        return msgspec.convert(msgspec.to_builtins(store.transcript(session)), _Session)
    except SessionError:
        return _Session(title="[damaged]")


def query(text: str) -> str:
    """The words as an FTS5 query: all of them must occur; `word*` is a beginning; what stands in double quotes, together.

    No character of the words is ever an operator.
    """
    parts = []
    for quoted, word in re.findall(r'"([^"]*)"|(\S+)', text):
        if quoted.strip():
            parts.append(f'"{quoted.strip()}"')
        elif re.search(r"\w", word):
            bare = word.replace('"', "")
            parts.append(f'"{bare.rstrip("*")}"{" *" if bare.endswith("*") else ""}')
    return " ".join(part for part in parts if re.search(r"\w", part))

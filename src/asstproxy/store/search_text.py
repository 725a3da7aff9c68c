"""The text of a session that is searched, and the query that a person's words become."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec

from ..core.errors import SessionError
from ..core.script import State
from .store import Store
from .usage import ExchangeUsage, IndexedRequest, indexed_requests

__all__ = ["IndexedText", "indexed_text", "messages", "query", "texts"]

MAX_CHARS = 1_000_000
"""Characters of one session that are searched."""


class IndexedText(msgspec.Struct):
    """What the index takes of a session: `body` is all its text but the title, `bytes` the length of its journal.

    `requests` are what it used.
    `bytes` is -1 if the session could not be read: then it is tried again.
    """

    id: str
    bytes: int
    title: str
    body: str
    provider: str = ""
    profile: str = ""
    state: str = ""
    requests: list[IndexedRequest] = []


class _Tool(msgspec.Struct):
    name: str
    arguments: str = ""
    output: str = ""


class _Attachment(msgspec.Struct):
    name: str


class _Exchange(ExchangeUsage):
    user: str = ""
    reason: str = ""
    tools: list[_Tool] = msgspec.field(default_factory=list)
    attachments: list[_Attachment] = msgspec.field(default_factory=list)


class _Session(msgspec.Struct):
    """The fields of a transcript that are searched; skipping the others is three times as fast."""

    title: str = ""
    state: State = State.NEW
    profile: str = ""
    provider: str = ""
    journal_bytes: int = -1
    forked_from: str = ""
    exchanges: list[_Exchange] = []


_UNSPACED = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3005\u3007\u3041-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
    "\uff66-\uff9f\U0001b000-\U0001b16f\U00020000-\U0003ffff]"
)
"""Letters of scripts that put no spaces between words: Chinese, Japanese, Thai, Lao, Burmese, Khmer."""


def spaced(text: str) -> str:
    """The text with spaces around each letter of such a script: the index takes each as a word, and a word as a phrase."""
    return text if text.isascii() else _UNSPACED.sub(r" \g<0> ", text)


_decoder = msgspec.json.Decoder(_Session)


def indexed_text(store: Store, session: str, size: int) -> IndexedText:
    """The text of a session: from its transcript if that is up to date, else from the journal; none if it can't be read."""
    found = _transcript(store.path(session).with_suffix(".json"), size) or _journal(store, session)
    if found is None:
        found, size = _Session(title="[damaged]"), -1
    body = "\n".join(_texts(found))
    return IndexedText(
        session,
        size,
        spaced(found.title),
        spaced(body[:MAX_CHARS]),
        found.provider,
        found.profile,
        found.state,
        indexed_requests(session, found.forked_from, found.exchanges, found.profile),
    )


def _texts(session: _Session) -> list[str]:
    """Every text of a session, in order."""
    parts: list[str] = []
    for exchange in session.exchanges:
        parts += (exchange.user, *(one.name for one in exchange.attachments))
        for tool in exchange.tools:
            parts += (tool.name, tool.arguments, tool.output)
        parts += (exchange.answer, exchange.reason)
    return [part for part in parts if part]


def messages(store: Store, session: str) -> list[tuple[str, str]]:
    """Every message of a session and its answer, in order; none if it can't be read."""
    return [(exchange.user, exchange.answer) for exchange in _session(store, session).exchanges]


def texts(store: Store, session: str) -> list[str]:
    """Every text of a session, in order."""
    return _texts(_session(store, session))


def _session(store: Store, session: str) -> _Session:
    try:
        size = store.path(session).stat().st_size
    except OSError:
        return _Session()
    return _transcript(store.path(session).with_suffix(".json"), size) or _journal(store, session) or _Session()


def _transcript(path: Path, size: int) -> _Session | None:
    try:
        found = _decoder.decode(path.read_bytes())
    except (OSError, ValueError):
        return None
    return found if found.journal_bytes == size else None


def _journal(store: Store, session: str) -> _Session | None:
    try:
        return msgspec.convert(msgspec.to_builtins(store.transcript(session)), _Session)
    except (SessionError, OSError):
        return None


def query(text: str) -> str:
    """The words as an FTS5 query: all must occur; `word*` matches a beginning; words in double quotes occur together.

    A word of a script without spaces is a phrase of its letters. No character of the words is ever taken for an operator.
    """
    parts = []
    for quoted, word in re.findall(r'"([^"]*)"|(\S+)', text):
        if quoted.strip():
            parts.append(f'"{spaced(quoted).strip()}"')
        elif re.search(r"\w", word):
            bare = spaced(word.replace('"', "")).strip()
            parts.append(f'"{bare.rstrip("*")}"{" *" if bare.endswith("*") else ""}')
    return " ".join(part for part in parts if re.search(r"\w", part))

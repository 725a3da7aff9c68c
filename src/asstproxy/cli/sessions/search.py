"""`asst sessions search`: the best matches, each with the text around the words."""

from __future__ import annotations

import re
import sys
import unicodedata
from collections.abc import Iterator
from typing import Any

from ...core.errors import SessionError
from ...store.filters import SessionFilter
from ...store.search_index import SearchIndex
from ...store.search_text import texts
from ...store.store import Store
from ...store.transcript import Summary
from ...text.safe_text import clean_line
from .listing import count_of, line_of, print_json, row_of, table_of

__all__ = ["search_sessions", "show_progress"]

_AROUND = 60
"""Characters of a snippet on each side of the first word."""
_BAR = 30
"""Columns of the progress bar."""


def search_sessions(words: str, limit: int | None, which: SessionFilter, *, as_json: bool) -> None:
    """Print the sessions in which all words occur, best match first."""
    store = Store()
    hits = SearchIndex(store).search(words, which, limit, show_progress)
    if as_json:
        print_json(_row(store, hit.session, words, hit.rank) for hit in hits)
        return
    table = table_of(store, (hit.session for hit in hits)) if hits and sys.stdout.isatty() else None
    if table:
        sys.stdout.write(f"{table.header}\n")
    for hit in hits:
        summary = _summary(store, hit.session)
        line = table.row(summary, store.state_of(summary)) if table else line_of(summary, store.state_of(summary))
        sys.stdout.write(f"{line}\n")
        if snippet := _snippet(store, hit.session, words, bold=sys.stdout.isatty()):
            sys.stdout.write(f"    {snippet}\n")
    if not hits:
        sys.stderr.write("No match.\n")


def _summary(store: Store, session: str) -> Summary:
    try:
        return store.summary(session)
    except SessionError as error:
        return Summary(id=session, title=f"[damaged] {error}")


def _row(store: Store, session: str, words: str, rank: float) -> dict[str, Any]:
    return row_of(store, _summary(store, session)) | {
        "rank": round(rank, 4),
        "snippet": _snippet(store, session, words, bold=False),
    }


def _snippet(store: Store, session: str, words: str, *, bold: bool) -> str:
    """The first place where a word occurs, or better one where several do; one line."""
    wanted = [word for word in re.findall(r"\w+", _plain(words)) if word]
    best, score = "", 0
    for text in texts(store, session):
        for start in _places(text, wanted):
            window = text[max(start - _AROUND, 0) : start + _AROUND]
            here = sum(word in _plain(window) for word in wanted)
            if here > score:
                before, after = "…" if start > _AROUND else "", "…" if start + _AROUND < len(text) else ""
                best, score = f"{before}{window}{after}", here
        if score == len(wanted):
            break
    best = clean_line(best)
    return _emphasize(best, wanted) if bold else best


def _places(text: str, wanted: list[str]) -> Iterator[int]:
    plain = _plain(text)
    if len(plain) != len(text):
        plain = text.lower()  # places in a text of another length would be wrong
    for word in wanted:
        for count, found in enumerate(re.finditer(re.escape(word), plain)):
            if count > 20:
                break
            yield found.start()


def _plain(text: str) -> str:
    """Lower case, without accents: as the index compares words."""
    if text.isascii():
        return text.lower()
    return "".join(c for c in unicodedata.normalize("NFD", text.lower()) if not unicodedata.combining(c))


def _emphasize(text: str, wanted: list[str]) -> str:
    return re.sub(
        "|".join(map(re.escape, wanted)), lambda found: f"\x1b[1m{found[0]}\x1b[0m", text, flags=re.IGNORECASE
    )


def show_progress(done: int, total: int) -> None:
    """A progress bar on stderr while many sessions are indexed; one line at the end where it is not a terminal."""
    if total < 1000:
        return
    if sys.stderr.isatty():
        filled = _BAR * done // total
        end = "\r\x1b[K" if done == total else ""
        sys.stderr.write(f"\rIndexing sessions [{'#' * filled}{' ' * (_BAR - filled)}] {100 * done // total:3} %{end}")
        sys.stderr.flush()
    elif done == total:
        sys.stderr.write(f"Indexed {count_of(total)}.\n")

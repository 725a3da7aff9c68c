"""The sessions that a picker shows: all of them, newest first, or those with the words typed so far.

Nothing here makes the screen wait. Only the rows that are shown are read at once. A search runs in two threads: one reads the
titles, the other asks the search index, which may have to be built first.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable

from ...core.errors import AsstError, SessionError
from ...core.script import State
from ...store.filters import SessionFilter
from ...store.search_index import SearchIndex
from ...store.search_text import messages
from ...store.short_ids import short_ids
from ...store.store import Store
from ...store.transcript import Summary

__all__ = ["SessionFinder"]

_REPORT = 0.05
"""Seconds between two reports of a search."""


class SessionFinder:
    """Finds sessions; `changed` is called, from any thread, when there is more to show.

    `found` are the ids to show. `is_searching`: whether more may be found.
    """

    def __init__(self, store: Store, changed: Callable[[], None], without: Iterable[str] = ()) -> None:
        self._store, self._changed = store, changed
        left_out = frozenset(without)
        self.all = [session for session in store.ids() if session not in left_out]
        self.found = self.all
        self._summaries: dict[str, Summary] = {}
        self._short: dict[str, str] = {}
        self._messages: dict[str, list[tuple[str, str]]] = {}
        self._words = ""
        self._matches: dict[str, set[str]] = {"titles": set(), "index": set()}
        self._pending: set[str] = set()
        self._wanted = threading.Condition()
        self._threads: dict[str, threading.Thread] = {}
        self._is_closed = False

    @property
    def is_searching(self) -> bool:
        """Whether a search has not ended."""
        return bool(self._pending)

    def summary(self, session: str) -> Summary:
        """The head of a session; one that can't be read has the reason as its title."""
        known = self._summaries.get(session)
        if known is None:
            try:
                known = self._store.summary(session)
            except SessionError as error:
                known = Summary(id=session, title=f"[damaged] {error}", state=State.ERROR)
            self._summaries[session] = known
        return known

    def forget(self, session: str) -> None:
        """Read a session again: it has changed."""
        self._summaries.pop(session, None)

    def short(self, shown: Iterable[str]) -> dict[str, str]:
        """The short ids of these sessions."""
        missing = [session for session in shown if session not in self._short]
        if missing:
            self._short |= short_ids(self._store, missing)
        return self._short

    def messages(self, session: str) -> list[tuple[str, str]]:
        """The messages and answers of a session; none while they are read."""
        if session not in self._messages:
            self._messages[session] = []
            threading.Thread(target=self._read_messages, args=(session,), daemon=True).start()
        return self._messages[session]

    def _read_messages(self, session: str) -> None:
        self._messages[session] = messages(self._store, session)
        self._changed()

    # ---- the search ----------------------------------------------------------------------------------------------------

    def search(self, words: str) -> None:
        """Show only the sessions with all these words, from now on."""
        words = " ".join(words.split())
        with self._wanted:
            if words == self._words:
                return
            self._words = words
            self._matches = {"titles": set(), "index": set()}
            self._pending = {"titles", "index"} if words else set()
            self.found = [] if words else self.all
            self._wanted.notify_all()
        for name, work in (("titles", self._search_titles), ("index", self._search_index)):
            if name not in self._threads:
                self._threads[name] = threading.Thread(target=self._work, args=(name, work), daemon=True)
                self._threads[name].start()

    def close(self) -> None:
        """Search no more."""
        with self._wanted:
            self._is_closed, self._words = True, ""
            self._wanted.notify_all()

    def _work(self, name: str, work: Callable[[str], None]) -> None:
        while True:
            with self._wanted:
                while name not in self._pending and not self._is_closed:
                    self._wanted.wait()
                if self._is_closed:
                    return
                words = self._words
            work(words)
            self._report(name, words, done=True)

    def _search_titles(self, words: str) -> None:
        wanted, last = words.casefold().split(), time.monotonic()
        matches: set[str] = set()
        for session in self.all:
            title = self.summary(session).title.casefold()
            if all(word in title for word in wanted):
                matches.add(session)
            if time.monotonic() - last > _REPORT:
                if self._words != words:
                    return
                last = time.monotonic()
                self._report("titles", words, matches)
        self._report("titles", words, matches)

    def _search_index(self, words: str) -> None:
        try:
            hits = SearchIndex(self._store).search(_prefixes(words), SessionFilter(), None)
        except (AsstError, OSError):  # titles are found without it
            return
        self._report("index", words, {hit.session for hit in hits})

    def _report(self, name: str, words: str, matches: Iterable[str] = (), *, done: bool = False) -> None:
        with self._wanted:
            if words != self._words:
                return
            self._matches[name].update(matches)
            if done:
                self._pending.discard(name)
            found = self._matches["titles"] | self._matches["index"]
            self.found = [session for session in self.all if session in found]
        self._changed()


def _prefixes(words: str) -> str:
    """Each word may be the beginning of one: the last one is still being typed."""
    return " ".join(word if word.endswith(('"', "*")) or word.startswith('"') else f"{word}*" for word in words.split())

"""The list of sessions, as the page shows it."""

from __future__ import annotations

import contextlib
from itertools import islice
from typing import Any

from ..core.errors import SessionError
from ..store.filters import SessionFilter, filter_sessions
from ..store.store import Store
from ..store.transcript import Summary
from .sessions import Sessions

__all__ = ["session_rows"]


def session_rows(sessions: Sessions, words: str, limit: int) -> list[dict[str, Any]]:
    """The latest sessions in which anything was asked; with `words`, those in which they occur, best match first.

    Raises:
        AsstError: the search index can't be used.
    """
    store = sessions.store
    if words.strip():
        from ..store.search_index import SearchIndex

        hits = SearchIndex(store).search(words, SessionFilter(), limit)
        found = [summary for hit in hits if (summary := _summary(store, hit.session)) is not None]
    else:
        found = list(islice(filter_sessions(store, SessionFilter()), limit))
    return [_row(sessions, summary) for summary in found if summary.exchange_count]


def _summary(store: Store, session: str) -> Summary | None:
    with contextlib.suppress(SessionError):
        return store.summary(session)
    return None


def _row(sessions: Sessions, summary: Summary) -> dict[str, Any]:
    live = sessions.find_live(summary.id)
    return {
        "id": summary.id,
        "title": summary.title,
        "updated": summary.updated,
        "profile": summary.profile or summary.provider,
        "model": summary.model,
        "turns": summary.exchange_count,
        "state": sessions.store.state_of(summary),
        "here": live is not None,
        "busy": live is not None and live.is_busy,
        "asks": live is not None and bool(live.feed.status.get("asked")),
    }

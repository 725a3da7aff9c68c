"""The feeds of all sessions that are watched or open."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..store.store import Store

if TYPE_CHECKING:
    from .feed import Feed

__all__ = ["Feeds"]


class Feeds:
    """Gives out one feed for each session, and forgets those that nobody needs."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._feeds: dict[str, Feed] = {}

    def of(self, session: str) -> Feed:
        """The records of a session; its status says who has it open. `session`: its id, or the beginning of it.

        Raises:
            SessionError: it doesn't exist, or can't be read.
        """
        session = self._store.find(session)
        feed = self.of_open(session)
        if not feed.is_live:
            feed.catch_up()
        self._forget_unwatched()
        return feed

    def of_open(self, session: str) -> Feed:
        """The records of a session that this server has opened, or is about to open; `session` is a whole id."""
        from .feed import Feed  # late: it knows Markdown

        feed = self._feeds.get(session)
        if feed is None or feed.is_ended:
            feed = self._feeds[session] = Feed(self._store, session)
        return feed

    def _forget_unwatched(self) -> None:
        """Memory holds the sessions that are watched or open; one more is kept for the page that asks for it now."""
        idle = [name for name, feed in self._feeds.items() if not feed.viewers and not feed.is_live]
        for name in idle[:-1]:
            del self._feeds[name]

    def forget(self, session: str) -> None:
        """Forget a session that was deleted; those who watch it see the end of the stream."""
        if (feed := self._feeds.pop(session, None)) is not None:
            feed.end()

    @property
    def viewers(self) -> int:
        """How many streams of records are open."""
        return sum(feed.viewers for feed in self._feeds.values())

    def end(self) -> None:
        """End the streams of records, which have no end: the server is about to stop."""
        for feed in self._feeds.values():
            feed.end()

"""All sessions that the page can see, and those that are open in this server."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from ..core.attachment import AttachedFile, Attachment
from ..core.errors import UsageError
from ..core.script import ACTIVE
from ..store.lock import is_locked, lock_holder
from ..store.session_files import attachments_of
from ..store.store import Store
from ..tools import Tool
from .blocks import Render
from .feed import Feed
from .live import Choice, LiveSession, open_live

__all__ = ["Sessions"]

_IDLE = 120.0
"""Seconds after its last exchange for which a session stays open here, and closed to a terminal."""


class Sessions:
    """Gives out feeds, and opens a session when something is to be done with it."""

    def __init__(self, render: Render, tools: Iterable[Tool | Callable[..., Any]] = ()) -> None:
        self.store = Store()
        self._render, self._tools = render, tuple(tools)
        self.ending = asyncio.Event()
        """Set when the server ends: the streams of records, which have no end, end then."""
        self._feeds: dict[str, Feed] = {}
        self._live: dict[str, LiveSession] = {}
        self._opening: dict[str, asyncio.Lock] = {}
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._closing: set[asyncio.Task[None]] = set()  # the loop holds its tasks weakly

    def feed(self, session: str) -> Feed:
        """The records of a session; its status says who has it open.

        Raises:
            SessionError: it doesn't exist, or can't be read.
        """
        session = self.store.find(session)
        feed = self._feeds.get(session)
        if feed is None:
            feed = self._feeds[session] = Feed(self.store, session, self._render)
        if not feed.is_live:
            feed.catch_up()
            path = self.store.path(session)
            feed.set_status(live=False, holder=lock_holder(path) if is_locked(path) else "")
        self._forget_unwatched()
        return feed

    def _forget_unwatched(self) -> None:
        """Memory holds the sessions that are watched or open; one more is kept for the page that asks for it now."""
        idle = [name for name, feed in self._feeds.items() if not feed.viewers and not feed.is_live]
        for name in idle[:-1]:
            del self._feeds[name]

    # ---- open sessions -------------------------------------------------------------------------------------------------

    async def open(self, session: str, choice: Choice) -> LiveSession:
        """The session, open in this server, with this choice of who answers. An empty id: a new session.

        Raises:
            AsstError: it is open elsewhere, an exchange is in progress with another choice, or the profile can't be used.
        """
        session = self.store.find(session) if session else ""
        async with self._opening.setdefault(session, asyncio.Lock()):
            live = self._live.get(session)
            if live is not None:
                if _same(live, choice):
                    return live
                if live.is_busy:
                    raise UsageError("A turn is in progress.", "Wait for its answer, or stop it.")
                await self._close(session)
            return await self._open(session, choice)

    async def _open(self, session: str, choice: Choice) -> LiveSession:
        opened = self.store.open(session, keep_running=True) if session else self.store.create()
        try:
            feed = self._feeds.get(opened.id) or Feed(self.store, opened.id, self._render)
            feed.extend(opened.past)
            live = await open_live(opened, choice, self._tools, feed)
        except BaseException:
            if opened.has_exchange:
                opened.close()
            else:
                opened.discard()
            raise
        self._feeds[opened.id], self._live[opened.id] = feed, live
        return live

    async def send(
        self,
        session: str,
        text: str,
        choice: Choice,
        *,
        files: Sequence[AttachedFile] = (),
        again: Sequence[str] = (),
        keep: int | None = None,
    ) -> str:
        """Send a message; the exchange runs in this server. Returns the id of the session.

        `files` go with it, and those that earlier messages of the session carried and whose SHA-256 is in `again`.

        Raises:
            AsstError: see `open` and `LiveSession.send`.
        """
        if not text.strip():
            raise UsageError("The message is empty.", "Write something.")
        live = await self.open(session, choice)
        name = live.feed.session
        self._keep_open(name)
        earlier = {one.sha256: one for one in attachments_of(live.feed.records)}
        attachments: list[AttachedFile | Attachment] = [*(earlier[one] for one in again if one in earlier), *files]
        live.send(text, attachments, keep, lambda: self._close_later(name))
        return name

    async def resume(self, session: str) -> None:
        """Take up what a process left unfinished: at the provider, if it still runs there; else it ends as interrupted.

        Raises:
            AsstError: the session is open elsewhere, or its profile can't be used.
        """
        feed = self.feed(session)
        if feed.is_live or not feed.records or feed.records[-1].state not in ACTIVE:
            return
        live = await self.open(session, Choice())
        name = live.feed.session
        if live.is_running:
            self._keep_open(name)
            live.attach(lambda: self._close_later(name))
        else:
            self._close_later(name)

    def find_live(self, session: str) -> LiveSession | None:
        """The session, if it is open here; `session` is a whole id."""
        return self._live.get(session)

    def live(self, session: str) -> LiveSession:
        """The session, which is open here.

        Raises:
            UsageError: it isn't.
        """
        found = self._live.get(session) or self._live.get(self.store.find(session))
        if found is None:
            raise UsageError("This session isn't open here.", "Reload the page.")
        return found

    async def close(self, session: str) -> None:
        """Release a session, so that a terminal can open it.

        Raises:
            UsageError: an exchange is in progress.
        """
        live = self._live.get(session)
        if live is not None and live.is_busy:
            raise UsageError("A turn is in progress.", "Wait for its answer, or stop it.")
        await self._close(session)

    def _keep_open(self, session: str) -> None:
        if timer := self._timers.pop(session, None):
            timer.cancel()

    def _close_later(self, session: str) -> None:
        self._keep_open(session)
        loop = asyncio.get_running_loop()
        # A new message takes the timer back, so nothing runs when it is due.
        self._timers[session] = loop.call_later(
            _IDLE, lambda: self._closing.add(loop.create_task(self._close(session)))
        )

    async def _close(self, session: str) -> None:
        self._keep_open(session)
        live = self._live.pop(session, None)
        if live is not None:
            await live.aclose()

    def forget(self, session: str) -> None:
        """Forget a session that was deleted."""
        self._feeds.pop(session, None)

    async def aclose(self) -> None:
        """Close all sessions; what runs is stopped, and what was received is saved."""
        await asyncio.gather(*map(self._close, list(self._live)), return_exceptions=True)


def _same(live: LiveSession, choice: Choice) -> bool:
    now = live.configured
    return choice.profile in ("", now.profile) and choice.model in ("", now.model)

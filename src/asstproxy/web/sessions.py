"""All sessions that the page can see, and those that are open in this server."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

from ..core.attachment import AttachedFile, Attachment
from ..core.errors import UsageError
from ..core.script import ACTIVE
from ..store.session_files import attachments_of
from ..store.store import Store
from .choice import Choice
from .feeds import Feeds

if TYPE_CHECKING:
    from ..tools import Tool
    from .live import LiveSession

__all__ = ["Sessions"]

_IDLE = 120.0
"""Seconds after its last exchange for which a session stays open here, and closed to a terminal."""


class Sessions:
    """Opens a session when something is to be done with it; `feeds` has the records of all."""

    def __init__(self, tools: Iterable[Tool | Callable[..., Any]] = ()) -> None:
        self.store = Store()
        self.feeds = Feeds(self.store)
        self._tools = tuple(tools)
        self._live: dict[str, LiveSession] = {}
        self._opening: dict[str, asyncio.Lock] = {}
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._closing: set[asyncio.Task[None]] = set()  # the loop holds its tasks weakly

    # ---- open sessions -------------------------------------------------------------------------------------------------

    async def open(self, session: str, choice: Choice) -> LiveSession:
        """The session, open in this server, with this choice of who answers. An empty id: a new session.

        Raises:
            AsstError: it is open elsewhere, an exchange is in progress with another choice, or the profile can't be used.
        """
        if not session:
            return await self._open("", choice)
        session = self.store.find(session)
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
        from .live import open_live  # late: what carries out the script, and the tools

        opened = self.store.open(session, keep_running=True) if session else self.store.create()
        feed = self.feeds.of_open(opened.id)
        feed.is_live = True  # from here on: what is being opened isn't forgotten
        try:
            feed.extend(opened.past)
            live = await open_live(opened, choice, self._tools, feed)
        except BaseException:
            feed.is_live = False
            if opened.has_exchange:
                opened.close()
            else:
                opened.discard()
                self.feeds.forget(opened.id)
            feed.follow()
            raise
        self._live[opened.id] = live
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
        background: bool = False,
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
        live.send(text, attachments, lambda: self._close_later(name), keep=keep, background=background)
        return name

    async def resume(self, session: str) -> None:
        """Take up what a process left unfinished: at the provider, if it still runs there; else it ends as interrupted.

        Raises:
            AsstError: the session is open elsewhere, or its profile can't be used.
        """
        feed = self.feeds.of(session)
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

    async def aclose(self) -> None:
        """Close all sessions; what runs is stopped, and what was received is saved."""
        await asyncio.gather(*map(self._close, list(self._live)), return_exceptions=True)


def _same(live: LiveSession, choice: Choice) -> bool:
    now = live.configured
    return choice.profile in ("", now.profile) and choice.model in ("", now.model)

"""The records of one session, for everyone who watches it: as the journal has them, then as they come."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from collections.abc import AsyncGenerator, Iterable
from typing import Any

from ..core.events import Record
from ..export.markdown_html import markdown_html
from ..store.lock import is_locked, lock_holder
from ..store.recovery import repaired
from ..store.store import Store
from .blocks import AnswerBlocks, Block
from .costs import ExchangeCosts
from .journal_tail import JournalTail
from .update import Update

__all__ = ["Feed"]

_FRAME = 0.03
"""Seconds for which changes are gathered before they are sent: less than two frames of a screen, so that none of them is missed."""
_LOOK = 0.25
"""Seconds between two looks at a journal that another process may be writing."""
_LOOKS = 4
"""Looks at a journal without news for each look at its lock, which holds the lock for a moment."""


class Feed:
    """One session. While it isn't open in this server, its journal is followed, as long as someone watches.

    The journal joins chunks of an answer that come close together, so its records may be fewer than those that were watched.
    A viewer that comes back continues where it was only in the same feed, which `id` names.

    `status` is what the page must know in addition to the records: who has the session open, and which calls wait for a yes.
    """

    beat = 15.0
    """Seconds of silence after which a viewer gets a sign of life, so that it notices a connection that died without an error."""

    def __init__(self, store: Store, session: str) -> None:
        self.session = session
        self.id = secrets.token_hex(8)
        self.records: list[Record] = []
        self.status: dict[str, Any] = {}
        self.costs = ExchangeCosts()
        self.viewers = 0
        self._answers = AnswerBlocks(markdown_html)
        self._block_ends: list[int] = []  # for each record: how many blocks there are after it
        self._status_number = 0
        self._changed = asyncio.Event()  # another one each time
        self._sent = 0.0  # when viewers were woken, by the loop's clock
        self._sending: asyncio.Handle | None = None
        self._latest: tuple[tuple[int, ...], Update] | None = None  # with what its viewers had seen
        self.is_ended = False
        self._follower: asyncio.Task[None] | None = None
        self.is_live = False
        self._path = store.path(session)
        self._tail = JournalTail(self._path)  # first: what is written while the journal is read comes twice, not never
        self.extend(repaired(store.journal(session).records))

    # ---- what comes in -------------------------------------------------------------------------------------------------

    def add(self, record: Record) -> None:
        """One more record; a subscriber of the conversation that is held here."""
        self.extend([record])

    def extend(self, records: Iterable[Record]) -> None:
        """More records. Those that are known already are left out."""
        last = self.records[-1].seq if self.records else 0
        for record in records:
            if record.seq > last:
                last = record.seq
                self.records.append(record)
                self._answers.feed(record)
                self._block_ends.append(len(self._answers.all))
        self._wake()

    def set_status(self, **status: Any) -> None:
        """Change the status."""
        if status != self.status:
            self.status = status
            self._status_number += 1
            self._wake()

    def end(self) -> None:
        """End the streams of the viewers: the server is about to stop, or the session was deleted."""
        self.is_ended = True
        self._send()

    def _wake(self) -> None:
        """Wake the viewers, all at once: now, or when the frame is over in which they were woken last."""
        if not self.viewers or self._sending is not None:
            return
        loop = asyncio.get_running_loop()
        wait = self._sent + _FRAME - loop.time()
        # What was read together comes in one turn of the loop; after it, one update has it all.
        self._sending = loop.call_later(wait, self._send) if wait > 0 else loop.call_soon(self._send)

    def _send(self) -> None:
        self._sending = self._latest = None
        self._sent = asyncio.get_running_loop().time()
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()

    # ---- what goes out -------------------------------------------------------------------------------------------------

    @property
    def blocks(self) -> list[Block]:
        """All finished blocks."""
        return self._answers.all

    async def watch(self, after: int) -> AsyncGenerator[Update | None]:
        """Everything after the record with this number, and what comes later, until `end`. None: a sign of life.

        The blocks of the exchange in which that record is come again: the viewer may have only some of them. A viewer that
        is slow gets what has gathered meanwhile as one update; nothing is kept for it.
        """
        self.viewers += 1
        self.follow()
        place = next((i for i, record in enumerate(self.records) if record.seq > after), len(self.records))
        shown, status = self._first_block(place), -1
        try:
            while not self.is_ended:
                changed = self._changed
                if (update := self._since(place, shown, status)) is not None:
                    place, shown, status = len(self.records), len(self._answers.all), self._status_number
                    yield update
                try:
                    async with asyncio.timeout(self.beat):
                        await changed.wait()
                except TimeoutError:
                    yield None
        finally:
            self.viewers -= 1
            if not self.viewers and self._follower is not None:
                self._follower.cancel()
                self._follower = None

    def _since(self, place: int, shown: int, status: int) -> Update | None:
        """What is new for a viewer that has seen so many records and blocks, and the status of this number."""
        now = (len(self.records), len(self._answers.all), self._status_number)
        if now == (place, shown, status):
            return None
        key = (place, shown, status, *now)
        if self._latest is None or self._latest[0] != key:
            news = self.status if status != self._status_number else None
            self._latest = key, Update(self.records[place:], self._answers.all[shown:], news)
        return self._latest[1]

    def _first_block(self, place: int) -> int:
        """The first block of the exchange to which the record at this place belongs."""
        blocks = self._answers.all
        at = self._block_ends[place - 1] if place else 0
        exchange = blocks[at - 1]["exchange"] if at else 0
        while at and blocks[at - 1]["exchange"] == exchange:
            at -= 1
        return at

    # ---- a journal that another process writes ---------------------------------------------------------------------------

    def follow(self) -> None:
        """Follow the journal if someone watches and the session isn't open here; it may have been until now."""
        if self.viewers and not self.is_live and self._follower is None:
            self._follower = asyncio.get_running_loop().create_task(self._follow_journal())

    async def _follow_journal(self) -> None:
        looks = 0
        await asyncio.sleep(_LOOK)
        while not self.is_live:
            looks += 1
            news = self._tail.read()
            if news or looks % _LOOKS == 0:
                self.catch_up(news)
            await asyncio.sleep(_LOOK)
        self._follower = None

    def catch_up(self, news: Iterable[Record] = ()) -> None:
        """Take in what another process has written since the last look, and whether it has the session open.

        `news`: records that were read already.
        """
        if not self._path.exists():  # another process has deleted it: a viewer that comes back learns it
            self.end()
            return
        with contextlib.suppress(OSError):  # the same, a moment later
            holder = lock_holder(self._path) if is_locked(self._path) else ""
            self.extend([*news, *self._tail.read()])  # after the lock: a process that has let go has written everything
            self.set_status(live=False, holder=holder)

    def caught_up(self) -> None:
        """Continue with what is written from now on: the records of a conversation held here were all added."""
        self._tail.skip()
        self.follow()

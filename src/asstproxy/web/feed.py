"""The records of one session, for everyone who watches it: as the journal has them, then as they come."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from collections.abc import AsyncGenerator, Iterable
from pathlib import Path
from typing import Any

from ..core.codec import decode
from ..core.events import Record
from ..store.recovery import repaired
from ..store.store import Store
from .blocks import AnswerBlocks, Block, Render
from .costs import ExchangeCosts

__all__ = ["Feed", "Update"]

_FRAME = 0.03
"""Seconds for which changes are gathered before they are sent."""
_LOOK = 0.25
"""Seconds between two looks at a journal that another process may be writing."""


class Update:
    """What is new for one viewer: records, finished blocks, and the status if it has changed."""

    def __init__(self, records: list[Record], blocks: list[Block], status: dict[str, Any] | None) -> None:
        self.records, self.blocks, self.status = records, blocks, status


class Feed:
    """One session. While it isn't open in this server, its journal is followed, as long as someone watches.

    The journal joins chunks of an answer that come close together, so its records may be fewer than those that were watched.
    A viewer that comes back continues where it was only in the same feed, which `id` names.

    `status` is what the page must know in addition to the records: who has the session open, and which calls wait for a yes.
    """

    def __init__(self, store: Store, session: str, render: Render) -> None:
        self.session = session
        self.id = secrets.token_hex(8)
        self.records: list[Record] = []
        self.status: dict[str, Any] = {}
        self.costs = ExchangeCosts()
        self.viewers = 0
        self._path = store.path(session)
        self._answers = AnswerBlocks(render)
        self._block_ends: list[int] = []  # for each record: how many blocks there are after it
        self._size = 0  # bytes of the journal that were read
        self._changed: asyncio.Future[None] | None = None
        self._follower: asyncio.Task[None] | None = None
        self.is_live = False
        self.extend(repaired(store.journal(session).records))
        self._size = self._path.stat().st_size if self._path.exists() else 0

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
            self._wake()

    def _wake(self) -> None:
        if self._changed is not None and not self._changed.done():
            self._changed.set_result(None)

    # ---- what goes out -------------------------------------------------------------------------------------------------

    @property
    def blocks(self) -> list[Block]:
        """All finished blocks."""
        return self._answers.all

    async def watch(self, after: int) -> AsyncGenerator[Update]:
        """Everything after the record with this number, and what comes later, without an end.

        The blocks of the exchange in which that record is come again: the viewer may have only some of them.
        """
        self.viewers += 1
        self._follow()
        place = next((i for i, record in enumerate(self.records) if record.seq > after), len(self.records))
        shown = self._first_block(place)
        status: dict[str, Any] | None = None
        try:
            while True:
                changed = self._changed
                if changed is None or changed.done():
                    self._changed = changed = asyncio.get_running_loop().create_future()
                records, blocks = self.records[place:], self._answers.all[shown:]
                place, shown = len(self.records), len(self._answers.all)
                news = self.status if self.status != status else None
                status = self.status
                if records or blocks or news is not None:
                    yield Update(records, blocks, news)
                    await asyncio.sleep(_FRAME)
                await changed
        finally:
            self.viewers -= 1
            if not self.viewers and self._follower is not None:
                self._follower.cancel()
                self._follower = None

    def _first_block(self, place: int) -> int:
        """The first block of the exchange to which the record at this place belongs."""
        blocks = self._answers.all
        at = self._block_ends[place - 1] if place else 0
        exchange = blocks[at - 1]["exchange"] if at else 0
        while at and blocks[at - 1]["exchange"] == exchange:
            at -= 1
        return at

    # ---- a journal that another process writes ---------------------------------------------------------------------------

    def _follow(self) -> None:
        if self._follower is None:
            self._follower = asyncio.get_running_loop().create_task(self._follow_journal())

    async def _follow_journal(self) -> None:
        while True:
            await asyncio.sleep(_LOOK)
            if not self.is_live:
                self.catch_up()

    def catch_up(self) -> None:
        """Take in what another process has written since the last look."""
        with contextlib.suppress(OSError):
            self.extend(self._new_records())

    def _new_records(self) -> list[Record]:
        """The whole lines that were added since the last look."""
        if _size(self._path) <= self._size:
            return []
        with self._path.open("rb") as file:
            file.seek(self._size)
            data = file.read()
        whole = data.rfind(b"\n") + 1
        self._size += whole
        found = []
        for line in data[:whole].splitlines():
            with contextlib.suppress(ValueError, RecursionError):  # a damaged line: the store reports it
                found.append(decode(line))
        return found

    def caught_up(self) -> None:
        """Continue with what is written from now on: the records of a conversation held here were all added."""
        self._size = _size(self._path)


def _size(path: Path) -> int:
    return path.stat().st_size

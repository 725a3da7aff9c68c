"""The pace of all workers together: the pause after a 429, and the requests and tokens a minute, by the database's clock."""

from __future__ import annotations

import asyncio
from typing import cast

from .. import pace as own
from ..pace import Pace, Pass
from .claim import CLAIM, lost
from .database import Database

__all__ = ["SharedPace"]


LOOK = 1.0
"""Seconds after which one that waits looks again: a request that is over may have used less than it counted for."""


class SharedPace(Pace):
    """Lets a request pass when it may start on this machine, and then when the database says that it may start at all.

    The limits for a minute are kept there; `minute_tokens` is the one for tokens, if the batch has one.
    """

    def __init__(
        self, database: Database, provider: str, most: int, start: int, minute_tokens: int | None = None
    ) -> None:
        super().__init__(most, start)
        self._database, self._provider, self._minute_tokens = database, provider, minute_tokens
        self._turn = asyncio.Lock()  # one asks for all that wait
        self._requests: dict[Pass, int] = {}

    async def enter(self, tokens: int = 0) -> Pass:
        """Wait until a request may start.

        Raises:
            AssistantError: the item has settled meanwhile, or is another worker's.
        """
        given = await super().enter(tokens)
        try:
            async with self._turn:
                request = await self._admitted(given)
        except BaseException:
            super().leave(given, 0)
            raise
        if request is not None:
            self._requests[given] = request
        return given

    async def _admitted(self, given: Pass) -> int | None:
        claim = CLAIM.get()
        while True:
            tokens = await self._counted_by_all(given, claim.batch)
            row = await self._database.row(
                "SELECT * FROM admit(%s, %s, %s, %s, %s, %s, %s, %s)",
                claim.batch,
                claim.n,
                claim.ticket,
                claim.attempt,
                claim.is_fetch,
                self._provider,
                tokens,
                own.MINUTE,
            )
            wait, request = cast("tuple[float, int | None]", row or (-1.0, None))
            if wait < 0:
                raise lost(claim)
            if wait == 0:
                given.tokens = tokens
                return request
            await asyncio.sleep(min(wait, LOOK))

    async def _counted_by_all(self, given: Pass, batch: int) -> int:
        """The tokens that count for a request. Before the first answer on this machine, they are those of the largest one that
        another worker has had within the minute, or else all of the minute's.
        """
        most = self._minute_tokens
        if most is None or self._knows_answers:
            return self._counted(given.sent)
        given.is_guess = True
        row = await self._database.row(
            "SELECT max(tokens) FROM request WHERE batch = %s AND tokens > 0 AND tokens < %s", batch, most
        )
        return max(given.sent, most if row is None or row[0] is None else int(row[0]))

    def leave(self, given: Pass, tokens: int | None = None) -> None:
        """A request is over; `tokens` are those that it used, if that is known."""
        request, tokens = self._requests.pop(given, None), given.used(tokens)
        if request is not None and tokens is not None and tokens != given.tokens:
            self._database.later(self._database.change("UPDATE request SET tokens = %s WHERE id = %s", tokens, request))
        super().leave(given, tokens)

    def refused(self, given: Pass, retry_after: float | None) -> bool:
        """A request was refused: nobody asks this provider before that time (in seconds), on no machine."""
        again = super().refused(given, retry_after)
        if self.pause:
            self._database.later(
                self._database.change(
                    "INSERT INTO throttle AS old VALUES (%s, clock_timestamp() + %s * interval '1 second')"
                    " ON CONFLICT (provider) DO UPDATE SET not_before = greatest(old.not_before, excluded.not_before)",
                    self._provider,
                    self.pause,
                )
            )
        return again

"""A server that knows when it sent which letter: what a failure costs of the text that was received."""

from __future__ import annotations

import re
import time
from collections.abc import AsyncIterator

from servers import ResponsesServer, Say
from servers.wire import Reply, Request

__all__ = ["SendingServer"]


class SendingServer(ResponsesServer):
    """A server that notes when it sent which letter of an answer."""

    def __init__(self, pace: float = 0.004) -> None:
        super().__init__(lambda _: [Say("steady " * 2000, pace=pace)])
        self.sent_at: list[float] = []

    async def answer(self, request: Request) -> Reply:
        return (await super().answer(request)).through(self._noting)

    async def _noting(self, pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        async for piece in pieces:
            yield piece
            for delta in re.findall(
                rb'"type":"response.output_text.delta".*?"delta":"([^"]*)"|"delta":"([^"]*)"', piece
            ):
                self.sent_at += [time.time()] * len(delta[0] or delta[1])

"""What a record costs on its way through mediator, hub, journal and view: `records.py COUNT plain|live FILE`.

One exchange of so many pieces of text, from an assistant that never waits, kept in a session as `asst` keeps it. Writes one
JSON line into the file for each tenth of them: records, seconds of CPU so far, MiB of memory now.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sys
import time
from collections.abc import AsyncGenerator, Sequence
from pathlib import Path

from asstproxy import Conversation
from asstproxy.cli.render.plain import PlainView
from asstproxy.core.events import AssistantMessageRetrieved, ChunkReceived, Event, Started, ToolResult
from asstproxy.core.turn import Turn
from asstproxy.store.store import Store
from asstproxy.user import UserProxy

WORDS = ("one", " two", " three", " **four**,", " five.\n", "\n- six", " seven", "\n\n", "eight", " nine")


class Talker:
    """Says so many pieces and tells how far it is."""

    provider, model = "bench", "bench"

    def __init__(self, count: int) -> None:
        self._count = count

    async def start_processing(self, turn: Turn) -> AsyncGenerator[Event]:  # noqa: ARG002 - the protocol's signature
        """Talk."""
        yield Started(self.provider, self.model)
        step = max(1, self._count // 10)
        for number in range(1, self._count + 1):
            yield ChunkReceived(WORDS[number % len(WORDS)])
            if number % step == 0:
                report(number)
        yield AssistantMessageRetrieved("".join(WORDS[n % len(WORDS)] for n in range(1, self._count + 1)))

    async def submit_tool_outputs(self, results: Sequence[ToolResult]) -> AsyncGenerator[Event]:  # noqa: ARG002
        """Nobody asked for tools."""
        raise NotImplementedError
        yield

    async def aclose(self) -> None:
        """Nothing to close."""


def report(records: int) -> None:
    """One line about now."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    memory = pages * os.sysconf("SC_PAGE_SIZE") / 2**20
    with Path(sys.argv[3]).open("a") as file:
        file.write(json.dumps([records, time.process_time() - BEGAN, memory]) + "\n")


async def main(count: int, view: str) -> None:
    """Hold the exchange; the view writes to standard output."""
    session = Store().create()
    conversation = Conversation(Talker(count), UserProxy(), past=session.past)
    conversation.subscribe(session, essential=True)
    async with contextlib.AsyncExitStack() as stack:
        if view == "live":
            from asstproxy.cli.render.live import LiveView
            from asstproxy.cli.render.theme import console

            conversation.subscribe(await stack.enter_async_context(LiveView(console())))
        else:
            conversation.subscribe(PlainView(sys.stdout))
        report(0)
        await conversation.exchange("Go on.")
    session.close()
    report(count)


if __name__ == "__main__":
    BEGAN = time.process_time()
    asyncio.run(main(int(sys.argv[1]), sys.argv[2]))

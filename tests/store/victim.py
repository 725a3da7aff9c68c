"""A process that holds streamed, tool-calling exchanges until it is killed; it tells on stdout what was published."""

from __future__ import annotations

import asyncio
import os
import sys

from asstproxy.core.conversation import Conversation
from asstproxy.core.events import ActionRequired, ChunkReceived, Record, ToolCall
from asstproxy.providers.scripted import Part, ScriptedProvider
from asstproxy.store.store import Store
from asstproxy.tools import Tool, as_tool
from asstproxy.user import UserProxy


def slow(text: str) -> str:
    """Upper case, slowly."""
    import time

    time.sleep(0.02)
    return text.upper()


def _told(record: Record) -> None:
    os.write(1, f"{record.seq} {record.event.type} {record.at}\n".encode())


def _replies(number: int) -> list[list[Part]]:
    pieces: list[Part] = [part for i in range(30) for part in (ChunkReceived(f"piece {i} "), 0.004)]
    calls = ActionRequired(tuple(ToolCall(f"c{number}-{i}", "slow", '{"text": "x"}') for i in range(2)), "wait")
    from asstproxy.core.events import AssistantMessageRetrieved

    return [
        [0.01, *pieces[:20], calls],
        [*pieces, AssistantMessageRetrieved("".join(f"piece {i} " for i in range(30)))],
    ]


async def main(session_id: str) -> None:
    """Exchanges, one after the other, for ever."""
    store = Store()
    session = store.open(session_id) if session_id else store.create()
    os.write(1, f"session {session.id} -\n".encode())
    tool: Tool = as_tool(slow)
    from dataclasses import replace

    user = UserProxy([replace(tool, approval="never")])
    conversation = Conversation(
        ScriptedProvider(*(reply for number in range(1000) for reply in _replies(number))), user, past=session.past
    )
    conversation.subscribe(session, essential=True)
    conversation.subscribe(_told)
    while True:
        await conversation.exchange("go")


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1] if len(sys.argv) > 1 else ""))

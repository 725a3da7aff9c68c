"""Compaction: an exchange in which the assistant sums up its history, and is sent that summary from then on."""

from __future__ import annotations

from .conversation import Conversation
from .errors import UsageError
from .events import AssistantMessageRetrieved, HistoryCompacted, Record
from .history import SUMMARY_REQUEST

__all__ = ["compact"]


async def compact(conversation: Conversation, *, timeout: float | None = None) -> Record:
    """Have the history summed up; returns the record that settled the exchange. `timeout` is in seconds.

    Unless it completed with a text, the exchange is taken back, and the history is as it was. The journal keeps everything.

    Raises:
        UsageError: the history is empty or a summary already, or an exchange is in progress.
        asyncio.CancelledError: the exchange was cancelled; its record is published, and it is taken back.
        OSError: the journal cannot be written.
    """
    history = conversation.history
    turns = len(history.exchanges)
    if not turns:
        raise UsageError("Nothing to compact: the assistant sees no turn.")
    if history.is_summary:
        raise UsageError("Nothing to compact: the assistant sees the summary alone.")
    settled: Record | None = None
    try:
        settled = await conversation.exchange(SUMMARY_REQUEST, timeout=timeout, compacts=True)
    finally:
        event = settled.event if settled is not None else None
        if isinstance(event, AssistantMessageRetrieved) and event.text.strip():
            conversation.publish(HistoryCompacted(event.text, turns))
        elif len(history.exchanges) > turns:
            conversation.cut_history(turns)
    return settled

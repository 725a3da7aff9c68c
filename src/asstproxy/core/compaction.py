"""Compaction: an exchange in which the assistant sums up what is old in its history, and is sent that summary from then on."""

from __future__ import annotations

from .conversation import Conversation
from .errors import UsageError
from .events import AssistantMessageRetrieved, HistoryCompacted, Record
from .history import SUMMARY_REQUEST, AssistantMessage, History, Item, ToolOutputs, UserMessage

__all__ = ["KEPT", "compact", "old_turns"]

KEPT = 2
"""The last exchanges, which stay as they are."""


def old_turns(history: History) -> int:
    """How many exchanges a summary would take the place of: all but the last two.

    One of these is summed up, too, if they are more than half of the text: the context would stay full.

    Raises:
        UsageError: there is nothing to sum up.
    """
    sizes = [sum(map(_size, exchange)) for exchange in history.exchanges]
    if not sizes:
        raise UsageError("Nothing to compact: the assistant sees no turn.")
    kept = min(KEPT, len(sizes) - 1)
    while kept and 2 * sum(sizes[-kept:]) > sum(sizes):
        kept -= 1
    if history.has_summary and len(sizes) - kept == 1:
        rest = f", and the last {'turn' if kept == 1 else f'{kept} turns'}" if kept else " alone"
        raise UsageError(f"Nothing to compact: the assistant sees the summary{rest}.")
    return len(sizes) - kept


def _size(item: Item) -> int:
    match item:
        case UserMessage(text=text):
            return len(text)
        case AssistantMessage(text=text, calls=calls):
            return len(text) + sum(len(call.arguments) for call in calls)
        case ToolOutputs(results=results):
            return sum(len(result.output or result.error or "") for result in results)


async def compact(conversation: Conversation, *, timeout: float | None = None) -> Record:
    """Have what is old summed up (see `old_turns`); returns the record that settled the exchange. `timeout` is in seconds.

    The last exchanges stay as they are: the assistant is sent the summary, these, and what follows. Unless the exchange completed
    with a text, it is taken back, and the history is as it was. The journal keeps everything.

    Raises:
        UsageError: there is nothing to sum up, or an exchange is in progress.
        asyncio.CancelledError: the exchange was cancelled; its record is published, and it is taken back.
        OSError: the journal cannot be written.
    """
    history = conversation.history
    turns, old = len(history.exchanges), old_turns(history)
    settled: Record | None = None
    try:
        settled = await conversation.exchange(SUMMARY_REQUEST, timeout=timeout, compacts=old)
    finally:
        event = settled.event if settled is not None else None
        if isinstance(event, AssistantMessageRetrieved) and event.text.strip():
            conversation.publish(HistoryCompacted(event.text, old, turns - old))
        elif len(history.exchanges) > turns:
            conversation.cut_history(turns)
    return settled

"""`/compact`: the assistant sums up the older turns and is sent the summary in their place. Offered when the context fills."""

from __future__ import annotations

import asyncio

from rich.text import Text

from ...core.compaction import compact, old_turns
from ...core.errors import UsageError
from ...core.events import Cancelled, ErrorOccurred, Record
from ...store.transcript import ExchangeEntry
from ...text.figures import count_of, duration, short_count
from ...text.safe_text import clean_line
from ...text.status_text import ending
from ..context_meter import OFFER_FROM, ContextUse, context_use, context_window, window_of
from ..exchange_cost import exchange_cost
from ..hints import hint_after
from .chat_protocol import ChatCommands
from .waiting import show_while, stopping

__all__ = ["CompactOffer", "compact_command", "compacted_line"]


async def compact_command(chat: ChatCommands, argument: str) -> None:
    """Sum up all but the last turns, or show the last summary.

    Raises:
        UsageError: there is nothing to sum up, or no summary to show.
    """
    if argument == "show":
        _show(chat)
        return
    if argument:
        raise UsageError(f'/compact takes nothing but "show", not "{clean_line(argument)}".')
    from ...tools import deny_all

    conversation = chat.opened.conversation
    turns, old = len(conversation.history.exchanges), old_turns(conversation.history)
    words = f"Compacting {count_of(old, 'turn')}"
    task = asyncio.create_task(compact(conversation, timeout=chat.opened.options.timeout))
    user, approve = chat.opened.user, chat.opened.user.approve
    user.approve = deny_all
    try:
        with stopping(chat, conversation.cancel):
            await show_while(chat, task, lambda seconds: f"{words} · {duration(seconds)} · Ctrl-C stops")
    finally:
        user.approve = approve
    record = None if task.cancelled() else task.result()
    last = chat.transcript.exchanges[-1]
    if last.summarises:
        chat.say(compacted_line(last, turns - old))
    else:
        _say_why_not(chat, record)


def _say_why_not(chat: ChatCommands, record: Record | None) -> None:
    event = record.event if record is not None else Cancelled()
    end = ending(event)
    if isinstance(event, ErrorOccurred):
        chat.console.print(Text.assemble(("Error", "asst.error"), f": {clean_line(event.message)}"))
    elif end is not None and not isinstance(event, Cancelled):
        chat.say(clean_line(end.message))
    chat.say("Nothing was compacted. The assistant still sees every turn.")
    if isinstance(event, ErrorOccurred) and (hint := hint_after(event, chat=True)) and "/retry" not in hint:
        chat.say(f"  {hint}")


def compacted_line(entry: ExchangeEntry, kept: int) -> str:
    """One line about a summary: `Compacted 41 turns, kept the last 2: 870k → 3k tokens · $0.21 · /compact show`."""
    usage = entry.usage
    what = f", kept the last {'one' if kept == 1 else kept}" if kept else " into a summary"
    tokens = f": {short_count(usage.input)} → {short_count(usage.output)} tokens" if usage.output else ""
    parts = [
        f"Compacted {count_of(entry.summarises, 'turn')}{what}{tokens}",
        str(exchange_cost(entry)),
        "/compact show",
    ]
    return " · ".join(filter(None, parts))


def _show(chat: ChatCommands) -> None:
    entry = next((one for one in reversed(chat.transcript.exchanges) if one.summarises), None)
    if entry is None:
        raise UsageError("No summary yet.", "To make one: /compact")
    chat.console.print()
    chat.console.print(Text(f"Summary of {count_of(entry.summarises, 'turn')}", style="bold"))
    from ..render.markdown_stream import MarkdownStream

    stream = MarkdownStream()
    stream.feed(entry.answer)
    for block in stream.finish():
        chat.console.print(block)


class CompactOffer:
    """Says once that the chat fills the model's context, as soon as it does; again after it had become smaller."""

    def __init__(self) -> None:
        self.use = ContextUse(0)
        self._windows: dict[tuple[str, str, str], int] = {}
        self._offered = False

    async def after_exchange(self, chat: ChatCommands) -> None:
        """Look how full the context is (`use`), and say so if `/compact` would help."""
        conversation, profile = chat.opened.conversation, chat.opened.profile
        model = conversation.configured.model or conversation.assistant.model
        key = (profile.name, profile.provider, model)
        if key not in self._windows:
            self._windows[key] = await asyncio.to_thread(context_window, *key)
        window = window_of(conversation.assistant) or self._windows[key]
        self.use = context_use(chat.transcript.exchanges, conversation.history, window)
        if self.use.part < OFFER_FROM:
            self._offered = False
        elif not self._offered:
            self._offered = True
            chat.console.print(
                Text(
                    f"This chat fills {self.use.part:.0%} of {clean_line(model)}'s context. "
                    "/compact summarises older turns.",
                    style="asst.notice",
                )
            )

"""`/compare`: the last message, asked of another profile too, as it is: with its own model, instructions and tools.

Both answers are kept, the other one in a copy of the session.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

from prompt_toolkit import PromptSession

from ...config.profiles import load_config
from ...core.conversation import Conversation
from ...core.errors import UsageError
from ...core.events import Cancelled, Decision, ErrorOccurred, Record
from ...core.roles import AssistantProxy
from ...store.fork import fork
from ...store.session import Session
from ...store.short_ids import short_ids
from ...store.store import Store
from ...store.transcript import ExchangeEntry, TranscriptBuilder, last_sent
from ...store.ulid import time_of
from ...text.safe_text import clean_line
from ...tools import Question
from ...user import UserProxy
from ..assistant_setup import connect_assistant
from ..conversation_setup import configure_as_asked
from ..exchange_cost import closing_line
from ..offered_tools import OfferedTools
from ..options import ConversationOptions
from ..render.side_by_side import ShownAnswer, comparison
from ..render.theme import is_plain
from .chat_protocol import ChatCommands
from .session_commands import switch_to, switched
from .waiting import WaitingLine, stopping

__all__ = ["compare_command"]


@dataclass(frozen=True, slots=True)
class _Other:
    """The copy of the session, and the conversation with the other assistant in it."""

    session: Session
    conversation: Conversation
    fold: TranscriptBuilder

    @property
    def entry(self) -> ExchangeEntry | None:
        exchanges = self.fold.transcript.exchanges
        return exchanges[-1] if exchanges else None


async def compare_command(chat: ChatCommands, name: str) -> None:
    """Ask another profile, show both answers, and continue with the one that the person chooses.

    Raises:
        UsageError: there is nothing to compare, or the chat isn't saved.
        AsstError: the profile, or its key, is missing.
    """
    entry, at = _last_turn(chat)
    if not name:
        names = ", ".join(one for one in load_config().names if one != chat.opened.profile.name)
        raise UsageError("/compare needs a profile.", f"For example: /compare {names.split(', ')[0]} (or {names})")
    line = WaitingLine(chat, lambda seconds: f"Asking {clean_line(name)} · {seconds:.0f} s · Ctrl-C stops")
    async with _other(chat, name, at, line, entry) as other:
        task = asyncio.create_task(
            other.conversation.exchange(entry.user, attachments=entry.attachments, timeout=chat.opened.options.timeout)
        )
        with stopping(chat, other.conversation.cancel):
            await line.wait(task)
        answered = other.entry
        if task.cancelled() or answered is None or not answered.answer:
            _say_why_not(chat, name, None if task.cancelled() else task.result())
            return
        mine = _shown(chat.opened.conversation.configured.profile, entry)
        for part in comparison([mine, _shown(name, answered)], chat.console.width, plain=is_plain(chat.console)):
            chat.console.print(part)
        short = short_ids(Store(), [other.session.id])[other.session.id]
        default = "1" if entry.answer else "2"
        chat.say(f"Continue with 1 or 2? Enter: {default}. The other is saved as fork {short}.")
        wants_other = await _choice(chat, default) == "2"
    if wants_other:
        options = switched(chat.opened.options)
        configured = other.conversation.configured
        switch_to(chat, replace(options, session=other.session.id, profile=name, model=configured.model))


def _last_turn(chat: ChatCommands) -> tuple[ExchangeEntry, int]:
    """The last turn that the assistant sees, and how many turns of the session are before it."""
    entry = last_sent(chat.transcript)
    if entry is None or entry.summarises or not chat.opened.conversation.history.exchanges:
        raise UsageError("Nothing to compare: the assistant sees no turn.", "Ask something first.")
    if chat.opened.session is None:
        raise UsageError("/compare keeps both answers, and this chat isn't saved.", "Start it without --no-save.")
    exchanges = chat.transcript.exchanges
    return entry, next(number for number, one in enumerate(exchanges) if one is entry)


@asynccontextmanager
async def _other(
    chat: ChatCommands, name: str, at: int, line: WaitingLine, entry: ExchangeEntry
) -> AsyncIterator[_Other]:
    """A conversation of the other profile in a copy of the session before its last turn; discarded if nothing was answered."""
    opened, store = chat.opened, Store()
    assert opened.session is not None  # noqa: S101 - `_last_turn` looked
    profile = load_config().profile(name)

    async def approve(questions: Sequence[Question]) -> Sequence[Decision]:
        assert opened.user.approve is not None  # noqa: S101 - the chat has one
        with line.paused():
            return await opened.user.approve(questions)

    user = UserProxy(approve=approve)
    session: Session | None = None
    assistant: AssistantProxy | None = None
    try:
        await OfferedTools(user).offer(profile, opened.options)
        own = ConversationOptions(system=profile.instructions)
        configured = configure_as_asked(profile, own, opened.conversation.configured, tuple(user.tools))
        assistant = connect_assistant(profile, configured, opened.options, opened.budget)
        session = fork(store, opened.session.id, at, began=time_of(opened.session.id) - 1)
        opened.session.files.copy_to(session.files, entry.attachments)
        conversation = Conversation(
            assistant,
            user,
            configured=configured,
            mediator=opened.options.mediator,
            options=opened.conversation.options,
            past=session.past,
            files=session.files,
        )
    except BaseException:
        if assistant is not None:
            await assistant.aclose()
        await user.clean_up()
        if session is not None:
            session.discard()
        raise
    fold = TranscriptBuilder()
    for record in session.past:
        fold.feed(record)
    other, began = _Other(session, conversation, fold), len(fold.transcript.exchanges)
    conversation.subscribe(session, essential=True)
    conversation.subscribe(fold.feed)
    try:
        yield other
    finally:
        await conversation.aclose()
        if len(fold.transcript.exchanges) > began and other.entry is not None and other.entry.answer:
            session.close()
        else:
            session.discard()


def _shown(profile: str, entry: ExchangeEntry) -> ShownAnswer:
    error = clean_line(entry.reason) if entry.state == "error" else ""
    return ShownAnswer(clean_line(profile), clean_line(entry.model), entry.answer, closing_line(entry), error)


def _say_why_not(chat: ChatCommands, name: str, record: Record | None) -> None:
    event = record.event if record is not None else Cancelled()
    if isinstance(event, ErrorOccurred):
        chat.warn(f"{clean_line(name)} can't answer: {clean_line(event.message)}")
        if event.hint:
            chat.say(f"  {clean_line(event.hint)}")
    else:
        chat.say(f"Stopped. Nothing of {clean_line(name)} was saved.")


async def _choice(chat: ChatCommands, default: str) -> str:
    """`1` or `2`; Enter means `default`, and whatever ends the question 1."""
    session: PromptSession[str] = PromptSession()
    while True:
        try:
            typed = (await session.prompt_async("› ", handle_sigint=False)).strip() or default
        except (EOFError, KeyboardInterrupt):
            return "1"
        if typed in ("1", "2"):
            return typed
        chat.say(f"Type 1 or 2, or press Enter for {default}.")

"""Titles by the model: a profile with `title = "model"` has it name the session after the first turn."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from ...core.conversation import Conversation
from ...core.errors import AsstError
from ...core.events import AssistantMessageRetrieved, Configured, Record, Titled, Usage
from ...core.script import State
from ...store.transcript import TITLE, ExchangeEntry
from ...text.safe_text import clean_label
from ...user import UserProxy
from ..assistant_setup import connect_assistant
from .chat_protocol import ChatCommands

__all__ = ["Titler"]

_PROMPT = """Give the conversation below a title of at most six words, in its language. Answer with the title only.

Question: {question}

Answer: {answer}"""
_QUOTED = 2000
"""Characters of the question and of the answer that the model reads."""
_PATIENCE = 30.0
"""Seconds for the answer. A title that comes too late is not worth waiting for: the first words are one."""


class Titler:
    """Asks for a title while the user reads the first answer. Its tokens count as those of the first turn."""

    def __init__(self, chat: ChatCommands) -> None:
        self._chat = chat
        self._is_new = not chat.transcript.exchanges
        self._words = ""
        self._usage: list[Usage] = []
        self._task: asyncio.Task[str] | None = None

    def follow(self) -> None:
        """Called at each prompt: the first turn may be over, or a title may have come."""
        self._take()
        opened, turns = self._chat.opened, self._chat.transcript.exchanges
        if not self._is_new or opened.session is None or opened.profile.title != "model" or not turns:
            return
        self._is_new = False
        if turns[-1].state is State.COMPLETED:
            self._words = opened.session.title
            self._task = asyncio.create_task(self._ask(turns[-1]))

    async def close(self) -> None:
        """Take the title if it has come; wait no longer."""
        self._take()
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task})

    def _take(self) -> None:
        if self._task is None or not self._task.done():
            return
        task, self._task = self._task, None
        session, conversation = self._chat.opened.session, self._chat.opened.conversation
        for usage in self._usage:
            conversation.publish(usage)
        title = "" if task.cancelled() or task.exception() is not None else task.result()
        if title and session is not None and session.title == self._words:  # unless the user was faster, with /rename
            conversation.publish(Titled(title))

    async def _ask(self, turn: ExchangeEntry) -> str:
        opened = self._chat.opened
        before = opened.conversation.configured
        configured = Configured(
            profile=before.profile, provider=before.provider, model=before.model, settings=before.settings
        )
        try:
            assistant = connect_assistant(opened.profile, configured, opened.options, opened.budget)
            conversation = Conversation(assistant, UserProxy(), configured=configured)
        except AsstError:
            return ""
        conversation.subscribe(self._count)
        question, answer = clean_label(turn.user, _QUOTED), clean_label(turn.answer, _QUOTED)
        try:
            with suppress(AsstError, OSError):
                settled = await conversation.exchange(
                    _PROMPT.format(question=question, answer=answer), timeout=_PATIENCE
                )
                if isinstance(settled.event, AssistantMessageRetrieved):
                    return _title(settled.event.text)
            return ""
        finally:
            await conversation.aclose()

    def _count(self, record: Record) -> None:
        if isinstance(record.event, Usage):
            self._usage.append(record.event)


def _title(answer: str) -> str:
    """The title in an answer: its first line, without quotation marks and Markdown around it."""
    first = next((line for line in answer.splitlines() if line.strip()), "")
    return clean_label(first.strip().removeprefix("Title:").strip(" #*_\"'`“”„«»."), TITLE)

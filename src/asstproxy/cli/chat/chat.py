"""`asst chat`: prompt, exchange, prompt; every step of the script is drawn while it is taken."""

from __future__ import annotations

import asyncio
import contextlib
import sys
import time
from collections.abc import Coroutine, Iterator, Sequence
from typing import Any

from prompt_toolkit import PromptSession
from prompt_toolkit.formatted_text import HTML, FormattedText
from prompt_toolkit.history import FileHistory, History, InMemoryHistory
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from rich.text import Text

from ...config.paths import create_private, data_dir, private_dir
from ...core.codec import encode
from ...core.errors import AsstError, UsageError
from ...core.events import Cancelled, Configured, ErrorOccurred, Record, SetUserMessage
from ...core.resume import last_exchange
from ...store.transcript import Transcript, TranscriptBuilder
from ...tools import approve_all
from ..approval import PersonApprover
from ..conversation_setup import ConversationOptions, OpenConversation, open_conversation
from ..error_output import print_error
from ..event_loop import Signals
from ..exit_codes import TERMINATED
from ..hints import hint_after
from ..render.conversation import show
from ..render.live import LiveView
from ..render.safe_text import clean, clean_line
from ..render.theme import console
from ..terminal import quiet_keyboard
from .slash_commands import SlashCompleter, run_command

__all__ = ["Chat", "chat"]

LEAVE_WITHIN = 2.0
"""Seconds in which a second Ctrl-C at the prompt leaves."""


async def chat(wanted: ConversationOptions, signals: Signals) -> int:
    """Hold a conversation in the terminal; the exit code.

    Raises:
        UsageError: there is no terminal.
    """
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise UsageError("asst chat needs a terminal.", "In a script or a pipe: asst ask")
    talk = Chat(wanted, signals)
    async with open_conversation(wanted, approve_all if wanted.yes else talk.approver) as conversation:
        with quiet_keyboard():
            return await talk.run(conversation)


class Chat:
    """The conversation on the screen. Prompt and live view are never there at the same time."""

    open_conversation: OpenConversation

    def __init__(self, wanted: ConversationOptions, signals: Signals) -> None:
        self.console = console()
        self.leaving = False
        self.show_events = False
        self.last_message = ""
        self._wanted, self._signals = wanted, signals
        self._view: LiveView | None = None
        self._fold = TranscriptBuilder()
        self._named: tuple[Record, ...] = ()  # the record that says who answers, for a view that was not there then
        self.approver = PersonApprover(self.console, self._paused)

    @property
    def transcript(self) -> Transcript:
        """The session so far."""
        return self._fold.transcript

    async def run(self, conversation: OpenConversation) -> int:
        """Prompt and answer until the person leaves."""
        self.opened = conversation
        for record in conversation.past:
            self._keep(record)
        self._greet()
        conversation.conversation.subscribe(self._keep)
        if conversation.conversation.is_running:
            await self._attach()
        prompt: PromptSession[str] = PromptSession(
            history=_history(keep=not self._wanted.no_save),
            completer=SlashCompleter(),
            complete_while_typing=True,
            key_bindings=_keys(),
            multiline=True,
            prompt_continuation=FormattedText([("class:prompt", "  ")]),
        )
        pressed = -LEAVE_WITHIN
        while not self.leaving:
            try:
                line = (await prompt.prompt_async(HTML("<b>›</b> "), handle_sigint=False)).strip()
            except EOFError:
                break
            except KeyboardInterrupt:
                if time.monotonic() - pressed < LEAVE_WITHIN:
                    break
                pressed = time.monotonic()
                self.say("Ctrl-C once more, or Ctrl-D, leaves.")
                continue
            if line:
                await self._answer(line)
            if self._signals.code == TERMINATED:
                return TERMINATED
        self._farewell()
        return 0

    async def _answer(self, line: str) -> None:
        try:
            if line.startswith("/"):
                await run_command(self, line)
            else:
                await self.exchange(line)
        except (AsstError, OSError) as error:
            print_error(error, chat=True)

    async def _attach(self) -> None:
        """See the exchange that another process left behind at the provider to its end."""
        self.say("The last exchange went on at the provider; this is the rest of it.")
        try:
            await self._watch(self.opened.conversation.attach(), last_exchange(self.opened.past))
        except (AsstError, OSError) as error:
            print_error(error, chat=True)

    async def exchange(self, text: str) -> None:
        """Hold one exchange; Ctrl-C cancels it and nothing else."""
        await self._watch(self.opened.conversation.exchange(text, timeout=self._wanted.timeout))

    async def _watch(self, exchange: Coroutine[Any, Any, Record], heard: Sequence[Record] = ()) -> None:
        conversation = self.opened.conversation
        task = asyncio.create_task(exchange)
        self._signals.on_signal = lambda terminated: conversation.cancel(
            Cancelled("terminated" if terminated else "user")
        )
        try:
            async with LiveView(self.console, echo=bool(heard)) as self._view:
                for record in (*self._named, *heard):
                    self._view(record)
                leave = conversation.subscribe(self._view)
                await asyncio.wait({task})
                leave()
        finally:
            self._signals.on_signal, self._view = None, None
        if not task.cancelled() and (hint := hint_after(task.result().event, chat=True)):  # raises what the view missed
            self.say(hint)

    @contextlib.contextmanager
    def _paused(self) -> Iterator[None]:
        if self._view is None:
            yield
            return
        with self._view.paused():
            yield

    def _keep(self, record: Record) -> None:
        self._fold.feed(record)
        if isinstance(record.event, Configured):
            self._named = (record,)
        if isinstance(record.event, SetUserMessage):
            self.last_message = record.event.text
        if self.show_events and self._view is not None:
            self._view.print(Text(encode(record).decode(), style="dim"))

    def say(self, line: str) -> None:
        """One line to the person, which is no part of the conversation."""
        self.console.print(Text(clean(line), style="dim"))

    def _greet(self) -> None:
        self.console.print(Text.assemble(("asst", "bold"), " · ", (clean_line(self.opened.who), "asst.assistant")))
        if self.transcript.exchanges:
            past = self.opened.past
            running = last_exchange(past) if self.opened.conversation.is_running else ()
            show(past[: len(past) - len(running)], self.console)
            last = past[-1].event
            if isinstance(last, ErrorOccurred) and last.kind == "interrupted":
                self.say(f"The last exchange was interrupted. {hint_after(last, chat=True)}")
        else:
            self.say("/help lists the commands; Esc Enter makes a new line; Ctrl-D leaves.")

    def _farewell(self) -> None:
        session = self.opened.session
        if session is not None and self.transcript.exchanges:
            self.say(f"This session goes on with: asst chat --session {session.id}")


def _history(*, keep: bool) -> History:
    if not keep:
        return InMemoryHistory()
    return FileHistory(str(create_private(private_dir(data_dir()) / "chat-history")))


def _keys() -> KeyBindings:
    keys = KeyBindings()

    @keys.add("enter")
    def _(event: KeyPressEvent) -> None:
        event.current_buffer.validate_and_handle()

    @keys.add("escape", "enter")
    def _(event: KeyPressEvent) -> None:
        event.current_buffer.insert_text("\n")

    return keys

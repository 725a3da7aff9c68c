"""`asst chat`: prompt, exchange, prompt. Every step of the script is drawn while it is taken."""

from __future__ import annotations

import asyncio
import contextlib
import sys
import time
from collections.abc import Coroutine, Iterator, Sequence
from html import escape
from typing import Any

from prompt_toolkit import PromptSession
from prompt_toolkit.completion import merge_completers
from prompt_toolkit.formatted_text import HTML, FormattedText
from prompt_toolkit.history import FileHistory, History, InMemoryHistory
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from prompt_toolkit.keys import Keys
from rich.text import Text

from ...config.paths import create_private, data_dir, private_dir
from ...core.attachment import AttachedFile, Attachment
from ...core.codec import encode
from ...core.errors import UsageError
from ...core.events import Cancelled, Configured, ErrorOccurred, Record
from ...core.resume import last_exchange
from ...store.transcript import Transcript, TranscriptBuilder
from ...text.safe_text import clean, clean_line
from ...tools import approve_all
from ..approval_prompt import ApprovalPrompt
from ..attach import attachment_lines, read_attachments
from ..conversation_setup import OpenConversation, open_conversation
from ..error_output import print_error
from ..event_loop import Signals, quiet_keyboard, suspendable
from ..exit_codes import OK
from ..hints import hint_after
from ..options import ConversationOptions
from ..render.guarded_view import GuardedView
from ..render.print_conversation import print_conversation
from ..render.theme import console, encoding_warning, with_marks_for
from ..resources import read_resources
from ..templates.apply import Applied
from ..templates.mcp_prompt import fetch_prompt
from .compact import CompactOffer
from .interruptible import interruptible
from .mcp_wait import take_in_servers
from .pending_files import Offer, PathMentions, PendingFiles
from .prompt_commands import ChatCompleter, parse_prompt
from .slash_commands import parse_line
from .type_ahead import take_typed_ahead

__all__ = ["chat"]

_LEAVE_WITHIN = 2.0
"""Seconds in which a second Ctrl-C at the prompt leaves."""


async def chat(options: ConversationOptions, message: str, signals: Signals, applied: Applied | None = None) -> int:
    """Hold a conversation in the terminal, which begins with `message` if there is one; returns the exit code.

    `applied`: a template, which the first message is put into.

    Raises:
        UsageError: stdin or stdout is not a terminal.
    """
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise UsageError("asst chat needs a terminal.", "In a script or a pipe, use: asst ask")
    typed = message
    waiting = None if applied is None or message or not applied.needs_input else applied
    if waiting is not None:
        options = waiting.without_input()
    elif applied is not None:
        options, message = applied.fill(message)
    has_text = waiting is not None and waiting.template is not None and bool(waiting.template.body)
    repl = _Chat(options, signals, waiting if has_text else None)
    repl.files.put(await read_attachments(options.attach or ()))
    settings = applied.settings if applied is not None else None
    async with open_conversation(
        options, approve_all if options.yes else repl.approver, settings=settings, mcp_behind=True
    ) as opened:
        repl.files.put(await read_resources(opened, options.attach or ()))
        if applied is not None:
            message = await applied.fetch(opened, message)
        with quiet_keyboard():
            return await repl.run(opened, message, typed)


class _Chat:
    """The conversation on the screen. The prompt and the live view are never shown at the same time."""

    opened: OpenConversation

    def __init__(self, options: ConversationOptions, signals: Signals, template: Applied | None = None) -> None:
        self.console = console()
        self._template = template  # waits for the first message
        self.leaving = False
        self.show_events = False
        self.files = PendingFiles(signals)
        self.context = CompactOffer()
        self._draft = ""
        self._options, self.signals = options, signals
        self._view: GuardedView | None = None
        self._fold = TranscriptBuilder()
        self._configured: tuple[Record, ...] = ()  # the latest such record: a new live view shows its profile and model
        self.approver = ApprovalPrompt(self.console, self._pause_view)

    @property
    def transcript(self) -> Transcript:
        """The session so far."""
        return self._fold.transcript

    async def run(self, opened: OpenConversation, message: str, typed: str) -> int:
        """Prompt and answer until the user leaves; `message`, of which the person `typed` a part, is sent first."""
        self.opened = opened
        for record in opened.past:
            self._follow(record)
        self._greet()
        opened.conversation.subscribe(self._follow)
        if opened.conversation.is_running:
            await self._attach()
        prompt: PromptSession[str] = PromptSession(
            history=_input_history(save=not self._options.no_save),
            completer=merge_completers([ChatCompleter(lambda: self.opened), PathMentions()]),
            complete_while_typing=True,
            key_bindings=_key_bindings(self.files),
            multiline=True,
            prompt_continuation=FormattedText([("class:prompt", "  ")]),
            enable_suspend=True,
        )
        for line in self.files.lines():
            self.say(line)
        if message:
            self.console.print(Text.assemble(("› ", "bold"), clean(message)))
            await self._respond(message, typed=typed)
            if self.signals.is_terminated:
                return self.signals.code
        interrupted = self._watch_prompt(prompt)
        mark = HTML(f"<b>{escape(with_marks_for(self.console.file, '›'))}</b> ")
        pressed = -_LEAVE_WITHIN
        while not self.leaving:
            try:
                if interrupted.is_set():
                    interrupted.clear()
                    raise KeyboardInterrupt
                draft, self._draft = self._draft + take_typed_ahead(prompt.app.input), ""
                line = (await prompt.prompt_async(mark, default=draft, handle_sigint=False)).strip()
            except EOFError:
                break
            except KeyboardInterrupt as interrupt:
                if draft := (str(interrupt) or prompt.default_buffer.text).strip():
                    prompt.history.append_string(draft)
                prompt.default_buffer.reset()
                if time.monotonic() - pressed < _LEAVE_WITHIN:
                    break
                pressed = time.monotonic()
                self.say("Press Ctrl-C again to leave.")
                continue
            if line:
                await self._respond(line)
            if self.signals.is_terminated:
                return self.signals.code
        self._farewell()
        return OK

    def _watch_prompt(self, prompt: PromptSession[str]) -> asyncio.Event:
        """Make SIGINT at the prompt the key Ctrl-C; the event is set by one between two prompts.

        There the terminal makes Ctrl-C a signal: a second one, typed fast, would end the chat as a fault.
        """
        between, main = asyncio.Event(), asyncio.current_task()

        def on_signal(terminated: bool) -> None:
            if terminated and main is not None:
                main.cancel()
            elif prompt.app.is_running:
                prompt.app.exit(exception=KeyboardInterrupt)
            else:
                between.set()

        self.signals.on_signal = on_signal
        return between

    async def _respond(self, line: str, *, typed: str | None = None) -> None:
        """Carry out a line of the prompt; with `typed`, send it: a message of which the person typed this part."""
        try:
            if typed is not None:
                await self._send(line, typed)
            elif prompt := parse_prompt(line, self.opened.profile):
                text = await interruptible(self.signals, fetch_prompt(self.opened, prompt.name, prompt.values))
                await self._send(text, "")
            elif isinstance(parsed := parse_line(line), str):
                text = parsed if self._template is None else self._template.fill(parsed)[1]
                self._template = None
                await self._send(text, parsed)
            else:
                command, argument = parsed
                await command(self, argument)
        except Offer as offer:
            self.say(f"{offer} {offer.hint}")
            self._draft = offer.draft
        except Exception as error:  # noqa: BLE001 - a fault of asst must not end the conversation
            print_error(error, chat=True)

    async def _send(self, message: str, typed: str) -> None:
        """Send a message, with the files that the typed part of it names: what a server or a template wrote names none."""
        files = await self.files.collect(typed)
        for line in attachment_lines([file.attachment for file in files])[len(self.files.lines()) :]:
            self.say(line)
        if not await take_in_servers(self):
            self._draft = message
            return
        await self.exchange(message, files)
        self.files.clear()
        await self.context.after_exchange(self)

    async def exchange(self, text: str, attachments: Sequence[AttachedFile | Attachment] = ()) -> None:
        """Hold one exchange. Ctrl-C cancels it and nothing else."""
        await self._watch(
            self.opened.conversation.exchange(text, attachments=attachments, timeout=self._options.timeout)
        )

    async def retry(self, text: str, attachments: Sequence[Attachment] = ()) -> None:
        """Hold the last exchange again, whose message is `text` with these `attachments`."""
        await self._watch(self.opened.conversation.retry(text, attachments=attachments, timeout=self._options.timeout))

    async def _attach(self) -> None:
        """Watch the rest of the exchange that another process left running at the provider."""
        self.say("The provider kept working on your last message. Here is the rest.")
        try:
            await self._watch(self.opened.conversation.attach(), received=last_exchange(self.opened.past))
        except Exception as error:  # noqa: BLE001 - a fault of asst must not end the conversation
            print_error(error, chat=True)

    async def _watch(self, exchange: Coroutine[Any, Any, Record], received: Sequence[Record] = ()) -> None:
        """Draw an exchange while it runs, after the records of it that were `received` before."""
        conversation = self.opened.conversation
        task = asyncio.create_task(exchange)
        at_prompt = self.signals.on_signal
        self.signals.on_signal = lambda terminated: conversation.cancel(
            Cancelled("terminated" if terminated else "user")
        )
        try:
            async with GuardedView(self.console, echo=bool(received)) as view:
                self._view = view
                for record in (*self._configured, *received):
                    self._view(record)
                unsubscribe = conversation.subscribe(self._view)
                with suspendable(self._view.paused):
                    await asyncio.wait({task})
                unsubscribe()
        finally:
            self.signals.on_signal, self._view = at_prompt, None
        if warning := encoding_warning():
            self.say(warning)
        if view.failure is not None:
            print_error(view.failure, chat=True)
        # `result` raises what the exchange could not publish.
        if not task.cancelled() and (hint := hint_after(task.result().event, chat=True)):
            self.say(hint)

    @contextlib.contextmanager
    def _pause_view(self) -> Iterator[None]:
        if self._view is None:
            yield
            return
        with self._view.paused():
            yield

    def _follow(self, record: Record) -> None:
        self._fold.feed(record)
        if isinstance(record.event, Configured):
            self._configured = (record,)
        if self.show_events and self._view is not None:
            self._view.print(Text(encode(record).decode(), style="dim"))

    def say(self, line: str) -> None:
        """Print one line that is not part of the conversation."""
        self.console.print(Text(clean(line), style="dim"))

    def warn(self, line: str) -> None:
        """Print one line about something that is missing."""
        self.console.print(Text(clean(line), style="asst.notice"))

    def _greet(self) -> None:
        self.console.print(Text.assemble(("asst", "bold"), " · ", (clean_line(self.opened.label), "asst.assistant")))
        if self._template is not None:
            self.say(f"Your first message is put into the template {self._options.template}.")
        if not self.transcript.exchanges:
            self.say("/help lists the commands · Esc Enter makes a new line · Ctrl-D leaves")
            return
        past = self.opened.past
        unfinished = last_exchange(past) if self.opened.conversation.is_running else ()
        print_conversation(past[: len(past) - len(unfinished)], self.console)
        last = past[-1].event
        if isinstance(last, ErrorOccurred) and last.kind == "interrupted":
            self.say(f"The last turn was interrupted. {hint_after(last, chat=True)}")

    def _farewell(self) -> None:
        session = self.opened.session
        if session is not None and self.transcript.exchanges:
            self.say(f"Saved. Continue: asst chat --session {session.id}")


def _input_history(*, save: bool) -> History:
    if not save:
        return InMemoryHistory()
    return FileHistory(str(create_private(private_dir(data_dir()) / "chat-history")))


def _key_bindings(files: PendingFiles) -> KeyBindings:
    keys = KeyBindings()

    @keys.add("enter")
    def _(event: KeyPressEvent) -> None:
        event.current_buffer.validate_and_handle()

    @keys.add("escape", "enter")
    def _(event: KeyPressEvent) -> None:
        event.current_buffer.insert_text("\n")

    @keys.add(Keys.BracketedPaste)
    def _(event: KeyPressEvent) -> None:
        text = event.data.replace("\r\n", "\n").replace("\r", "\n")  # as prompt_toolkit's own binding does
        files.note_paste(text)
        event.current_buffer.insert_text(text)

    return keys

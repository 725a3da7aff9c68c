"""`asst chat`: prompt, exchange, prompt. Every step of the script is drawn while it is taken."""

from __future__ import annotations

import asyncio
import contextlib
import sys
import time
from collections.abc import Coroutine, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from html import escape
from typing import TYPE_CHECKING, Any

import msgspec
from prompt_toolkit.completion import merge_completers
from prompt_toolkit.formatted_text import HTML
from rich.text import Text

from ...config.profiles import load_config
from ...core.attachment import AttachedFile, Attachment
from ...core.codec import encode
from ...core.errors import AsstError, UsageError
from ...core.events import Cancelled, Configured, Record
from ...store.transcript import Transcript, TranscriptBuilder
from ...text.safe_text import clean
from ..attach import attachment_lines, read_attachments
from ..conversation_setup import OpenConversation, open_conversation
from ..error_output import print_error
from ..event_loop import Signals, quiet_keyboard, suspendable
from ..exit_codes import OK
from ..look import look
from ..options import ConversationOptions
from ..render.theme import console, encoding_warning, with_marks_for
from ..resources import read_resources
from .approver import approver
from .behind_prompt import BehindPrompt
from .compact import CompactOffer
from .greeting import farewell, greet
from .interruptible import interruptible
from .last_message import attachments_with, last_message, replace_or_repeat
from .mcp_wait import take_in_servers
from .message_prompt import MessagePrompt
from .pending_files import Offer, PathMentions, PendingFiles
from .prompt_commands import ChatCompleter, parse_prompt
from .titler import Titler
from .toolbar_facts import toolbar_of
from .turn_screen import TurnScreen
from .type_ahead import TypeAhead

if TYPE_CHECKING:
    from ...tools.schema_source import ChosenSchema
    from ..render.guarded_view import GuardedView
    from ..templates.apply import Applied

__all__ = ["chat"]

_LEAVE_WITHIN = 2.0
"""Seconds in which a second Ctrl-C at the prompt leaves."""


async def chat(
    options: ConversationOptions,
    message: str,
    signals: Signals,
    applied: Applied | None = None,
    *,
    resume: str | None = None,
) -> int:
    """Hold a conversation in the terminal, which begins with `message` if there is one; returns the exit code.

    `applied`: a template, which the first message is put into. `resume`: the session to continue, or words to search for one.

    Raises:
        UsageError: stdin or stdout is not a terminal.
    """
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise UsageError("asst chat needs a terminal.", "In a script or a pipe, use: asst ask")
    if resume is not None:
        from .session_commands import resumed

        chosen = await resumed(options, resume)
        if chosen is None:
            return OK
        options = chosen
        if applied is not None:
            applied = replace(applied, options=replace(applied.options, session=options.session, fork=options.fork))
    typed = message
    waiting = None if applied is None or message or not applied.needs_input else applied
    if waiting is not None:
        options = waiting.without_input()
    elif applied is not None:
        options, message = applied.fill(message)
    has_text = waiting is not None and waiting.template is not None and bool(waiting.template.body)
    repl = _Chat(options, signals, waiting if has_text else None)
    repl.schema = applied.schema if applied is not None else None
    repl.files.put(await read_attachments(options.attach or ()))
    settings = applied.settings if applied is not None else None
    async with open_conversation(options, repl.approver, settings=settings, mcp_behind=True) as opened:
        repl.files.put(await read_resources(opened, options.attach or ()))
        if applied is not None:
            message = await applied.fetch(opened, message)
        with quiet_keyboard():
            code = await repl.run(opened, message, typed)
    while repl.next_options is not None:
        repl, code = await _continue(repl, signals)
    return code


async def _continue(before: _Chat, signals: Signals) -> tuple[_Chat, int]:
    """Continue with the session that was chosen; if it can't be opened, with the one before."""
    wanted, session = before.next_options, before.opened.session
    assert wanted is not None  # noqa: S101 - the caller looked
    back = replace(wanted, session=session.id, fork=False) if session is not None and session.has_exchange else None
    for options in filter(None, (wanted, back)):
        repl = _Chat(options, signals)
        repl.draft = before.draft
        try:
            async with open_conversation(
                options, repl.approver, mcp_behind=True, earlier=before.opened.budget
            ) as opened:
                with quiet_keyboard():
                    return repl, await repl.run(opened, "", "")
        except AsstError as error:
            if options is back or back is None or hasattr(repl, "opened"):
                raise
            print_error(error)
    raise AssertionError  # pragma: no cover - one of them returns or raises


class _Chat:
    """The conversation on the screen. The prompt and the live view are never shown at the same time."""

    opened: OpenConversation
    behind: BehindPrompt

    def __init__(self, options: ConversationOptions, signals: Signals, template: Applied | None = None) -> None:
        self.console = console()
        self._template = template  # waits for the first message
        self.leaving = False
        self.next_options: ConversationOptions | None = None
        self.edits_last = False
        self.show_events = False
        self.schema: ChosenSchema | None = None
        self.files = PendingFiles(signals)
        self.context = CompactOffer()
        self.draft = ""
        self._options, self.signals = options, signals
        self._view: GuardedView | None = None
        self._fold = TranscriptBuilder()
        self._configured: tuple[Record, ...] = ()  # the latest such record: a new live view shows its profile and model
        self.approver = approver(self.console, self._pause_view, asks=not options.yes)
        self.screen = TurnScreen(states=options.states or look().states)
        self._typed = TypeAhead()

    @property
    def transcript(self) -> Transcript:
        """The session so far."""
        return self._fold.transcript

    async def run(self, opened: OpenConversation, message: str, typed: str) -> int:
        """Prompt and answer until the user leaves; `message`, of which the person `typed` a part, is sent first."""
        self.opened = opened
        self.screen.states = self.screen.states or opened.profile.states
        for record in opened.past:
            self._follow(record)
        greet(self, self._options.template if self._template is not None else "")
        opened.conversation.subscribe(self._follow)
        if opened.conversation.is_running:
            await self._attach()
        reader = _prompt(self, save_history=not self._options.no_save)
        if message:
            self.console.print()
            self.console.print(Text.assemble(("› ", "bold"), clean(message)))
            await self._respond(message, typed=typed)
            if self.signals.is_terminated:
                return self.signals.code
        interrupted, titler = self._watch_prompt(reader), Titler(self)
        mark = HTML(f"<b>{escape(with_marks_for(self.console.file, '›'))}</b> ")
        pressed, apart = -_LEAVE_WITHIN, False
        while not self.leaving:
            try:
                if interrupted.is_set():
                    interrupted.clear()
                    raise KeyboardInterrupt
                if not apart:  # from what was printed; an empty line leaves the next prompt where it is
                    self.console.print()
                    apart = True
                draft, self.draft = self.draft, ""
                line, is_last = await reader.read(mark, draft, self._typed.take)
                self.draft, reader.draft = reader.draft, ""
            except EOFError:
                break
            except KeyboardInterrupt as interrupt:
                if draft := (str(interrupt) or reader.session.default_buffer.text).strip():
                    reader.history.append_string(draft)
                reader.session.default_buffer.reset()
                if time.monotonic() - pressed < _LEAVE_WITHIN:
                    break
                pressed = time.monotonic()
                self.say("Press Ctrl-C again to leave.")
                continue
            if line:
                apart = False
                await self._respond(line, is_last=is_last or self.edits_last)
                self.look_up(reader)
                titler.follow()
            if self.signals.is_terminated:
                return self.signals.code
        await titler.close()
        if self.next_options is None:
            farewell(self)
        return OK

    def _watch_prompt(self, reader: MessagePrompt) -> asyncio.Event:
        """Make SIGINT at the prompt the key Ctrl-C; the event is set by one between two prompts.

        There the terminal makes Ctrl-C a signal: a second one, typed fast, would end the chat as a fault.
        """
        between, main = asyncio.Event(), asyncio.current_task()

        def on_signal(terminated: bool) -> None:
            self.signals.on_signal = on_signal  # a second one leaves, in an orderly way
            if terminated and main is not None:
                main.cancel()
            elif reader.editor_is_open:
                pass  # it is the editor's key
            elif reader.session.app.is_running:
                reader.session.app.exit(exception=KeyboardInterrupt)
            else:
                between.set()

        self.signals.on_signal = on_signal
        return between

    async def _respond(self, line: str, *, typed: str | None = None, is_last: bool = False) -> None:
        """Carry out a line of the prompt; with `typed`, send it: a message of which the person typed this part.

        `is_last`: it is the last message, brought back and perhaps edited.
        """
        await self.behind.wait()
        from .slash_commands import parse_line

        self.edits_last = False
        try:
            if typed is not None:
                await self._send(line, typed)
            elif prompt := parse_prompt(line, self.opened.profile):
                from ..templates.mcp_prompt import fetch_prompt

                text = await interruptible(self.signals, fetch_prompt(self.opened, prompt.name, prompt.values))
                await self._send(text, "")
            elif isinstance(parsed := parse_line(line), str):
                how = await replace_or_repeat(self, line) if is_last else "again"
                if not how:
                    return
                text = parsed if self._template is None else self._template.fill(parsed)[1]
                self._template = None
                await self._send(text, parsed, replaces=how == "replace")
            else:
                command, argument = parsed
                await command(self, argument)
        except Offer as offer:
            self.say(f"{offer} {offer.hint}")
            self.draft = offer.draft
        except Exception as error:  # noqa: BLE001 - a fault of asst must not end the conversation
            print_error(error)

    async def _send(self, message: str, typed: str, *, replaces: bool = False) -> None:
        """Send a message, with the files that the typed part of it names: what a server or a template wrote names none.

        `replaces`: it takes the place of the last one, and has its files, too.
        """
        files = await self.files.collect(typed)
        for line in attachment_lines([file.attachment for file in files])[len(self.files.lines()) :]:
            self.say(line)
        if not await take_in_servers(self):
            self.draft = message
            return
        if replaces:
            await self.retry(message, attachments_with(self, files), self.schema.schema if self.schema else None)
        else:
            await self.exchange(message, files)
        self.files.clear()
        await self.context.after_exchange(self)

    async def exchange(self, text: str, attachments: Sequence[AttachedFile | Attachment] = ()) -> None:
        """Hold one exchange, whose answer must fit `schema`, if there is one. Ctrl-C cancels it and nothing else."""
        held = self.opened.conversation.exchange(
            text,
            attachments=attachments,
            timeout=self._options.timeout,
            schema=self.schema.schema if self.schema else None,
            check=self.schema.check if self.schema else None,
        )
        await self._watch(held)

    async def retry(
        self,
        text: str,
        attachments: Sequence[AttachedFile | Attachment] = (),
        schema: Mapping[str, Any] | None = None,
    ) -> None:
        """Hold the last exchange again, whose message is `text` with these `attachments`; its answer must fit `schema`."""
        held = self.opened.conversation.retry(
            text, attachments=attachments, timeout=self._options.timeout, schema=schema
        )
        await self._watch(held)

    async def _attach(self) -> None:
        """Watch the rest of the exchange that another process left running at the provider."""
        from ...core.resume import last_exchange

        self.say("The provider kept working on your last message. Here is the rest.")
        try:
            await self._watch(self.opened.conversation.attach(), received=last_exchange(self.opened.past))
        except Exception as error:  # noqa: BLE001 - a fault of asst must not end the conversation
            print_error(error)

    async def _watch(self, exchange: Coroutine[Any, Any, Record], received: Sequence[Record] = ()) -> None:
        """Draw an exchange while it runs, after the records of it that were `received` before."""
        from ..render.guarded_view import GuardedView  # late: the prompt needn't wait for Markdown and all

        conversation = self.opened.conversation
        task = asyncio.create_task(exchange)
        at_prompt = self.signals.on_signal
        self.signals.on_signal = lambda terminated: conversation.cancel(
            Cancelled("terminated" if terminated else "user")
        )
        try:
            detail = self.screen.detail(conversation.assistant.model)
            async with GuardedView(
                self.console, echo=bool(received), detail=detail, draft=lambda: self._typed.draft
            ) as view:
                self._view = view
                for record in (*self._configured, *received):
                    self._view(record)
                unsubscribe = conversation.subscribe(self._view)
                with suspendable(self._view.paused), self._typed.reading():
                    await asyncio.wait({task})
                unsubscribe()
        finally:
            self.signals.on_signal, self._view = at_prompt, None
        if warning := encoding_warning():
            self.say(warning)
        if view.failure is not None:
            print_error(view.failure)
        if not task.cancelled():
            task.result()  # raises what the exchange could not publish

    @contextlib.contextmanager
    def _pause_view(self) -> Iterator[None]:
        if self._view is None:
            yield
            return
        with self._view.paused(), self._typed.paused():
            yield

    def look_up(self, reader: MessagePrompt) -> None:
        """Find out what the toolbar says of cost and context."""
        configured = self.opened.conversation.configured
        model = configured.model or self.opened.conversation.assistant.model
        who = msgspec.structs.replace(configured, model=model)
        self.screen.look_up(self.transcript.exchanges, who, done=reader.session.app.invalidate)

    def _follow(self, record: Record) -> None:
        self._fold.feed(record)
        self.screen(record)
        if isinstance(record.event, Configured):
            self._configured = (record,)
        if self.show_events and self._view is not None:
            self._view.print(Text(encode(record).decode(), style="dim"))

    def warn(self, line: str) -> None:
        """Print one line about something that is missing."""
        self.console.print(Text(clean(line), style="asst.notice"))

    def say(self, line: str) -> None:
        """Print one line that is not part of the conversation."""
        self.console.print(Text(clean(line), style="dim"))


def _prompt(chat: _Chat, *, save_history: bool) -> MessagePrompt:
    """The prompt of a chat. What is attached already is listed above it."""
    reader = MessagePrompt(
        merge_completers([ChatCompleter(lambda: chat.opened), PathMentions()]),
        load_config().chat,
        save_history=save_history,
        note_paste=chat.files.note_paste,
        last_message=lambda: last_message(chat),
        toolbar=partial(toolbar_of, chat) if look().toolbar and not look().plain_ui else None,
    )
    app, assistant = reader.session.app, chat.opened.conversation.assistant
    chat.behind = BehindPrompt(app, assistant, then=lambda: chat.look_up(reader))
    chat.opened.tools.on_change = app.invalidate
    for line in chat.files.lines():
        chat.say(line)
    return reader

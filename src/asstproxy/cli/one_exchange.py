"""`asst ask`: one exchange. Stdout is the answer and nothing else."""

from __future__ import annotations

import asyncio
import contextlib
import sys
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, TextIO

from ..core.errors import OutputError, UsageError
from ..core.events import (
    SCHEMA_REASON,
    AssistantMessageRetrieved,
    Cancelled,
    Event,
    MessageIncomplete,
    Record,
    SetUserMessage,
    Unknown,
)
from ..core.script import State
from ..text.safe_text import clean_line
from .conversation_setup import OpenConversation, open_conversation
from .error_output import print_error, print_warning
from .event_loop import Signals, quiet_keyboard, suspendable
from .exit_codes import FAILED, INCOMPLETE, MISMATCH, OK, TIMED_OUT
from .options import ConversationOptions
from .output import Output
from .standard_streams import open_stdout

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager, AbstractContextManager

    from ..core.attachment import AttachedFile
    from ..core.hub import Subscriber
    from ..store.transcript import ExchangeEntry
    from ..tools import Approver
    from ..tools.schema_source import ChosenSchema
    from .exchange_cost import CostLine
    from .render.code_view import CodeView
    from .render.detail import Detail
    from .templates.apply import Applied

__all__ = ["Output", "ask", "ask_again"]

NO_CODE = "The answer has no code block."
_PANEL_AFTER = 0.5
"""Seconds of silence after which the panel appears."""

_EXIT_CODES = {State.COMPLETED: OK, State.ERROR: FAILED, State.INCOMPLETE: INCOMPLETE, State.CANCELLED: TIMED_OUT}


async def ask(
    message: str,
    options: ConversationOptions,
    output: Output,
    signals: Signals,
    stdin: AttachedFile | None = None,
    applied: Applied | None = None,
    schema: ChosenSchema | None = None,
) -> int:
    """Send a message, and print the answer as it arrives, or, with a schema, once it fits; returns the exit code.

    `stdin` is the file that `-a -` stands for, `applied` the template that the message was made with.
    """
    sources = options.attach or ()
    files: list[AttachedFile] = []
    if sources:
        from .attach import attachment_lines, read_attachments
        from .resources import read_resources

        files = await read_attachments(sources, stdin)
    async with open_conversation(options, settings=applied.settings if applied else None) as opened:
        if sources:
            files += await read_resources(opened, sources)
        if applied is not None:
            message = await applied.fetch(opened, message)
        exchange = _Exchange(opened, options, output, signals)
        exchange.print_label()
        if opened.conversation.is_running:
            settled = await opened.conversation.attach(timeout=options.timeout)
            exchange.print_status(
                f"The provider kept working on the last message. Its answer is saved ({settled.state})."
            )
        if files:
            for line in attachment_lines([file.attachment for file in files]):
                exchange.print_status(line)
        fits = _schema_arguments(schema)
        send = partial(opened.conversation.exchange, message, attachments=files, timeout=options.timeout, **fits)
        return await exchange.run(send)


def _schema_arguments(schema: ChosenSchema | None) -> dict[str, Any]:
    return {} if schema is None else {"schema": schema.schema, "check": schema.check}


async def ask_again(
    words: Sequence[str],
    options: ConversationOptions,
    output: Output,
    signals: Signals,
    schema: ChosenSchema | None = None,
) -> int:
    """Send the session's last message again, or fetch the answer that the provider kept working on.

    Its answer must fit the same schema as before, unless another is given.
    """
    if words or options.template or options.values:
        raise UsageError("--retry takes no message and no template.", "It sends the last message again.")
    if options.attach:
        raise UsageError("--retry takes no attachment.", "It sends the last message again, with its files.")
    if not options.session:
        options = replace(options, continue_latest=True)
    async with open_conversation(options) as opened:
        conversation, exchange = opened.conversation, _Exchange(opened, options, output, signals)
        message = _last_sent(opened.past)
        if message is None:
            raise UsageError("Nothing to ask again: the session has no message.", 'Run: asst ask -c "…"')
        exchange.print_label()
        if conversation.is_running:
            from ..core.resume import last_exchange

            attach = partial(conversation.attach, timeout=options.timeout)
            return await exchange.run(attach, received=last_exchange(opened.past))
        fits = {"schema": message.schema} if schema is None else _schema_arguments(schema)
        again = partial(
            conversation.retry, message.user, attachments=message.attachments, timeout=options.timeout, **fits
        )
        return await exchange.run(again)


def _last_sent(past: Sequence[Record]) -> ExchangeEntry | None:
    from ..store.transcript import last_sent, transcript_of

    return last_sent(transcript_of(past))


def _deliver(answer: Event | Unknown, output: Output, code: str | None, *, in_session: bool) -> int:
    """Save a complete answer, or its `code`, if asked to; returns the exit code of what is wrong with it, or 0."""
    if not isinstance(answer, AssistantMessageRetrieved) or not (output.file or output.extract):
        return OK
    if output.extract and code is None:
        print_warning(f"{NO_CODE} Show it: asst sessions show" if in_session else NO_CODE)
        return MISMATCH
    if output.file is not None:
        from .answer_file import save_answer

        save_answer(output.file, answer.text if code is None else code, in_session=in_session)
    return OK


class _Exchange:
    """Runs one exchange of an open conversation, and prints it in the form that was asked for."""

    def __init__(
        self, opened: OpenConversation, options: ConversationOptions, output: Output, signals: Signals
    ) -> None:
        self._opened, self._options, self._output, self._signals = opened, options, output, signals
        self._view_failure: Exception | None = None
        self._has_schema = False
        self._figures: CostLine | None = None
        self._code: CodeView | None = None
        if output.cost:
            from .exchange_cost import prices

            prices()  # an error in prices.toml comes before the question

    def print_label(self) -> None:
        """Print who answers, unless the drawing says it."""
        if not self._output.is_drawn:
            self.print_status(self._opened.label)

    def print_status(self, line: str) -> None:
        """Print a line on stderr, unless --quiet."""
        if not self._output.quiet:
            sys.stderr.write(f"{clean_line(line)}\n")

    async def run(self, start: Callable[[], Awaitable[Record]], received: Sequence[Record] = ()) -> int:
        """Hold the exchange and print its records, after those `received` before; returns the exit code."""
        conversation = self._opened.conversation
        self._signals.on_signal = lambda terminated: conversation.cancel(
            Cancelled("terminated" if terminated else "user")
        )
        if self._options.timeout is not None:
            self._signals.deadline = time.monotonic() + self._options.timeout
        try:
            async with contextlib.AsyncExitStack() as stack:
                view = await stack.enter_async_context(self._view())
                stack.enter_context(self._waiting_line())
                self._opened.user.approve = self._approver(view)
                show = self._guarded(view)
                for record in received:
                    show(record)
                unsubscribe = conversation.subscribe(show)
                try:
                    with self._status_lines(), self._cost_line(), self._keyboard(view):
                        settled = await start()
                finally:
                    unsubscribe()
        except asyncio.CancelledError:
            if not self._signals.code:
                raise
            task = asyncio.current_task()
            assert task is not None  # noqa: S101 - this code runs in it
            task.uncancel()
            return self._signals.code
        finally:
            self._signals.on_signal = None
        self._print_ending(settled)
        if self._figures is not None:
            sys.stderr.write(f"{self._figures.line()}\n")
        if failure := self._view_failure or getattr(view, "failure", None):
            return self._print_view_failure(failure)
        code = self._code.code if self._code is not None else None
        in_session = self._opened.session is not None
        mismatch = isinstance(settled.event, MessageIncomplete) and settled.event.reason == SCHEMA_REASON
        if mismatch:
            return MISMATCH
        return _deliver(settled.event, self._output, code, in_session=in_session) or _EXIT_CODES[settled.state]

    @contextlib.contextmanager
    def _keyboard(self, view: Subscriber) -> Iterator[None]:
        """Keep typed keys out of a drawing, and let Ctrl-Z suspend it."""
        if not self._output.is_drawn:
            yield
            return
        with quiet_keyboard(), suspendable(getattr(view, "paused", contextlib.nullcontext)):
            yield

    def _guarded(self, view: Subscriber) -> Subscriber:
        """The view, until a fault of ours ends it: that is remembered for the exit code. What can't be written is raised."""

        def show(record: Record) -> None:
            if isinstance(record.event, SetUserMessage):
                self._has_schema = record.event.schema is not None
            if self._view_failure is not None:
                return
            try:
                view(record)
            except (OutputError, BrokenPipeError):
                raise
            except Exception as error:  # noqa: BLE001 - whatever it is, the conversation goes on
                self._view_failure = error

        return show

    def _print_view_failure(self, failure: Exception) -> int:
        """Say that the output is not what it should be, and where the answer is."""
        code = print_error(failure)
        if self._opened.session is not None and not self._output.is_drawn:
            print_warning(f"The answer is saved. Run: asst sessions show {self._opened.session.id}")
        return code

    def _view(self) -> AbstractAsyncContextManager[Subscriber]:
        output, stdout = self._output, self._stdout()
        if output.events:
            from ..core.codec import encode
            from .render.json_output import JsonLinesView

            return contextlib.nullcontext(JsonLinesView(stdout.buffer, encode))
        if output.json:
            from .render.json_output import JsonView

            session = self._opened.session.id if self._opened.session else None
            if not output.cost:
                return JsonView(stdout, session)
            from .exchange_cost import exchange_price

            return JsonView(stdout, session, exchange_price)
        if output.extract:
            from .render.code_view import CodeView

            self._code = CodeView(stdout, output.extract, raw=output.raw)
            return contextlib.nullcontext(self._code)
        if output.is_drawn:
            from .render.guarded_view import GuardedView
            from .render.theme import console

            return GuardedView(console(), detail=_detail(self._opened, self._options), delay=_PANEL_AFTER)
        from .render.plain import PlainView

        return contextlib.nullcontext(PlainView(stdout, raw=output.raw))

    def _stdout(self) -> TextIO:
        """Where the answer goes. With tools it is reserved for us: their threads and child processes might print."""
        if not self._opened.user.tools or sys.stdout.isatty():
            return sys.stdout
        from ..tools import reserve_stdout

        return reserve_stdout(partial(open_stdout, like=sys.stdout, is_owned=True))

    def _approver(self, view: Subscriber) -> Approver | None:
        """Who approves tools that need it: everything is (`--yes`), the user at the terminal is asked, or nobody can be."""
        if all(tool.approval == "never" for tool in self._opened.user.tools.values()):
            return None
        if self._options.yes:
            from ..tools import approve_all

            return approve_all
        if not (sys.stdin.isatty() and sys.stderr.isatty()):
            return None
        from .approval_prompt import ApprovalPrompt
        from .render.theme import console

        # On stderr: stdout is the answer and nothing else.
        return ApprovalPrompt(console(stderr=True), getattr(view, "paused", contextlib.nullcontext))

    def _waiting_line(self) -> AbstractContextManager[None]:
        """What is waited for, where no live view shows it."""
        if self._output.is_drawn or self._output.quiet:
            return contextlib.nullcontext()
        from .status_lines import waiting_line

        return waiting_line(self._opened)

    def _status_lines(self) -> AbstractContextManager[None]:
        """Retries and notices, where no live view shows them."""
        if self._output.is_drawn:
            return contextlib.nullcontext()
        from .status_lines import status_lines

        return status_lines(self._opened, quiet=self._output.quiet)

    @contextlib.contextmanager
    def _cost_line(self) -> Iterator[None]:
        """Count tokens and cost, for a line after the answer; `--json` has them itself."""
        if not self._output.cost or self._output.json:
            yield
            return
        from .exchange_cost import CostLine

        self._figures = CostLine(self._opened.past)
        unsubscribe = self._opened.conversation.subscribe(self._figures)
        try:
            yield
        finally:
            unsubscribe()

    def _print_ending(self, settled: Record) -> None:
        """Print what the output has not shown of an exchange that did not complete."""
        output, session = self._output, self._opened.session
        if output.json or output.events:
            return
        if output.is_drawn:
            from .render.theme import encoding_warning

            if warning := encoding_warning():
                print_warning(warning)
        if settled.state is State.COMPLETED:
            return
        from ..text.status_text import ending
        from .hints import hint_after

        hint = "" if output.quiet else hint_after(settled.event, session=session.id if session else "")
        if output.is_drawn:
            return
        end = ending(settled.event)
        if end is not None and hint:
            end = end.without_repeat()
        kept = ""
        if self._has_schema and not output.is_drawn and isinstance(settled.event, MessageIncomplete):
            # Stdout has only data that fits, so the text is kept in the session, or else is shown here.
            kept = f"Its text: asst sessions show {session.id}" if session else f"Its text: {settled.event.text}"
        if line := " ".join(filter(None, (str(end or ""), hint, kept))):
            print_warning(line)


def _detail(opened: OpenConversation, options: ConversationOptions) -> Detail:
    """How the exchange is drawn: no name above the answer, because there is only one."""
    from .hints import hint_after
    from .look import look
    from .render.detail import Detail
    from .turn_price import load_prices, turn_price

    session = opened.session.id if opened.session is not None else ""
    load_prices()
    return Detail(
        states=options.states or opened.profile.states or look().states,
        headings=False,
        hint=lambda event: hint_after(event, session=session),
        cost=turn_price,
        again="asst ask --retry" if session else "",
    )

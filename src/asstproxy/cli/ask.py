"""`asst ask`: one exchange; stdout is the answer and nothing else."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, TextIO

from ..core.errors import UsageError
from ..core.events import Cancelled, ErrorOccurred, HistoryCut, MessageIncomplete, Record, SetUserMessage
from ..core.resume import last_exchange
from ..core.script import State
from .conversation_setup import ConversationOptions, OpenConversation, open_conversation
from .event_loop import Signals
from .exit_codes import TIMED_OUT
from .hints import hint_after
from .render.safe_text import clean_line
from .stdin import read_prompt

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager

    from ..core.hub import Subscriber
    from ..user import Approver

__all__ = ["EXIT_CODES", "Output", "ask", "ending"]

EXIT_CODES = {State.COMPLETED: 0, State.ERROR: 1, State.INCOMPLETE: 4, State.CANCELLED: TIMED_OUT}


@dataclass(frozen=True, slots=True)
class Output:
    """What is to be printed."""

    json: bool = False
    events: bool = False
    raw: bool = False
    quiet: bool = False


async def ask(
    words: Sequence[str], wanted: ConversationOptions, output: Output, signals: Signals, *, retry: bool = False
) -> int:
    """Ask and print; the exit code. `retry`: ask the session's last message again, or fetch its answer where it goes on."""
    if retry:
        return await _retry(words, wanted, output, signals)
    message = read_prompt(words, sys.stdin, quiet=output.quiet)
    async with open_conversation(wanted) as opening:
        if not output.quiet:
            sys.stderr.write(f"{clean_line(opening.who)}\n")
        if opening.conversation.is_running:
            await _fetch(opening, wanted, output)
        return await _exchange(opening, lambda: _asked(opening, message, wanted), wanted, output, signals)


async def _retry(words: Sequence[str], wanted: ConversationOptions, output: Output, signals: Signals) -> int:
    if words:
        raise UsageError("--retry takes no message.", "It sends the last one again.")
    if not wanted.session:
        wanted = replace(wanted, continue_newest=True)
    async with open_conversation(wanted) as opening:
        conversation = opening.conversation
        message = next((r.event.text for r in reversed(opening.past) if isinstance(r.event, SetUserMessage)), "")
        if not message:
            raise UsageError("There is no message to send again.")
        if not output.quiet:
            sys.stderr.write(f"{clean_line(opening.who)}\n")
        if conversation.is_running:
            heard = last_exchange(opening.past)
            rest = partial(conversation.attach, timeout=wanted.timeout)
            return await _exchange(opening, rest, wanted, output, signals, heard)
        if not any(isinstance(record.event, HistoryCut) for record in last_exchange(opening.past)):  # /undo in a chat
            conversation.cut_history(max(len(conversation.history.exchanges) - 1, 0))
        return await _exchange(opening, lambda: _asked(opening, message, wanted), wanted, output, signals)


def _asked(opening: OpenConversation, message: str, wanted: ConversationOptions) -> Awaitable[Record]:
    return opening.conversation.exchange(message, timeout=wanted.timeout)


async def _fetch(opening: OpenConversation, wanted: ConversationOptions, output: Output) -> None:
    """The rest of an answer that went on at the provider: it is kept, and the new message is answered on stdout."""
    settled = await opening.conversation.attach(timeout=wanted.timeout)
    if not output.quiet:
        sys.stderr.write(f"The answer to the last message was fetched from the provider ({settled.state}).\n")


async def _exchange(
    opening: OpenConversation,
    hold: Callable[[], Awaitable[Record]],
    wanted: ConversationOptions,
    output: Output,
    signals: Signals,
    heard: Sequence[Record] = (),
) -> int:
    conversation = opening.conversation
    signals.on_signal = lambda terminated: conversation.cancel(Cancelled("terminated" if terminated else "user"))
    try:
        async with _view(opening, output, _stdout(opening)) as view:
            opening.user.approve = _approver(opening, wanted, view)
            for record in heard:
                view(record)
            leave = conversation.subscribe(view)
            try:
                with _waiting(opening, output):
                    settled = await hold()
            finally:
                leave()
    except asyncio.CancelledError:
        if not signals.code:
            raise
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - we are in it
        task.uncancel()
        return signals.code
    finally:
        signals.on_signal = None
    if not (output.json or output.events):
        _explain(settled, opening, output)
    return EXIT_CODES[settled.state]


@contextlib.contextmanager
def _waiting(opening: OpenConversation, output: Output) -> Iterator[None]:
    """Tell on stderr what is waited for, if nothing else tells it."""
    if output.quiet or _is_drawn(output):
        yield
        return
    from .render.retry_countdown import WaitingLine

    # Where the answer goes to the same terminal, a line that is rewritten would tear it.
    line = WaitingLine(sys.stderr, counts=sys.stderr.isatty() and not sys.stdout.isatty())
    leave = opening.conversation.subscribe(line)
    try:
        yield
    finally:
        leave()
        line.close()


def _approver(opening: OpenConversation, wanted: ConversationOptions, view: Subscriber) -> Approver | None:
    """Who lets a doubtful tool run: anybody (`--yes`), the person at the terminal, or nobody."""
    if all(tool.approval == "never" for tool in opening.user.tools.values()):
        return None
    if wanted.yes:
        from ..tools import approve_all

        return approve_all
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        return None
    from .approval import PersonApprover
    from .render.theme import console

    # On stderr: stdout is the answer and nothing else.
    return PersonApprover(console(stderr=True), getattr(view, "paused", contextlib.nullcontext))


def _is_drawn(output: Output) -> bool:
    return sys.stdout.isatty() and not (output.quiet or output.raw)


def _stdout(opening: OpenConversation) -> TextIO:
    """Where the answer goes: to nobody else, when there are tools, whose threads and child processes might print."""
    if not opening.user.tools or sys.stdout.isatty():
        return sys.stdout
    from ..tools import reserve_stdout

    return reserve_stdout()


def _view(opening: OpenConversation, output: Output, stdout: TextIO) -> AbstractAsyncContextManager[Subscriber]:
    if output.events:
        from ..core.codec import encode
        from .render.jsonl import JsonLinesView

        return contextlib.nullcontext(JsonLinesView(stdout.buffer, encode))
    if output.json:
        from .render.result import ResultView

        return ResultView(stdout, opening.session.id if opening.session else None)
    if _is_drawn(output):
        from .render.live import LiveView
        from .render.theme import console

        return LiveView(console())
    from .render.plain import PlainView

    return contextlib.nullcontext(PlainView(stdout, raw=output.raw))


def ending(settled: Record) -> str:
    """One line about an exchange that did not end as hoped; empty for one that did."""
    match settled.event:
        case ErrorOccurred(message=message, hint=hint):
            return f"{message} {hint}".strip()
        case MessageIncomplete(reason=reason):
            return f"The answer is incomplete: {INCOMPLETE.get(reason, reason)}."
        case Cancelled(reason="timeout"):
            return "The time was over (--timeout); what had arrived is kept."
    return ""


INCOMPLETE = {
    "max_output_tokens": "it reached the limit of its length",
    "content_filter": "the provider's filter stopped it",
    "tool_rounds": "the assistant asked for tools too many times",
    "expired": "the provider let it expire",
}


def _explain(settled: Record, opening: OpenConversation, output: Output) -> None:
    """What the person has not been told yet of an ending that is not the best one."""
    lines = [] if _is_drawn(output) else [ending(settled)]
    if opening.session is not None and not output.quiet:
        lines.append(hint_after(settled.event, session=opening.session.id))
    if line := " ".join(filter(None, lines)):
        sys.stderr.write(f"asst: {clean_line(line)}\n")

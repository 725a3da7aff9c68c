"""The first and the last lines of a chat: who answers, which session continues, and how to continue it later."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from rich.cells import cell_len
from rich.text import Text

from ...core.errors import NotSetUpError
from ...core.events import ErrorOccurred, Record, SetUserMessage
from ...core.resume import last_exchange
from ...store.short_ids import short_ids
from ...store.store import Store
from ...text.figures import count_of
from ...text.safe_text import clean_label, clean_line
from ..hints import hint_after
from ..render.truncate import truncate
from .chat_protocol import ChatCommands

__all__ = ["farewell", "greet", "short_id"]

_SHOWN = 2
"""Turns of a session that is continued which are shown; /show has them all."""
_TITLE = 40
"""Characters of a title."""
_INSTRUCTIONS, _LEAST = 60, 12
"""Characters of the instructions that are shown at most, and the fewest that are worth showing."""


def greet(chat: ChatCommands, template: str = "") -> None:
    """Print who answers and what to press, or the end of the session that continues. `template`: what waits for a message."""
    chat.console.print(_header(chat))
    if template:
        chat.say(f"Your first message is put into the template {template}.")
    if not chat.transcript.exchanges:
        chat.say(_keys(chat.console.width))
        return
    from ..render.print_conversation import print_conversation

    past = chat.opened.past
    unfinished = last_exchange(past) if chat.opened.conversation.is_running else ()
    finished = past[: len(past) - len(unfinished)]
    shown = _last_turns(finished)
    count = len(chat.transcript.exchanges)
    rest = f", the last {_SHOWN} below" if len(shown) < len(finished) and count > _SHOWN else ""
    session = f" ({short_id(chat)})" if chat.opened.session is not None else ""
    chat.say(_continuing(chat, f"{session}: {count_of(count, 'turn')}{rest}", " · /show" if rest else ""))
    chat.console.print()
    print_conversation(
        shown,
        chat.console,
        replace(chat.screen.detail(chat.opened.conversation.assistant.model), states=False, hint=None, again=""),
    )
    last = past[-1].event
    if isinstance(last, ErrorOccurred) and last.kind == "interrupted":
        chat.say(f"The last turn was interrupted. {hint_after(last, chat=True)}")


def _continuing(chat: ChatCommands, facts: str, hint: str) -> str:
    """Which session continues, in one row: the hint goes first, then the end of the title."""
    room = chat.console.width - cell_len(f'Continuing ""{facts}')
    title = clean_label(chat.transcript.title, _TITLE)
    if cell_len(title) + len(hint) > room:
        hint = ""
    return f'Continuing "{truncate(title, max(room, _LEAST))}"{facts}{hint}'


def _header(chat: ChatCommands) -> Text:
    """Who answers, with how many tools and which instructions, in one row."""
    opened, width = chat.opened, chat.console.width
    header = Text.assemble(("asst", "bold"), " · ", (clean_line(opened.label), "asst.assistant"), no_wrap=True)
    header.overflow = "ellipsis"
    tools = f" · {count_of(len(opened.user.tools), 'tool')}" if opened.user.tools else ""
    if tools and header.cell_len + len(tools) <= width:
        header.append(tools, style="dim")
    room = min(width - header.cell_len - len(' · instructions: ""'), _INSTRUCTIONS)
    instructions = clean_label(opened.conversation.configured.instructions, max(room, 1))
    if instructions and room >= min(_LEAST, len(instructions)):
        header.append(f' · instructions: "{instructions}"', style="dim")
    return header


def _keys(width: int) -> str:
    """What to press, in one row: what is needed first stays longest."""
    parts = ["/help lists commands", "Alt-Enter makes a new line", "Ctrl-D leaves"]
    for gone in (1, -1):
        if len(" · ".join(parts)) > width:
            del parts[gone]
    return " · ".join(parts)


def _last_turns(records: Sequence[Record]) -> Sequence[Record]:
    starts = [number for number, record in enumerate(records) if isinstance(record.event, SetUserMessage)]
    return records[starts[-_SHOWN] :] if len(starts) > _SHOWN else records


def farewell(chat: ChatCommands) -> None:
    """Say where the conversation is."""
    session, turns = chat.opened.session, chat.transcript.exchanges
    if session is None:
        return
    if not turns:
        chat.say("Nothing was said, so nothing was saved.")
        return
    if session.is_deleted:
        chat.warn(f"Not saved: {session.path} was deleted meanwhile.")
        return
    count = count_of(len(turns), "turn")
    short = short_id(chat)
    is_newest = Store().newest() == session.id
    how = "continue: asst chat -c" if is_newest else f"continue: asst chat -r {short}"
    parts = [f"Saved as {short}", count, session_cost(chat), f"{how} (or -r {short})" if is_newest else how]
    if cell_len(" · ".join(filter(None, parts))) > chat.console.width:
        parts[-1] = how
    if cell_len(" · ".join(filter(None, parts))) > chat.console.width:
        parts[2] = ""
    chat.say(" · ".join(filter(None, parts)))


def session_cost(chat: ChatCommands) -> str:
    """What the session cost so far; empty if that is unknown."""
    from ..exchange_cost import prices
    from ..usage_table import sums_of_exchanges, total_of

    try:
        return str(total_of(sums_of_exchanges(chat.transcript.exchanges, prices())).cost)
    except NotSetUpError:  # prices.toml has an error
        return ""


def short_id(chat: ChatCommands) -> str:
    """The short id of the chat's session; empty if it isn't saved."""
    session = chat.opened.session
    return short_ids(Store(), [session.id])[session.id] if session is not None else ""

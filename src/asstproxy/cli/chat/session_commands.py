"""The commands of the chat for sessions: pick, show, rename, fork, go back."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from itertools import islice

from ...core.errors import SessionError, UsageError
from ...core.events import Titled
from ...store.fork import fork
from ...store.short_ids import short_ids
from ...store.store import Store
from ...store.transcript import ExchangeEntry, sent_entries
from ...text.figures import count_of
from ...text.safe_text import clean_label, clean_line
from ..options import ConversationOptions
from ..render.theme import is_plain
from ..sessions.change import rename_session
from .chat_protocol import ChatCommands
from .greeting import session_cost, short_id
from .terminal_handover import with_terminal

__all__ = [
    "continue_session",
    "fork_here",
    "pick",
    "rename",
    "resumed",
    "rewind",
    "session",
    "show",
    "switch_to",
    "switched",
]

_QUOTED = 60
_LISTED = 20
"""Sessions in the list that takes the place of the picker."""


async def continue_session(chat: ChatCommands, wanted: str) -> None:
    """Continue with the session of this id; without one, pick it.

    Raises:
        SessionError: the id fits no session, or more than one.
    """
    if not wanted:
        await pick(chat, "")
        return
    session, own = Store().find(wanted), chat.opened.session
    if own is None or session != own.id:
        switch_to(chat, replace(switched(chat.opened.options), session=session))


async def pick(chat: ChatCommands, words: str) -> None:
    """Pick another session, and continue with it or a copy of it. Where nothing is redrawn, they are listed."""
    if is_plain(chat.console):
        _list(chat, words)
        return
    from ..sessions.picker import pick_session  # late, as in `resumed`: the prompt comes first

    own = chat.opened.session
    picked = await pick_session(
        Store(),
        partial(_give_title, chat),
        words=words,
        without=[own.id] if own is not None and not own.has_exchange else (),
    )
    if picked is None or (own is not None and picked == (own.id, "continue")):
        return
    switch_to(chat, replace(switched(chat.opened.options), session=picked.session, fork=picked.action == "fork"))


def _list(chat: ChatCommands, words: str) -> None:
    from ...store.filters import SessionFilter, filter_sessions
    from ...store.search_index import SearchIndex
    from ..sessions.listing import table_of

    store = Store()
    if words:
        found = [store.summary(hit.session) for hit in SearchIndex(store).search(words, SessionFilter(), _LISTED)]
    else:
        found = list(islice(filter_sessions(store, SessionFilter()), _LISTED))
    if not found:
        chat.say("Nothing found." if words else "No session yet.")
        return
    table = table_of(store, [summary.id for summary in found])
    for line in (table.header, *(table.row(summary, store.state_of(summary)) for summary in found)):
        chat.say(line)
    chat.say("Continue one: /sessions ID")


def switched(options: ConversationOptions) -> ConversationOptions:
    """The options for another session: who answers, and how, is as that session has it."""
    return replace(
        options,
        profile="",
        model="",
        system=None,
        continue_latest=False,
        session="",
        fork=False,
        attach=None,
        template="",
        values=None,
    )


def switch_to(chat: ChatCommands, options: ConversationOptions) -> None:
    """Continue with the session of these options."""
    chat.next_options, chat.leaving = options, True


def _give_title(chat: ChatCommands, session: str, title: str) -> None:
    own = chat.opened.session
    if own is None or own.id != session:
        rename_session(session, title)
        return
    title = " ".join(title.split())
    if not title:
        raise UsageError("The title is empty.", "Give one: /rename A title")
    chat.opened.conversation.publish(Titled(title))


async def resumed(options: ConversationOptions, wanted: str) -> ConversationOptions | None:
    """The options for the session that is `wanted` by its id, or that the user picks; None if they went back.

    Raises:
        UsageError: another session is asked for, too.
        SessionError: no session is saved, or more than one fits.
    """
    from ..sessions.picker import pick_session

    if options.continue_latest or options.session:
        raise UsageError("-r can't be combined with -c or --session.")
    store = Store()
    try:
        return replace(options, session=store.find(wanted))
    except SessionError as error:
        if error.code != "session_not_found":
            raise
    store.newest()  # raises if there is none
    picked = await pick_session(store, rename_session, words=wanted)
    return replace(options, session=picked.session, fork=picked.action == "fork") if picked is not None else None


async def rename(chat: ChatCommands, title: str) -> None:
    """Give this session a title.

    Raises:
        UsageError: the title is empty, or the chat isn't saved.
    """
    _give_title(chat, _saved(chat), title)
    chat.say(f'This session is called "{clean_line(title)}".')


async def fork_here(chat: ChatCommands, number: str) -> None:
    """Continue in a copy of this session; with a number, in a copy of its first turns.

    Raises:
        UsageError: the assistant sees no such turn, or the chat isn't saved.
    """
    own, at = _saved(chat), None
    if number:
        turns = sent_entries(chat.transcript)
        kept = _number(number, len(turns))
        at = _place(chat.transcript.exchanges, turns, kept)
    copy = fork(Store(), own, at)
    copy.close()
    new = short_ids(Store(), [copy.id])[copy.id]
    chat.say(f"Copied {short_id(chat)} to {new}. You continue in the copy; back: /sessions")
    now = chat.opened.conversation.configured
    options = switched(chat.opened.options)
    switch_to(
        chat,
        replace(options, session=copy.id, profile=now.profile, model=now.model, system=now.instructions or None),
    )


async def rewind(chat: ChatCommands, number: str) -> None:
    """Go back to an earlier turn; without a number, list the turns.

    Raises:
        UsageError: the assistant sees no such turn.
    """
    turns = sent_entries(chat.transcript)
    if not number:
        for count, turn in enumerate(turns, 1):
            chat.say(f"{count:>3}  {clean_label(_named(turn), chat.console.width - 6)}")
        chat.say("To go back to one: /rewind N" if turns else "No turn yet.")
        return
    keep = _number(number, len(turns))
    undone = len(turns) - keep
    if not undone:
        chat.say(f"Turn {keep} is the last one: nothing to undo.")
        return
    chat.opened.conversation.cut_history(len(chat.opened.conversation.history.exchanges) - undone)
    what = f"{undone} turn{'' if undone == 1 else 's'}"
    chat.say(f'Back at turn {keep}: "{clean_label(_named(turns[keep - 1]), _QUOTED)}"')
    chat.say(f"Undone: {what}. The session file still has {'it' if undone == 1 else 'them'}.")


def _number(text: str, count: int) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= count:
        has = f"it has {count} turn{'' if count == 1 else 's'}" if count else "it has none yet"
        raise UsageError(f'This chat has no turn "{text}": {has}.', "List them: /rewind" if count else "")
    return int(text)


def _named(entry: ExchangeEntry) -> str:
    return f"Summary of {count_of(entry.summarises, 'turn')}" if entry.summarises else entry.user


def _place(exchanges: list[ExchangeEntry], sent: list[ExchangeEntry], kept: int) -> int:
    """How many exchanges of the session a copy of the first `kept` ones of those that are sent begins with.

    A summary is left out, with what it stands for in its place, if turns that it kept as they were are left out.
    """
    places = {id(entry): place for place, entry in enumerate(exchanges)}
    last = places[id(sent[kept - 1])]
    following = places[id(sent[kept])] if kept < len(sent) else len(exchanges)
    return min(last + 1, following)


async def show(chat: ChatCommands, _: str) -> None:
    """Show the whole session, through the pager."""
    from ..sessions.show import print_paged, records_of

    own = _saved(chat)
    await with_terminal(chat.signals, lambda: print_paged(records_of(Store(), own)))


async def session(chat: ChatCommands, _: str) -> None:
    """Say which session this is, and where it is."""
    own = chat.opened.session
    if own is None:
        chat.say("This chat isn't saved (--no-save).")
        return
    count = len(chat.transcript.exchanges)
    title = clean_label(own.title, _QUOTED)
    turns = f"{count} turn{'' if count == 1 else 's'}" if count else "new"
    chat.say(" · ".join(filter(None, (f'"{title}"' if title else "", short_id(chat), turns, session_cost(chat)))))
    chat.say(f"{own.id}   {own.path}")


def _saved(chat: ChatCommands) -> str:
    """The id of this session.

    Raises:
        UsageError: the chat isn't saved, or nothing was said.
    """
    own = chat.opened.session
    if own is None:
        raise UsageError("This chat isn't saved (--no-save).", "To save one: asst chat")
    if not own.has_exchange:
        raise UsageError("Nothing was said yet.", "Ask something first.")
    return own.id

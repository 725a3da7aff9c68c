"""`asst sessions`: what was kept."""

from __future__ import annotations

import sys
from datetime import datetime
from itertools import islice

import msgspec

from ..core.codec import encode
from ..core.errors import SessionError
from ..core.store import Store
from ..core.transcript import Summary, to_json
from .view.safe import clean_line

__all__ = ["list_sessions", "show_session"]

SHORT = 26
"""Characters of an id in a list: all of them, so that it can be copied."""


def list_sessions(limit: int | None, *, as_json: bool) -> None:
    """Print the newest sessions: when, id, state, exchanges, tokens, who, title."""
    store = Store()
    found = islice(store.ids(), limit)
    if as_json:
        rows = [msgspec.to_builtins(_summary(store, one)) | {"path": str(store.path(one))} for one in found]
        sys.stdout.write(msgspec.json.format(msgspec.json.encode(rows), indent=2).decode() + "\n")
        return
    count = 0
    for count, one in enumerate(found, 1):  # noqa: B007 - it is used after the loop
        sys.stdout.write(_line(_summary(store, one)) + "\n")
    if not count:
        sys.stderr.write('No session yet. Start one: asst ask "…", or asst chat\n')


def _summary(store: Store, session: str) -> Summary:
    try:
        summary = store.summary(session)
    except SessionError as error:
        return Summary(id=session, title=f"[damaged] {error}")
    return Summary(**{name: getattr(summary, name) for name in Summary.__struct_fields__})


def _line(summary: Summary) -> str:
    when = (
        datetime.fromisoformat(summary.created).astimezone().strftime("%Y-%m-%d %H:%M") if summary.created else " " * 16
    )
    tokens = summary.usage.input + summary.usage.output
    who = f"{summary.profile or summary.provider}/{summary.model}".strip("/")
    return f"{when}  {summary.id}  {summary.state:<10} {summary.exchange_count:>3} {tokens:>7}  {clean_line(f'{who}  {summary.title}')}"


def show_session(prefix: str, *, events: bool, as_json: bool) -> None:
    """Print a session: as in the chat, or its records, or its transcript."""
    store = Store()
    session = store.find(prefix) if prefix else store.newest()
    if events:
        for record in store.records(session):
            sys.stdout.write(encode(record).decode() + "\n")
    elif as_json:
        sys.stdout.write(to_json(store.transcript(session)).decode())
    else:
        from .view.conversation import show
        from .view.theme import console

        show(store.records(session), console())

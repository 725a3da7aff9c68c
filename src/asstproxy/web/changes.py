"""Changes to sessions that need no assistant: a copy, a title, deletion."""

from __future__ import annotations

import asyncio

from ..core.errors import UsageError
from ..core.events import Titled
from .sessions import Sessions

__all__ = ["fork_session", "remove_session", "rename_session"]


async def fork_session(sessions: Sessions, session: str, keep: int | None) -> str:
    """Copy a session, or its first `keep` exchanges; returns the new id.

    Raises:
        AsstError: it doesn't exist, is shorter, or the copy can't be saved.
    """
    from ..store.fork import fork

    store = sessions.store
    copy = await asyncio.to_thread(fork, store, store.find(session), keep)
    copy.close()
    return copy.id


async def rename_session(sessions: Sessions, session: str, title: str) -> None:
    """Give a session a title.

    Raises:
        AsstError: the title is empty, or the session is open elsewhere.
    """
    title = " ".join(title.split())
    if not title:
        raise UsageError("The title is empty.", "Write one.")
    session = sessions.store.find(session)
    live = sessions.find_live(session)
    if live is not None:
        live.publish(Titled(title))
        return
    opened = sessions.store.open(session, keep_running=True)
    try:
        opened.add(Titled(title))
    finally:
        opened.close()


async def remove_session(sessions: Sessions, session: str) -> None:
    """Delete a session.

    Raises:
        AsstError: it is open elsewhere, or an exchange is in progress.
    """
    session = sessions.store.find(session)
    await sessions.close(session)
    sessions.store.remove(session)
    sessions.feeds.forget(session)

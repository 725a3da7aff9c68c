"""Which session a command goes on with: found, waited for, or copied."""

from __future__ import annotations

import asyncio
import sys

from ..core.errors import SessionInUseError, UsageError
from ..store.session import Session
from ..store.store import Store

__all__ = ["chosen_session", "open_session"]

TURN = 0.05
"""Seconds between two looks whether a session is free."""


def chosen_session(store: Store, prefix: str, *, newest: bool) -> str:
    """The id of the session that was asked for; empty when a new one is wanted.

    Raises:
        SessionError: there is no such session.
        UsageError: it was asked for in two ways.
    """
    if prefix and newest:
        raise UsageError("--continue and --session exclude each other.")
    return store.find(prefix) if prefix else store.newest() if newest else ""


async def open_session(store: Store, session: str, *, wait: bool, fork: bool) -> Session:
    """The session, open for writing; one that another process has open is waited for, or copied.

    An exchange that is under way is left as it is: it may go on at the provider.

    Raises:
        SessionInUseError: another process has it, and the person wants neither.
    """
    if fork:
        from ..store.fork import fork as copied

        return copied(store, session)
    told = False
    while True:
        try:
            return store.open(session, keep_running=True)
        except SessionInUseError as error:
            if not wait:
                raise
            if not told:
                sys.stderr.write(f"{error} Waiting for it; Ctrl-C stops.\n")
                told = True
        await asyncio.sleep(TURN)

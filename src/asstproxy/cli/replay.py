"""`asst replay`: the records of a session, played into the same view, or driven through a fresh mediator."""

from __future__ import annotations

import asyncio
import sys
from datetime import datetime
from pathlib import Path

from ..core.codec import encode
from ..core.errors import SessionError, UsageError
from ..core.events import Record
from ..core.replay import conform
from ..core.session import read_records
from ..core.store import Store

__all__ = ["check_session", "replay"]

LONGEST = 1.0
"""Seconds of a pause in a replay, however long it was."""


def _records(session: str) -> list[Record]:
    if session.endswith(".jsonl") or "/" in session:
        try:
            return read_records(Path(session))
        except OSError as error:
            raise SessionError(f"{session}: {error.strerror}.") from None
    store = Store()
    return store.records(store.find(session) if session else store.newest())


def check_session(session: str) -> int:
    """Compare the recorded states with those of a fresh mediator: 0 if they agree, 1 with the first difference."""
    records = _records(session)
    difference = next(conform(records), None)
    if difference is None:
        sys.stdout.write(f"{len(records)} records conform to the script.\n")
        return 0
    sys.stdout.write(f"{difference}\n")
    return 1


def _speed(text: str) -> float:
    try:
        speed = float("inf") if text == "max" else float(text)
    except ValueError:
        speed = 0.0
    if not speed > 0:
        raise UsageError(f"'{text}' is not a speed.", "Say a number greater than 0, or max.")
    return speed


async def replay(session: str, speed: str, *, events: bool) -> int:
    """Play a session."""
    records, factor = _records(session), _speed(speed)
    if events:
        for record in records:
            sys.stdout.write(encode(record).decode() + "\n")
        return 0
    from .view.live import LiveView
    from .view.theme import console

    before: datetime | None = None
    async with LiveView(console()) as view:
        for record in records:
            at = datetime.fromisoformat(record.at)
            pause = min(max((at - before).total_seconds(), 0.0) if before else 0.0, LONGEST) / factor
            before = at
            if pause:
                await asyncio.sleep(pause)
            view(record)
    return 0

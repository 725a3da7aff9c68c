"""What `sessions.py` measures inside one process: its first argument says what; the figures are printed as JSON."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any


def _timed(what: Callable[[], Any], runs: int) -> dict[str, float]:
    found = []
    for _ in range(runs):
        wall, cpu = time.perf_counter(), time.process_time()
        what()
        found.append((time.perf_counter() - wall, time.process_time() - cpu))
    return {"wall": 1e3 * median(w for w, _ in found), "cpu": 1e3 * median(c for _, c in found)}


def opening(root: str = "") -> dict[str, float]:
    """The newest session, found, locked and read."""
    from asstproxy.core.conversation import Conversation
    from asstproxy.providers.scripted import ScriptedProvider
    from asstproxy.store.store import Store
    from asstproxy.user import UserProxy

    def once() -> None:
        store = Store(Path(root) if root else None)
        session = store.open(store.newest())
        Conversation(ScriptedProvider(), UserProxy(), past=session.past)
        session._transcript._stale = False  # noqa: SLF001 - only the opening is measured
        session.close()

    once()
    return _timed(once, 15)


def search(words: str) -> dict[str, float]:
    """A search with a warm index."""
    from asstproxy.store.filters import SessionFilter
    from asstproxy.store.search_index import SearchIndex
    from asstproxy.store.store import Store

    return _timed(lambda: SearchIndex(Store()).search(words, SessionFilter(), 10), 7)


async def exchange(root: str, session_id: str) -> dict[str, float]:
    """Exchanges in a session: bytes of the journal, milliseconds to the answer, milliseconds of the rewrite."""
    from asstproxy.core.conversation import Conversation
    from asstproxy.core.events import Record
    from asstproxy.providers.scripted import ScriptedProvider, say
    from asstproxy.store.store import Store
    from asstproxy.user import UserProxy

    store = Store(Path(root))
    session = store.open(session_id) if session_id else store.create()
    conversation = Conversation(
        ScriptedProvider(*(say("word " * 100, pieces=10) for _ in range(8))), UserProxy(), past=session.past
    )
    conversation.subscribe(session, essential=True)
    told = heard = 0.0

    def view(record: Record) -> None:
        nonlocal heard, told
        if record.event.type == "started":
            told = time.perf_counter()
        elif record.event.type == "assistant_message_retrieved":
            heard = time.perf_counter() - told

    conversation.subscribe(view)
    answers, sizes, rewrites = [], [], []
    for _ in range(8):
        before = session.path.stat().st_size
        await conversation.exchange("hello there")
        answers.append(heard)
        sizes.append(session.path.stat().st_size - before)
        thread = session._transcript._thread  # noqa: SLF001 - what goes on in the background is waited for here
        began = time.perf_counter()
        if thread is not None:
            thread.join()
        rewrites.append(time.perf_counter() - began)
    session.close()
    # The first exchange of a process folds the past; that is in its rewrite.
    return {
        "answer": 1e3 * median(answers),
        "bytes": median(sizes),
        "rewrite": 1e3 * median(rewrites),
        "first": 1e3 * rewrites[0],
    }


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["open", *where]:
            figures = opening(*where)
        case ["search", words]:
            figures = search(words)
        case ["exchange", root, session]:
            figures = asyncio.run(exchange(root, session))
        case _:
            raise SystemExit(2)
    print(json.dumps(figures))

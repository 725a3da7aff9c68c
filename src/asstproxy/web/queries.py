"""What the page reads: sessions, records as they come, files, costs, exports."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse

from .._version import __version__
from ..core.codec import encode
from ..core.events import Record
from ..core.script import LISTENING, SCRIPT, SETTLED
from ..store.session_files import attachments_of
from ..store.transcript import transcript_of
from .profiles import profile_rows
from .session_rows import session_rows
from .sessions import Sessions

__all__ = ["Queries"]

_BEAT = 15.0
"""Seconds of silence after which a comment is sent, so that a lost connection is noticed."""
_SHOWN = ("image/png", "image/jpeg", "image/gif", "image/webp")
"""Pictures that run nothing: SVG may hold scripts."""
_FORMS = {"html": "text/html", "md": "text/markdown", "json": "application/json", "mmd": "text/plain"}


class Queries:
    """Handlers of GET requests. `names`: the profiles that the page offers; all, if empty."""

    def __init__(self, sessions: Sessions, names: tuple[str, ...]) -> None:
        self._sessions, self._names = sessions, names

    async def about(self, _: Request) -> Response:
        """The version, the profiles, and the script's table."""
        return JSONResponse(
            {
                "version": __version__,
                "profiles": await profile_rows(self._names),
                "script": [
                    {"trigger": step.trigger, "sources": sorted(step.sources), "dest": step.dest, "do": step.do or ""}
                    for step in SCRIPT
                ],
                "listening": sorted(LISTENING),
                "settled": sorted(SETTLED),
            }
        )

    async def rows(self, request: Request) -> Response:
        """The latest sessions, or those that hold the words of `q`."""
        limit = _number(request.query_params.get("limit"), 100)
        words = request.query_params.get("q", "")
        return JSONResponse(await asyncio.to_thread(session_rows, self._sessions, words, max(1, min(limit, 1000))))

    async def session(self, request: Request) -> Response:
        """All records of a session and the finished blocks of its answers."""
        feed = self._sessions.feed(request.path_params["id"])
        head = {"id": feed.session, "feed": feed.id, "status": feed.status, "blocks": feed.blocks}
        body = b"".join((_json(head)[:-1], b',"records":[', b",".join(map(encode, feed.records)), b"]}"))
        return Response(body, media_type="application/json")

    async def events(self, request: Request) -> Response:
        """The records after `Last-Event-ID` (or `after`), and all that come: Server-Sent Events that don't end.

        `feed`: which one the viewer has watched; if it is another one now, the viewer is told to load the session anew.
        """
        feed = self._sessions.feed(request.path_params["id"])
        known = request.query_params.get("feed", feed.id)
        after = _number(request.headers.get("last-event-id") or request.query_params.get("after"), 0)

        async def stream() -> AsyncIterator[bytes]:
            yield b"retry: 500\n\n"
            if known != feed.id:
                yield b"event: reload\ndata: {}\n\n"
                return
            async with contextlib.aclosing(feed.watch(after)) as updates:
                ending = asyncio.ensure_future(self._sessions.ending.wait())
                waiting = asyncio.ensure_future(anext(updates))
                try:
                    while not ending.done():
                        await asyncio.wait({waiting, ending}, timeout=_BEAT, return_when=asyncio.FIRST_COMPLETED)
                        if not waiting.done():
                            yield b": still here\n\n"
                            continue
                        update = waiting.result()
                        yield _events(update.records, update.blocks, update.status)
                        waiting = asyncio.ensure_future(anext(updates))
                finally:
                    ending.cancel()
                    waiting.cancel()
                    with contextlib.suppress(asyncio.CancelledError, StopAsyncIteration):
                        await waiting

        return StreamingResponse(stream(), media_type="text/event-stream", headers={"x-accel-buffering": "no"})

    async def export(self, request: Request) -> Response:
        """The session as a file: `form` is html, md, json or mmd."""
        form = request.query_params.get("form", "html")
        if form not in _FORMS:
            return JSONResponse({"error": f"{form!r} isn't a format.", "hint": "Use html, md, json or mmd."}, 400)
        session = self._sessions.store.find(request.path_params["id"])
        data = await asyncio.to_thread(self._exported, session, form)
        disposition = f'attachment; filename="asst-{session[-8:].lower()}.{form}"'
        return Response(data, media_type=_FORMS[form], headers={"content-disposition": disposition})

    def _exported(self, session: str, form: str) -> bytes:
        from ..export.write import export

        store = self._sessions.store
        records = store.records(session)
        return export(transcript_of(records, session), records, form, files=store.files(session))

    async def costs(self, request: Request) -> Response:
        """What each exchange cost, in words; empty where nothing is known yet."""
        feed = self._sessions.feed(request.path_params["id"])
        return JSONResponse(await asyncio.to_thread(feed.costs.of, list(feed.records)))

    async def file(self, request: Request) -> Response:
        """A file that a message carries. Only pictures are shown by the browser; anything else is saved."""
        feed = self._sessions.feed(request.path_params["id"])
        found = next((one for one in attachments_of(feed.records) if one.sha256 == request.path_params["sha256"]), None)
        if found is None:
            return JSONResponse({"error": "This session has no such file.", "hint": ""}, 404)
        with self._sessions.store.files(feed.session).open(found) as content:
            data = await asyncio.to_thread(content.read)
        shown = found.media_type in _SHOWN
        headers = {
            "content-disposition": "inline" if shown else "attachment",
            "cache-control": "private, max-age=86400",
        }
        return Response(data, media_type=found.media_type if shown else "application/octet-stream", headers=headers)


def _number(text: str | None, default: int) -> int:
    return int(text) if text and text.isascii() and text.isdecimal() and len(text) < 16 else default


def _json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=True, separators=(",", ":")).encode()


def _events(records: list[Record], blocks: list[dict[str, Any]], status: dict[str, Any] | None) -> bytes:
    """One event for each kind of news. The records carry their number, from which a lost connection goes on.

    Blocks come first: when the records that need them are drawn, they are there.
    """
    parts = []
    if status is not None:
        parts.append(b"event: status\ndata: " + _json(status) + b"\n\n")
    if blocks:
        parts.append(b"event: blocks\ndata: " + _json(blocks) + b"\n\n")
    if records:
        data = b",".join(map(encode, records))
        parts.append(b"id: %d\nevent: records\ndata: [" % records[-1].seq + data + b"]\n\n")
    return b"".join(parts)

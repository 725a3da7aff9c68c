"""What the page reads: sessions, records as they come, files, costs, exports."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse

from .._version import __version__
from ..core.codec import encode
from ..core.script import LISTENING, SCRIPT, SETTLED
from ..store.session_files import attachments_of
from ..store.transcript import transcript_of
from ..text.status_text import REASONS
from .profiles import checked_profiles, profile_rows
from .session_rows import session_rows
from .sessions import Sessions
from .update import ALIVE, to_json

__all__ = ["Queries"]

_MOST_VIEWERS = 200
"""Streams of records at one time, of all sessions."""
_PIECE = 65_536
"""Bytes that are handed to the connection of a viewer at a time."""
_SHOWN = ("image/png", "image/jpeg", "image/gif", "image/webp")
"""Pictures that run nothing: SVG may hold scripts."""
_FORMS = {"html": "text/html", "md": "text/markdown", "json": "application/json", "mmd": "text/plain"}


class Queries:
    """Handlers of GET requests. `names`: the profiles that the page offers; all, if empty."""

    def __init__(self, sessions: Sessions, names: tuple[str, ...]) -> None:
        self._sessions, self._names = sessions, names

    async def about(self, _: Request) -> Response:
        """The version, the profiles as they are configured, the script's table, and why an exchange didn't complete, in words."""
        return JSONResponse(
            {
                "version": __version__,
                "profiles": profile_rows(self._names),
                "script": [
                    {"trigger": step.trigger, "sources": sorted(step.sources), "dest": step.dest, "do": step.do or ""}
                    for step in SCRIPT
                ],
                "reasons": REASONS,
                "listening": sorted(LISTENING),
                "settled": sorted(SETTLED),
            }
        )

    async def profiles(self, _: Request) -> Response:
        """The profiles, with what each of them lacks."""
        return JSONResponse(await checked_profiles(self._names))

    async def rows(self, request: Request) -> Response:
        """The latest sessions, or those that hold the words of `q`."""
        limit = _number(request.query_params.get("limit"), 100)
        words = request.query_params.get("q", "")
        return JSONResponse(await asyncio.to_thread(session_rows, self._sessions, words, max(1, min(limit, 1000))))

    async def session(self, request: Request) -> Response:
        """All records of a session, the finished blocks of its answers, and the seconds between signs of life (`beat`)."""
        feed = self._sessions.feeds.of(request.path_params["id"])
        head = {
            "id": feed.session,
            "feed": feed.id,
            "beat": feed.beat,
            "status": feed.status,
            "blocks": feed.blocks,
        }
        body = b"".join((to_json(head)[:-1], b',"records":[', b",".join(map(encode, feed.records)), b"]}"))
        return Response(body, media_type="application/json")

    async def events(self, request: Request) -> Response:
        """The records after `Last-Event-ID` (or `after`), and all that come: Server-Sent Events that don't end.

        `feed`: which one the viewer has watched; if it is another one now, the viewer is asked to load the session anew.
        """
        feed = self._sessions.feeds.of(request.path_params["id"])
        if self._sessions.feeds.viewers >= _MOST_VIEWERS:
            problem = {"error": "Too many pages are open.", "hint": "Close some of them."}
            return JSONResponse(problem, 503)
        known = request.query_params.get("feed", feed.id)
        after = _number(request.headers.get("last-event-id") or request.query_params.get("after"), 0)

        async def stream() -> AsyncIterator[bytes | memoryview]:
            yield b"retry: 500\n\n"
            if known != feed.id:
                yield b"event: reload\ndata: {}\n\n"
                return
            async with contextlib.aclosing(feed.watch(after)) as updates:
                async for update in updates:
                    events = memoryview(ALIVE if update is None else update.events)
                    for at in range(
                        0, len(events), _PIECE
                    ):  # a viewer that doesn't read has one piece waiting, not all
                        yield events[at : at + _PIECE]

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
        feed = self._sessions.feeds.of(request.path_params["id"])
        return JSONResponse(await asyncio.to_thread(feed.costs.of, list(feed.records)))

    async def file(self, request: Request) -> Response:
        """A file that a message carries. Only pictures are shown by the browser; anything else is saved."""
        feed = self._sessions.feeds.of(request.path_params["id"])
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

"""What the page asks of the server: JSON over HTTP, and one stream of records for each session that is shown."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from .._version import __version__
from ..core.codec import encode
from ..core.errors import AsstError, NotSetUpError, SessionError, SessionInUseError
from ..core.events import Record
from ..core.script import LISTENING, RESTING, SCRIPT, SETTLED
from ..store.transcript import TranscriptBuilder
from .changes import fork_session, remove_session, rename_session
from .live import Choice
from .profiles import profile_rows
from .session_rows import session_rows
from .sessions import Sessions

__all__ = ["routes"]

_BEAT = 15.0
"""Seconds of silence after which a comment is sent, so that a lost connection is noticed."""
_FORMS = {"html": "text/html", "md": "text/markdown", "json": "application/json", "mmd": "text/plain"}


def routes(sessions: Sessions, names: tuple[str, ...]) -> list[Route]:
    """The routes below `/api`. `names`: the profiles that the page offers; all, if empty."""
    api = _Api(sessions, names)
    gets: dict[str, Callable[[Request], Awaitable[Response]]] = {
        "/about": api.about,
        "/sessions": api.rows,
        "/sessions/{id}": api.session,
        "/sessions/{id}/events": api.events,
        "/sessions/{id}/export": api.export,
    }
    posts: dict[str, Callable[[Request], Awaitable[Response]]] = {
        "/messages": api.send,
        "/sessions/{id}/stop": api.stop,
        "/sessions/{id}/approval": api.approval,
        "/sessions/{id}/resume": api.resume,
        "/sessions/{id}/fork": api.fork,
        "/sessions/{id}/title": api.rename,
        "/sessions/{id}/close": api.close,
        "/sessions/{id}/delete": api.remove,
    }
    return [
        *(Route(f"/api{path}", _told(handler), methods=["GET"]) for path, handler in gets.items()),
        *(Route(f"/api{path}", _told(handler), methods=["POST"]) for path, handler in posts.items()),
    ]


def _told(handler: Callable[[Request], Awaitable[Response]]) -> Callable[[Request], Awaitable[Response]]:
    """The handler, with its errors as one line of JSON."""

    async def told(request: Request) -> Response:
        try:
            return await handler(request)
        except SessionInUseError as error:
            return JSONResponse(_problem(error), 409)
        except SessionError as error:
            return JSONResponse(_problem(error), 404)
        except AsstError as error:
            return JSONResponse(_problem(error), 400)
        except OSError as error:
            return JSONResponse({"error": f"The session can't be saved: {error.strerror}.", "hint": ""}, 500)

    return told


def _problem(error: AsstError) -> dict[str, str]:
    return {"error": str(error), "hint": error.hint}


class _Api:
    def __init__(self, sessions: Sessions, names: tuple[str, ...]) -> None:
        self._sessions, self._names = sessions, names

    # ---- reading -------------------------------------------------------------------------------------------------------

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
                "resting": sorted(RESTING),
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

        records = self._sessions.store.records(session)
        builder = TranscriptBuilder(session)
        for record in records:
            builder.feed(record)
        builder.include_partial()
        return export(builder.transcript, records, form, files=self._sessions.store.files(session))

    # ---- doing ---------------------------------------------------------------------------------------------------------

    async def send(self, request: Request) -> Response:
        """Send a message: `text`, `session` (none: a new one), `profile`, `model`, `keep` (see `LiveSession.send`)."""
        body = await _body(request)
        keep = body.get("keep")
        session = await self._sessions.send(
            _text(body, "session"),
            _text(body, "text"),
            Choice(_text(body, "profile"), _text(body, "model")),
            keep if isinstance(keep, int) and keep >= 0 else None,
        )
        return JSONResponse({"session": session})

    async def stop(self, request: Request) -> Response:
        """Stop the exchange in progress."""
        self._sessions.live(request.path_params["id"]).stop()
        return JSONResponse({})

    async def approval(self, request: Request) -> Response:
        """Answer the question whether tools may run: `answers` by `call_id`, see `PageApproval.answer`."""
        answers = (await _body(request)).get("answers")
        given = answers if isinstance(answers, dict) else {}
        await self._sessions.live(request.path_params["id"]).approval.answer(
            {str(call): answer for call, answer in given.items() if isinstance(answer, dict)}
        )
        return JSONResponse({})

    async def resume(self, request: Request) -> Response:
        """Take up what was left unfinished."""
        await self._sessions.resume(request.path_params["id"])
        return JSONResponse({})

    async def fork(self, request: Request) -> Response:
        """Copy a session; `keep`: only so many exchanges."""
        keep = (await _body(request)).get("keep")
        copied = await fork_session(self._sessions, request.path_params["id"], keep if isinstance(keep, int) else None)
        return JSONResponse({"session": copied})

    async def rename(self, request: Request) -> Response:
        """Give a session a `title`."""
        await rename_session(self._sessions, request.path_params["id"], _text(await _body(request), "title"))
        return JSONResponse({})

    async def close(self, request: Request) -> Response:
        """Release a session for a terminal."""
        await self._sessions.close(self._sessions.store.find(request.path_params["id"]))
        return JSONResponse({})

    async def remove(self, request: Request) -> Response:
        """Delete a session."""
        await remove_session(self._sessions, request.path_params["id"])
        return JSONResponse({})


async def _body(request: Request) -> dict[str, Any]:
    try:
        found = json.loads(await request.body() or b"{}")
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise NotSetUpError("The request isn't a JSON object.", "Reload the page.")
    return found


def _text(body: dict[str, Any], key: str) -> str:
    value = body.get(key)
    return value if isinstance(value, str) else ""


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

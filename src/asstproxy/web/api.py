"""What the page asks of the server: JSON over HTTP, and one stream of records for each session that is shown."""

from __future__ import annotations

import base64
import json
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from ..core.errors import AsstError, NotSetUpError, SessionError, SessionInUseError, UsageError
from ..files import read_attachment
from .changes import fork_session, remove_session, rename_session
from .choice import Choice
from .queries import Queries
from .sessions import Sessions

__all__ = ["routes"]

_LONGEST_NAME = 255
"""Characters of a file's name, as most file systems have it."""


def routes(sessions: Sessions, names: tuple[str, ...]) -> list[Route]:
    """The routes below `/api`. `names`: the profiles that the page offers; all, if empty."""
    queries, commands = Queries(sessions, names), _Commands(sessions)
    gets: dict[str, Callable[[Request], Awaitable[Response]]] = {
        "/about": queries.about,
        "/profiles": queries.profiles,
        "/sessions": queries.rows,
        "/sessions/{id}": queries.session,
        "/sessions/{id}/events": queries.events,
        "/sessions/{id}/export": queries.export,
        "/sessions/{id}/costs": queries.costs,
        "/sessions/{id}/files/{sha256}": queries.file,
    }
    posts: dict[str, Callable[[Request], Awaitable[Response]]] = {
        "/messages": commands.send,
        "/sessions/{id}/stop": commands.stop,
        "/sessions/{id}/approval": commands.approval,
        "/sessions/{id}/resume": commands.resume,
        "/sessions/{id}/fork": commands.fork,
        "/sessions/{id}/title": commands.rename,
        "/sessions/{id}/close": commands.close,
        "/sessions/{id}/delete": commands.remove,
    }
    return [
        *(Route(f"/api{path}", _answered(handler), methods=["GET"]) for path, handler in gets.items()),
        *(Route(f"/api{path}", _answered(handler), methods=["POST"]) for path, handler in posts.items()),
    ]


def _answered(handler: Callable[[Request], Awaitable[Response]]) -> Callable[[Request], Awaitable[Response]]:
    """The handler, with its errors as one line of JSON."""

    async def answered(request: Request) -> Response:
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

    return answered


def _problem(error: AsstError) -> dict[str, str]:
    return {"error": str(error), "hint": error.hint}


class _Commands:
    """Handlers of POST requests."""

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions

    async def send(self, request: Request) -> Response:
        """Send a message: `text`, `session` (none: a new one), `profile`, `model`, `keep` and `background` (see
        `LiveSession.send`).

        `files`: objects with a `name` and `data` in base64. `again`: SHA-256 of files of earlier messages.
        """
        body = await _body(request)
        keep, again = body.get("keep"), body.get("again")
        session = await self._sessions.send(
            _text(body, "session"),
            _text(body, "text"),
            Choice(_text(body, "profile"), _text(body, "model")),
            files=[await read_attachment(data, name) for name, data in _files(body)],
            again=[one for one in again if isinstance(one, str)] if isinstance(again, list) else (),
            keep=keep if isinstance(keep, int) and keep >= 0 else None,
            background=body.get("background") is True,
        )
        return JSONResponse({"session": session})

    async def stop(self, request: Request) -> Response:
        """Stop the exchange in progress."""
        self._sessions.live(request.path_params["id"]).stop()
        return JSONResponse({})

    async def approval(self, request: Request) -> Response:
        """Answer the question whether tools may run: `answers` by the `id` of each question, see `PageApproval.answer`."""
        answers = (await _body(request)).get("answers")
        given = answers if isinstance(answers, dict) else {}
        await self._sessions.live(request.path_params["id"]).approval.answer(
            {str(name): answer for name, answer in given.items() if isinstance(answer, dict)}
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


def _files(body: dict[str, Any]) -> Iterator[tuple[str, bytes]]:
    files = body.get("files")
    for file in files if isinstance(files, list) else ():
        try:
            yield _name(_text(file, "name")), base64.b64decode(_text(file, "data"), validate=True)
        except (ValueError, AttributeError):
            raise UsageError("A file isn't in base64.", "Reload the page.") from None


def _name(name: str) -> str:
    """A file's name without its folders, as browsers send it, and without what can't be seen."""
    last = name.replace("\\", "/").rpartition("/")[2]
    return "".join(character for character in last if character.isprintable())[:_LONGEST_NAME]


def _text(body: dict[str, Any], key: str) -> str:
    value = body.get(key)
    return value if isinstance(value, str) else ""

"""The ASGI application: routes, files of the page, and the guard in front of them."""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from ..config.atomic import write_new
from ..config.paths import data_dir, private_dir
from ..export.code_colours import code_style
from ..export.markdown_html import markdown_html
from ..tools import Tool
from .api import routes
from .security import Guard, loopback_hosts
from .sessions import Sessions

__all__ = ["Page", "app"]

_STATIC = Path(__file__).parent / "static"


class Page(Guard):
    """The page as an ASGI application."""

    sessions: Sessions

    def end_streams(self) -> None:
        """End the streams of records, which have no end: to be called when the server is about to stop."""
        self.sessions.ending.set()


def app(
    profiles: Sequence[str] = (),
    *,
    tools: Iterable[Tool | Callable[..., Any]] = (),
    token: str = "",
    hosts: Iterable[str] = (),
) -> Page:
    """The page as an ASGI application, to be served, or to be mounted in another one.

    Args:
        profiles: names of those that it offers; all, if empty.
        tools: functions that assistants may call, in addition to those of their profiles.
        token: what the address must hold at the first visit (`/?token=…`); empty: all who can reach it may use it, so the
            program that mounts it has to let people in.
        hosts: names in the `Host` header that are allowed in addition to those of the loopback interface; `*` allows all.

    Sessions are those of the user (`asst sessions`).

    Raises:
        AsstError: the data dir can't be written.
    """
    sessions = Sessions(markdown_html, tools)

    @contextlib.asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        try:
            yield
        finally:
            await sessions.aclose()

    inner = Starlette(
        routes=[
            Route("/", _index),
            Route("/code.css", _code_style),
            Route("/favicon.ico", _icon),  # what a browser asks for before it has read the page
            *routes(sessions, tuple(profiles)),
            Mount("/", StaticFiles(directory=_STATIC)),
        ],
        lifespan=lifespan,
    )
    page = Page(inner, token=token, secret=_secret(), hosts={*loopback_hosts(), *hosts})
    page.sessions = sessions
    return page


async def _index(_: Request) -> Response:
    return FileResponse(_STATIC / "index.html")


async def _icon(_: Request) -> Response:
    return FileResponse(_STATIC / "icon.svg")


async def _code_style(_: Request) -> Response:
    return Response(code_style(), media_type="text/css", headers={"cache-control": "max-age=3600"})


def _secret() -> bytes:
    """The key of the cookies. It outlives the server, so that a page that is open goes on after a restart."""
    path = private_dir(data_dir()) / "web-secret"
    if not path.exists():
        with contextlib.suppress(FileExistsError):  # another server was faster
            write_new(path, secrets.token_hex(32).encode())
    return path.read_bytes()

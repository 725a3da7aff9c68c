"""The ASGI application: routes, files of the page, and the guard in front of them."""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette
from starlette.routing import Route

from ..config.atomic import write_new
from ..config.paths import data_dir, private_dir
from .api import routes
from .loopback import LOOPBACK_HOSTS
from .page_files import page_file
from .security import Guard
from .sessions import Sessions

if TYPE_CHECKING:
    from ..tools import Tool

__all__ = ["Page", "app"]


class Page(Guard):
    """The page as an ASGI application."""

    sessions: Sessions

    def end_streams(self) -> None:
        """End the streams of records, which have no end: to be called when the server is about to stop."""
        self.sessions.feeds.end()

    async def aclose(self) -> None:
        """Stop the exchanges, save what was received, and close the sessions: for a program that has mounted the page."""
        self.end_streams()
        await self.sessions.aclose()


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
    sessions = Sessions(tools)

    @contextlib.asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        try:
            yield
        finally:
            await sessions.aclose()

    inner = Starlette(
        routes=[
            Route("/", page_file),
            Route("/{name}", page_file),
            *routes(sessions, tuple(profiles)),
        ],
        lifespan=lifespan,
    )
    page = Page(inner, token=token, secret=_secret(), hosts={*LOOPBACK_HOSTS, *hosts})
    page.sessions = sessions
    return page


def _secret() -> bytes:
    """The key of the cookies. It outlives the server, so that a page that is open goes on after a restart."""
    path = private_dir(data_dir()) / "web-secret"
    if not path.exists():
        with contextlib.suppress(FileExistsError):  # another server was faster
            write_new(path, secrets.token_hex(32).encode())
    return path.read_bytes()

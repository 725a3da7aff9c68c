"""`asst web`: its options and help."""

from __future__ import annotations

from typing import Annotated

import typer

__all__ = ["web"]


def web(
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="Port to listen on; 0: a free one.")] = 8765,
    host: Annotated[
        str, typer.Option("--host", help="Address to listen on. Other machines can reach any but 127.0.0.1.")
    ] = "127.0.0.1",
    profiles: Annotated[
        list[str] | None, typer.Option("--profile", "-p", help="Offer only this profile. Repeat it for more.")
    ] = None,
    open_browser: Annotated[bool, typer.Option("--open/--no-open", help="Open the page in the browser.")] = True,
) -> None:
    """Chat in the browser, and see every step of the script."""
    from ..event_loop import run
    from ..web_server import serve_page

    raise typer.Exit(run(lambda signals: serve_page(host, port, profiles or [], signals, open_browser=open_browser)))

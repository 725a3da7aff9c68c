"""`asst web`: prints one address, serves the page, ends with Ctrl-C."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.util import find_spec

from ..config.profiles import load_config
from ..core.errors import NotSetUpError
from .error_output import print_warning
from .event_loop import Signals
from .exit_codes import OK

__all__ = ["serve_page"]


async def serve_page(host: str, port: int, profiles: Sequence[str], signals: Signals, *, open_browser: bool) -> int:
    """Serve the page until a signal; returns the exit code.

    Raises:
        NotSetUpError: the extra `web` isn't installed, or a profile doesn't exist.
        UsageError: the address can't be used.
    """
    config = load_config()
    for name in profiles:
        config.profile(name)
    if not all(map(find_spec, ("starlette", "uvicorn"))):
        raise NotSetUpError("asst web needs more packages.", 'Run: pip install "asstproxy[web]"')
    from ..web.serve import WebServer

    server = WebServer(host, port, profiles)
    signals.on_signal = lambda _: server.stop()
    if server.is_public:
        print_warning(
            "Others on your network can reach this page. They need the token, but the connection isn't encrypted:"
            " everything in it can be read on the way."
        )
    sys.stdout.write(f"{server.address}\n")
    sys.stdout.flush()
    if sys.stderr.isatty():
        sys.stderr.write("Ctrl-C ends it. What has arrived of an answer is saved.\n")
    await server.run(open_browser=open_browser)
    return signals.code if signals.is_terminated else OK

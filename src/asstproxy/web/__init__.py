"""The page of `asst web`: the same conversations, one more subscriber of the stream of records.

`app` is an ASGI application, for a program that mounts it: see `asstproxy.web.application.app`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .application import app

__all__ = ["app"]


def __getattr__(name: str) -> Any:
    """The application, imported when it is asked for: `asst web` prints its address before that."""
    if name == "app":
        from .application import app

        return app
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

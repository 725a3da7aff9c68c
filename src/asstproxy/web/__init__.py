"""The page of `asst web`: the same conversations, one more subscriber of the stream of records.

`app` is an ASGI application, for a program that mounts it: see `asstproxy.web.app.app`.
"""

from __future__ import annotations

from .app import app

__all__ = ["app"]

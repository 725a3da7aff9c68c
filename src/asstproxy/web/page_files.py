"""The page's own files: a few, known by name, so that no path leads anywhere else."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response

__all__ = ["page_file"]

_FOLDER = Path(__file__).parent / "static"
_TYPES = {".html": "text/html", ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}
_OTHER_NAMES = {"": "index.html", "favicon.ico": "icon.svg"}
"""The first is the page; the second is what a browser asks for before it has read the page."""


async def page_file(request: Request) -> Response:
    """A file of the page. A browser that has it already gets no copy, and asks again the next time."""
    name = request.path_params.get("name", "")
    name = _OTHER_NAMES.get(name, name)
    if name not in _names():
        return Response("No such file.", 404, media_type="text/plain")
    content, tag = _content(name)
    headers = {"etag": tag, "cache-control": "no-cache"}
    if request.headers.get("if-none-match") == tag:
        return Response(status_code=304, headers=headers)
    return Response(content, media_type=_TYPES[Path(name).suffix], headers=headers)


@cache
def _names() -> frozenset[str]:
    return frozenset(path.name for path in _FOLDER.iterdir() if path.suffix in _TYPES)


@cache
def _content(name: str) -> tuple[bytes, str]:
    content = (_FOLDER / name).read_bytes()
    return content, f'"{hashlib.sha256(content).hexdigest()[:32]}"'

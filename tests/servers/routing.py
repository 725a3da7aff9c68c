"""Which method answers which request, as a table."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Sequence

from .wire import ApiError, Reply, Request

Route = tuple[str, str, Callable[..., Awaitable[Reply]]]
"""Method, a regular expression for the whole path, and a handler called with the request and the pattern's groups."""


async def dispatch(routes: Sequence[Route], request: Request) -> Reply:
    """The answer of the first route that matches."""
    for method, pattern, handler in routes:
        if request.method == method and (match := re.fullmatch(pattern, request.path)):
            return await handler(request, *match.groups())
    raise ApiError(404, f"Invalid URL ({request})")


def json_object(request: Request) -> dict[str, object]:
    """The request's JSON object, or a 400."""
    try:
        body = request.json
    except ValueError as error:
        msg = "We could not parse the JSON body of your request."
        raise ApiError(400, msg) from error
    if not isinstance(body, dict):
        raise ApiError(400, "Invalid type for the request body: expected an object.")
    return body

"""What the tests of `gpt` share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from core.stage import Stage
from servers import Output, ResponsesServer, Script

__all__ = ["ASKED", "Gpt", "asked", "script"]

ASKED = "POST /v1/responses$"
Gpt = Callable[..., Stage]
"""Makes a conversation: from `past` records, with the `options` of a stage, and the keys of a profile."""


def asked(server: ResponsesServer, path: str = "/v1/responses") -> list[dict[str, Any]]:
    """The bodies of all requests to a path."""
    return [r.json for r in server.requests if (r.method, r.path) == ("POST", path)]


def script(server: ResponsesServer, *turns: list[Output]) -> None:
    server.brain = Script(*turns)

"""Which protocol a server speaks, and at which address: it is asked, with requests that no model answers."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

from ..core.errors import AssistantError
from .local.llama_cpp import is_llama_cpp
from .transport import Transport
from .transport.error_words import error_words
from .transport.failures import API_MISSING

__all__ = ["CHAT", "RESPONSES", "Found", "find_protocol", "speaks"]

CHAT, RESPONSES = "/chat/completions", "/responses"
UNKNOWN = ("authentication", "connection", "timeout", "protocol")
"""Kinds of errors that say nothing about a path: many servers look at the key first."""
NO_ENDPOINT = re.compile(
    r"unexpected endpoint|no such endpoint|(endpoint|path|route|url) (was )?not found", re.IGNORECASE
)
"""What LM Studio says, with the status of a success."""


class Found(NamedTuple):
    """Where a server speaks what; both paths may be there."""

    base_url: str
    chat: bool
    responses: bool
    prefers_chat: bool = False

    @property
    def best(self) -> str:
        """The protocol to use."""
        return CHAT if self.chat and (self.prefers_chat or not self.responses) else RESPONSES


async def speaks(transport: Transport, path: str) -> bool:
    """Whether the server has this path. It is sent an empty request, which it refuses.

    Raises:
        AssistantError: that cannot be found out.
    """
    try:
        reply = await transport.call("POST", path, {})
    except AssistantError as error:
        if error.kind in UNKNOWN:
            raise
        return error.code != API_MISSING
    return not NO_ENDPOINT.search(error_words(reply))


async def find_protocol(base_url: str, transport: Callable[[str], Transport]) -> Found | None:
    """Where this server speaks a protocol of asst's: at this address, or at that with or without `/v1`. None: unknown.

    `transport` makes one for an address; it is closed again.

    Raises:
        AssistantError: the server does not accept the key.
    """
    base_url = base_url.rstrip("/")
    other = base_url.removesuffix("/v1") if base_url.endswith("/v1") else f"{base_url}/v1"
    for address in (base_url, other):
        try:
            found = await _find_at(address, transport(address))
        except AssistantError as error:
            if error.kind == "authentication":
                raise
            if error.kind != "protocol":  # a web page, for example, at the address without /v1
                return None
            continue
        if found.chat or found.responses:
            return found
    return None


async def _find_at(address: str, transport: Transport) -> Found:
    try:
        chat, responses = await speaks(transport, CHAT), await speaks(transport, RESPONSES)
        return Found(address, chat, responses, chat and responses and await is_llama_cpp(transport))
    finally:
        await transport.aclose()

"""`-a server:uri`: a resource of one of the profile's MCP servers goes with the message, like a file."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..core.attachment import AttachedFile
    from .conversation_setup import OpenConversation

__all__ = ["is_resource", "read_resources"]

_RESOURCE = re.compile(r"(?P<server>[\w.-]+):(?P<uri>[A-Za-z][\w+.-]*:.+)", re.DOTALL)


def is_resource(source: str) -> bool:
    """Whether it is `server:uri`, and not a path or an address of the web: a URI has a colon of its own."""
    return _RESOURCE.fullmatch(source) is not None


async def read_resources(opened: OpenConversation, sources: Sequence[str]) -> list[AttachedFile]:
    """Those of the sources that are resources of MCP servers, read.

    Raises:
        UsageError: the profile has no such server, or the resource is of a type that no assistant reads.
        ToolError: the server failed.
    """
    found = []
    for source in sources:
        if (named := _RESOURCE.fullmatch(source)) is None:
            continue
        from ..files import read_attachment
        from ..tools.mcp_resources import read_resource
        from .templates.mcp_prompt import mcp_server

        async with mcp_server(opened.profile, named["server"], opened) as server:
            data, _, name = await read_resource(server, named["uri"])
        found.append(await read_attachment(data, name))
    return found

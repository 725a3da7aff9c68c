"""Resources of MCP servers: files that a server has. A person names one as `server:uri`; a model can't.

Source: <https://modelcontextprotocol.io/specification/2025-06-18/server/resources>.
"""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from . import ToolError
from .mcp_results import raw

if TYPE_CHECKING:
    from mcp import Client

    from .mcp_servers import McpServer

__all__ = ["read_resource"]


async def read_resource(server: McpServer, uri: str) -> tuple[bytes, str, str]:
    """The content of a resource, its media type as the server says it (may be empty), and a name for it.

    Texts of a resource that has several follow each other; of several files the first is taken.

    Raises:
        ToolError: the server can't be reached, answers with an error, or gives no content.
    """

    async def ask(client: Client) -> Any:
        return raw((await client.read_resource(uri)).meta)

    result = await server.request(ask)
    listed = result.get("contents") if isinstance(result, dict) else None
    contents = [one for one in listed or () if isinstance(one, dict)]
    texts = [one for one in contents if isinstance(one.get("text"), str)]
    name = unquote(urlsplit(uri).path.rstrip("/").rpartition("/")[2]) or uri
    for one in contents:
        if isinstance(one.get("blob"), str):
            try:
                return base64.b64decode(one["blob"], validate=True), _media_type(one), name
            except binascii.Error:
                raise ToolError(f"The MCP server '{server.name}' sent {uri} in a form that isn't base64.") from None
    if not texts:
        raise ToolError(f"The MCP server '{server.name}' gave no content for {uri}.")
    return "\n".join(one["text"] for one in texts).encode(), _media_type(texts[0]), name


def _media_type(content: dict[str, Any]) -> str:
    kind = content.get("mimeType")
    return kind if isinstance(kind, str) else ""

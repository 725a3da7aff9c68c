"""Prompts of MCP servers: texts that a server keeps, with arguments. A person names one as `server:prompt`.

Source: <https://modelcontextprotocol.io/specification/2025-06-18/server/prompts>. A server is believed as little as with its tools:
what it sends in a form of its own is read if it can be.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..core.errors import UsageError
from ..core.near_names import did_you_mean, near_names
from . import ToolError
from .mcp_results import block_text, raw

if TYPE_CHECKING:
    from mcp import Client

    from .mcp_servers import McpServer

__all__ = ["Argument", "McpPrompt", "find_prompt", "get_prompt", "list_prompts"]

MAX_PAGES = 100
"""Pages of a server's list of prompts that are read."""


@dataclass(frozen=True, slots=True)
class Argument:
    """An argument of a prompt: a text."""

    name: str
    about: str = ""
    is_required: bool = False


@dataclass(frozen=True, slots=True)
class McpPrompt:
    """A prompt as the server lists it."""

    server: str
    name: str
    about: str = ""
    arguments: tuple[Argument, ...] = ()

    @property
    def full_name(self) -> str:
        """Its name for a person: `server:prompt`."""
        return f"{self.server}:{self.name}"

    def check(self, values: Mapping[str, str]) -> None:
        """Check that every argument that the server requires is there.

        Raises:
            UsageError: one is missing.
        """
        missing = [one for one in self.arguments if one.is_required and one.name not in values]
        if not missing:
            return
        first = missing[0]
        known = [one.name for one in self.arguments]
        given = [name for name in near_names(first.name, values) if name not in known]
        raise UsageError(
            f"The prompt {self.full_name} needs a value for {' and '.join(one.name for one in missing)}"
            f"{f' ({first.name}: {first.about})' if first.about else ''}{f', and has no {given[0]}' if given else ''}.",
            code="template_value_missing",
            data={"values": " ".join(f"-P {one.name}=…" for one in missing)},
        )

    def unused(self, values: Mapping[str, str]) -> list[str]:
        """One line about each value that the prompt has no argument for."""
        known = [one.name for one in self.arguments]
        return [
            " ".join(
                filter(None, (f'The prompt {self.full_name} has no argument "{name}".', did_you_mean(name, known)))
            )
            for name in values
            if name not in known
        ]


async def list_prompts(server: McpServer) -> list[McpPrompt]:
    """The prompts of a server; none if it has no such list.

    Raises:
        ToolError: the server can't be reached, or answers with an error.
    """

    async def pages(client: Client) -> list[Any]:
        if client.server_capabilities is not None and client.server_capabilities.prompts is None:
            return []
        listed: list[Any] = []
        cursor: str | None = None
        cursors: set[str | None] = set()
        while cursor not in cursors and len(cursors) < MAX_PAGES:
            cursors.add(cursor)
            page = await client.list_prompts(cursor=cursor)
            whole = raw(page.meta)
            found = whole.get("prompts") if isinstance(whole, dict) else whole
            listed += found if isinstance(found, list) else []
            cursor = page.next_cursor
        return listed

    found: dict[str, McpPrompt] = {}
    for one in await server.request(pages):
        name = one.get("name") if isinstance(one, dict) else None
        if isinstance(name, str) and name:
            arguments = one.get("arguments")
            found.setdefault(
                name,
                McpPrompt(
                    server.name,
                    name,
                    _first_text(one, "description", "title"),
                    tuple(_arguments(arguments if isinstance(arguments, list) else [])),
                ),
            )
    return [*found.values()]


async def find_prompt(server: McpServer, name: str) -> McpPrompt:
    """The prompt with this name.

    Raises:
        UsageError: the server has none.
        ToolError: the server can't be reached, or answers with an error.
    """
    prompts = await list_prompts(server)
    for prompt in prompts:
        if prompt.name == name:
            return prompt
    names = [prompt.name for prompt in prompts]
    if not names:
        raise UsageError(f"The MCP server '{server.name}' has no prompts.")
    hint = did_you_mean(name, names) or f"It has: {', '.join(sorted(names)[:20])}."
    raise UsageError(f"The MCP server '{server.name}' has no prompt '{name}'.", hint)


async def get_prompt(server: McpServer, prompt: McpPrompt, values: Mapping[str, str]) -> str:
    """The prompt's messages with these values, as one message.

    Several messages follow each other, named by their roles if there are two; images and sounds are only named. A value that the
    prompt has no argument for isn't sent: servers refuse the whole request.

    Raises:
        UsageError: an argument that the server requires is missing.
        ToolError: the server can't be reached, or answers with an error or without a text.
    """
    prompt.check(values)
    known = {one.name: values[one.name] for one in prompt.arguments if one.name in values}

    async def ask(client: Client) -> Any:
        return raw((await client.get_prompt(prompt.name, known)).meta)

    result = await server.request(ask)
    messages = result.get("messages") if isinstance(result, dict) else None
    texts = [
        (str(one.get("role", "user")), _content(one.get("content"))) for one in messages or () if isinstance(one, dict)
    ]
    several = len({role for role, _ in texts}) > 1
    text = "\n\n".join(f"{role.capitalize()}: {text}" if several else text for role, text in texts if text.strip())
    if not text:
        raise ToolError(f"The MCP server '{server.name}' gave no text for its prompt '{prompt.name}'.")
    return text


def _content(content: Any) -> str:
    blocks = content if isinstance(content, list) else [content]
    return "\n".join(block_text(block) for block in blocks if block is not None)


def _arguments(listed: list[Any]) -> list[Argument]:
    return [
        Argument(one["name"], _first_text(one, "description", "title"), one.get("required") in (True, "true"))
        for one in listed
        if isinstance(one, dict) and isinstance(one.get("name"), str)
    ]


def _first_text(values: dict[str, Any], *keys: str) -> str:
    return next(
        (" ".join(text.split()) for key in keys if isinstance(text := values.get(key), str) and text.strip()), ""
    )

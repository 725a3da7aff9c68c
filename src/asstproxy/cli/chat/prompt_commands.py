"""`/server:prompt name=value`: the prompts of the profile's MCP servers as slash commands of the chat."""

from __future__ import annotations

import asyncio
import re
import shlex
from collections.abc import AsyncGenerator, Callable, Iterable
from typing import TYPE_CHECKING, NamedTuple

from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document

from ...config.profiles import Profile
from ...core.errors import ToolError, UsageError
from ...text.safe_text import clean_line

if TYPE_CHECKING:
    from ...tools.mcp_prompts import McpPrompt
    from ...tools.toolbox import Toolbox
    from ..conversation_setup import OpenConversation

__all__ = ["ChatCompleter", "PromptCommand", "parse_prompt", "server_names"]

_COMMAND = re.compile(r"/(?P<server>[^\s:/]+):(?P<prompt>\S+)(?P<values>\s.*)?", re.DOTALL)


class PromptCommand(NamedTuple):
    """A prompt by its name `server:prompt`, with the values of its arguments."""

    name: str
    values: dict[str, str]


def server_names(profile: Profile) -> list[str]:
    """The MCP servers of a profile, by name."""
    configured = profile.options.get("mcp")
    return list(configured) if isinstance(configured, dict) else []


def parse_prompt(line: str, profile: Profile) -> PromptCommand | None:
    """The prompt that a line at the prompt names; None if its first word doesn't name an MCP server of the profile.

    Raises:
        UsageError: what follows isn't `name=value`.
    """
    found = _COMMAND.fullmatch(line)
    if found is None or found["server"] not in server_names(profile):
        return None
    from ..templates.apply import values_of

    name = f"{found['server']}:{found['prompt']}"
    try:
        return PromptCommand(name, values_of(shlex.split(found["values"] or "")))
    except (UsageError, ValueError):
        raise UsageError(
            f"/{name} takes name=value.", f"Put quotes around a value with spaces. To send it as a message: /{line}"
        ) from None


class ChatCompleter(Completer):
    """Completes slash commands, and the names of prompts, which the servers are asked for when the first slash is typed."""

    def __init__(self, opened: Callable[[], OpenConversation]) -> None:
        self._opened = opened
        self._listed: tuple[Toolbox, asyncio.Task[list[McpPrompt]]] | None = None

    def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterable[Completion]:
        """What may follow the text before the cursor, without the prompts."""
        if not document.text_before_cursor.startswith("/"):
            return ()
        from .slash_commands import SlashCompleter  # late: all commands, and what they need

        return SlashCompleter(self._opened).get_completions(document, complete_event)

    async def get_completions_async(
        self, document: Document, complete_event: CompleteEvent
    ) -> AsyncGenerator[Completion, None]:
        """What may follow the text before the cursor; the prompts last."""
        for completion in self.get_completions(document, complete_event):
            yield completion
        text = document.text_before_cursor
        if not text.startswith("/") or " " in text:
            return
        for prompt in await self._prompts():
            if prompt.full_name.startswith(text[1:]):
                arguments = " ".join(f"{one.name}=" for one in prompt.arguments)
                yield Completion(
                    prompt.full_name,
                    -len(text) + 1,
                    display=clean_line(prompt.full_name),
                    display_meta=clean_line(f"{arguments}  {prompt.about}".strip()),
                )

    async def _prompts(self) -> list[McpPrompt]:
        toolbox = self._opened().tools.toolbox
        if toolbox is None or not toolbox.server_names:
            return []
        if self._listed is None or self._listed[0] is not toolbox:
            self._listed = toolbox, asyncio.create_task(_list_prompts(toolbox))
        return await asyncio.shield(self._listed[1])


async def _list_prompts(toolbox: Toolbox) -> list[McpPrompt]:
    """The prompts of all servers; one that fails has none, and says why when it is used."""
    from ...tools.mcp_prompts import list_prompts

    servers = [toolbox.server(name) for name in toolbox.server_names]
    answers = await asyncio.gather(*map(list_prompts, servers), return_exceptions=True)
    for answer in answers:
        if isinstance(answer, BaseException) and not isinstance(answer, ToolError):
            raise answer
    return [prompt for answer in answers if not isinstance(answer, BaseException) for prompt in answer]

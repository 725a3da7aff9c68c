"""What a chat needs later, loaded behind its prompt, while the person writes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from importlib import import_module
from typing import Any

from prompt_toolkit.application import Application

from ...core.roles import AssistantProxy

__all__ = ["BehindPrompt"]

_LATER = ("asstproxy.cli.render.guarded_view", "asstproxy.cli.chat.slash_commands")
"""Modules of the first answer, with its Markdown, and of the first slash command."""


class BehindPrompt:
    """Begins when the prompt is drawn for the first time: loads, in a thread, what the first message needs; then calls `then`."""

    def __init__(self, app: Application[Any], assistant: AssistantProxy, then: Callable[[], object]) -> None:
        self._assistant, self._then = assistant, then
        self._task: asyncio.Task[None] | None = None
        app.after_render += self._begin

    def _begin(self, app: Application[Any]) -> None:
        app.after_render -= self._begin
        self._task = asyncio.create_task(self._load())

    async def _load(self) -> None:
        await asyncio.to_thread(_import, self._assistant)
        self._then()

    async def wait(self) -> None:
        """Wait until everything is loaded: two threads need not import the same at once."""
        if self._task is not None:
            await asyncio.wait({self._task})


def _import(assistant: AssistantProxy) -> None:
    from ...providers.assembly import warm_up

    with suppress(Exception):  # what fails here fails again where it is needed, and is reported there
        warm_up(assistant)
        for name in _LATER:
            import_module(name)

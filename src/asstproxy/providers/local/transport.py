"""The transport to a model of our own: the engine starts with the first request, and ends with the transport."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

from ...core.errors import AssistantError, NotSetUpError
from ..transport import JSON
from ..transport.http import HttpTransport
from .process import Embedded, EmbeddedError, Served, renders_tools

__all__ = ["EmbeddedTransport"]


class EmbeddedTransport:
    """Starts llama.cpp with `model` and these options (see `Embedded.start`), then talks to it over HTTP."""

    def __init__(self, model: Path, **options: Any) -> None:
        self._model, self._options = model, options
        self._engine = Embedded()
        self._served: Served | None = None
        self._http: HttpTransport | None = None
        self._renders_tools: bool | None = None

    async def _ready(self) -> HttpTransport:
        if self._http is None:
            try:
                self._served = await self._engine.start_async(self._model, **self._options)
            except ImportError:
                raise NotSetUpError("llama.cpp is not installed.", "Run: pip install 'asstproxy[local]'") from None
            except EmbeddedError as error:
                raise AssistantError(
                    "invalid_request", str(error), "Choose another model.", code="local_model_unusable"
                ) from error
            headers = {"Authorization": f"Bearer {self._served.api_key}"}
            self._http = HttpTransport(self._served.base_url, headers, proxies=False)
        return self._http

    async def renders_tools(self) -> bool:
        """Whether the model's chat template shows it the tools."""
        await self._ready()
        if self._renders_tools is None:
            assert self._served is not None  # noqa: S101 - it is ready
            try:
                self._renders_tools = await asyncio.to_thread(renders_tools, self._served)
            except EmbeddedError as error:
                raise AssistantError("server", str(error), "Try again.") from error
        return self._renders_tools

    async def call(self, method: str, path: str, body: JSON | None = None) -> JSON:
        """See `Transport.call`."""
        return await (await self._ready()).call(method, path, body)

    async def events(self, method: str, path: str, body: JSON | None = None) -> AsyncGenerator[list[JSON]]:
        """See `Transport.events`."""
        http = await self._ready()
        async with contextlib.aclosing(http.events(method, path, body)) as events:
            async for together in events:
                yield together

    async def aclose(self) -> None:
        """Close the connection and end the engine."""
        if self._http is not None:
            await self._http.aclose()
        self._engine.stop()

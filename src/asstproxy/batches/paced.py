"""An assistant whose every request passes the gate of a pace."""

from __future__ import annotations

import contextlib
import math
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping, Sequence
from typing import cast

import msgspec

from ..core.coalesce import TEXT_EVENTS
from ..core.errors import AssistantError
from ..core.events import Event, Notice, ToolResult, Usage
from ..core.roles import CLOSING, OPENING, AssistantProxy, Attachable, Structured
from ..core.turn import Turn
from ..providers.budget import BudgetedProvider
from ..providers.fallback import accepted_by
from .pace import Pace

__all__ = ["paced"]

BYTES_PER_TOKEN = 4
"""Of English, on average. A wrong estimate is put right when the provider reports the tokens."""


def paced(assistant: AssistantProxy, pace: Pace) -> AssistantProxy:
    """The assistant, which waits at the gate before each request; behind its budget, since one may wait for the money longer than
    the gate stays open.
    """
    if isinstance(assistant, BudgetedProvider):
        assistant.assistant = paced(assistant.assistant, pace)
        return assistant
    return AttachablePaced(assistant, pace) if isinstance(assistant, Attachable) else PacedProvider(assistant, pace)


class PacedProvider:
    """An Assistant Proxy that delegates to another; see `paced`."""

    def __init__(self, assistant: AssistantProxy, pace: Pace) -> None:
        self.assistant = assistant
        self.provider, self.model = assistant.provider, assistant.model
        self._pace = pace
        if isinstance(assistant, Structured):
            self.structured = assistant.structured
        self._tokens = 0  # of the conversation so far, about

    def start_processing(self, turn: Turn) -> AsyncGenerator[Event]:
        """See `AssistantProxy`."""
        self._tokens = _tokens(turn.instructions, turn.text, turn.history)
        return self._passing(lambda: self.assistant.start_processing(turn))

    def submit_tool_outputs(self, results: Sequence[ToolResult]) -> AsyncGenerator[Event]:
        """See `AssistantProxy`."""
        self._tokens += _tokens(results)
        return self._passing(lambda: self.assistant.submit_tool_outputs(results))

    async def accepts(self, model: str) -> Mapping[str, int]:
        """See `AcceptsAttachments`."""
        return await accepted_by(self.assistant, model)

    async def aclose(self) -> None:
        """Close the assistant."""
        await self.assistant.aclose()

    async def _passing(self, request: Callable[[], AsyncIterator[Event]]) -> AsyncGenerator[Event]:
        """What the assistant yields. A request that the provider refuses because there are too many is sent again, after the
        pause of all: it is not the fault of the item, so it doesn't count as one of its attempts.
        """
        opened = False
        while True:
            given = await self._pace.enter(self._tokens)
            used: int | None = None
            answering = False
            try:
                async with contextlib.aclosing(cast("AsyncGenerator[Event]", request())) as events:
                    async for event in events:
                        if isinstance(event, OPENING):
                            if opened:  # the script is past it
                                continue
                            opened = True
                        elif isinstance(event, Usage):
                            used = (used or 0) + event.input_tokens + event.output_tokens
                        elif isinstance(event, CLOSING):  # the reader stops here
                            self._pace.succeeded(given)
                        answering = answering or isinstance(event, TEXT_EVENTS)
                        yield event
            except AssistantError as error:
                used = used or 0
                if error.kind != "rate_limit":
                    raise
                again = self._pace.refused(given, error.retry_after)
                if answering or not error.retryable:
                    raise
                if not again:
                    raise AssistantError(
                        "rate_limit", str(error), error.hint, code=error.code, data=error.data
                    ) from None
                refused = Notice(f"{str(error).rstrip('.')}; sent again after {math.ceil(self._pace.pause)} s.")
            else:
                return
            finally:
                self._pace.leave(given, used)
            if opened:
                yield refused


class AttachablePaced(PacedProvider):
    """The same for an assistant that can continue an exchange that another process left running."""

    def attach(self, turn: Turn) -> AsyncGenerator[Event]:
        """See `Attachable`."""
        return self._passing(lambda: cast("Attachable", self.assistant).attach(turn))


def _tokens(*parts: object) -> int:
    return (
        sum(len(part) if isinstance(part, str) else len(msgspec.json.encode(part)) for part in parts if part)
        // BYTES_PER_TOKEN
    )

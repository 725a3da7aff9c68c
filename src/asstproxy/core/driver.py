"""The driver: listens to an Assistant Proxy, keeps the pulse, and tries again when that can help."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from typing import cast

import msgspec

from .errors import AssistantError
from .events import (
    ActionRequired,
    AssistantMessageRetrieved,
    ChunkReceived,
    Event,
    Heartbeat,
    MessageIncomplete,
    Reasoning,
    RetryScheduled,
    Started,
    ToolOutputsSubmitted,
    is_message,
)
from .heartbeat import Pulse
from .retry import RetryBudget

__all__ = ["listen", "stopping"]

OPENING = (Started, ToolOutputsSubmitted)
CLOSING = (ActionRequired, AssistantMessageRetrieved, MessageIncomplete)
SPOKEN = (*OPENING, Heartbeat, ChunkReceived, *CLOSING)
"""The messages that an Assistant Proxy may say; notes come on top."""


async def listen(
    ask: Callable[[], AsyncIterator[Event]], say: Callable[[Event], object], retries: RetryBudget
) -> Event:
    """Say what an assistant says; returns the message that ends its turn, which is not said yet.

    A failed request is sent again only before the first piece of an answer, when the failure says that this can help.

    Raises:
        AssistantError: the assistant failed, or broke its contract.
        ScriptError: the assistant said something that the script does not expect.
        asyncio.CancelledError: the task was cancelled, whatever the assistant made of it.
    """
    attempt, opened, stopped = 0, False, stopping()
    while True:
        attempt += 1
        spoken, again = False, opened
        retries.begin()
        try:
            async with _reading(ask()) as events, Pulse(say, retries.patience.heartbeat) as pulse:
                async for event in events:
                    if stopped():
                        raise asyncio.CancelledError
                    _check(event)
                    if isinstance(event, CLOSING):
                        return event
                    spoken = spoken or isinstance(event, ChunkReceived | Reasoning)
                    opened = opened or isinstance(event, OPENING)
                    if again and isinstance(event, OPENING):
                        again = False  # the script is past it
                    else:
                        say(event)
                    await pulse.heard()
            raise AssistantError("protocol", "The assistant stopped before its answer was complete.", "Try again.")
        except AssistantError as error:
            if spoken or stopped():
                raise
            delay = retries.wait(attempt, error)
            say(RetryScheduled(attempt, round(delay, 3), error.kind, str(error), retries.patience.attempts))
        await asyncio.sleep(delay)


def stopping() -> Callable[[], bool]:
    """Tells whether the current task was asked to stop since now, even if its CancelledError was swallowed or replaced."""
    task = asyncio.current_task()
    before = task.cancelling() if task is not None else 0
    return lambda: task is not None and task.cancelling() > before


def _check(event: object) -> None:
    if not isinstance(event, Event) or (is_message(event) and not isinstance(event, SPOKEN)):
        name = event.type if isinstance(event, Event) else type(event).__name__
        raise AssistantError("protocol", f"The provider said '{name}', which an assistant never says.")
    try:  # a record that cannot be written, or read back, would damage the journal
        msgspec.convert(msgspec.to_builtins(event, builtin_types=(bytes,)), type(event))
    except (msgspec.ValidationError, TypeError, ValueError, OverflowError, RecursionError) as error:
        raise AssistantError("protocol", f"The provider said '{event.type}' with a wrong value: {error}") from error


@contextlib.asynccontextmanager
async def _reading(events: AsyncIterator[Event]) -> AsyncIterator[AsyncIterator[Event]]:
    try:
        yield events
    finally:
        if hasattr(events, "aclose"):
            await cast("AsyncGenerator[Event]", events).aclose()

"""A conversation on a stage: an assistant that plays a script, a person with tools, and everything that was heard."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import Any

import pytest

from asstproxy.core.conversation import Conversation
from asstproxy.core.events import ActionRequired, Cancelled, Event, Record, ToolCall, Unknown
from asstproxy.core.mediator import conform
from asstproxy.core.retry import RetryPolicy
from asstproxy.core.roles import AssistantProxy
from asstproxy.core.turn import Options
from asstproxy.providers.scripted import Part, ScriptedProvider
from asstproxy.tools import Approver, Tool
from asstproxy.user import UserProxy

__all__ = ["Stage", "calling", "stopped", "types"]

SOON = RetryPolicy(attempts=3, delay=0.001)
"""No time lost between attempts."""


def calling(*calls: tuple[str, str], text: str = "") -> list[Part]:
    """A reply that wants tools: (name, arguments) of each; the ids are `c0`, `c1`, …"""
    return [ActionRequired(tuple(ToolCall(f"c{i}", name, args) for i, (name, args) in enumerate(calls)), text)]


class Stage:
    """`records` is all that was published, in order; the first subscriber keeps it, as a journal would."""

    def __init__(
        self,
        *replies: Iterable[Part],
        assistant: AssistantProxy | None = None,
        tools: Iterable[Callable[..., Any] | Tool] = (),
        approve: Approver | None = None,
        mediator: str = "state-machine",
        retry: RetryPolicy = SOON,
        heartbeat: float = 60,
        past: Iterable[Record] = (),
        **options: Any,
    ) -> None:
        self.script = ScriptedProvider(*replies)
        self.user = UserProxy(tools, approve)
        self.conversation = Conversation(
            assistant or self.script,
            self.user,
            mediator=mediator,
            options=Options(retry=retry, heartbeat=heartbeat, **options),
            past=past,
        )
        self.records: list[Record] = []
        self.conversation.subscribe(self.records.append)

    @property
    def events(self) -> list[Event | Unknown]:
        """All that was said."""
        return [record.event for record in self.records]

    def published(self, kind: type[Event]) -> list[Any]:
        """All events of one type."""
        return [event for event in self.events if isinstance(event, kind)]

    def assert_conforms(self) -> None:
        """The records are what the script allows, and are numbered without a gap."""
        assert list(conform(self.records)) == []
        assert [record.seq for record in self.records] == list(range(1, len(self.records) + 1))


async def stopped(stage: Stage, after: str, reason: Cancelled | None = None) -> Record:
    """Cancel the exchange as soon as an event of a type was heard; returns its last record."""
    heard = asyncio.Event()
    stage.conversation.subscribe(lambda record: heard.set() if record.event.type == after else None)
    task = asyncio.create_task(stage.conversation.exchange("hi"))
    async with asyncio.timeout(30):
        await heard.wait()
    stage.conversation.cancel(reason)
    with pytest.raises(asyncio.CancelledError):
        await task
    stage.assert_conforms()
    return stage.records[-1]


def types(records: Iterable[Record]) -> list[str]:
    """The types of events."""
    return [record.event.type for record in records]

"""The providers and how they are asked, each with a server whose model wants three tools and then goes on."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Any

from asstproxy.config.profiles import Profile
from asstproxy.core.events import ActionRequired, AssistantMessageRetrieved, ChunkReceived, Decision
from asstproxy.core.script import SETTLED, State
from asstproxy.providers import connect
from asstproxy.testing import tasks_left
from asstproxy.tools import Question, tool
from core.stage import Stage
from servers import (
    AnthropicServer,
    AssistantsServer,
    Call,
    Fault,
    GeminiServer,
    InteractionsServer,
    Json,
    Output,
    ResponsesServer,
    Say,
    Server,
    Status,
)
from servers.brain import last_text

__all__ = ["KEY", "WAYS", "WITHIN", "Way", "check", "forget"]

KEY = "sk-test-0123456789abcdef"
WITHIN = 12.0
"""Seconds in which an exchange must have stopped: two to tell the provider, and ten in which a busy machine may stop us."""
WORDS = ("alpha", "beta", "gamma", "delta")
PACE = 0.002
"""Seconds between two pieces: long enough for each to be read on its own."""


def model(request: Json) -> list[Output]:
    """Asked to go, it wants three tools; when it has their results, it says more. To anything else: fine."""
    match last_text(request):
        case "go":
            said: Output = Say("alpha beta ", pieces=["alpha ", "beta "], pace=PACE)
            return [said, *(Call(name, {"n": n}) for n, name in enumerate(("blocking", "awaiting", "asking")))]
        case "again":
            return [Say("fine")]
    return [Say("gamma delta", pieces=["gamma ", "delta"], pace=PACE)]


def blocking(n: int) -> str:
    """Hold a thread for a moment."""
    time.sleep(0.003)
    return f"tool {n}"


async def awaiting(n: int) -> str:
    """Hold nobody."""
    for _ in range(4):
        await asyncio.sleep(0.001)
    return f"tool {n}"


@tool(approval="ask")
def asking(n: int) -> str:
    """Run only when a person says yes."""
    return f"tool {n}"


async def person(questions: Sequence[Question]) -> list[Decision]:
    """Thinks for a moment, and says yes."""
    for _ in range(4):
        await asyncio.sleep(0.001)
    return [question.yes() for question in questions]


@dataclass(frozen=True)
class Way:
    """A provider's API, and how it is asked. `cancels`: the API can be told to stop. `faults`: of every exchange."""

    name: str
    server: Callable[..., Any]
    provider: str
    path: str = ""
    profile: dict[str, Any] = field(default_factory=dict)
    options: dict[str, Any] = field(default_factory=dict)
    cancels: bool = False
    faults: tuple[Fault, ...] = ()

    def __str__(self) -> str:
        return self.name

    @property
    def passes(self) -> set[State]:
        """The states in which it awaits something."""
        states = {State.STARTED, State.REQUIRES_ACTION, State.AWAITING_APPROVAL, State.TOOL_OUTPUTS_SUBMITTED}
        polled = self.name in ("gpt-polled", "interactions-background", "assistants-polled")
        return states | ({State.RUNNING} if polled else set() if "unary" in self.name else {State.STREAMING})

    @contextmanager
    def serve(self, brain: Any = model, **how: Any) -> Iterator[Any]:
        """The server."""
        with self.server(brain, key=KEY, **how) as server:
            yield server

    @asynccontextmanager
    async def talk(self, server: Server, **stage_options: Any) -> AsyncIterator[Stage]:
        """A conversation with it; the key is in `TEST_KEY`."""
        own = {"base_url": server.url + self.path, "api_key_env": "TEST_KEY", "poll": 0.003, **self.profile}
        models = {"gemini": "gemini-3.8-flash", "anthropic": "claude-sonnet-5-5"}
        name = models.get(self.provider, "gpt-6-luna")
        assistant = connect(Profile("p", self.provider, model=name, options=own))
        options = {**self.options, **stage_options}
        stage = Stage(assistant=assistant, tools=[blocking, awaiting, asking], approve=person, **options)
        try:
            yield stage
        finally:
            await stage.conversation.aclose()


BUSY = (Status(503, first=1), Status(429, retry_after=0.01, first=1, skip=2))
"""The first request of an exchange is refused once, and so is the one with the results of the tools."""
INTERACTIONS = {"api": "interactions"}
THERE = {"assistant_id": AssistantsServer.assistant}
WAYS = [
    Way("gpt", ResponsesServer, "gpt", "/v1"),
    Way("gpt-unary", ResponsesServer, "gpt", "/v1", options={"stream": False}),
    Way("gpt-conversation", ResponsesServer, "gpt", "/v1", {"history": "server"}),
    Way("gpt-background", ResponsesServer, "gpt", "/v1", options={"background": True}, cancels=True),
    Way("gpt-polled", ResponsesServer, "gpt", "/v1", options={"background": True, "stream": False}, cancels=True),
    Way("gpt-sdk", ResponsesServer, "gpt", "/v1", {"transport": "sdk"}),
    Way("gpt-retried", ResponsesServer, "gpt", "/v1", faults=BUSY),
    Way("gemini", GeminiServer, "gemini"),
    Way("gemini-retried", GeminiServer, "gemini", faults=BUSY),
    Way("chat-completions", ResponsesServer, "chat-completions", "/v1"),
    Way("anthropic", AnthropicServer, "anthropic"),
    Way("assistants", AssistantsServer, "assistants", "/api/v1", THERE, cancels=True),
    Way("assistants-polled", AssistantsServer, "assistants", "/api/v1", THERE, {"stream": False}, cancels=True),
    Way("interactions", InteractionsServer, "gemini", profile=INTERACTIONS),
    Way(
        "interactions-background",
        InteractionsServer,
        "gemini",
        profile=INTERACTIONS,
        options={"background": True},
        cancels=True,
    ),
]


def unfinished(server: Any) -> list[str]:
    """What the provider still works at."""
    return [name for name, one in kept(server).items() if not one.run.done]


def kept(server: Any) -> dict[str, Any]:
    """What the provider has of its work, by id."""
    places = ("responses", "interactions", "runs")
    return {number: one for place in places for number, one in getattr(server, place, {}).items()}


def forget(server: Any) -> None:
    """Let the server lose what it did not hear that it is to stop."""
    for place in ("responses", "interactions", "runs"):
        getattr(server, place, {}).clear()


async def check(stage: Stage, server: Any, when: str, *, taken_up: bool = False) -> None:
    """What was heard is told once, nothing runs on at the provider, and the next exchange works."""
    assert not await tasks_left(), when
    if not taken_up:  # then the records begin in the middle
        stage.assert_conforms()
    settled = [record for record in stage.records if record.state in SETTLED]
    assert len(settled) == 1, when
    texts = (event.text for event in stage.published(ChunkReceived) + stage.published(ActionRequired))
    heard = {*" ".join(texts).split(), *getattr(settled[0].event, "text", "").split()}
    await server.eventually(lambda server: not unfinished(server))
    server.faults.clear()
    last = await stage.conversation.exchange("again")
    assert isinstance(last.event, AssistantMessageRetrieved), f"{when}: {last.event}"
    assert last.event.text == "fine", when
    given = json.dumps(server.contexts[-1])
    assert {word: given.count(word) for word in WORDS} == {word: int(word in heard) for word in WORDS}, when

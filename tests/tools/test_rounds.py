"""One declaration serves every provider: three rounds with parallel calls, on each of them."""

from __future__ import annotations

import enum
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Annotated, Any

import pytest
from pydantic import BaseModel, Field

from asstproxy import tool
from asstproxy.config.profiles import Profile
from asstproxy.core.events import AssistantMessageRetrieved, ToolFinished, ToolsExecuted, ToolStarted
from asstproxy.core.roles import AssistantProxy
from asstproxy.providers import connect
from asstproxy.providers.scripted import ScriptedProvider, say
from asstproxy.tools import approve_all
from core.stage import Stage, calling
from servers import Call, GeminiServer, InteractionsServer, ResponsesServer, Say


class Unit(enum.Enum):
    KM = "km"
    MILES = "miles"


class Place(BaseModel):
    """A place."""

    name: str
    height: Annotated[float, Field(gt=-500, description="In metres.")] = 0.0


@tool(read_only=True)
def distance(start: Place, end: Place, unit: Unit = Unit.KM) -> dict[str, Any]:  # noqa: D417 - a unit is a unit
    """How far it is.

    Args:
        start: From here.
        end: To there.
    """
    return {"way": f"{start.name}-{end.name}", unit.value: 3}


@tool(approval="ask")
async def book(places: list[Place], *, seats: Annotated[int, Field(ge=1, lt=9)] = 1) -> str:
    """Book a journey."""
    return f"{seats} seats to {places[-1].name}"


A, B = {"name": "A"}, {"name": "B", "height": 12.5}
ROUNDS: list[list[tuple[str, dict[str, Any]]]] = [
    [("distance", {"start": A, "end": B}), ("distance", {"start": B, "end": A, "unit": "miles"})],
    [("book", {"places": [A, B], "seats": 9}), ("cancel", {"all": True}), ("distance", {"start": A, "end": A})],
    [("book", {"places": [A, B], "seats": 2}), ("book", {"places": [B]})],
]
RESULTS: list[list[str]] = [
    ['{"way":"A-B","km":3}', '{"way":"B-A","miles":3}'],
    [
        "Invalid arguments: seats: Input should be less than 9.",
        "No such tool: 'cancel'. Known tools: distance, book.",
        '{"way":"A-A","km":3}',
    ],
    ["2 seats to B", "1 seats to B"],
]


@asynccontextmanager
async def assistant(name: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[tuple[AssistantProxy, Sequence[Any]]]:
    """An assistant that takes three rounds, and the requests that its server got."""
    turns: list[Any] = [[Call(tool, arguments) for tool, arguments in calls] for calls in ROUNDS]
    turns.append([Say("Have a good journey.")])
    if name == "scripted":
        replies = [calling(*((tool, json.dumps(arguments)) for tool, arguments in calls)) for calls in ROUNDS]
        yield ScriptedProvider(*replies, say("Have a good journey.")), []
    elif name.startswith("gpt"):
        with ResponsesServer(turns) as server:
            monkeypatch.setenv("OPENAI_API_KEY", server.key)
            options = {"base_url": server.base_url} | ({"history": "server"} if name == "gpt server" else {})
            yield connect(Profile("gpt", "gpt", options=options)), server.requests
    else:
        kind = InteractionsServer if name == "gemini interactions" else GeminiServer
        with kind(turns) as google:
            monkeypatch.setenv("GEMINI_API_KEY", google.key)
            options = {"base_url": google.url} | ({"api": "interactions"} if kind is InteractionsServer else {})
            yield connect(Profile("gemini", "gemini", options=options)), google.requests


@pytest.mark.parametrize("name", ["scripted", "gpt", "gpt server", "gemini", "gemini interactions"])
async def test_three_rounds_with_parallel_calls(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same functions, schemas, results and records; results in call order; errors end nothing."""
    async with assistant(name, monkeypatch) as (proxy, requests):
        stage = Stage(assistant=proxy, tools=[distance, book], approve=approve_all)
        last = await stage.conversation.exchange("Take me there.")
        assert isinstance(last.event, AssistantMessageRetrieved), last
        stage.assert_conforms()
        said = [[result.error or result.output for result in event.results] for event in stage.published(ToolsExecuted)]
        assert said == RESULTS
        assert len(stage.published(ToolStarted)) == 5
        assert len(stage.published(ToolFinished)) == 7
        sent = " ".join(request.body.decode().replace("\\", "") for request in requests if request.body)
        for result in (text for texts in RESULTS if requests for text in texts):
            assert result in sent
        await stage.conversation.aclose()

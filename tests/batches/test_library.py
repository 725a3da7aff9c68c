"""`asstproxy.batch()`: a batch in a program."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest

import asstproxy
from asstproxy import AssistantError, UsageError
from servers import ResponsesServer, Say, Wait


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[ResponsesServer]:
    """An API that echoes."""
    with ResponsesServer() as running:
        monkeypatch.setenv("OPENAI_BASE_URL", running.base_url)
        monkeypatch.setenv("OPENAI_API_KEY", running.key)
        yield running


async def test_results_come_as_they_are_ready(server: ResponsesServer) -> None:
    """Texts and objects, from a list or a stream; nothing is saved."""
    items: list[str | dict[str, str]] = ["one", {"id": "b", "prompt": "two"}]
    found = {result.id: result async for result in asstproxy.batch(items, profile="gpt")}
    assert found["1"].answer == "You said: one"
    assert found["b"].usage.output > 0
    assert found["b"].cost is not None

    async def stream() -> AsyncIterator[str]:
        for number in range(40):
            yield f"n{number}"

    assert len([result async for result in asstproxy.batch(stream(), profile="gpt")]) == 40


async def test_leaving_early_stops_what_is_in_flight(server: ResponsesServer) -> None:
    """No request goes out afterwards, and every connection is closed."""
    server.brain = lambda request: [Wait(0.0 if "n0" in str(request["input"]) else 30.0), Say("x")]
    results = asstproxy.batch((f"n{number}" for number in range(1000)), profile="gpt", concurrency=4)
    async for result in results:
        assert result.id == "1"
        break
    await results.aclose()
    await server.eventually(lambda server: server.open_connections == 0)
    assert len(server.requests) <= 6


async def test_a_wrong_item_and_a_wrong_key_are_raised(server: ResponsesServer) -> None:
    """An item that can't be asked raises UsageError, a provider that refuses everybody AssistantError."""
    with pytest.raises(UsageError):
        [result async for result in asstproxy.batch([{"prompt": 3}], profile="gpt")]
    server.key = "sk-other-0123456789abcdef"
    with pytest.raises(AssistantError, match="key"):
        [result async for result in asstproxy.batch(["x"] * 100, profile="gpt", concurrency=2)]
    assert len(server.requests) <= 4


async def test_halves_of_characters_are_repaired(server: ResponsesServer) -> None:
    """A program's text may have them: pairs are joined, and one alone becomes a mark."""
    items = [{"prompt": "pair \ud83d\ude00"}, {"prompt": "half \ud83d"}]
    answers = {result.answer async for result in asstproxy.batch(items, profile="gpt")}
    assert answers == {"You said: pair \U0001f600", "You said: half \N{REPLACEMENT CHARACTER}"}

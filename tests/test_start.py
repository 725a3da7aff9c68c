"""`start_conversation` in a program: fallbacks, and a limit for the cost."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from asstproxy import NotSetUpError, UsageError, start_conversation
from asstproxy.core.events import TakenOver
from servers import GeminiServer, ResponsesServer, Say, Status


@pytest.fixture
def gpt(monkeypatch: pytest.MonkeyPatch) -> Iterator[ResponsesServer]:
    """OpenAI's API."""
    with ResponsesServer() as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.base_url)
        monkeypatch.setenv("OPENAI_API_KEY", server.key)
        yield server


async def test_a_program_has_fallbacks(gpt: ResponsesServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """The next profile answers, and the records say so; one that isn't set up is an error at once."""
    with pytest.raises(NotSetUpError):
        start_conversation("gpt", fallbacks=["gemini"])
    with GeminiServer([[Say("Gemini here.")]]) as gemini:
        monkeypatch.setenv("GOOGLE_GEMINI_BASE_URL", gemini.url)
        monkeypatch.setenv("GEMINI_API_KEY", gemini.key)
        gpt.faults.add(Status(401))
        user = start_conversation("gpt", fallbacks=["gemini"])
        events = [record.event async for record in user.stream("hi")]
        await user.aclose()
    assert TakenOver("gemini", "gemini", "gemini-3.8-flash") in events
    assert getattr(events[-1], "text", "") == "Gemini here."


async def test_a_program_has_a_limit_for_the_cost(gpt: ResponsesServer) -> None:
    """What could pass it isn't sent; the exchange is incomplete."""
    user = start_conversation("gpt", max_cost=0.0001)
    records = [record async for record in user.stream("hi")]
    await user.aclose()
    assert (records[-1].state, gpt.requests) == ("incomplete", [])
    with pytest.raises(UsageError):
        start_conversation("gpt", max_cost=0)
    with pytest.raises(UsageError):
        start_conversation("gpt", model="gpt-of-next-year", max_cost=1)

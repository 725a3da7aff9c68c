"""A session may change its provider in mid-conversation: the next one is told what was said, tool calls included."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from asstproxy.config.profiles import Profile
from asstproxy.core.codec import decode, encode
from asstproxy.core.events import Configured
from asstproxy.core.roles import AssistantProxy
from asstproxy.core.script import State
from asstproxy.providers import connect
from core.stage import Stage
from servers import Call, GeminiServer, InteractionsServer, ResponsesServer, Say, Think

from .gemini_stage import APIS, add, bodies, proxy

both = pytest.mark.parametrize("api", APIS)
TURN: list[Any] = [[Think("hm"), Call("add", {"a": 1}), Call("add", {"a": 5})], [Say("3 and 7")]]


@asynccontextmanager
async def two_vendors(api: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[tuple[Any, Any, Any, AssistantProxy]]:
    """A local server with OpenAI's protocol, one with Google's, and a proxy to each."""
    kind = InteractionsServer if api == "interactions" else GeminiServer
    with ResponsesServer([*TURN, *TURN]) as ours, kind([*TURN, *TURN]) as googles:
        monkeypatch.setenv("LOCAL_KEY", ours.key)
        options = {"base_url": ours.base_url, "api_key_env": "LOCAL_KEY"}
        local = connect(Profile("local", "local", model="gpt-6-luna", options=options))
        gemini = proxy(googles, api)
        yield ours, googles, local, gemini
        await local.aclose()
        await gemini.aclose()


def configured(assistant: AssistantProxy) -> Configured:
    return Configured(provider=assistant.provider, model=assistant.model)


def assert_was_sent(server: Any, *texts: str) -> None:
    """What the model was given last holds these texts, in this order."""
    sent, position = json.dumps(server.contexts[-1]), 0
    for text in texts:
        position = sent.find(text, position)
        assert position >= 0, f"{text} is missing in {sent}"


@both
async def test_there_and_back(monkeypatch: pytest.MonkeyPatch, api: str) -> None:
    """local, gemini, local again: each exchange has tools, and each model knows all that was said before."""
    async with two_vendors(api, monkeypatch) as (ours, googles, local, gemini):
        stage = Stage(assistant=local, tools=[add])
        for number, assistant in enumerate((local, gemini, local, gemini)):
            stage.conversation.configure(configured(assistant), assistant)
            record = await stage.conversation.exchange(f"question {number}")
            assert record.state == State.COMPLETED, record
    stage.assert_conforms()
    assert_was_sent(ours, "question 0", "add", "3 and 7", "question 1", "add", "3 and 7", "question 2")
    assert_was_sent(googles, "question 0", "add", "3 and 7", "question 1", "add", "3 and 7", "question 2", "question 3")
    if api == "interactions":
        assert all("previous_interaction_id" not in body for body in bodies(googles)[::2])
        assert all("previous_interaction_id" in body for body in bodies(googles)[1::2])
    else:
        last = json.dumps(bodies(googles)[-1])
        assert last.count("thoughtSignature") == 2  # of its own two exchanges, and of no other's


@both
async def test_begun_on_local_and_read_again_on_gemini(monkeypatch: pytest.MonkeyPatch, api: str) -> None:
    """`asst chat -c -p gemini`: the journal of another provider is enough."""
    async with two_vendors(api, monkeypatch) as (_, googles, local, gemini):
        stage = Stage(assistant=local, tools=[add])
        await stage.conversation.exchange("question 0")
        past = [decode(encode(record)) for record in stage.records]
        later = Stage(assistant=gemini, tools=[add], past=past)
        record = await later.conversation.exchange("question 1")
    assert record.state == State.COMPLETED, record
    assert_was_sent(googles, "question 0", "add", "3 and 7", "question 1")


async def test_from_one_api_of_google_to_the_other(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same provider and the same model, but what one API signed is nothing to the other."""
    with GeminiServer([*TURN, *TURN]) as one, InteractionsServer([*TURN, *TURN]) as other:
        first, second = proxy(one), proxy(other, "interactions")
        stage = Stage(assistant=first, tools=[add])
        for assistant in (first, second, first):
            stage.conversation.configure(configured(assistant), assistant)
            record = await stage.conversation.exchange("question")
            assert record.state == State.COMPLETED, record
        await first.aclose()
        await second.aclose()

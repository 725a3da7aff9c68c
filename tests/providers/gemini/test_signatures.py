"""Thought signatures: they survive the journal, die with the model, and a refusal ends no conversation."""

from __future__ import annotations

from typing import Any

import pytest

from asstproxy.core.codec import decode, encode
from asstproxy.core.events import Configured, Notice
from asstproxy.core.script import State
from asstproxy.providers.gemini.generate import UNSIGNED
from core.stage import Stage
from servers import Call, Say, Status, Think

from .gemini_stage import APIS, add, bodies, on_stage, proxy

both = pytest.mark.parametrize("api", APIS)
REFUSED = "Corrupted thought signature."


def signatures(value: Any) -> list[str]:
    """All signatures in a body."""
    if isinstance(value, dict):
        own = [v for k, v in value.items() if k in ("thoughtSignature", "signature")]
        return own + [found for inner in value.values() for found in signatures(inner)]
    return [found for inner in value for found in signatures(inner)] if isinstance(value, list) else []


TURNS = [[Think("t"), Call("add", {"a": 1})], [Think("t"), Say("3")], [Say("ok")]]


async def test_they_survive_the_journal() -> None:
    """A session that is read again sends what the first one would have sent."""
    async with on_stage("generate", *TURNS, tools=[add]) as (server, stage):
        await stage.conversation.exchange("add")
        past = [decode(encode(record)) for record in stage.records]
        later = Stage(assistant=proxy(server), tools=[add], past=past)
        record = await later.conversation.exchange("and?")
        await later.conversation.aclose()
    assert record.state == State.COMPLETED
    assert len(signatures(bodies(server)[-1])) == 2
    assert not later.published(Notice)


async def test_they_are_dropped_with_the_model() -> None:
    """Another model would refuse them."""
    async with on_stage("generate", *TURNS, tools=[add]) as (server, stage):
        await stage.conversation.exchange("add")
        stage.conversation.configure(Configured(model="gemini-4-neon"))
        record = await stage.conversation.exchange("and?")
    assert record.state == State.COMPLETED
    assert signatures(bodies(server)[-1]) == []


async def test_a_refused_one_is_left_out_and_told() -> None:
    """Once for each server: later exchanges do not even try."""
    turns = [*TURNS, [Call("add", {"a": 5})], [Say("7")], [Say("ok")]]
    async with on_stage("generate", *turns, tools=[add]) as (server, stage):
        await stage.conversation.exchange("add")
        server.faults.add(Status(400, message=REFUSED, first=1))
        second = await stage.conversation.exchange("and?")
        assert second.state == State.COMPLETED
        (notice,) = stage.published(Notice)
        assert "signature" in notice.text
        refused, sent = bodies(server)[-2:]
        assert len(signatures(refused)) == 2
        assert signatures(sent) == [UNSIGNED]
        third = await stage.conversation.exchange("more")
        assert third.state == State.COMPLETED
        assert len(stage.published(Notice)) == 1
        assert len(signatures(bodies(server)[-1])) == 2  # the old call's word, and the new call's own
    stage.assert_conforms()


@pytest.mark.parametrize("message", ["Function call is missing a thought_signature in functionCall parts.", REFUSED])
async def test_in_the_middle_of_a_tool_round(message: str) -> None:
    """The call of this very turn goes back with Google's own word instead."""
    async with on_stage("generate", *TURNS[:2], tools=[add]) as (server, stage):
        server.faults.add(Status(400, message=message, first=1, skip=1))
        record = await stage.conversation.exchange("add")
    assert record.state == State.COMPLETED, record
    assert len(bodies(server)) == 3
    assert signatures(bodies(server)[-1]) == [UNSIGNED]


async def test_calls_of_another_provider_in_a_strict_server() -> None:
    """Where even they must be signed, they say why they are not."""
    async with on_stage("generate", [Call("add", {"a": 1})], [Say("3")], [Say("ok")], tools=[add], sign=False) as (
        server,
        stage,
    ):
        await stage.conversation.exchange("add")
        server.faults.add(Status(400, message="missing a thought_signature", first=1))
        record = await stage.conversation.exchange("and?")
    assert record.state == State.COMPLETED
    assert signatures(bodies(server)[-1]) == [UNSIGNED]


@both
async def test_a_server_that_refuses_for_ever(api: str) -> None:
    """One more try, then the error."""
    async with on_stage(api, tools=[add], faults=[Status(400, message=REFUSED)]) as (server, stage):
        record = await stage.conversation.exchange("add")
        again = await stage.conversation.exchange("add")
    assert [record.state, again.state] == [State.ERROR, State.ERROR]
    assert len(server.requests) == 3


async def test_other_refusals_are_no_business_of_theirs() -> None:
    """A wrong request stays a wrong request."""
    async with on_stage("generate", *TURNS, tools=[add]) as (server, stage):
        await stage.conversation.exchange("add")
        server.faults.add(Status(400, message="Invalid argument."))
        record = await stage.conversation.exchange("and?")
    assert record.state == State.ERROR
    assert len(bodies(server)) == 3


async def test_interactions_start_afresh_without_them() -> None:
    """There the thoughts are steps: the history is told again without them."""
    async with on_stage("interactions", [Think("t"), Say("one")], [Say("two")]) as (server, stage):
        stage.conversation.configure(Configured(settings={"store": False}))
        await stage.conversation.exchange("a")
        server.faults.add(Status(400, message=REFUSED, first=1))
        record = await stage.conversation.exchange("b")
    assert record.state == State.COMPLETED
    refused, sent = bodies(server)[-2:]
    assert len(signatures(refused)) == 1
    assert [step["type"] for step in sent["input"]] == ["user_input", "model_output", "user_input"]

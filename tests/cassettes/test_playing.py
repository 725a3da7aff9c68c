"""Conversations with real servers, as they were recorded: both transports, the same claims for every cassette."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
from openai import AsyncOpenAI

from asstproxy import Event, Record, Store, conform
from asstproxy.core.events import (
    ActionRequired,
    AssistantMessageRetrieved,
    ChunkReceived,
    ErrorOccurred,
    MessageIncomplete,
    SetUserMessage,
    ToolsExecuted,
    Usage,
)
from asstproxy.core.mediator import MediatorBasic, MediatorStateMachine

from .player import NO_KEY, paths, play, recorder
from .scenarios import CASSETTES, Take
from .tape import Answer, Interaction, read, spoken

CLOSING = ActionRequired | AssistantMessageRetrieved | MessageIncomplete


@dataclass(frozen=True)
class Performance:
    """A cassette that was played: what is on it, and the records that came of it."""

    take: Take
    tape: list[Interaction]
    records: list[Record]
    unplayed: int
    session: str

    @property
    def answers(self) -> list[Answer]:
        """The assistant's turns, as the server gave them."""
        return [answer for one in self.tape if (answer := one.answer)]

    def said(self, *kinds: type[Event]) -> list[Any]:
        """The events of these kinds."""
        return [record.event for record in self.records if isinstance(record.event, kinds)]


def _performances() -> list[Any]:
    """Every cassette over our own HTTP, and over OpenAI's SDK where that speaks the server's language."""
    ways = [(take, "http") for take in CASSETTES]
    ways += [(take, "sdk") for take in CASSETTES if take.server.profile["provider"] != "gemini"]
    return [pytest.param(way, id=f"{way[0].name}-{way[1]}") for way in ways]


@pytest.fixture(params=_performances())
async def performance(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Performance]:
    """A cassette, played through the library's public door and kept as a session."""
    take, transport = request.param
    monkeypatch.setenv(take.server.key, NO_KEY)
    client = None
    if transport == "sdk":
        client = AsyncOpenAI(base_url=take.server.profile["base_url"], api_key=NO_KEY)
    session = Store().create()
    with recorder("none").use_cassette(str(take.file)) as cassette:
        records = await play(take, client=client, session=session)
    session.close()
    if client is not None:
        await client.close()
    yield Performance(take, read(take.file), records, len(cassette) - cassette.play_count, session.id)


def test_it_follows_the_script(performance: Performance) -> None:
    """The states are those of its scenario, and both mediators come to the same ones from the records alone."""
    assert paths(performance.records) == list(performance.take.scenario.paths)
    for mediator in (MediatorBasic(), MediatorStateMachine()):
        assert list(conform(performance.records, mediator)) == []


def test_its_session_is_kept_and_conforms(performance: Performance, capsys: pytest.CaptureFixture[str]) -> None:
    """`asst replay --check` accepts what the journal holds, which is what was heard."""
    kept = Store().records(performance.session)
    assert [record for record in kept if not isinstance(record.event, ChunkReceived)][1:] == [
        record for record in performance.records if not isinstance(record.event, ChunkReceived)
    ]
    from asstproxy.cli.replay import check_session

    assert check_session(performance.session) == 0
    assert capsys.readouterr().out == f"{len(kept)} records conform to the script.\n"


def test_it_hears_what_the_server_said(performance: Performance) -> None:
    """Texts and calls, turn by turn, are those on the cassette."""
    heard = [
        (event.text, tuple((c.name, c.arguments) for c in getattr(event, "calls", ())))
        for event in performance.said(ActionRequired, AssistantMessageRetrieved, MessageIncomplete)
    ]
    assert heard == [(answer.text, answer.calls) for answer in performance.answers]


def test_a_stream_is_heard_piece_by_piece(performance: Performance) -> None:
    """Every piece that was streamed is a chunk, and nothing else is."""
    pieces = [event.text for event in performance.said(ChunkReceived)]
    assert "".join(pieces) == "".join(chain.from_iterable(answer.pieces for answer in performance.answers))
    assert bool(pieces) == ("streaming" in " ".join(performance.take.scenario.paths))


def test_tokens_are_counted(performance: Performance) -> None:
    """Usage is what the server says it is; one that says nothing gets no note."""
    counted = [(usage.input_tokens, usage.output_tokens) for usage in performance.said(Usage)]
    assert counted == [answer.tokens for answer in performance.answers if any(answer.tokens)]


def test_it_sends_what_was_recorded(performance: Performance) -> None:
    """Each recorded request is sent once, and no other: the recorder would have refused it."""
    assert performance.unplayed == 0


def test_it_tells_the_server_what_was_said(performance: Performance) -> None:
    """A request adds the person's message or the tools' results; a server that keeps nothing is told the rest again."""
    so_far: list[tuple[str, str]] = []
    told: list[str] = []
    for one in performance.tape:
        if "model" in one.sent or "contents" in one.sent:
            kept = "conversation" in one.sent or "previous_interaction_id" in one.sent
            items = spoken(one.sent)
            new = items if kept else items[len(so_far) :]
            assert items == ([] if kept else so_far) + new
            assert {who for who, _ in new} == {"us"}
            told += [text for _, text in new]
            so_far += new
        if answer := one.answer:
            so_far += answer.spoken
    assert told == list(chain.from_iterable(map(_ours, performance.records)))


def _ours(record: Record) -> list[str]:
    match record.event:
        case SetUserMessage(text=text):
            return [text]
        case ToolsExecuted(results=results):
            return [result.output for result in results]
    return []


def test_a_refusal_is_told_in_the_servers_words(performance: Performance) -> None:
    """What the server says is wrong stands in the error, and an error is said only when the server refused."""
    refusals = [one.refusal for one in performance.tape if one.refusal]
    errors = performance.said(ErrorOccurred)
    assert len(errors) == len(refusals)
    for error, words in zip(errors, refusals, strict=True):
        assert words in error.message
        assert error.kind in ("invalid_request", "not_found")

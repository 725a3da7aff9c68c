"""Conversations with real servers, as they were recorded: the same claims for every cassette, over every transport."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from importlib.util import find_spec
from itertools import chain
from pathlib import Path
from typing import Any

import pytest

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

SDK = {"gpt": "openai", "local": "openai", "gemini": "google.genai"}
"""The vendor's package for each provider that can use one."""


@dataclass(frozen=True)
class Performance:
    """A cassette that was played: what is on it, the records that were heard, and the journal in which they were kept."""

    take: Take
    tape: list[Interaction]
    records: list[Record]
    unplayed: int
    journal: Path

    @property
    def answers(self) -> list[Answer]:
        """The assistant's turns, as the server gave them."""
        return [answer for one in self.tape if (answer := one.answer)]

    def published(self, *kinds: type[Event]) -> list[Any]:
        """The events of these kinds."""
        return [record.event for record in self.records if isinstance(record.event, kinds)]


def _installed(package: str) -> bool:
    try:
        return bool(package) and find_spec(package) is not None
    except ModuleNotFoundError:  # its parent is not
        return False


def _performances() -> list[Any]:
    """Every cassette over our own HTTP, and over the vendor's SDK where that is installed."""
    ways = [(take, "http") for take in CASSETTES]
    ways += [(take, "sdk") for take in CASSETTES if _installed(SDK.get(take.server.profile["provider"], ""))]
    return [pytest.param(way, id=f"{way[0].name}-{way[1]}") for way in ways]


@pytest.fixture(params=_performances(), scope="module")
def performance(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Performance:
    """A cassette, played through the library's public door and kept as a session."""
    take, transport = request.param
    folder = tmp_path_factory.mktemp(take.name)
    with pytest.MonkeyPatch.context() as patch, recorder("none").use_cassette(str(take.file)) as cassette:
        patch.setenv(take.server.key, NO_KEY)
        patch.setenv("ASST_CONFIG_DIR", str(folder))
        session = Store(folder / "sessions").create()
        records = asyncio.run(play(take, transport=transport, session=session))
        session.close()
    return Performance(take, read(take.file), records, len(cassette) - cassette.play_count, session.path)


def test_it_follows_the_script(performance: Performance) -> None:
    """The states are those of its scenario, and both mediators come to the same ones from the records alone."""
    assert paths(performance.records) == list(performance.take.scenario.paths)
    for mediator in (MediatorBasic(), MediatorStateMachine()):
        assert list(conform(performance.records, mediator)) == []


def test_its_session_is_kept_and_conforms(performance: Performance, capsys: pytest.CaptureFixture[str]) -> None:
    """The journal holds what was heard, and `asst replay --check` accepts it."""
    from asstproxy.cli.sessions.player import check_session

    lines = [json.loads(line) for line in performance.journal.read_text(encoding="utf-8").splitlines()]
    kept = [line["seq"] for line in lines if line["type"] not in ("session_opened", "chunk_received")]
    assert kept == [record.seq for record in performance.records if not isinstance(record.event, ChunkReceived)]
    assert check_session(str(performance.journal)) == 0
    assert "conform" in capsys.readouterr().out


def test_it_hears_what_the_server_said(performance: Performance) -> None:
    """Texts and calls, turn by turn, are those on the cassette."""
    heard = [
        (event.text, tuple((call.name, json.loads(call.arguments)) for call in getattr(event, "calls", ())))
        for event in performance.published(ActionRequired, AssistantMessageRetrieved, MessageIncomplete)
    ]
    assert heard == [(answer.text, answer.calls) for answer in performance.answers]


def test_a_stream_is_heard_piece_by_piece(performance: Performance) -> None:
    """What is streamed is heard in chunks, and what is not streamed in none."""
    pieces = [event.text for event in performance.published(ChunkReceived)]
    assert "".join(pieces) == "".join(chain.from_iterable(answer.pieces for answer in performance.answers))
    assert bool(pieces) == ("streaming" in " ".join(performance.take.scenario.paths))


def test_tokens_are_counted(performance: Performance) -> None:
    """Usage is what the server says it is; one that says nothing gets no note."""
    counted = [(usage.input_tokens, usage.output_tokens) for usage in performance.published(Usage)]
    assert counted == [answer.tokens for answer in performance.answers if any(answer.tokens)]


def test_it_sends_what_was_recorded(performance: Performance) -> None:
    """Each recorded request is sent once, and no other: the recorder would have refused it."""
    assert performance.unplayed == 0


def test_it_tells_the_server_what_was_said(performance: Performance) -> None:
    """A request adds the person's message or the tools' results; a server that keeps nothing is told the rest again."""
    so_far: list[tuple[str, str]] = []
    told: list[str] = []
    for one in performance.tape:
        if "model" in one.sent or "contents" in one.sent or "tool_outputs" in one.sent:
            kept = "conversation" in one.sent or "previous_interaction_id" in one.sent or "/threads" in one.url
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
    errors = performance.published(ErrorOccurred)
    assert len(errors) == len(refusals)
    for error, words in zip(errors, refusals, strict=True):
        assert words in error.message
        assert error.kind in ("invalid_request", "not_found")

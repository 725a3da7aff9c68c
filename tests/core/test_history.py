"""The history that an assistant is sent: laws that hold wherever an exchange was broken off."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain, pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from asstproxy.core.codec import decode, encode
from asstproxy.core.events import (
    ActionRequired,
    AssistantMessageRetrieved,
    Cancelled,
    ChunkReceived,
    ErrorOccurred,
    Event,
    HistoryCut,
    MessageIncomplete,
    Record,
    SetUserMessage,
    Started,
    ToolCall,
    ToolFinished,
    ToolOutputsSubmitted,
    ToolResult,
    ToolsExecuted,
)
from asstproxy.core.history import AssistantMessage, History, Item, ToolOutputs, UserMessage
from asstproxy.core.script import State

from .strategies import SPEAKERS, exchanges

sessions = st.lists(exchanges(), max_size=4)
ASKED, TOLD = SetUserMessage("hi"), Started("gpt", "luna")
CALLS = (ToolCall("p", "add", "{}"), ToolCall("q", "add", "{}"))


def folded(events: Iterable[Event]) -> History:
    history = History()
    for event in events:
        history.feed(event)
    return history


def sent(events: Iterable[Event], speaker: tuple[str, str] = SPEAKERS[0]) -> tuple[Item, ...]:
    return folded(events).items(*speaker)


@settings(max_examples=50)
@given(session=sessions, speaker=st.sampled_from(SPEAKERS))
def test_every_call_has_its_result(session: list[Sequence[Event]], speaker: tuple[str, str]) -> None:
    """No call dangles and no result comes unasked: each reply with calls is followed by its results, in their order."""
    items = sent(chain(*session), speaker)
    for item, following in pairwise([None, *items, None]):
        calls = item.calls if isinstance(item, AssistantMessage) else ()
        results = following.results if isinstance(following, ToolOutputs) else ()
        assert [call.call_id for call in calls] == [result.call_id for result in results]


@settings(max_examples=50)
@given(session=sessions)
def test_an_exchange_without_an_answer_is_left_out(session: list[Sequence[Event]]) -> None:
    """Every message of the person that is sent is followed by something of the assistant's, and begins its exchange."""
    for exchange in folded(chain(*session)).exchanges:
        kinds = [type(item) for item in exchange]
        assert kinds[:1] in ([], [UserMessage])
        assert UserMessage not in kinds[1:]
        assert len(kinds) != 1


@settings(max_examples=50)
@given(session=sessions)
def test_nothing_else_is_left_out(session: list[Sequence[Event]]) -> None:
    """Each exchange counts; whatever was said to the end is sent, and the pieces of what was broken off."""
    history = folded(chain(*session))
    assert len(history.exchanges) == len(session)
    for events, exchange in zip(session, history.exchanges, strict=True):
        texts = [item.text for item in exchange if isinstance(item, AssistantMessage)]
        assert [text for text in texts if text] == [text for text in _said(events) if text]


def _said(events: Sequence[Event]) -> Iterable[str]:
    pieces: list[str] = []
    for event in events:
        match event:
            case ChunkReceived(text=text, phase="answer"):
                pieces.append(text)
            case ActionRequired(text=text) | AssistantMessageRetrieved(text=text) | MessageIncomplete(text=text):
                yield text
                pieces.clear()
            case Cancelled() | ErrorOccurred():
                yield "".join(pieces)


@settings(max_examples=50)
@given(session=sessions, speaker=st.sampled_from(SPEAKERS))
def test_raw_goes_only_to_who_said_it(session: list[Sequence[Event]], speaker: tuple[str, str]) -> None:
    """What only one model understands is sent to that model at that provider, and to nobody else."""
    spoken_by_us: list[object] = []
    for events in session:
        ours = any(isinstance(event, Started) and (event.provider, event.model) == speaker for event in events)
        raws = (
            event.raw
            for event in events
            if isinstance(event, ActionRequired | AssistantMessageRetrieved | MessageIncomplete)
        )
        spoken_by_us += [raw for raw in raws if ours and raw is not None]
    items = sent(chain(*session), speaker)
    assert [item.raw for item in items if isinstance(item, AssistantMessage) and item.raw is not None] == spoken_by_us


@settings(max_examples=50)
@given(session=sessions, keep=st.integers(0, 5), later=sessions)
def test_a_cut_keeps_the_first_exchanges(
    session: list[Sequence[Event]], keep: int, later: list[Sequence[Event]]
) -> None:
    """After a cut it is as if the other exchanges had never been."""
    cut = [*chain(*session), HistoryCut(keep), *chain(*later)]
    assert sent(cut) == sent(chain(*session[:keep], *later))
    assert folded([*chain(*session), HistoryCut(keep)]).resume("gpt") is None


@settings(max_examples=50)
@given(session=sessions, speaker=st.sampled_from(SPEAKERS))
def test_it_is_a_fold_of_the_journal(session: list[Sequence[Event]], speaker: tuple[str, str]) -> None:
    """A history that was read from disk is the one that was in memory."""
    lines = [encode(Record(1, "now", State.NEW, event)) for event in chain(*session)]
    again = folded(event for event in (decode(line).event for line in lines) if isinstance(event, Event))
    assert again.items(*speaker) == sent(chain(*session), speaker)
    assert again.resume(speaker[0]) == folded(chain(*session)).resume(speaker[0])


def test_an_open_exchange_is_not_sent() -> None:
    """The history is what has settled; the message that is being answered travels on its own."""
    assert sent([ASKED, TOLD, ChunkReceived("he")]) == ()


def test_what_was_stopped_in_the_middle_is_kept() -> None:
    """The pieces that a person has seen stay in the conversation; commentary is no part of the answer."""
    events = [
        ASKED,
        TOLD,
        ChunkReceived("well, ", "commentary"),
        ChunkReceived("he"),
        ChunkReceived("llo"),
        Cancelled(),
    ]
    assert sent(events) == (UserMessage("hi"), AssistantMessage("hello"))


def test_tools_that_had_finished_keep_their_results() -> None:
    """Of calls that were broken off, those that had finished keep what they gave; the others were interrupted."""
    done = ToolResult("p", "3")
    items = sent([ASKED, TOLD, ActionRequired(CALLS), ToolFinished(done, 0.1), Cancelled()])
    assert isinstance(items[-1], ToolOutputs)
    assert items[-1].results[0] == done
    assert items[-1].results[1].error is not None


def test_an_older_round_does_not_answer_a_newer_call() -> None:
    """Where a provider numbers the calls of each reply afresh, a result belongs to its own round."""
    old = ToolResult("p", "old")
    round_one = [ActionRequired(CALLS[:1]), ToolFinished(old, 0.1), ToolsExecuted((old,)), ToolOutputsSubmitted()]
    items = sent([ASKED, TOLD, *round_one, ActionRequired(CALLS[:1]), Cancelled()])
    assert isinstance(items[-1], ToolOutputs)
    assert items[-1].results[0].error is not None


def test_an_error_outside_of_an_exchange_changes_nothing() -> None:
    """A journal whose end was mended holds such an error."""
    settled = [ASKED, TOLD, AssistantMessageRetrieved("hello")]
    history = folded([*settled, ErrorOccurred("interrupted", "no")])
    assert (history.items("gpt", "luna"), len(history.exchanges)) == (sent(settled), 1)


def answered(provider: str, resume: object = None) -> list[Event]:
    return [ASKED, Started(provider, "m"), AssistantMessageRetrieved("hello", None, resume)]


def test_resume_is_for_the_provider_that_spoke_last() -> None:
    """Its own conversation lacks what another one said since, so then it is sent the neutral history."""
    mine = answered("gpt", {"id": 1})
    assert folded(mine).resume("gpt") == {"id": 1}
    assert folded(mine).resume("gemini") is None
    assert folded([*mine, *answered("gemini")]).resume("gpt") is None


@pytest.mark.parametrize("parting", [Cancelled(), ErrorOccurred("server", "no")])
def test_resume_does_not_come_back_with_its_provider(parting: Event) -> None:
    """Returning to a provider is a fresh start there, also when its first answer fails."""
    events = [*answered("gpt", {"id": 1}), *answered("gemini"), ASKED, Started("gpt", "m"), parting]
    assert folded(events).resume("gpt") is None


@pytest.mark.parametrize("parting", [Cancelled(), ErrorOccurred("server", "no")])
def test_resume_ends_with_what_was_broken_off(parting: Event) -> None:
    """What the provider kept of a broken exchange is not what we kept, so we do not build on it."""
    events = [*answered("gpt", {"id": 1}), ASKED, Started("gpt", "m"), ChunkReceived("he"), parting]
    assert folded(events).resume("gpt") is None


def test_resume_is_said_by_every_answer() -> None:
    """An answer without it ends it: the provider says so, or its calls will never be answered there."""
    unanswered = MessageIncomplete("", "tool_rounds")
    events = [ASKED, Started("gpt", "m"), ActionRequired(CALLS, resume={"id": 1}), unanswered]
    assert folded(events).resume("gpt") is None

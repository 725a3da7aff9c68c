"""`asst ask | …`: stdout is the answer, as it arrives, and nothing else."""

from __future__ import annotations

import io

import pytest

from asstproxy.cli.render.plain import PlainView
from asstproxy.core.events import (
    ActionRequired,
    AssistantMessageRetrieved,
    Cancelled,
    ChunkReceived,
    ErrorOccurred,
    Event,
    MessageIncomplete,
    Notice,
    Reasoning,
    SetUserMessage,
    Started,
    ToolCall,
    ToolOutputsSubmitted,
    ToolsExecuted,
    Unknown,
    Usage,
)

from .screen import Script, Terminal

CALL = ToolCall("c0", "f", "{}")
OPENING = (SetUserMessage("hi"), Started("gpt"))


def written(*events: Event | Unknown) -> str:
    out = io.StringIO()
    view = PlainView(out)
    for record in Script().play([*OPENING, *events]):
        view(record)
    return out.getvalue()


def test_the_answer_and_a_line_feed() -> None:
    """The chunks as they are, raw Markdown, and one line feed at the end; no reasoning, usage or notices."""
    events = (Reasoning("hm"), ChunkReceived("**a"), Notice("n"), ChunkReceived("** b"), Usage(1, 2))
    assert written(*events, AssistantMessageRetrieved("**a** b")) == "**a** b\n"


def test_no_second_line_feed() -> None:
    """A text that ends with a line feed gets no second one."""
    assert written(ChunkReceived("a\n"), AssistantMessageRetrieved("a\n")) == "a\n"


def test_an_answer_that_was_not_streamed() -> None:
    """Without chunks the whole text is printed, an incomplete one as well."""
    assert written(AssistantMessageRetrieved("whole")) == "whole\n"
    assert written(MessageIncomplete("par", "max_output_tokens")) == "par\n"


@pytest.mark.parametrize("end", [Cancelled(), ErrorOccurred("server", "no"), MessageIncomplete("par", "expired")])
def test_a_partial_answer_ends_its_line(end: Event) -> None:
    """A partial answer ends with a line feed, and nothing else is added."""
    assert written(ChunkReceived("par"), end) == "par\n"


def test_an_exchange_without_text_prints_nothing() -> None:
    """An error before the first chunk leaves stdout empty."""
    assert written(ErrorOccurred("server", "no")) == ""
    assert written(AssistantMessageRetrieved("")) == ""


def test_commentary_is_no_part_of_the_answer() -> None:
    """Commentary does not reach stdout, even where the request's whole text repeats it."""
    asked = (ChunkReceived("I look.", "commentary"), ActionRequired((CALL,), "I look."))
    assert written(*asked, ToolsExecuted(()), ToolOutputsSubmitted(), AssistantMessageRetrieved("42")) == "42\n"


@pytest.mark.parametrize("before", ["I look.", "I look.\n", "I look.\n\n"])
def test_text_around_a_tool_call(before: str) -> None:
    """The text before a tool call and the text after it are two paragraphs."""
    after = (ToolsExecuted(()), ToolOutputsSubmitted(), ChunkReceived("42"), AssistantMessageRetrieved("42"))
    assert written(ChunkReceived(before), ActionRequired((CALL,), before), *after) == "I look.\n\n42\n"
    assert written(ActionRequired((CALL,), before), *after) == "I look.\n\n42\n"
    assert written(ActionRequired((CALL,)), *after) == "42\n"


def test_every_record_is_flushed() -> None:
    """A chunk is written before the next one comes."""
    out = io.BytesIO()
    view = PlainView(io.TextIOWrapper(out, encoding="utf-8", write_through=False))
    script = Script()
    for part in (*OPENING, ChunkReceived("a"), ChunkReceived("b")):
        view(script(part))
    assert out.getvalue() == b"ab"


def test_into_a_pipe_the_text_goes_as_it_is() -> None:
    """Control characters belong to the text; only lone surrogates are replaced."""
    assert written(ChunkReceived("\x1b[1m\r\nx\x00\ud800"), AssistantMessageRetrieved("")) == "\x1b[1m\r\nx\x00�\n"


def test_on_a_terminal_the_text_is_harmless() -> None:
    """A sequence split over two chunks is removed, too; `raw` lets it through."""
    events = (*OPENING, ChunkReceived("a\x1b]0;ti"), ChunkReceived("tle\x07b"), AssistantMessageRetrieved("ab"))
    for raw, title in ((False, ""), (True, "title")):
        terminal = Terminal()
        view = PlainView(terminal, raw=raw)
        for record in Script().play(events):
            view(record)
        assert (terminal.text, terminal.title) == ("ab", title)


def test_several_exchanges() -> None:
    """Each answer is independent."""
    again = (SetUserMessage("more"), Started("gpt"), ChunkReceived("b"), AssistantMessageRetrieved("b"))
    assert written(ChunkReceived("a"), AssistantMessageRetrieved("a"), Notice("n"), *again) == "a\nb\n"


def test_unknown_events_are_ignored() -> None:
    """An event of a newer asst prints nothing on stdout."""
    assert written(Unknown({"type": "hologram"}), AssistantMessageRetrieved("a")) == "a\n"


def test_a_closed_pipe_is_told() -> None:
    """The view lets the error through: the caller ends the command."""

    class Closed(io.StringIO):
        def flush(self) -> None:
            raise BrokenPipeError

    view = PlainView(Closed())
    *before, piece = Script().play([*OPENING, ChunkReceived("a")])
    for record in before:
        view(record)
    with pytest.raises(BrokenPipeError):
        view(piece)

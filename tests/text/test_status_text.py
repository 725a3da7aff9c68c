"""How an exchange ended: one table of words."""

from __future__ import annotations

import io

import pytest

from asstproxy.cli.render.print_conversation import print_conversation
from asstproxy.core.events import (
    Cancelled,
    ChunkReceived,
    ErrorOccurred,
    Event,
    MessageIncomplete,
    SetUserMessage,
    Started,
)
from asstproxy.export.html import page
from asstproxy.export.markdown import markdown
from asstproxy.store.transcript import TranscriptBuilder
from asstproxy.text.status_text import ending
from cli.render.screen import Script, printed

ENDINGS: dict[str, Event] = {
    "the answer reached its length limit": MessageIncomplete("par", "max_output_tokens"),
    "the provider's content filter stopped the answer": MessageIncomplete("par", "content_filter"),
    "the assistant asked for tools too many times": MessageIncomplete("par", "tool_rounds"),
    "the provider gave up after too long": MessageIncomplete("par", "expired"),
    "moon phase": MessageIncomplete("par", "moon phase"),
    "you stopped it": Cancelled("user"),
    "it reached the time limit (--timeout)": Cancelled("timeout"),
    "asst was terminated": Cancelled("terminated"),
    "The disk is full.": ErrorOccurred("storage", "The disk is full.", "Make room."),
}


@pytest.mark.parametrize("words", ENDINGS)
def test_every_place_has_the_same_words(words: str) -> None:
    """A pipe, the terminal and both exports for people use the same words for an ending."""
    records = Script().play([SetUserMessage("hi"), Started("openai", "gpt-5"), ChunkReceived("par"), ENDINGS[words]])
    console, fold = printed(120), TranscriptBuilder("01J")
    print_conversation(records, console)
    for record in records:
        fold.feed(record)
    assert isinstance(console.file, io.StringIO)
    html = page(fold.transcript, records).replace("&#x27;", "'")
    for text in (str(ending(ENDINGS[words])), console.file.getvalue(), html, markdown(fold.transcript)):
        assert words in text


@pytest.mark.parametrize(
    ("hint", "left"),
    [
        ("Try again.", ""),
        ("The provider failed. Try again.", "The provider failed."),
        ("The provider failed. Try again later.", "The provider failed."),
        ("Check the key.", "Check the key."),
    ],
)
def test_to_try_again_is_said_once(hint: str, left: str) -> None:
    """Where the command that tries again follows, the hint doesn't say so, too."""
    end = ending(ErrorOccurred("server", "It broke.", hint))
    assert end is not None
    assert end.without_repeat().hint == left

"""Text made to break a renderer: twice as much is about twice the work, and nothing of it acts on the terminal."""

from __future__ import annotations

import cProfile
import gc
import time
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from asstproxy.cli.render.markdown_stream import MarkdownStream
from asstproxy.cli.render.print_conversation import print_conversation
from asstproxy.core.codec import escape_controls
from asstproxy.core.events import (
    ActionRequired,
    AssistantMessageRetrieved,
    ChunkReceived,
    ErrorOccurred,
    Event,
    Notice,
    Reasoning,
    SetUserMessage,
    Started,
    ToolCall,
    ToolFinished,
    ToolResult,
    ToolStarted,
)
from asstproxy.export.html import page
from asstproxy.store.transcript import TranscriptBuilder
from cli.render.screen import Script, Terminal, printed

from .hostile import SEQUENCES, harmful

PIECE, LENGTH = 4_000, 12_000
large = pytest.mark.slow(reason="texts long enough for a square to show, drawn under a profiler")

BOMBS: dict[str, Callable[[int], str]] = {
    "quotes": lambda n: ">" * n,
    "quoted lines": lambda n: "> - a\n" * (n // 6),
    "lists": lambda n: "- " * (n // 2),
    "lazy list item": lambda n: "- a\n" + "b\n" * (n // 2),
    "numbers": lambda n: "1. " * (n // 3),
    "brackets": lambda n: "[" * n,
    "bracket paragraphs": lambda n: ("![" * 2_000 + "\n\n") * (n // 4_002),
    "emphasis": lambda n: ("*_" * 2_000 + "\n\n") * (n // 4_002),
    "backticks": lambda n: "`a" * (n // 2),
    "definitions": lambda n: "".join(f"[a{k}]: /b\n" for k in range(n // 12)),
    "open definitions": lambda n: "[a]: <b\n" * (n // 8),
    "table of 1,000 columns": lambda n: (
        "|a" * 1000 + "|\n" + "|-" * 1000 + "|\n" + ("|b" * 1000 + "|\n") * (n // 2_001)
    ),
    "long table": lambda n: "|a|b|\n|-|-|\n" + "|1|2|\n" * (n // 6),
    "one word": lambda n: "x" * n,
    "wide word": lambda n: "漢" * n,
    "combining": lambda n: "a" + "\u0301" * n,
    "joined emoji": lambda n: "\N{WOMAN}\u200d" * (n // 2),
    "escapes": lambda n: "\x1b[" * (n // 2),
    "open strings": lambda n: "\x1b]0;" * (n // 4),
    "nul": lambda n: "\0" * n,
    "soft lines": lambda n: "a\n" * (n // 2),
    "open fence": lambda n: "```py\n" + '"""(\n' * (n // 5),
    "empty lines": lambda n: "\n" * n,
}


def work(do: Callable[[], object]) -> int:
    """How many functions are called, Python's and C's: unlike the time, the same whatever else the machine does."""
    profile = cProfile.Profile()
    profile.runcall(do)
    return sum(entry.callcount for entry in profile.getstats())


def draw(text: str, piece: int = PIECE) -> None:
    """Draw it while it comes."""
    console, markdown = printed(80), MarkdownStream()
    for at in range(0, len(text), piece):
        markdown.feed(text[at : at + piece])
        for block in markdown.take():
            console.print(block)
        markdown.tail(24).rows(console, console.options)
    for block in markdown.finish():
        console.print(block)


@large
@pytest.mark.parametrize("name", BOMBS)
def test_four_times_as_much_is_four_times_the_work(name: str) -> None:
    """The work is proportional, whatever the text is made of (the square would be 16 times as much)."""
    bomb = BOMBS[name]
    draw(bomb(PIECE))  # what is only done once is done
    once, more = (work(lambda length=length: draw(bomb(length))) for length in (LENGTH, 4 * LENGTH))  # type: ignore[misc]
    assert more <= 8 * max(once, 10_000), (once, more)


@large
@pytest.mark.parametrize("head", ["", "- a\n"])
def test_a_giant_paragraph_is_linear(head: str) -> None:
    """One paragraph of a megabyte, in a list and on its own; Rich alone takes the square for it."""
    texts = [head + "the fox jumps\n" * lines for lines in (15_000, 60_000)]
    gc.collect()
    gc.disable()  # in a long run of tests it looks through everybody's things
    try:
        once, more = (min(timed(text) for _ in range(2)) for text in texts)
    finally:
        gc.enable()
    assert more <= 9 * once, (head, once, more)


def timed(text: str) -> float:
    """Processor seconds to draw it at once: the square would be inside of C, where no calls are counted."""
    began = time.process_time()
    draw(text, 10_000_000)
    return time.process_time() - began


@large
@pytest.mark.parametrize("name", ["brackets", "bracket paragraphs", "emphasis", "quoted lines", "open definitions"])
def test_an_export_is_linear(name: str) -> None:
    """The HTML page is made by another renderer, and does no more work for a bomb either."""

    def export(length: int) -> int:
        fold, script = TranscriptBuilder("x"), Script()
        records = script.play([SetUserMessage("go"), Started("p", "m"), AssistantMessageRetrieved(BOMBS[name](length))])
        for record in records:
            fold.feed(record)
        return work(lambda: page(fold.transcript, records))

    export(PIECE)
    once, more = export(LENGTH), export(4 * LENGTH)
    assert more <= 8 * max(once, 10_000), (once, more)


hostile = st.lists(
    st.sampled_from(SEQUENCES)
    | st.sampled_from(["[red]", "**", "`", "\n", "\n\n", "> ", "- ", "```\n", "|a|b|\n|-|-|\n", "&#27;[2J", "&#x202e;"])
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=8),
    max_size=12,
).map("".join)


@settings(max_examples=60)
@given(hostile)
def test_nothing_acts_in_the_conversation(text: str) -> None:
    """Said by anybody, in any field, drawn on a terminal: no control sequence is on it that is not ours."""
    call = ToolCall("c0", text, f'{{"a": "{text}"}}')
    said: list[Event] = [
        SetUserMessage(text),
        Started(text, text),
        Notice(text),
        Reasoning(text),
        ChunkReceived(text, "commentary"),
        ActionRequired((call,), text),
        ToolStarted("c0", text, text),
        ToolFinished(ToolResult("c0", text), 0.1, printed=text),
        ChunkReceived(text),
        ErrorOccurred("server", text, text),
    ]
    terminal = Terminal(columns=60, rows=30)
    print_conversation(Script().play(said), terminal.console)
    assert harmful(terminal.sent, terminal=True) == []
    assert terminal.title == ""


@given(st.text())
def test_json_is_the_same_and_inert(text: str) -> None:
    """What is escaped for a terminal means the same, and nothing in it acts."""
    import msgspec

    try:
        json = msgspec.json.encode({text: [text]})
    except UnicodeEncodeError:
        return
    assert msgspec.json.decode(escape_controls(json)) == {text: [text]}
    assert harmful(escape_controls(json).decode()) == []

"""The exchange as it is drawn while it runs."""

from __future__ import annotations

import asyncio
import contextlib
import io
import re
import time
from collections.abc import AsyncIterator, Callable

import pytest
from rich.text import Text

from asstproxy.cli.render.live import LiveView
from asstproxy.cli.render.print_conversation import print_conversation
from asstproxy.core.events import (
    ActionRequired,
    ApprovalGiven,
    ApprovalRequested,
    AssistantMessageRetrieved,
    Cancelled,
    ChunkReceived,
    Configured,
    Decision,
    ErrorOccurred,
    Event,
    Heartbeat,
    Notice,
    Reasoning,
    SetUserMessage,
    Started,
    Titled,
    ToolCall,
    ToolFinished,
    ToolOutputsSubmitted,
    ToolResult,
    ToolsExecuted,
    ToolStarted,
    Unknown,
    Usage,
)

from .replies import REPLIES
from .screen import Script, Terminal

Parts = list[Event | Unknown | float]
FRAME = 0.15
"""Seconds in which the next frame is drawn, and a little more."""

OPENING: Parts = [SetUserMessage("hi"), 0.002, Started("openai", "gpt-5")]
CALL = ToolCall("1", "get_stock_price", '{"symbol": "AAPL"}')
TOOLS: Parts = [
    *(*OPENING, Reasoning("hm"), 1, ChunkReceived("I look."), ActionRequired((CALL,), "I look.")),
    *(
        ApprovalRequested((CALL,)),
        3,
        ApprovalGiven((Decision("1", approved=True),)),
        ToolStarted("1", "get_stock_price", "{}"),
    ),
    *(0.3, ToolFinished(ToolResult("1", "187.25"), 0.3), ToolsExecuted((ToolResult("1", "187.25"),)), Usage(9, 9)),
    *(ToolOutputsSubmitted(), ChunkReceived("It is **187.25**."), Unknown({"type": "hologram"})),
    AssistantMessageRetrieved("It is **187.25**."),
]


@contextlib.asynccontextmanager
async def live(columns: int = 80, rows: int = 40, *, echo: bool = False) -> AsyncIterator[tuple[Terminal, LiveView]]:
    terminal = Terminal(columns, rows)
    async with LiveView(terminal.console, echo=echo) as view:
        yield terminal, view


async def until(condition: Callable[[], bool]) -> None:
    """Wait for the frame that shows it."""
    async with asyncio.timeout(30):
        while not condition():  # noqa: ASYNC110 - a screen tells nobody that it has changed
            await asyncio.sleep(0.01)


def streamed(text: str, size: int = 9) -> Parts:
    return [*(ChunkReceived(text[at : at + size]) for at in range(0, len(text), size)), AssistantMessageRetrieved(text)]


def conversation(columns: int, rows: int, parts: Parts) -> list[str]:
    terminal = Terminal(columns, rows)
    print_conversation(Script().play(parts), terminal.console)
    return terminal.rows


@pytest.mark.parametrize(("columns", "rows"), [(80, 24), (120, 40), (40, 10), (20, 5)])
@pytest.mark.parametrize("name", REPLIES)
async def test_it_ends_up_like_the_printed_conversation(name: str, columns: int, rows: int) -> None:
    """After any answer, scrollback and screen are those of `sessions show`, whatever was repainted meanwhile."""
    parts: Parts = [*OPENING, *streamed(REPLIES[name])]
    async with live(columns, rows, echo=True) as (terminal, view):
        for count, record in enumerate(Script().play(parts)):
            view(record)
            view.draw() if count % 5 == 0 else None  # as if that were the time for a frame
        assert terminal.rows == conversation(columns, rows, parts)
    assert terminal.rows == conversation(columns, rows, parts)


@pytest.mark.parametrize("columns", [40, 80, 120])
async def test_tools_end_up_like_the_printed_conversation(columns: int) -> None:
    """The same for an exchange with everything in it, and one after it, replayed faster than recorded."""
    parts: Parts = [*TOOLS, Titled("t"), 99, *OPENING, Heartbeat("queued"), ChunkReceived("par"), Cancelled()]
    async with live(columns, 50, echo=True) as (terminal, view):
        for record in Script().play(parts):
            view(record)
            view.draw()
    assert terminal.rows == conversation(columns, 50, parts)


async def test_the_panel_shows_where_the_exchange_is() -> None:
    """States passed with their times, the current one counting, the status in the provider's words."""
    async with live() as (terminal, view):
        script = Script()
        for record in script.play([Configured(profile="gpt"), *OPENING, 0.31, Heartbeat("queued")]):
            view(record)
        await until(lambda: "(queued)" in terminal.text)
        border, states, words, _ = terminal.rows[-4:]
        assert border.startswith("╭─ gpt · gpt-5 ─")
        assert states.startswith("│ ready 2 ms ▸ started 310 ms ▸ running ")
        assert words.startswith("│ Waiting for gpt (queued) ")
        assert terminal.rows[-1].endswith("─ Ctrl-C stops ─╯")
        await until(lambda: terminal.rows[-3] != states)
        view(script(AssistantMessageRetrieved("a")))


async def test_a_local_model_that_loads_says_so() -> None:
    """What is loaded, for how long so far, that it is once per chat; then that the message is read."""
    async with live() as (terminal, view):
        script = Script()
        opening = [Configured(profile="local"), SetUserMessage("hi"), Started("local", "SmolLM2-135M")]
        for record in script.play([*opening, 0.31, Heartbeat("loading")]):
            view(record)
        await until(lambda: "│ Loading SmolLM2-135M · " in terminal.text)
        states, words, _ = terminal.rows[-3:]
        assert " ▸ running " in states
        assert re.match(r"│ Loading SmolLM2-135M · \d+ ms \(once per chat\) ", words)
        await until(lambda: terminal.rows[-2] != words)  # the time counts
        view(script(Heartbeat("loaded")))
        await until(lambda: terminal.rows[-2].startswith("│ Reading your message "))
        assert "Loading" not in terminal.text
        view(script(AssistantMessageRetrieved("a")))


async def test_the_panel_shows_calls_and_reasoning() -> None:
    """Running tools with their time, the last rows of the reasoning."""
    async with live() as (terminal, view):
        script = Script()
        for record in script.play([*OPENING, Reasoning("".join(f"thought {n}\n" for n in range(100)))]):
            view(record)
        await until(lambda: "thought" in terminal.text)
        assert [row.strip("│ ") for row in terminal.rows[-4:-1]] == ["thought 97", "thought 98", "thought 99"]
        for record in script.play([ActionRequired((CALL,)), ToolStarted("1", CALL.name, CALL.arguments)]):
            view(record)
        await until(lambda: '│ System ▸ get_stock_price(symbol="AAPL") … running · ' in terminal.text)
        assert "thought 9" not in terminal.text
        view(script(Cancelled()))


async def test_the_panel_is_gone_when_the_exchange_settles() -> None:
    """When the call returns, the screen belongs to the caller: no frame, a visible cursor, the closing line."""
    async with live() as (terminal, view):
        for record in Script().play([*OPENING, ChunkReceived("Hi."), AssistantMessageRetrieved("Hi.")]):
            view(record)
        assert terminal.rows == [
            "",
            "openai · gpt-5",
            "Hi.",
            "",
            "completed · 2 ms",
        ]
        assert terminal.sent.rindex("\x1b[?25h") > terminal.sent.rindex("\x1b[?25l")
        before = terminal.sent
        await asyncio.sleep(2 * FRAME)
        assert terminal.sent == before


async def test_the_screen_can_be_lent() -> None:
    """While it is paused nothing is drawn; events of that time are drawn afterwards."""
    async with live() as (terminal, view):
        script = Script()
        for record in script.play(OPENING):
            view(record)
        with view.paused():
            before = terminal.sent
            assert "╭" not in terminal.text
            view(script(Notice("meanwhile")))
            view(script(ChunkReceived("a")))
            await asyncio.sleep(2 * FRAME)
            assert terminal.sent == before
        await until(lambda: "meanwhile" in terminal.text and "╭" in terminal.text)
        view(script(AssistantMessageRetrieved("a")))


async def test_something_else_can_be_printed() -> None:
    """It is printed above the panel, at its place in time."""
    async with live() as (terminal, view):
        script = Script()
        for record in script.play([*OPENING, ChunkReceived("one\n\ntwo\n\nthr")]):
            view(record)
        view.print(Text("between"))
        await until(lambda: "between" in terminal.text)
        view(script(AssistantMessageRetrieved("")))
        assert terminal.rows[2:7] == ["one", "between", "", "two", ""]


async def test_frames_are_few() -> None:
    """However fast the records come, at most 12 frames a second are drawn."""
    async with live() as (terminal, view):
        script = Script()
        for record in script.play(OPENING):
            view(record)
        before, began = terminal.writes, time.monotonic()
        for _ in range(100):
            for _ in range(20):
                view(script(ChunkReceived("word ")))
            await asyncio.sleep(0.005)
        assert terminal.writes - before <= 12 * (time.monotonic() - began) + 2
        view(script(AssistantMessageRetrieved("")))


async def test_an_exchange_that_is_left() -> None:
    """Leaving the view in the middle of an exchange prints what is there and clears the panel."""
    async with live() as (terminal, view):
        for record in Script().play([*OPENING, ChunkReceived("par")]):
            view(record)
    assert terminal.rows == ["", "openai · gpt-5", "par"]


async def test_an_error_without_an_exchange() -> None:
    """It is shown at once."""
    async with live() as (terminal, view):
        view(Script()(ErrorOccurred("storage", "The disk is full.", "Make room.")))
        assert terminal.rows == ["Error: The disk is full.", "  Make room."]


async def test_a_narrower_terminal_is_cleared() -> None:
    """When a terminal has become narrower and wrapped the panel's rows, none of them remains."""
    async with live(120) as (terminal, view):
        script = Script()
        for record in script.play([*OPENING, ChunkReceived("par")]):
            view(record)
        await until(lambda: "par" in terminal.text)
        narrow = Terminal(60)
        for row in terminal.rows:
            narrow.write(f"{row}\n")  # as it is broken there
        narrow.write("\x1b[A")
        terminal.console.width, terminal.console.file = 60, narrow
        view(script(ChunkReceived("t.")))
        await until(lambda: "part." in narrow.text)
        view(script(AssistantMessageRetrieved("part.")))
    assert narrow.rows[:4] == ["", "openai · gpt-5", "part.", ""]
    assert "╭" not in narrow.text


async def test_a_closed_pipe_is_told() -> None:
    """The user of the view gets the BrokenPipeError."""

    class Closed(Terminal):
        open = True

        def write(self, text: str) -> int:
            if not self.open:
                raise BrokenPipeError
            return super().write(text)

    terminal = Closed()

    async def watch() -> None:
        script = Script()
        async with LiveView(terminal.console) as view:
            for record in script.play(OPENING):
                view(record)
            terminal.open = False
            view(script(ChunkReceived("a")))
            await asyncio.sleep(2 * FRAME)

    with pytest.raises(BrokenPipeError):
        await watch()


async def test_what_is_no_terminal_gets_no_frames() -> None:
    """Only finished parts are written to a file."""
    terminal = Terminal()
    terminal.console.file = io.StringIO()
    terminal.console._force_terminal = False
    async with LiveView(terminal.console) as view:
        for record in Script().play([*OPENING, *streamed("one\n\ntwo")]):
            view(record)
    assert "╭" not in terminal.console.file.getvalue()
    assert "two" in terminal.console.file.getvalue()

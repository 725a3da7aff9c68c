"""A finished conversation as it looked in the chat."""

from __future__ import annotations

import io
from textwrap import dedent

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from asstproxy.cli.render.print_conversation import print_conversation
from asstproxy.core.codec import EVENTS
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
    HistoryCut,
    MessageIncomplete,
    Notice,
    Reasoning,
    Record,
    RetryScheduled,
    SessionOpened,
    SetUserMessage,
    Started,
    ToolCall,
    ToolFinished,
    ToolOutputsSubmitted,
    ToolResult,
    ToolsExecuted,
    ToolStarted,
    Unknown,
    Usage,
)
from asstproxy.core.script import State
from core.strategies import any_text, structs

from .screen import Script, Terminal, printed

Parts = list[Event | Unknown | float]


def shown(parts: Parts, columns: int = 80) -> str:
    console = printed(columns)
    print_conversation(Script().play(parts), console)
    assert isinstance(console.file, io.StringIO)
    return "\n".join(row.rstrip() for row in console.file.getvalue().splitlines())


def page(text: str) -> str:
    return dedent(text).strip("\n")


OPENING: Parts = [SetUserMessage("hi"), 0.001, Started("openai", "gpt-5")]
ANSWER = AssistantMessageRetrieved("Hello.")


def test_a_conversation() -> None:
    """Messages, the answer as Markdown under the assistant's name, how the exchange settled."""
    parts: Parts = [
        SessionOpened("01J"),
        Configured(profile="gpt", provider="openai", model="gpt-5"),
        *(SetUserMessage("Two\n*questions*?"), 0.002, Started("openai", "gpt-5-mini"), 0.3),
        *(Reasoning("hm"), 1.5, Reasoning(" hm"), 0.5, ChunkReceived("**Yes:**\n\n"), 0.7, ChunkReceived("- a\n- b")),
        *(Usage(12, 87), AssistantMessageRetrieved("**Yes:**\n\n- a\n- b")),
        *(60, SetUserMessage("More"), Started("openai"), 1, AssistantMessageRetrieved("No.")),
    ]
    assert shown(parts) == page("""
        You
        Two
        *questions*?

        ▸ Thought for 2.0 s

        gpt · gpt-5-mini
        Yes:

         • a
         • b

        completed · 3.0 s · 12 → 87 tokens

        You
        More

        gpt
        No.

        completed · 1.0 s
        """)


def test_tool_calls() -> None:
    """One System line for each call, in the assistant's order, whatever its outcome."""
    calls = (
        ToolCall("1", "get_stock_price", '{"symbol": "AAPL", "days": 3}'),
        ToolCall("2", "rm", '{"path": "/"}'),
        ToolCall("3", "slow", ""),
        ToolCall("4", "fails", "not JSON"),
        ToolCall("5", "long", '{"text": "' + "many words " * 20 + '"}'),
    )
    parts: Parts = [
        *(
            *OPENING,
            ChunkReceived("Let me look."),
            ActionRequired(calls, "Let me look."),
            ApprovalRequested(calls[1:2]),
        ),
        ApprovalGiven((Decision("2", approved=False, reason="too dangerous"),)),
        *(ToolStarted(call.call_id, call.name, call.arguments) for call in calls if call.call_id != "2"),
        ToolFinished(ToolResult("3", error="It ran for longer than 2 s."), 2.0, abandoned=True),
        ToolFinished(ToolResult("4", error="ValueError: \x1b[31mx\ny"), 0.6),
        ToolFinished(ToolResult("1", "187.25"), 0.3),
        ToolFinished(ToolResult("5", "and many results " * 20), 0.01),
        ToolsExecuted((ToolResult("2", error="The person refused this call."),)),
        *(ToolOutputsSubmitted(), ChunkReceived("It is 187.25."), AssistantMessageRetrieved("It is 187.25.")),
    ]
    assert shown(parts, 79).partition("\n\ncompleted")[0] == page("""
        You
        hi

        openai · gpt-5
        Let me look.

        System ▸ get_stock_price(symbol="AAPL", days=3) → 187.25 · 300 ms
        System ▸ rm(path="/") – not approved: too dangerous
        System ▸ slow() ✗ timed out after 2.0 s; it may still be running
        System ▸ fails(not JSON) ✗ ValueError: x y · 600 ms
        System ▸ long(text="many words many…) → and many results and many resu… · 10 ms

        openai
        It is 187.25.
        """)


def test_calls_without_an_end() -> None:
    """Calls that were running when the exchange was cancelled are shown as stopped, the others as not run."""
    parts: Parts = [
        *OPENING,
        ActionRequired((ToolCall("1", "f", "{}"), ToolCall("2", "g", "{}"))),
        ToolStarted("1", "f", "{}"),
    ]
    assert page("""
        System ▸ f() ✗ stopped · 2.0 s
        System ▸ g() – not run: you stopped the turn

        cancelled · 2.0 s · 1 tool · you stopped it
        """) in shown([*parts, 2, Cancelled()])


@pytest.mark.parametrize(
    ("decision", "words"),
    [
        (Decision("1", approved=False, reason="wrong file", by="person"), "– you said no: wrong file"),
        (Decision("1", approved=False, by="person"), "– you said no"),
        (
            Decision("1", approved=False, reason="Nobody can be asked.", by="nobody"),
            "– not approved: Nobody can be asked.",
        ),
        (Decision("1", approved=False, reason="wrong file"), "– not approved: wrong file"),
    ],
)
def test_a_refused_call_shows_who_refused_it_and_why(decision: Decision, words: str) -> None:
    """Who it was (older journals do not say), in the user's own words, not the result that repeats them for the assistant."""
    refused = ToolResult("1", error=f"The person refused this call. {decision.reason}")
    parts: Parts = [
        *OPENING,
        ActionRequired((ToolCall("1", "rm", "{}"),)),
        ApprovalGiven((decision,)),
        *(ToolFinished(refused, 0.0), ToolsExecuted((refused,))),
    ]
    assert f"System ▸ rm() {words}\n" in shown([*parts, Cancelled()])


def test_invisible_characters_of_a_call_are_shown() -> None:
    """In its name, its arguments, its output and the reason of a refusal; colours of an output are left out."""
    calls = (ToolCall("1", "f\u200b", '{"a\u3164": "b\u202ec"}'), ToolCall("2", "g", "not\u2800JSON"))
    parts: Parts = [
        *OPENING,
        ActionRequired(calls),
        ApprovalGiven((Decision("2", approved=False, reason="no\u00ad!", by="person"),)),
        ToolStarted("1", calls[0].name, calls[0].arguments, "person"),
        ToolFinished(ToolResult("1", "\x1b[31mred\x1b[0m\u2060é\u202e"), 0.0),
    ]
    text = shown([*parts, Cancelled()], 120)
    assert 'f\\u200b(a\\u3164="b\\u202ec") → red\\u2060é\\u202e · 0 ms · you said yes' in text
    assert "g(not\\u2800JSON) – you said no: no\\u00ad!" in text


def test_an_edited_call() -> None:
    """The arguments that the tool ran with are shown, not those that the assistant asked for."""
    parts: Parts = [
        *OPENING,
        ActionRequired((ToolCall("1", "rm", '{"path": "/"}'),)),
        ToolStarted("1", "rm", '{"path": "x"}'),
    ]
    assert 'rm(path="x") → gone' in shown([*parts, ToolsExecuted((ToolResult("1", "gone"),))])
    note = 'The person changed the arguments to {"path": "x"}.'  # for the assistant
    assert 'rm(path="x") → gone' in shown([*parts, ToolsExecuted((ToolResult("1", f"{note}\ngone"),))])
    assert 'rm(path="x") ✗ stuck' in shown([*parts, ToolsExecuted((ToolResult("1", error=f"{note} stuck"),))])


@pytest.mark.parametrize(
    ("end", "lines"),
    [
        (ErrorOccurred("rate_limit", "429: \x1b]0;x\x07slow down", "Wait."), "Error: 429: slow down\n  Wait.\nerror"),
        (ErrorOccurred("internal", "oops"), "Error: oops\nerror"),
        (Cancelled(), "cancelled · 1 ms · you stopped it · the part above is saved"),
        (Cancelled("timeout"), "cancelled · 1 ms · it reached the time limit (--timeout)"),
        (Cancelled("terminated"), "cancelled · 1 ms · asst was terminated · the part above is saved"),
        (
            MessageIncomplete("par", "max_output_tokens"),
            "Cut short: the answer reached its length limit.\nincomplete · 1 ms",
        ),
        (MessageIncomplete("par", "new_reason"), "Cut short: new_reason.\nincomplete · 1 ms"),
    ],
)
def test_other_endings(end: Event, lines: str) -> None:
    """What happened and what to do, below the part of the answer that arrived."""
    text = shown([*OPENING, ChunkReceived("par"), end])
    assert f"openai · gpt-5\npar\n\n{lines}" in text


def test_notes() -> None:
    """Retries, notices and cuts of the history get lines of their own."""
    parts: Parts = [
        *OPENING,
        RetryScheduled(2, 4.0, "server", "503\nbusy", 4),
        Notice("old  model"),
        ANSWER,
        HistoryCut(1),
    ]
    text = shown(parts, 120)
    assert "Notice: old model\nTried 3 times: 503 busy · 4.0 s lost\n\nopenai" in text
    assert text.endswith("Of what is above, the assistant now sees only the first turn.")


def test_the_heading_comes_before_the_answer() -> None:
    """After reasoning, an answer that arrives whole stands below its heading, every block of it."""
    text = shown([*OPENING, Reasoning("hm"), AssistantMessageRetrieved("one\n\ntwo\n\nthree")])
    assert "▸ Thought for 0 ms\n\nopenai · gpt-5\none\n\ntwo\n\nthree\n" in text


def test_commentary() -> None:
    """Commentary stays, separate from the answer, and is not repeated."""
    asked = (ChunkReceived("I look.", "commentary"), ActionRequired((ToolCall("1", "f", "{}"),), "I look."))
    text = shown([*OPENING, *asked, ToolsExecuted((ToolResult("1", "x"),)), ToolOutputsSubmitted(), ANSWER])
    assert text.startswith("You\nhi\n\nI look.\n\nSystem ▸ f() → x\n\nopenai · gpt-5\nHello.\n\ncompleted")


def test_an_exchange_without_an_end() -> None:
    """A truncated journal is shown as far as it goes."""
    assert shown([*OPENING, ChunkReceived("par")]) == "You\nhi\n\nopenai · gpt-5\npar"


def test_nothing() -> None:
    """A session without an exchange prints nothing."""
    assert shown([SessionOpened("01J"), Configured(), Unknown({"type": "hologram"})]) == ""


def test_hostile_text_everywhere() -> None:
    """Names, messages, arguments and results cannot act on the terminal."""
    evil = "a\x1b]0;title\x07\x1b[2J\x9b2J\u202eb"
    terminal = Terminal()
    parts: Parts = [
        Configured(profile=evil, model=evil),
        *(SetUserMessage(evil), Started(evil, evil), RetryScheduled(1, 1, evil, evil), Notice(evil), Reasoning(evil)),
        *(ChunkReceived(evil, "commentary"), ChunkReceived(evil), ActionRequired((ToolCall(evil, evil, evil),), evil)),
        *(ToolStarted(evil, evil, evil), ToolFinished(ToolResult(evil, evil), 1), ToolsExecuted((ToolResult(evil),))),
        ErrorOccurred(evil, evil, evil),
    ]
    print_conversation(Script().play(parts), terminal.console)
    assert terminal.title == ""
    assert not [part for part in ("\x1b]", "\x1b[2J", "\x9b", "\u202e") if part in terminal.sent]
    assert terminal.rows[0] == "You"


events = st.one_of([structs(kind, any_text) for kind in EVENTS.values()])
records = st.builds(Record, st.integers(0, 99), any_text, st.sampled_from(State), events)


@settings(max_examples=200)
@given(st.lists(records, max_size=12), st.sampled_from([1, 10, 40, 80]))
def test_any_records_can_be_shown(heard: list[Record], columns: int) -> None:
    """Printing never fails, whatever a journal contains, in whatever order."""
    print_conversation(heard, printed(columns))

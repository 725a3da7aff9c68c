"""A fault of asst in what draws an exchange: the answer is never lost, and the fault is told."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from asstproxy import Store
from servers import Call, ResponsesServer, Say, Script

from .terminal import Terminal

ANSWER = "The capital is Paris, and the river is the Seine."
BROKEN = """
import itertools
from asstproxy.cli.render import {module} as place
calls, works = itertools.count(1), place.{name}
def broken(*arguments, **options):
    if next(calls) >= {after}:
        raise KeyError("id")
    return works(*arguments, **options)
place.{name} = broken
from asstproxy.__main__ import main
main()
"""
FAULTS = {
    "at the first record": ("layout", "Layout.fold", 1),
    "in the middle of the answer": ("layout", "Layout.fold", 8),
    "in a frame": ("layout", "Layout.panel", 2),
    "at the end": ("layout", "Layout.close", 2),
    "while it is printed": ("layout", "Layout.take", 3),
}


def _command(fault: str, *arguments: str) -> list[str]:
    module, name, after = FAULTS[fault]
    return [sys.executable, "-c", BROKEN.format(module=module, name=name, after=after), *arguments]


@pytest.mark.parametrize("fault", FAULTS)
def test_ask_prints_the_answer_when_its_drawing_fails(server: ResponsesServer, fault: str) -> None:
    """Whole, as text; then one line that says whose fault it is, and exit code 1."""
    server.brain = lambda _: [Say(ANSWER, pace=0.02)]
    with Terminal(_command(fault, "ask", "-p", "gpt", "What is the capital of France?"), columns=120) as terminal:
        assert terminal.wait_end() == 1
        text = terminal.text
    assert ANSWER in text
    assert text.count("asst: KeyError: 'id'. This is a bug in asst.") == 1
    assert Store().transcript(Store().newest()).exchanges[0].answer == ANSWER


@pytest.mark.parametrize("fault", FAULTS)
def test_a_chat_goes_on_when_its_drawing_fails(server: ResponsesServer, fault: str) -> None:
    """The answer is printed as text, the fault is told, and the next message can be sent."""
    server.brain = lambda _: [Say(ANSWER, pace=0.02)]
    with Terminal(_command(fault, "chat", "-p", "gpt"), columns=120) as terminal:
        terminal.wait_for("›")
        terminal.enter("What is the capital of France?")
        terminal.wait_for(
            "Error: asst has a bug: KeyError: 'id'\n  See where: asst --debug chat · to report it: asst doctor -v\n"
        )
        assert ANSWER in terminal.text
        terminal.enter("And again?")
        terminal.wait_until(lambda: terminal.text.count(ANSWER) == 2)
        terminal.wait_for_prompt()
        assert terminal.text.count(ANSWER.split(",", 1)[0]) == terminal.text.count(ANSWER)  # no part of it again
        terminal.type("\x04")
        assert terminal.wait_end() == 0
    assert [entry.answer for entry in Store().transcript(Store().newest()).exchanges] == [ANSWER, ANSWER]


def test_a_question_is_asked_although_the_drawing_fails(server: ResponsesServer, tmp_path: Path) -> None:
    """A tool is not refused because a panel could not be drawn."""
    tools = tmp_path / "prices.py"
    tools.write_text("def price(symbol: str) -> float:\n    return 187.25\n")
    server.brain = Script(
        [Say("I look it up, one moment. ", pace=0.1), Call("price", {"symbol": "AAPL"})], [Say(ANSWER)]
    )
    with Terminal(_command("in a frame", "ask", "-p", "gpt", "-t", str(tools), "How much?"), columns=120) as terminal:
        terminal.wait_for("Run it? ›")
        terminal.type("yes\r")
        assert terminal.wait_end() == 1
        assert ANSWER in terminal.text


@pytest.mark.parametrize("form", [[], ["--json"], ["--events"]])
def test_a_pipe_is_told_where_the_answer_is(server: ResponsesServer, form: list[str]) -> None:
    """Output that a fault has cut is exit code 1; the answer is in the session, which is named."""
    module, name = {"": ("plain", "PlainView.__call__"), "--json": ("json_output", "JsonView.__call__")}.get(
        "".join(form), ("json_output", "JsonLinesView.__call__")
    )
    done = subprocess.run(
        [sys.executable, "-c", BROKEN.format(module=module, name=name, after=4), "ask", "-p", "gpt", "-q", *form, "hi"],
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    session = Store().newest()
    assert done.returncode == 1
    assert done.stderr == (
        "asst: KeyError: 'id'. This is a bug in asst. See where: --debug\n"
        f"asst: The answer is saved. Run: asst sessions show {session}\n"
    )
    assert Store().transcript(session).exchanges[0].answer == "You said: hi"


def test_debug_shows_where_a_view_failed(server: ResponsesServer) -> None:
    """The traceback stands above the line that promises it."""
    code = BROKEN.format(module="plain", name="PlainView.__call__", after=4)
    done = subprocess.run(
        [sys.executable, "-c", code, "--debug", "ask", "-p", "gpt", "-q", "hi"],
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    assert "Traceback" in done.stderr
    assert 'raise KeyError("id")' in done.stderr or ", in broken" in done.stderr

"""The question whether tools may run: only a clear yes runs one."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from asstproxy import Store
from servers import Call, ResponsesServer, Say, Script

from .conftest import ASST, Asst
from .terminal import Terminal


@pytest.fixture
def tool(tmp_path: Path) -> Path:
    """A file with one tool, which writes down with what it ran."""
    file = tmp_path / "notes.py"
    file.write_text(
        f"RAN = {str(tmp_path / 'ran')!r}\n\n\n"
        'def note(text: str, times: int = 1) -> str:\n    """Write a note."""\n'
        '    with open(RAN, "a") as file:\n        file.write(f"{text} {times}\\n")\n    return "written"\n'
    )
    return file


PROMPT = re.compile(r"Run (?:it|them)(?: like this)?\? ›")


def ran(tool: Path) -> list[str]:
    """With what the tool ran."""
    file = tool.with_name("ran")
    return file.read_text().splitlines() if file.exists() else []


@contextmanager
def chat(tool: Path, columns: int = 100) -> Iterator[Terminal]:
    with Terminal([ASST, "chat", "-p", "gpt", "-t", str(tool)], columns, 50) as terminal:
        terminal.wait_for("›")
        yield terminal


def asked(terminal: Terminal, times: int) -> str:
    """The screen, once the question has been asked so often."""
    terminal.wait_until(lambda: len(PROMPT.findall(terminal.text)) == times)
    return terminal.text


def answer(terminal: Terminal, line: str) -> None:
    """Type an answer to the next question."""
    terminal.type(f"{line}\r")


def test_what_was_typed_before_the_question_stood_there_is_no_answer(server: ResponsesServer, tool: Path) -> None:
    """Neither what was typed ahead nor what comes in its first moment; then an answer counts."""
    server.brain = Script([Say("Let me see. ", pace=1.0), Call("note", {"text": "a"})], [Say("That was it.")])
    with chat(tool) as terminal:
        terminal.enter("go")
        terminal.wait_for("started")
        terminal.type("A different question\ralways\ry\r")
        terminal.wait_for("wants to run")
        terminal.type("y\r")
        asked(terminal, 1)
        answer(terminal, "n")
        text = terminal.wait_for("That was it.")
    assert ran(tool) == []
    assert len(PROMPT.findall(text)) == 1


def test_only_the_words_are_answers(server: ResponsesServer, tool: Path) -> None:
    """A sentence that begins like one is not; the question is asked again, until there is an answer."""
    server.brain = Script([Call("note", {"text": "a"})], [Say("That was it.")])
    wrong = [
        "a different currency please",
        "yesterday's price",
        "yes please",
        "always ask",
        "nothing",
        "only 1",
        "edit 2",
    ]
    with chat(tool) as terminal:
        terminal.enter("go")
        for times, line in enumerate(wrong, 1):
            asked(terminal, times)
            answer(terminal, line)
        assert asked(terminal, len(wrong) + 1).count("Answer yes, always, edit or no.") == len(wrong)
        answer(terminal, "NO, wrong file.")
        terminal.wait_for("That was it.")
    assert ran(tool) == []
    assert "wrong file." in str(server.requests[-1].json["input"])


def test_several_calls_are_one_question(server: ResponsesServer, tool: Path) -> None:
    """`only 1 3` runs these and refuses the others; numbers that are not there, and `edit` alone, are asked again."""
    server.brain = Script([Call("note", {"text": name}) for name in "abc"], [Say("That was it.")])
    with chat(tool) as terminal:
        terminal.enter("go")
        text = asked(terminal, 1)
        assert "╭─ 3 tools want to run ─" in text
        assert [f'│ {n}  note  text  "{name}" ' in text for n, name in enumerate("abc", 1)] == [True] * 3
        answer(terminal, "only 4")
        asked(terminal, 2)
        answer(terminal, "edit")
        asked(terminal, 3)
        answer(terminal, "only 1 3")
        terminal.wait_for("That was it.")
    assert sorted(ran(tool)) == ["a 1", "c 1"]
    tools = Store().transcript(Store().newest()).exchanges[0].tools
    assert [one.approved for one in tools] == [True, False, True]


def test_one_of_several_can_be_edited(server: ResponsesServer, tool: Path) -> None:
    """`edit 2` changes the arguments of the second; what will run is shown before it may."""
    server.brain = Script([Call("note", {"text": name}) for name in "ab"], [Say("That was it.")])
    with chat(tool) as terminal:
        terminal.enter("go")
        asked(terminal, 1)
        answer(terminal, "edit 2")
        terminal.wait_for("Arguments ›")
        terminal.type("\x15")  # the line is emptied
        answer(terminal, '{"text": "mine"}')
        text = asked(terminal, 2)
        after = text.rpartition("2  note, with your changes:")[2]
        assert '  -  text  "b"\n' in after
        assert '  +  text  "mine"\n' in after
        answer(terminal, "y")
        terminal.wait_for("That was it.")
    assert sorted(ran(tool)) == ["a 1", "mine 1"]


def test_after_an_edit_that_does_not_fit_the_old_arguments_are_shown_again(server: ResponsesServer, tool: Path) -> None:
    """The person is told that nothing has changed, and sees what yes would run."""
    server.brain = Script([Call("note", {"text": "a"})], [Say("That was it.")])
    with chat(tool) as terminal:
        terminal.enter("go")
        asked(terminal, 1)
        answer(terminal, "e")
        terminal.wait_for("Arguments ›")
        terminal.type("\x15")
        answer(terminal, '{"text": "b", "times": "often"}')
        text = " ".join(asked(terminal, 2).split())  # lines may be wrapped anywhere
        _, _, after = text.partition("The arguments are unchanged:")
        assert 'text "a"' in after
        assert '"b"' not in after
        answer(terminal, "n")
        terminal.wait_for("That was it.")
    assert ran(tool) == []


def test_the_question_names_the_source_and_hides_nothing(server: ResponsesServer, tool: Path) -> None:
    """The file of the tool; characters that are drawn as nothing are escapes, whether Unicode calls them printable or not."""
    server.brain = Script([Call("note", {"text": "x\u3164y\u2800z\U000e0041\ufe0f\u034f"})], [Say("That was it.")])
    with chat(tool, 150) as terminal:
        terminal.enter("go")
        text = asked(terminal, 1)
        answer(terminal, "n")
        terminal.wait_for("That was it.")
    folded = "".join(text.replace("│", " ").split())  # a long path is wrapped
    assert f"Writeanote.From{tool}:runsasyou,withyourfilesandnetwork." in folded
    assert r'text  "x\u3164y\u2800z\udb40\udc41\ufe0f\u034f"' in text


def test_show_and_the_exports_say_who_approved_what(asst: Asst, server: ResponsesServer, tool: Path) -> None:
    """The person's yes, an earlier always, `--yes`, a no."""
    calls = [[Call("note", {"text": name})] for name in "abc"]
    server.brain = Script(calls[0], calls[1], [Say("first")], calls[2], [Say("second")])
    with chat(tool) as terminal:
        terminal.enter("go")
        asked(terminal, 1)
        answer(terminal, "always")
        terminal.wait_for("first")
        terminal.wait_for("completed")
        terminal.enter("/quit")
        terminal.wait_end()
    assert asst("ask", "-q", "-c", "--yes", "-t", str(tool), "again").out == "second\n"
    shown = [line for line in asst("sessions", "show").out.splitlines() if "note(" in line]
    assert [line.rpartition(" · ")[2].strip() for line in shown] == ["you said yes", "always", "--yes"]
    transcript = json.loads(asst("sessions", "export").out)
    said = [(tool["approved"], tool["decided_by"]) for entry in transcript["exchanges"] for tool in entry["tools"]]
    assert said == [(True, "person"), (True, "always"), (True, "option")]
    for form in ("md", "html"):
        text = asst("sessions", "export", "-f", form).out
        assert [words in text for words in ("you said yes", "always", "--yes")] == [True] * 3


def test_a_call_that_never_ran_is_not_drawn_as_done(asst: Asst, server: ResponsesServer, tool: Path) -> None:
    """Refused, it has a dash and the reason; nobody said yes to it."""
    server.brain = Script([Call("note", {"text": "a"})], [Say("As you wish.")])
    asst("ask", "-q", "-p", "gpt", "-t", str(tool), "go")
    page = asst("sessions", "export", "-f", "html").out
    assert "<summary>– note · not approved</summary>" in page
    assert "✓" not in page
    assert "– This call needs a person" in asst("sessions", "export", "-f", "md").out


def test_nothing_is_chosen_and_enter_alone_is_no_answer(server: ResponsesServer, tool: Path) -> None:
    """The arrow keys put a word into the line, and Enter then takes it; before that, Enter does nothing."""
    server.brain = Script([Call("note", {"text": "a"})], [Say("That was it.")])
    with chat(tool) as terminal:
        terminal.enter("go")
        asked(terminal, 1)
        terminal.type("\r\r")
        terminal.type("\x1b[B\x1b[B")
        terminal.wait_for("Run it? › always")
        assert ran(tool) == []
        terminal.type("\x1b[A\x1b[A")
        terminal.wait_for("Run it? › no")
        terminal.type("\x1b[B")
        terminal.wait_for("Run it? › yes")
        assert len(PROMPT.findall(terminal.text)) == 1
        terminal.type("\r")
        terminal.wait_for("That was it.")
    assert ran(tool) == ["a 1"]


@pytest.mark.parametrize("columns", [60, 80, 120])
def test_the_box(server: ResponsesServer, tool: Path, columns: int) -> None:
    """Each argument whole, lines of a text as lines, brackets as they are; nothing is wider than the screen."""
    text = "- [ ] call the bank\n- [x] renew " + "the passport " * 20 + "now"
    server.brain = Script([Call("note", {"text": text, "times": 2})], [Say("That was it.")])
    with chat(tool, columns) as terminal:
        terminal.enter("go")
        screen = asked(terminal, 1)
        answer(terminal, "n")
        terminal.wait_for("That was it.")
    rows = screen[screen.index("╭─ note wants to run ─") :].splitlines()
    assert max(map(len, rows)) <= columns
    assert "│ text   - [ ] call the bank " in screen
    assert "│        - [x] renew the passport" in screen
    assert "│ times  2 " in screen
    assert " ".join("\n".join(rows).replace("│", " ").split()).count("the passport") == 20
    below = rows[next(place for place, row in enumerate(rows) if row.startswith("╰")) + 1 :]
    assert [row.split()[0] for row in below if not row.startswith("   ")] == ["yes", "always", "edit", "no", "Run"]


def test_an_edited_call_shows_what_changed(server: ResponsesServer, tool: Path) -> None:
    """What was, with a minus; what will run, with a plus; the rest as it is."""
    server.brain = Script([Call("note", {"text": "a", "times": 3})], [Say("That was it.")])
    with chat(tool) as terminal:
        terminal.enter("go")
        asked(terminal, 1)
        answer(terminal, "e")
        terminal.wait_for("Arguments ›")
        terminal.type("\x15")
        answer(terminal, '{"text": "b", "times": 3}')
        text = asked(terminal, 2)
        assert "note, with your changes:" in text
        changes = text.partition("with your changes:")[2]
        assert [line.split() for line in changes.splitlines()[1:4]] == [
            ["-", "text", '"a"'],
            ["+", "text", '"b"'],
            ["times", "3"],
        ]
        assert "Run it like this? ›" in changes
        answer(terminal, "yes")
        terminal.wait_for("That was it.")
        assert 'note(text="b", times=3) → written' in terminal.text  # the note about the edit is for the assistant
        terminal.enter("/call")
        terminal.wait_for("→ output\nwritten\n")
    assert ran(tool) == ["b 3"]
    assert "changed the arguments" in server.requests[-1].json["input"][-1]["output"]


def test_a_dumb_terminal_has_no_frame(server: ResponsesServer, tool: Path) -> None:
    """The same question in words."""
    server.brain = Script([Call("note", {"text": "a"})], [Say("That was it.")])
    command = [ASST, "chat", "-p", "gpt", "-t", str(tool)]
    with Terminal(command, 80, 50, env={"TERM": "dumb", "PROMPT_TOOLKIT_NO_CPR": "1"}) as terminal:
        terminal.enter("go")
        text = asked(terminal, 1)
        answer(terminal, "y")
        terminal.wait_for("That was it.")
    assert "note wants to run:" in text
    assert not set("╭│╰") & set(text)
    assert ran(tool) == ["a 1"]

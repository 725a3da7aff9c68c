"""What is shown of a turn while it runs, when it is over, and afterwards on request."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from asstproxy.config.paths import config_dir, private_dir
from cli.conftest import ASST, Asst
from cli.terminal import Terminal
from servers import Call, ResponsesServer, Say, Script, Think, Wait

PLAIN = "It is 1.\n\n```python\nprint(1)\n```\n\n> quoted\n\n| a | b |\n|---|---|\n| 1 | 2 |\n"


def test_the_panel_says_what_happens_in_words_and_shows_the_draft(server: ResponsesServer) -> None:
    """Every state with its time, below it words, then what is typed meanwhile; the draft stands at the next prompt."""
    server.brain = lambda _: [Wait(2), Say("one two three", pace=0.7)]
    with Terminal([ASST, "chat", "-p", "gpt"], 80, 30) as terminal:
        terminal.enter("go")
        terminal.wait_for("│ Waiting for gpt ")
        assert "│ ready " in terminal.text
        terminal.type("and in dollarz\x7fs?")
        terminal.wait_for("│ Your next message: and in dollars? ")
        terminal.wait_for("│ Writing the answer ")
        assert "─ Ctrl-C stops ─╯" in terminal.text
        terminal.wait_for("completed · ")
        terminal.wait_for("› and in dollars?")
        assert "╭" not in terminal.text
    assert len(server.requests) == 1


def test_one_closing_line_and_the_path_on_request(server: ResponsesServer) -> None:
    """`/states` prints the path of the last turn, `/states on` that of every turn from then on."""
    with Terminal([ASST, "chat", "-p", "gpt"], 80, 40) as terminal:
        terminal.enter("go")
        text = terminal.wait_for("completed · ")
        assert " ▸ completed" not in text
        terminal.enter("/states")
        terminal.wait_for(" ▸ completed")
        terminal.enter("/states on")
        terminal.wait_for("States after every turn: on.")
        terminal.enter("again")
        terminal.wait_until(lambda: terminal.text.count("\ncompleted · ") == 2)
        assert terminal.text.count(" ▸ completed") == 2


def test_one_empty_line_stands_before_each_prompt(server: ResponsesServer) -> None:
    """After the header, a turn, a command's output; none is added by Enter alone or below a hint for the same prompt."""
    with Terminal([ASST, "chat", "-p", "gpt"], 80, 40) as terminal:
        terminal.enter("go")
        terminal.wait_for("completed · ")
        terminal.enter("/states on")
        terminal.wait_for("States after every turn: on.")
        terminal.wait_for_prompt()
        terminal.type("\r")
        terminal.wait_until(lambda: terminal.text.count("\n›") == 4)
        terminal.type("\x03")
        terminal.wait_for("Press Ctrl-C again")
        terminal.enter("/states off")
        terminal.wait_for("every turn: off.")
        terminal.wait_for_prompt()
        above = terminal.text.partition("\n gpt · ")[0].splitlines()
    before = [above[at - 1] for at, line in enumerate(above) if line.startswith("›")]
    assert before == ["", "", "", "›", "Press Ctrl-C again to leave.", ""]
    assert "\n\n\n" not in "\n".join(above).rstrip()


@pytest.mark.parametrize("how", ["option", "look", "profile"])
def test_the_path_after_every_turn(server: ResponsesServer, how: str) -> None:
    """`--states`, `states = true` of the look or of the profile."""
    if how != "option":
        config = private_dir(config_dir()) / "config.toml"
        config.write_text("[look]\nstates = true\n" if how == "look" else "[profiles.gpt]\nstates = true\n")
        config.chmod(0o600)
    with Terminal([ASST, "chat", "-p", "gpt", *(["--states"] if how == "option" else [])], 80, 30) as terminal:
        terminal.enter("go")
        terminal.wait_for(" ▸ completed")


def test_old_turns_are_drawn_without_the_path(server: ResponsesServer, asst: Asst) -> None:
    """In `chat -c` and `sessions show`, which has it with `--states`."""
    asst("ask", "-q", "-p", "gpt", "hi")
    assert "▸ completed" not in asst("sessions", "show").out
    assert "▸ completed" in asst("sessions", "show", "--states").out
    with Terminal([ASST, "chat", "-c"], 80, 30) as terminal:
        assert "▸ completed" not in terminal.wait_for("completed · ")


def test_reasoning_is_folded_and_opens(server: ResponsesServer) -> None:
    """One line with its time; `/thoughts` prints it, `/thoughts on` prints it in every turn."""
    server.brain = lambda _: [Think("I weigh **both** sides."), Say("Yes.")]
    with Terminal([ASST, "chat", "-p", "gpt"], 80, 40) as terminal:
        terminal.enter("go")
        terminal.wait_for("completed · ")
        assert "▸ Thought for " in terminal.text
        assert " · /thoughts" in terminal.text
        assert "I weigh" not in terminal.text
        terminal.enter("/thoughts")
        terminal.wait_for("  I weigh **both** sides.")
        terminal.enter("/thoughts on")
        terminal.enter("again")
        terminal.wait_until(lambda: terminal.text.count("I weigh **both** sides.") == 2)


def test_a_call_can_be_seen_whole(server: ResponsesServer, tmp_path: Path) -> None:
    """Its arguments, its output, what it printed, who said yes."""
    tools = tmp_path / "t.py"
    tools.write_text(
        'def long(text: str) -> str:\n    """Say it again."""\n    print("on the side")\n    return text * 30\n'
    )
    server.brain = Script([Call("long", {"text": "word "})], [Say("That was it.")])
    with Terminal([ASST, "chat", "-p", "gpt", "--yes", "-t", str(tools)], 80, 40) as terminal:
        terminal.enter("go")
        terminal.wait_for("completed · ")
        terminal.enter("/call")
        terminal.wait_for("on the side")
        text = terminal.text.partition("/call")[2]
        assert text.count("word") == 31
        assert "--yes" in text
        terminal.enter("/call 2")
        terminal.wait_for("No call 2 in the last turn.")


def test_ask_says_after_half_a_second_what_it_waits_for(server: ResponsesServer) -> None:
    """On a terminal with the panel; no name above the answer, one closing line."""
    server.brain = lambda _: [Wait(2), Say("Paris.")]
    with Terminal([ASST, "ask", "-p", "gpt", "capital?"], 80, 20) as terminal:
        terminal.wait_for("│ Waiting for gpt ")
        assert terminal.wait_end() == 0
        rows = [row for row in terminal.text.splitlines() if row]
    assert rows[0] == "Paris."
    assert rows[1].startswith("completed · ")
    assert len(rows) == 2


def test_a_fast_answer_needs_no_panel(server: ResponsesServer) -> None:
    """Nothing flickers: what comes within half a second is printed without a frame."""
    server.brain = lambda _: [Say("Paris.")]
    with Terminal([ASST, "ask", "-p", "gpt", "capital?"], 80, 20) as terminal:
        assert terminal.wait_end() == 0
        assert "Paris." in terminal.text
        assert "╭" not in terminal.text


def test_in_a_pipe_one_line_on_stderr(server: ResponsesServer) -> None:
    """It is gone when the answer comes; the answer is all that is in the pipe."""
    server.brain = lambda _: [Wait(2), Say("Paris.")]
    with Terminal(["bash", "-c", f"{ASST} ask -p gpt capital? | cat"], 80, 20) as terminal:
        terminal.wait_for("Waiting for gpt …")
        assert terminal.wait_end() == 0
        assert "Waiting" not in terminal.text
        assert terminal.text.splitlines()[-1] == "Paris."


@pytest.mark.parametrize(("arguments", "env"), [(["--plain-ui"], {}), ([], {"TERM": "dumb"})])
def test_nothing_is_drawn_again(
    server: ResponsesServer, arguments: list[str], env: dict[str, str], tmp_path: Path
) -> None:
    """For a screen reader and on a dumb terminal: no frames, no cursor movements, words in place of marks, code marked."""
    tools = tmp_path / "t.py"
    tools.write_text('def price(symbol: str) -> float:\n    """A price."""\n    return 1.0\n')
    server.brain = Script([Call("price", {"symbol": "AAPL"})], [Think("hm"), Wait(1), Say(PLAIN)])
    with Terminal([ASST, *arguments, "ask", "-p", "gpt", "--yes", "-t", str(tools), "?"], 80, 30, env=env) as terminal:
        assert terminal.wait_end() == 0
        text = terminal.text
    assert 'System: price(symbol="AAPL") returned 1.0 ' in text
    assert "Sending the results back …" in text
    assert "code: python\nprint(1)" in text
    assert "\nThought for " in text
    assert "\n> quoted\n" in text
    assert re.search(r"^a +b\n1 +2$", text, re.MULTILINE)
    assert not set("╭│╰▸✗▌─") & set(text)


def test_no_color_keeps_the_frame_and_marks_code(server: ResponsesServer) -> None:
    """NO_COLOR: the same screen without colours, inline code with its backticks."""
    server.brain = lambda _: [Wait(1), Say("Use `ls`.")]
    for env, arguments in (({"NO_COLOR": "1"}, []), ({}, ["--color", "never"]), ({}, ["--theme", "mono"])):
        with Terminal([ASST, *arguments, "ask", "-p", "gpt", "?"], 80, 30, env=env) as terminal:
            terminal.wait_for("╭─ gpt")
            terminal.wait_end()
            assert "Use `ls`." in terminal.text


def test_colors_into_a_pipe(server: ResponsesServer, asst: Asst) -> None:
    """`--color always` keeps them there; a wrong value is refused before anything is asked."""
    asst("ask", "-q", "-p", "gpt", "hi")
    assert "\x1b[" not in asst("sessions", "show").out
    assert "\x1b[" in asst("--color", "always", "sessions", "show").out
    refused = asst("sessions", "show", "--theme", "purple")
    assert (refused.code, refused.err) == (2, 'asst: --theme can\'t be "purple". Use auto, dark, light, mono.\n')

"""The chat's screens on a small terminal and on a large one; and where nothing is drawn again."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from cli.chat.conftest import Chat
from servers import Call, ResponsesServer, Say, Script, Think, Wait

TOOLS = '''
def note(path: str, text: str) -> str:
    """Write a note into a file."""
    return "written"
'''
TABLE = (
    "| Library | What it is good for | Licence | Notes |\n|---|---|---|---|\n"
    "| requests | synchronous requests, as simple as possible | Apache-2.0 | no HTTP/2 |\n\n"
)
SENTENCE = (
    "A paragraph that is so long that it is broken at sixty columns and at eighty columns, too, and so once more."
)


@pytest.mark.parametrize(("columns", "rows"), [(60, 15), (120, 40)])
def test_the_main_screens(server: ResponsesServer, chat: Chat, tmp_path: Path, columns: int, rows: int) -> None:
    """No row is wider than the screen, no word is broken, each frame is closed, and the toolbar stands in the last row."""
    (tmp_path / "tools.py").write_text(TOOLS)
    server.brain = Script(
        [Think("hm"), Wait(0.5), Say(f"{TABLE}{SENTENCE}", pace=0.005)],
        [Call("note", {"path": "a.md", "text": SENTENCE})],
        [Say("Saved.")],
    )
    with chat("-t", str(tmp_path / "tools.py"), columns=columns, rows=rows, env={"PAGER": "cat"}) as terminal:
        terminal.enter("Compare them.")
        panel = terminal.wait_for("Writing the answer")
        terminal.wait_for("completed · ")
        terminal.wait_for_prompt()
        answer = terminal.text
        assert " ".join(SENTENCE.split()) in " ".join(answer.split())
        assert {"synchronous", "Apache-2.0", "possible"} <= set(answer.split())
        assert "\n▸ Thought for " in answer
        terminal.wait_until(lambda: terminal.text.splitlines()[-1].startswith(" gpt · gpt-6-luna "))
        terminal.enter("Write a note.")
        question = terminal.wait_for("Run it? ›")
        assert " ".join(SENTENCE.split()) in " ".join(question.partition("╭")[2].replace("│", " ").split())
        for screen in (panel, question):
            frame = [row for row in screen.splitlines() if row[:1] in tuple("╭│╰")]
            assert {(len(row), row[-1] in "╮│╯") for row in frame} == {(columns, True)}
        terminal.type("yes\r")
        terminal.wait_for("· 1 tool")
        terminal.enter("/help")
        terminal.wait_for("//like this")
        terminal.enter("/model")
        picker = terminal.wait_for("Esc back").partition("/model\n")[2]
        assert re.search(r"^› gpt-6-luna +\$0\.10 / +\$0\.50 .*in use", picker, re.MULTILINE)
        terminal.type("\x1b")
        terminal.enter("/sessions")
        terminal.wait_for("Tab fork")
        terminal.type("\x1b")
        terminal.wait_for_prompt()
        assert max(map(len, terminal.text.splitlines())) <= columns
        terminal.type("\x04")
        assert terminal.wait_end() == 0
        assert "\nSaved as " in terminal.text
        assert " · continue: asst chat -c" in terminal.text.splitlines()[-1]


@pytest.mark.parametrize(("arguments", "env"), [(("--plain-ui",), {}), ((), {"TERM": "dumb"})])
def test_lists_take_the_place_of_pickers(
    server: ResponsesServer, arguments: tuple[str, ...], env: dict[str, str], chat: Chat
) -> None:
    """For a screen reader and on a dumb terminal: models, profiles and sessions are printed, and chosen by name."""
    server.brain = lambda _: [Say(f"{SENTENCE}\n\n---\n\nEnd.")]
    with chat(*arguments, columns=60, rows=30, env=env) as terminal:
        terminal.enter("one")
        terminal.wait_for("completed · ")
        text = terminal.text
        assert all(word in text.split() for word in SENTENCE.split())  # no word is broken: the width is the terminal's
        assert "\n---\n" in text
        terminal.enter("/model")
        terminal.wait_for("Choose one: /model NAME")
        terminal.enter("/profile")
        terminal.wait_for("Choose one: /profile NAME")
        terminal.enter("/fork")
        terminal.wait_for('Continuing "one"')
        terminal.enter("/sessions")
        terminal.wait_for("Continue one: /sessions ID")
        (_, other) = re.findall(r"^(\w{4}) .* one\b", terminal.text, re.MULTILINE)
        terminal.enter(f"/sessions {other}")
        terminal.wait_for(f'Continuing "one" ({other})')
        terminal.enter("/search paragraph")
        terminal.wait_until(lambda: terminal.text.count("Continue one: /sessions ID") == 2)
        assert b"\x1b[1A" not in terminal.received
        assert not set("╭│╰─") & set(terminal.text)

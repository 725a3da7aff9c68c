"""The wizard in 60 columns and 15 rows."""

from __future__ import annotations

import termios

import pytest

from cli.conftest import ASST
from cli.terminal import Terminal
from servers import ResponsesServer


def test_the_first_question_stays_on_the_screen(server: ResponsesServer) -> None:
    """So few vendors are listed that nothing scrolls away; the others are found as ever."""
    with Terminal([ASST, "setup"], 60, 15) as terminal:
        terminal.wait_for("Assistant [")
        assert len(terminal.text.splitlines()) <= 15
        assert terminal.text.startswith("Which assistant do you want?\nMore vendors: ")
        terminal.type("huggingface\r")
        terminal.wait_for("huggingface · step 2 of 4 · key")


def test_a_refused_key_is_asked_for_again_in_its_own_step(
    server: ResponsesServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The step of the model begins once a key is accepted; its list has one row for each model."""
    monkeypatch.delenv("OPENAI_API_KEY")
    with Terminal([ASST, "setup", "gpt"], 60, 15) as terminal:
        terminal.wait_for("Paste the key")
        terminal.wait_until(lambda: _is_hidden(terminal))
        terminal.type("sk-wrong-00000000000000000000\r")
        terminal.wait_for("answered 401")
        terminal.wait_until(lambda: terminal.text.count("Paste the key") == 2)
        terminal.wait_until(lambda: _is_hidden(terminal))
        assert "step 3" not in terminal.text
        terminal.type(f"{server.key}\r")
        terminal.wait_for("Model [")
        _, found, models = terminal.text.partition("step 3 of 4 · model")
        assert found
        rows = [row for row in models.splitlines() if " / " in row and "$" in row]
        assert rows
        assert all(row[:5].strip(" ›").isdigit() for row in rows)


def _is_hidden(terminal: Terminal) -> bool:
    """Whether what is typed isn't shown: what was typed before that is thrown away."""
    flags = terminal.modes()[3]
    return isinstance(flags, int) and not flags & termios.ECHO

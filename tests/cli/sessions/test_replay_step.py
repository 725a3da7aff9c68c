"""`asst replay --step` on a terminal: the keys, and the two rows that say where it is."""

from __future__ import annotations

import pytest

from asstproxy.providers.scripted import say
from asstproxy.store.session import Session
from asstproxy.store.store import Store
from cli.conftest import ASST
from cli.terminal import Terminal
from store.rig import held, tool_exchange

KEYS = "Space next · b back · t next turn · Enter play on · q quit"


@pytest.fixture
def recorded() -> Session:
    """Two turns, the first of them with a tool."""
    return held(["use the tool", "and now?"], *tool_exchange(), say("That was all.", pieces=4))


@pytest.mark.parametrize("columns", [60, 80, 120])
def test_each_key_does_what_the_last_row_says(recorded: Session, columns: int) -> None:
    """Both rows stand there before the first key; each key moves, and the answer is drawn as far as the step."""
    records = Store().records(recorded.id)
    messages = [at for at, record in enumerate(records, 1) if record.event.type == "set_user_message"]
    last = len(records)
    with Terminal([ASST, "replay", recorded.id, "--step"], columns, 30) as terminal:
        terminal.wait_for(f"Step 0 of {last} · 2 turns")
        assert terminal.text.count(KEYS) == 1
        for step in range(1, messages[0] + 1):
            terminal.type(" ")
            text = terminal.wait_for(f"Step {step} of {last} · ")
        assert f"\n\nStep {messages[0]} of {last} · turn 1 · set_user_message · +0." in text
        assert "use the tool" in terminal.text
        terminal.type("b")
        terminal.wait_for(f"Step {messages[0] - 1} of {last} · ")
        assert "use the tool" not in terminal.text
        for turn, step in enumerate(messages, 1):
            terminal.type("t")
            terminal.wait_for(f"Step {step} of {last} · turn {turn} · set_user_message")
        text = terminal.text
        assert "It is ABC." in text
        assert "and now?" in text
        assert "That was all." not in text
        assert (text.count("Step "), text.count(KEYS)) == (1, 1)  # redrawn in place
        terminal.type("x")  # a key without a meaning does nothing
        terminal.type("\r")
        text = terminal.wait_for(f"Step {last} of {last} · turn 2")
        assert "That was all." in text
        terminal.type("q")
        assert terminal.wait_end() == 0
        assert terminal.text.splitlines()[-1].startswith("completed · ")


def test_q_leaves_in_the_middle_and_the_terminal_is_as_it_was(recorded: Session) -> None:
    """What was drawn so far stays; the modes of the keyboard and the cursor are back."""
    with Terminal([ASST, "replay", recorded.id, "--step"], 80, 15) as terminal:
        before = terminal.modes()
        terminal.wait_for(KEYS)
        assert terminal.modes() != before
        terminal.type("t")
        terminal.wait_for("· set_user_message")
        terminal.type("q")
        assert terminal.wait_end() == 0
        assert "use the tool" in terminal.text
        assert (KEYS in terminal.text, terminal.cursor_hidden, terminal.modes()) == (False, False, before)


def test_the_keys_are_said_where_nothing_can_be_redrawn(recorded: Session) -> None:
    """For a screen reader: once, at the start."""
    with Terminal([ASST, "--plain-ui", "replay", recorded.id, "--step"], 80, 30) as terminal:
        terminal.wait_for(KEYS)
        terminal.type("t\r")
        text = terminal.wait_for("That was all.")
        assert (text.count(KEYS), "Step " in text) == (1, False)

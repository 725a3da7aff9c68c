"""`/help` and `/help COMMAND`."""

from __future__ import annotations

from pathlib import Path

import pytest

from asstproxy.cli.chat.help_text import GROUPS, help_lines
from asstproxy.cli.chat.slash_commands import COMMANDS
from servers import ResponsesServer

from .conftest import Chat


@pytest.mark.parametrize("columns", [60, 80, 120])
def test_help_lists_each_command_once(server: ResponsesServer, chat: Chat, columns: int) -> None:
    """By groups, with the keys; no line is wider than the screen."""
    with chat(columns=columns, rows=40) as terminal:
        terminal.enter("/help")
        terminal.wait_for("//like this")
        terminal.wait_for_prompt()
        text = terminal.text.partition("› /help")[2]
    words = text.replace("·", " ").split()
    for name in COMMANDS.keys() - {"help"}:
        assert words.count(f"/{name}") == 1, name
    for label in GROUPS:
        assert f"\n{label} " in text
    assert "Ctrl-R find" in text
    assert "More" not in words, "each command belongs to a group"


def test_help_knows_no_command_that_is_missing() -> None:
    """Only what the chat has is listed, and what has no group is listed, too."""
    lines = "".join(line for _, line in help_lines(["copy", "new"], 80))
    assert "/copy [N]" in lines
    assert "/new" in lines
    assert "/save" not in lines


def test_help_explains_a_command(server: ResponsesServer, chat: Chat) -> None:
    """With its slash or without; a near miss is corrected."""
    with chat() as terminal:
        for line, answer in (
            ("/help copy", "/copy  copy the last answer, or its code block N"),
            ("/help /rewind", "/rewind  go back to turn N"),
            ("/help copi", "Error: No such command: /copi.\n  Did you mean /copy?"),
        ):
            terminal.enter(line)
            terminal.wait_for(answer)


def test_help_is_paged_on_a_small_screen(server: ResponsesServer, chat: Chat, tmp_path: Path) -> None:
    """What is longer than the screen goes through $PAGER; the prompt is back when it ends, and Ctrl-C is the pager's."""
    pager = tmp_path / "pager"
    pager.write_text(
        "#!/bin/sh\ntrap 'echo INTERRUPTED' INT\ncat >/dev/null\necho WAITING\n"
        "for interrupted in 0 1 2; do read line </dev/tty && break; done\n"  # no more: the terminal may be gone
    )
    pager.chmod(0o755)
    with chat(rows=8, env={"PAGER": str(pager)}) as terminal:
        terminal.enter("/help")
        terminal.wait_for("WAITING")
        terminal.type("\x03\x03")
        terminal.wait_for("INTERRUPTED")
        terminal.type("\r")
        terminal.enter("hello")
        terminal.wait_for("You said: hello")

"""`/copy`, `/save` and `/export`: taking an answer away."""

from __future__ import annotations

import base64
import os
import re
from pathlib import Path

import pytest

from cli.terminal import Terminal
from servers import ResponsesServer, Say

from .conftest import Chat

ANSWER = (
    "Do **this**:\n\n```python\nif True:\n    print('ü')\n```\n\n1. And in the shell:\n\n   ```sh\n   ls -l\n   ```\n"
)
NO_CLIPBOARD = dict.fromkeys(
    ("DISPLAY", "WAYLAND_DISPLAY", "TMUX", "STY", "SSH_CONNECTION", "SSH_CLIENT", "SSH_TTY"), ""
)


@pytest.fixture
def programs(tmp_path: Path) -> dict[str, str]:
    """A PATH with a clipboard program of each kind, which writes what it was given into a file of its name."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in ("xclip", "wl-copy", "tmux"):
        script = folder / name
        script.write_text(f'#!/bin/sh\necho "$@" >{tmp_path}/{name}.args\ncat >{tmp_path}/{name}\nsleep 2 &\n')
        script.chmod(0o755)
    return {**NO_CLIPBOARD, "PATH": f"{folder}:{os.environ['PATH']}"}


def _answered(terminal: Terminal) -> None:
    terminal.enter("How?")
    terminal.wait_for("completed")


@pytest.mark.parametrize(
    ("variable", "program", "arguments"),
    [
        ("DISPLAY", "xclip", "-selection clipboard"),
        ("WAYLAND_DISPLAY", "wl-copy", ""),
        ("TMUX", "tmux", "load-buffer -w -"),
    ],
)
def test_copy_uses_the_clipboard_program(
    server: ResponsesServer,
    chat: Chat,
    programs: dict[str, str],
    tmp_path: Path,
    variable: str,
    program: str,
    arguments: str,
) -> None:
    """The whole answer as Markdown, or one code block exactly, without its fence and indentation."""
    server.brain = lambda _: [Say(ANSWER)]
    with chat(env={**programs, variable: "x"}) as terminal:
        _answered(terminal)
        for command, said, copied in (
            ("/copy", "Copied the answer: 13 lines.", ANSWER),
            ("/copy 1", "Copied code block 1 (python): 2 lines.", "if True:\n    print('ü')"),
            ("/copy 2", "Copied code block 2 (sh): 1 line.", "ls -l"),
        ):
            terminal.enter(command)
            terminal.wait_for(said)
            assert (tmp_path / program).read_text(encoding="utf-8").strip() == copied.strip()
        terminal.enter("/copy 3")
        terminal.wait_for("The last answer has 2 code blocks.\n  Copy one: /copy 1")
    assert (tmp_path / f"{program}.args").read_text().strip() == arguments


@pytest.mark.parametrize("where", [{}, {"SSH_CONNECTION": "1 2 3 4", "DISPLAY": "x"}], ids=["no program", "ssh"])
def test_copy_asks_the_terminal(
    server: ResponsesServer, chat: Chat, programs: dict[str, str], where: dict[str, str]
) -> None:
    """Where no program reaches the user's clipboard, OSC 52 does; nobody knows whether the terminal takes it, so that is said."""
    server.brain = lambda _: [Say(ANSWER)]
    with chat(env={**programs, **where}, columns=120) as terminal:
        _answered(terminal)
        terminal.enter("/copy 1")
        terminal.wait_for("2 lines, if your terminal lets programs set its clipboard (OSC 52).")
        found = re.findall(rb"\x1b\]52;c;([A-Za-z0-9+/=]+)\x07", terminal.received)
    assert [base64.b64decode(one).decode() for one in found] == ["if True:\n    print('ü')"]


def test_copy_before_an_answer(server: ResponsesServer, chat: Chat) -> None:
    """There is nothing to copy."""
    with chat() as terminal:
        terminal.enter("/copy")
        terminal.wait_for("Nothing to copy: no answer yet.")


@pytest.mark.parametrize("command", ["save", "export"])
def test_save_and_export_write_the_session(server: ResponsesServer, chat: Chat, tmp_path: Path, command: str) -> None:
    """The suffix chooses the form, as in `asst sessions export`."""
    with chat(columns=200) as terminal:
        _answered(terminal)
        for name in ("talk.md", "talk.html", "talk.json", "talk.mmd"):
            terminal.enter(f"/{command} {tmp_path / name}")
            terminal.wait_for(f"Saved: {tmp_path / name}")
        terminal.enter(f"/{command} {tmp_path / 'talk.pdf'}")
        terminal.wait_for('Error: No format has the suffix ".pdf".\n  Use .json, .md, .html or .mmd.')
    assert not (tmp_path / "talk.pdf").exists()
    assert "> How?" in (tmp_path / "talk.md").read_text()
    assert (tmp_path / "talk.mmd").read_text().startswith("sequenceDiagram")

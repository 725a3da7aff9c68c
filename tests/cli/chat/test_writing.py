"""Writing a message: new lines, pasting, the editor, the history, the last message again, keys of the configuration."""

from __future__ import annotations

from pathlib import Path

import pytest

from asstproxy import Store
from asstproxy.config.paths import config_dir, private_dir
from cli.conftest import ASST
from cli.terminal import Terminal
from servers import ResponsesServer, Say

from .conftest import Chat, sent

LINES = "\n".join(f"line {number} of the log" for number in range(1, 301))


def _paste(terminal: Terminal, text: str) -> None:
    terminal.type(f"\x1b[200~{text}\x1b[201~")


def _configure(text: str) -> None:
    file = private_dir(config_dir()) / "config.toml"
    file.write_text(text, encoding="utf-8")
    file.chmod(0o600)


@pytest.fixture
def editor(tmp_path: Path) -> Path:
    """An editor that keeps what it was given in `seen`, and adds a line."""
    script = tmp_path / "editor"
    script.write_text(f'#!/bin/sh\ncp "$1" {tmp_path}/seen\nprintf \'one line more\\n\' >>"$1"\n', encoding="utf-8")
    script.chmod(0o755)
    return script


@pytest.mark.parametrize(
    "key", ["\n", "\x1b\r", "\\\r"], ids=["Ctrl-J", "Alt-Enter or Esc Enter", "backslash and Enter"]
)
def test_keys_make_a_new_line(server: ResponsesServer, chat: Chat, key: str) -> None:
    """The message goes on below, and is sent with Enter."""
    with chat() as terminal:
        terminal.type(f"first{key}")
        terminal.type("second")
        terminal.wait_for("› first\n  second")
        assert server.requests == []
        terminal.type("\r")
        terminal.wait_for("completed")
    assert sent(server) == "first\nsecond"


def test_two_backslashes_are_sent(server: ResponsesServer, chat: Chat) -> None:
    """A message may end with a backslash: two of them make no new line."""
    with chat() as terminal:
        terminal.type("C:\\\\\r")
        terminal.wait_for("completed")
    assert sent(server) == "C:\\\\"


@pytest.mark.parametrize("columns", [60, 80, 120])
def test_a_long_paste_is_folded_and_sent_whole(server: ResponsesServer, chat: Chat, columns: int) -> None:
    """300 lines are one label in the prompt and in the scrollback; the assistant gets every line."""
    with chat(columns=columns) as terminal:
        terminal.type("Explain this log, please: ")
        _paste(terminal, LINES)
        terminal.wait_for("Explain this log, please: [300 lines pasted, ")
        terminal.type("\nand which failed first")
        terminal.wait_for("  and which failed first")
        terminal.type("\r")
        text = terminal.wait_for("completed")
        assert "line 17 of the log" not in text.partition("gpt ·")[0]
    assert sent(server) == f"Explain this log, please: {LINES}\nand which failed first"


def test_a_megabyte_is_pasted(server: ResponsesServer, chat: Chat) -> None:
    """The length of what is pasted doesn't matter."""
    server.brain = lambda _: [Say("I see.")]
    whole = "\n".join(f"{number:099}" for number in range(12_000))
    with chat() as terminal:
        _paste(terminal, whole)
        terminal.wait_for("[12,000 lines pasted, 1.2 MB]", within=40)
        terminal.type("\r")
        terminal.wait_for("I see.", within=40)
    assert sent(server) == whole


def test_short_text_is_pasted_as_it_is(server: ResponsesServer, chat: Chat) -> None:
    """Three lines can be seen at a glance: they aren't folded."""
    with chat() as terminal:
        _paste(terminal, "a\r\nb\rc")
        terminal.wait_for("› a\n  b\n  c")


def test_backspace_removes_a_fold_and_tab_opens_it(server: ResponsesServer, chat: Chat) -> None:
    """A fold is one thing for the keys."""
    with chat() as terminal:
        _paste(terminal, LINES)
        terminal.wait_for("[300 lines pasted, ")
        terminal.type("\x7f")
        terminal.wait_until(lambda: "pasted" not in terminal.text)
        _paste(terminal, "w\nx\ny\nz")
        terminal.wait_for("[4 lines pasted, 7 bytes]")
        terminal.type("\t")
        terminal.wait_for("› w\n  x\n  y\n  z")
        terminal.type("!\r")
        terminal.wait_for("completed")
    assert sent(server) == "w\nx\ny\nz!"


def test_a_fold_survives_ctrl_c_and_is_whole_in_the_history(server: ResponsesServer, chat: Chat) -> None:
    """In this chat it comes back folded, in the next one as it was pasted."""
    with chat() as terminal:
        _paste(terminal, "w\nx\ny\nz")
        terminal.wait_for("[4 lines")
        terminal.type("\x03")
        terminal.wait_for("Press Ctrl-C again")
        terminal.wait_for_prompt()
        terminal.type("\x1b[A")
        terminal.wait_until(lambda: terminal.text.count("› [4 lines pasted") == 2)
        terminal.type("\x03\x03")
        terminal.wait_end()
    with chat() as terminal:
        terminal.wait_for_prompt()
        terminal.type("\x1b[A")
        terminal.wait_for("› w\n  x\n  y\n  z")


@pytest.mark.parametrize("mode", ["emacs", "vi"])
def test_ctrl_x_ctrl_e_opens_the_editor(server: ResponsesServer, chat: Chat, editor: Path, mode: str) -> None:
    """The editor has the draft, with what was pasted whole; what it saves comes back into the prompt."""
    _configure(f'[chat]\nediting = "{mode}"\n')
    with chat(env={"VISUAL": str(editor)}) as terminal:
        terminal.type("See ")
        _paste(terminal, LINES)
        terminal.wait_for("[300 lines")
        terminal.type("\x18\x05")
        terminal.wait_for("one line more")
        assert (editor.parent / "seen").read_text() == f"See {LINES}\n"
        assert server.requests == []
        terminal.type("\r")
        terminal.wait_for("completed")
    assert sent(server) == f"See {LINES}\none line more"


def test_a_missing_editor_is_named(server: ResponsesServer, chat: Chat) -> None:
    """The draft is still there."""
    with chat(env={"VISUAL": "no-such-editor"}) as terminal:
        terminal.type("a draft\x18\x05")
        terminal.wait_for("Error: No editor found: no-such-editor.\n  Set EDITOR.")
        terminal.wait_for("› a draft")


def test_edit_changes_the_last_message(server: ResponsesServer, chat: Chat, editor: Path) -> None:
    """`/edit` opens the editor with it; Enter then asks what to do with it, and `replace` takes the last turn back."""
    with chat(env={"VISUAL": "", "EDITOR": str(editor)}) as terminal:
        terminal.enter("What is a pelican?")
        terminal.wait_for("completed")
        terminal.enter("/edit")
        terminal.wait_for("one line more")
        terminal.type("\r")
        terminal.wait_for("Replace the last turn, or ask again?")
        terminal.type("\r")
        terminal.wait_until(lambda: terminal.text.count("completed") == 2)
    assert (editor.parent / "seen").read_text() == "What is a pelican?\n"
    assert sent(server) == "What is a pelican?\none line more"
    assert len(server.requests[-1].json["input"]) == 1
    first, second = Store().transcript(Store().newest()).exchanges
    assert (first.withdrawn, second.withdrawn) == (True, False)


def test_edit_without_a_message_writes_one(server: ResponsesServer, chat: Chat, editor: Path) -> None:
    """The editor is empty then, and nothing is asked."""
    with chat(env={"VISUAL": str(editor)}) as terminal:
        terminal.enter("/edit")
        terminal.wait_for("› one line more")
        terminal.type("\r")
        terminal.wait_for("completed")
    assert sent(server) == "one line more"


@pytest.mark.parametrize(("key", "kept"), [("r", 1), ("a", 3)])
def test_up_brings_the_last_message_back(server: ResponsesServer, chat: Chat, key: str, kept: int) -> None:
    """Enter asks: `replace` takes the turn back, `again` sends the message after it."""
    with chat() as terminal:
        terminal.enter("What is a pelican?")
        terminal.wait_for("completed")
        terminal.wait_for_prompt()
        terminal.type("\x1b[A")
        terminal.wait_until(lambda: terminal.text.count("› What is a pelican?") == 2)
        terminal.type(" Briefly.\r")
        terminal.wait_for("Replace the last turn, or ask again?")
        terminal.type(key)
        terminal.wait_until(lambda: terminal.text.count("completed") == 2)
        assert "Replace the last turn" not in terminal.text
    assert sent(server) == "What is a pelican? Briefly."
    assert len(server.requests[-1].json["input"]) == kept


def test_esc_goes_back_to_the_message(server: ResponsesServer, chat: Chat) -> None:
    """Nothing is sent; the message is in the prompt, and Enter asks again."""
    with chat() as terminal:
        terminal.enter("hello")
        terminal.wait_for("completed")
        terminal.wait_for_prompt()
        terminal.type("\x1b[A\r")
        terminal.wait_for("Replace the last turn")
        terminal.type("\x1b")
        terminal.wait_for_prompt("hello")
        assert "Replace" not in terminal.text
        terminal.type("!\r")
        terminal.wait_for("Replace the last turn")
        terminal.type("\r")
        terminal.wait_until(lambda: terminal.text.count("completed") == 2)
    assert sent(server) == "hello!"


def test_an_older_message_is_sent_without_a_question(server: ResponsesServer, chat: Chat) -> None:
    """Only the last one can be replaced."""
    with chat() as terminal:
        for number, message in enumerate(("first", "second"), 1):
            terminal.enter(message)
            terminal.wait_until(lambda number=number: terminal.text.count("completed") == number)  # type: ignore[misc]
        terminal.wait_for_prompt()
        terminal.type("\x1b[A\x1b[A\r")
        terminal.wait_until(lambda: terminal.text.count("completed") == 3)
    assert sent(server) == "first"


def test_the_last_message_typed_again_is_sent_without_a_question(server: ResponsesServer, chat: Chat) -> None:
    """It was not brought back, although it is in the history, after a command."""
    with chat() as terminal:
        terminal.enter("hello")
        terminal.wait_for("completed")
        terminal.enter("/usage")
        terminal.wait_for("Total")
        terminal.enter("hello")
        terminal.wait_until(lambda: terminal.text.count("completed") == 2)
    assert len(server.requests[-1].json["input"]) == 3


def test_a_replaced_message_keeps_its_files(server: ResponsesServer, chat: Chat, tmp_path: Path) -> None:
    """What was attached to it goes with the new one, once."""
    (tmp_path / "notes.txt").write_text("The password is swordfish.\n")
    with chat() as terminal:
        terminal.enter(f"What is in @{tmp_path / 'notes.txt'}")
        terminal.wait_for("completed")
        terminal.wait_for_prompt()
        terminal.type("\x1b[A\r")
        terminal.wait_for("Replace the last turn")
        terminal.type("\r")
        terminal.wait_until(lambda: terminal.text.count("completed") == 2)
    assert str(server.requests[-1].json["input"]).count("swordfish") == 1


@pytest.mark.parametrize("mode", ["emacs", "vi"])
def test_ctrl_r_searches_the_history(server: ResponsesServer, chat: Chat, mode: str) -> None:
    """Any part of an earlier message finds it, in capitals or not."""
    _configure(f'[chat]\nediting = "{mode}"\n')
    with chat() as terminal:
        for number, message in enumerate(("What is a Pelican?", "And a heron?"), 1):
            terminal.enter(message)
            terminal.wait_until(lambda number=number: terminal.text.count("completed") == number)  # type: ignore[misc]
        terminal.wait_for_prompt()
        terminal.type("\x12pelic")
        terminal.wait_until(lambda: terminal.text.count("› What is a Pelican?") == 2)
        terminal.type("\r")
        terminal.wait_until(lambda: "search" not in terminal.text)
        terminal.type("\r")
        terminal.wait_until(lambda: terminal.text.count("completed") == 3)
    assert sent(server) == "What is a Pelican?"


def test_vi_mode_has_the_keys_of_vi(server: ResponsesServer, chat: Chat) -> None:
    """Esc leaves the insert mode, 0 goes to the beginning, x deletes; the configuration says `editing = "vi"`."""
    _configure('[chat]\nediting = "vi"\n')
    with chat() as terminal:
        terminal.type("hullo world")
        terminal.wait_for("› hullo world")
        terminal.type("\x1b")
        terminal.type("0xiH")
        terminal.wait_for("› Hullo world")


def test_keys_of_the_configuration(server: ResponsesServer, chat: Chat) -> None:
    """A key can run a slash command, what the chat can do, or a command of readline; the draft stays."""
    _configure('[chat.keys]\nf2 = "/session"\nc-o = "newline"\n"c-x c-k" = "unix-line-discard"\n')
    with chat() as terminal:
        terminal.enter("hello")
        terminal.wait_for("completed")
        terminal.wait_for_prompt()
        terminal.type("one\x0ftwo")
        terminal.wait_for("› one\n  two")
        terminal.type("\x1bOQ")
        terminal.wait_for(Store().newest())
        terminal.wait_until(lambda: terminal.text.count("› one\n  two") == 2)
        terminal.type("\x18\x0b")
        terminal.wait_until(lambda: terminal.text.count("\n  two") == 1 and terminal.text.count("› one\n") == 2)


@pytest.mark.parametrize(
    ("line", "message"),
    [('f2 = "fly"', 'there is nothing called "fly"'), ('f99 = "newline"', "Invalid key: f99")],
)
def test_a_wrong_key_is_named(server: ResponsesServer, line: str, message: str) -> None:
    """The error has the file and the line as it stands there."""
    _configure(f"[chat.keys]\n{line}\n")
    with Terminal([ASST, "chat", "-p", "gpt"], 200) as terminal:
        terminal.wait_for(message)
        assert terminal.wait_end() == 3


def test_the_menu_opens_on_a_slash_only(server: ResponsesServer, chat: Chat) -> None:
    """Five rows at the most, with words for each; a word in a message opens nothing."""
    with chat(rows=15) as terminal:
        terminal.type("copy")
        terminal.wait_for("› copy")
        assert "copy the last answer" not in terminal.text
        terminal.type("\x15/co")
        terminal.wait_for("copy the last answer, or its code block N")
        terminal.type("\x15/")
        terminal.wait_for("list keys and commands")
        below = terminal.text.partition("› /\n")[2].splitlines()
        assert len([line for line in below[:-1] if line.strip()]) == 5  # the toolbar is the last row

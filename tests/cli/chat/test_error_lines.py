"""Errors and warnings at the chat's prompt: drawn like the rest of it, with what to do on a line of its own."""

from __future__ import annotations

from cli.chat.conftest import Chat
from cli.conftest import ASST
from cli.terminal import Terminal
from servers import ResponsesServer


def test_an_error_has_a_bold_label_and_its_hint_is_below(server: ResponsesServer, chat: Chat) -> None:
    """`Error:` in bold red, below it what to do, in commands of the chat; a warning has no label. Words stay whole."""
    with chat(columns=60, rows=15) as terminal:
        terminal.enter("/nope")
        terminal.wait_for(
            "\nError: No such command: /nope.\n  /help lists the commands. To send it as a message: //nope\n"
        )
        assert b"\x1b[1;31mError:" in terminal.received
        terminal.enter("/profile gpr")
        terminal.wait_for(
            "\nError: No such profile: 'gpr'.\n  Known: gpt, gemini, anthropic, local. Choose one: /profile\n"
        )
        terminal.enter("/set temprature=2")
        terminal.wait_for(
            '\n"temprature" is sent as it is: asst doesn\'t know it for gpt.\nDid you mean temperature?\ntemprature = 2\n'
        )
        assert b'\x1b[33m"temprature"' in terminal.received
        assert "asst: " not in terminal.text


def test_an_error_before_the_chat_is_that_of_a_command(server: ResponsesServer) -> None:
    """A chat that can't begin says why as any other command does."""
    with Terminal([ASST, "chat", "-p", "gpt", "-t", "nowhere.such:tool"]) as terminal:
        assert terminal.wait_end() != 0
        assert terminal.text.startswith("asst: ")
        assert "Error:" not in terminal.text

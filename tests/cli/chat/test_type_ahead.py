"""What is typed while the prompt is being made."""

from __future__ import annotations

import asyncio
import os
import pty
import sys
from collections.abc import Iterator

import pytest
from prompt_toolkit.application import create_app_session
from prompt_toolkit.completion import DummyCompleter
from prompt_toolkit.input import Input
from prompt_toolkit.output import DummyOutput

from asstproxy.cli.chat.message_prompt import MessagePrompt
from asstproxy.cli.chat.type_ahead import take_typed_ahead
from asstproxy.config.profiles import ChatSettings

if sys.platform == "win32":
    pytest.skip("the console of Windows keeps the keys itself", allow_module_level=True)

from prompt_toolkit.input.vt100 import Vt100Input


@pytest.fixture
def terminal() -> Iterator[tuple[int, Input]]:
    """A terminal in line mode: where its keys come from, and what a prompt reads."""
    master, slave = pty.openpty()
    with os.fdopen(slave) as stdin:
        yield master, Vt100Input(stdin)
    os.close(master)


def test_enter_at_the_last_moment_makes_no_line(terminal: tuple[int, Input]) -> None:
    """A key that comes after the type-ahead was taken is the prompt's: Enter sends, and no line end stays in the draft."""
    keys, source = terminal
    os.write(keys, b"/qu\r")

    def take(source: Input) -> str:
        os.write(keys, b"it\r")
        taken = take_typed_ahead(source)
        os.write(keys, b"!\r")
        return taken

    async def read() -> str:
        with create_app_session(source, DummyOutput()):
            prompt = MessagePrompt(
                DummyCompleter(),
                ChatSettings(),
                save_history=False,
                note_paste=lambda _: None,
                last_message=lambda: None,
            )
            return (await asyncio.wait_for(prompt.read("› ", "Please ", take), 20)).text

    assert asyncio.run(read()) == "Please /qu\nit!"


@pytest.mark.parametrize(
    ("typed", "draft"),
    [
        (b"\x1b/save x", "/save x"),
        (b"wait\x1b (no)", "wait (no)"),
        (b"a\x1b[Ab\x1bOAc\x1b[1;5Dd", "abcd"),
        (b"\x1b[200~two\nlines\x1b[201~!", "two\nlines!"),
        (b"one\x1b\rtwo", "one\ntwo"),
        (b"x\x1b", "x"),
    ],
)
def test_keys_without_a_character_take_none_along(typed: bytes, draft: str, terminal: tuple[int, Input]) -> None:
    """Escape, arrows and the marks of a paste leave what was typed around them."""
    _, source = terminal
    assert take_typed_ahead(source, typed) == draft

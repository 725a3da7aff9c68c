"""The line below the prompt, and the one above it."""

from __future__ import annotations

from pathlib import Path

import pytest
from prompt_toolkit.utils import get_cwidth

from asstproxy.cli.chat.toolbar import Meter, Toolbar, toolbar_text
from asstproxy.config.paths import config_dir, private_dir
from cli.conftest import ASST
from cli.terminal import Terminal
from servers import ResponsesServer

WHOLE = Toolbar("gpt", "gpt-6.2-sol", tools=2, meter=Meter(126_000, 1_050_000), cost="$0.018", session="zxz5")


def text(toolbar: Toolbar, width: int) -> str:
    return "".join(part[1] for part in toolbar_text(toolbar, width))


@pytest.mark.parametrize(
    ("width", "line"),
    [
        (80, " gpt · gpt-6.2-sol               2 tools · 12% of 1.05M · $0.018 · zxz5 · /help"),
        (62, " gpt · gpt-6.2-sol     2 tools · 12% of 1.05M · $0.018 · zxz5"),
        (50, " gpt · gpt-6.2-sol         2 tools · 12% of 1.05M"),
        (36, " gpt · gpt-6.2-sol     12% of 1.05M"),
        (24, " gpt · gpt-6.2-sol "),
    ],
)
def test_it_fits(width: int, line: str) -> None:
    """Help goes first, then the session, the cost, the tools, the context; who answers stays."""
    assert text(WHOLE, width).rstrip() == line.rstrip()


@pytest.mark.parametrize("width", range(1, 140))
def test_it_is_never_wider_than_the_screen(width: int) -> None:
    """Whatever is in it."""
    toolbar = Toolbar(
        "a long profile 漢字", "a/very-long-model", 3, [("class:toolbar", "starting time…")], WHOLE.meter, "$1.00"
    )
    assert get_cwidth(text(toolbar, width)) <= width


@pytest.mark.parametrize(
    ("meter", "words", "style"),
    [
        (Meter(126_000, 1_050_000), "12% of 1.05M", "class:toolbar"),
        (Meter(871_500, 1_050_000), "83% of 1.05M · /compact", "class:toolbar.warning"),
        (Meter(1_008_000, 1_050_000), "96% full · /compact", "class:toolbar.full"),
        (Meter(41_000), "41k tokens", "class:toolbar"),
        (Meter(41_000, estimated=True), "~41k tokens", "class:toolbar"),
        (Meter(4_000, 8_192, estimated=True), "~49% of 8.2k", "class:toolbar"),
        (Meter(), "", "class:toolbar"),
    ],
)
def test_the_context_meter(meter: Meter, words: str, style: str) -> None:
    """Dim, yellow from 80 %, red from 95 %; an estimate is marked, and a window that nobody knows is left out."""
    assert (str(meter), meter.style) == (words, style)


@pytest.mark.parametrize("columns", [60, 80, 120])
def test_header_and_toolbar(server: ResponsesServer, columns: int, tmp_path: Path) -> None:
    """Who answers, with how many tools and which instructions; below, the same and what is known of the session."""
    tools = tmp_path / "t.py"
    tools.write_text('def price(symbol: str) -> float:\n    """A price."""\n    return 1.0\n')
    command = [ASST, "chat", "-p", "gpt", "-t", str(tools), "-s", "Be brief. Prices in euros, never in dollars."]
    with Terminal(command, columns, 15) as terminal:
        terminal.wait_for("1 tool · new session")
        header = terminal.text.splitlines()[0]
        assert header.startswith("asst · gpt · gpt-6-luna · 1 tool")
        assert 'instructions: "Be brief' in header
        hint = terminal.text.splitlines()[1:3]
        assert hint[0].startswith("/help lists commands · ")
        assert ("Alt-Enter" in hint[0], hint[1]) == (columns > 60, "")
        assert max(map(len, terminal.text.splitlines())) <= columns
        terminal.enter("hello")
        terminal.wait_for("completed")
        terminal.wait_until(
            lambda: " tokens · " in terminal.text.splitlines()[-1] or "% of " in terminal.text.splitlines()[-1]
        )
        assert "new session" not in terminal.text.splitlines()[-1]


def test_the_toolbar_can_be_switched_off(server: ResponsesServer) -> None:
    """With an option, with the configuration, and for a screen reader."""
    for arguments in (["--no-toolbar"], ["--plain-ui"]):
        with Terminal([ASST, "chat", "-p", "gpt", *arguments], 80, 15) as terminal:
            terminal.wait_for("›")
            terminal.type("x")
            terminal.wait_for("› x")
            assert "new session" not in terminal.text
    config = private_dir(config_dir()) / "config.toml"
    config.write_text("[look]\ntoolbar = false\n")
    config.chmod(0o600)
    with Terminal([ASST, "chat", "-p", "gpt"], 80, 15) as terminal:
        terminal.wait_for("›")
        terminal.type("x")
        terminal.wait_for("› x")
        assert "new session" not in terminal.text


def test_marks_are_ascii_where_the_encoding_lacks_them(server: ResponsesServer) -> None:
    """In the toolbar and in a picker, too, as in every drawing: no `?` takes their place."""
    with Terminal([ASST, "chat", "-p", "gpt"], 80, env={"PYTHONIOENCODING": "ascii"}) as terminal:
        terminal.wait_for("new session - /help")
        terminal.wait_until(lambda: terminal.text.splitlines()[-1].startswith(" gpt - gpt-6-luna "))
        terminal.type("/model")
        terminal.wait_for("> /model")
        terminal.type("\r")
        terminal.wait_for("Type to search - Enter choose - Esc back")
        assert "> gpt-6-luna" in terminal.text

"""Colours that are readable on dark and light, and a console that honours the environment."""

from __future__ import annotations

import io
import sys

import pytest
from rich.text import Text

from asstproxy.cli.look import look
from asstproxy.cli.render.markdown_code import CODE, _in_theme
from asstproxy.cli.render.markdown_stream import MarkdownStream
from asstproxy.cli.render.theme import THEME, console
from asstproxy.core.script import State


def test_only_the_terminals_own_colours() -> None:
    """No style of ours has a background or a colour outside of the terminal's palette of eight, bright ones excluded."""
    ours = [style for name, style in THEME.styles.items() if name.startswith(("asst.", "markdown."))]
    for style in [*ours, *CODE.style_map.values()]:
        assert style.bgcolor is None
        assert style.color is None or (style.color.number or 0) < 8


@pytest.mark.parametrize("state", State)
def test_every_state_has_a_colour(state: State) -> None:
    """A state added to the script needs a colour here."""
    assert f"asst.state.{state}" in THEME.styles


@pytest.mark.parametrize(
    ("theme", "background", "name", "number"),
    [
        ("auto", "", "36", "36"),
        ("dark", "", "36", "36"),
        ("light", "", "34", "34"),
        ("auto", "0;15", "34", "34"),
        ("mono", "", "", ""),
    ],
)
def test_a_light_terminal_has_other_colours(
    theme: str, background: str, name: str, number: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`--theme`, or what the terminal says of its background: cyan fades on white. mono has no colours, but bold."""
    terminal = io.StringIO()
    monkeypatch.setattr(terminal, "isatty", lambda: True)
    monkeypatch.setattr(sys, "stdout", terminal)
    for variable, value in {"TERM": "xterm-256color", "ASST_THEME": theme, "COLORFGBG": background}.items():
        monkeypatch.setenv(variable, value)
    look.cache_clear()
    _in_theme.cache_clear()
    try:
        made = console()
        made.print(Text("gpt", style="asst.assistant"))
        markdown = MarkdownStream()
        markdown.feed("```python\n42\n```\n")
        made.print(*markdown.finish())
    finally:
        monkeypatch.undo()
        look.cache_clear()
        _in_theme.cache_clear()
    heading, code = terminal.getvalue().splitlines()[0], terminal.getvalue().rstrip().splitlines()[-1]
    assert heading == f"\x1b[{';'.join(filter(None, ('1', name)))}mgpt\x1b[0m"
    assert code == (f"\x1b[{number}m42\x1b[0m" if number else "42")


@pytest.mark.parametrize(("variable", "value"), [("NO_COLOR", "1"), ("TERM", "dumb")])
def test_the_environment_is_honoured(variable: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """With NO_COLOR nothing is coloured, on a dumb terminal nothing is styled at all."""
    terminal = io.StringIO()
    monkeypatch.setattr(terminal, "isatty", lambda: True)
    monkeypatch.setattr(sys, "stdout", terminal)
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv(variable, value)
    console().print(Text("x", style="red"))
    assert terminal.getvalue() == "x\n"


def test_text_is_shown_as_it_is() -> None:
    """No markup, no emoji codes, no highlighting."""
    made = console()
    with made.capture() as shown:
        made.print("[bold]x[/bold] :smile: 42")
    assert shown.get() == "[bold]x[/bold] :smile: 42\n"


def test_an_arrow_ends_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Marks that the encoding lacks are ASCII on a terminal, other characters `?`; elsewhere they are escaped."""
    for is_terminal, shown in ((True, b"a > \xe4\n"), (False, b"a \\u25b8 \xe4\n")):
        out = io.BytesIO()
        stream = io.TextIOWrapper(out, encoding="latin-1")
        monkeypatch.setattr(stream, "isatty", lambda is_terminal=is_terminal: is_terminal)
        monkeypatch.setattr(sys, "stdout", stream)
        console().print("a ▸ ä")
        stream.flush()
        assert out.getvalue() == shown


def test_a_closed_pipe_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rich would end the process; the command ends itself."""

    class Closed(io.StringIO):
        def flush(self) -> None:
            raise BrokenPipeError

    monkeypatch.setattr(sys, "stdout", Closed())
    with pytest.raises(BrokenPipeError):
        console().print("x")


def test_stderr() -> None:
    """The same console for stderr."""
    assert console(stderr=True).file is sys.stderr

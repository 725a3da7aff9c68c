"""Draw the pictures of the chat for the docs: `python scripts/picture.py`, with tmux.

Each is what a terminal shows: `asst chat` runs in tmux, a person's keys are sent to it, and the screen is drawn as SVG, in the
colours of a dark or a light terminal. The sessions are real; the assistants are the local protocol servers of the tests.
"""

from __future__ import annotations

import itertools
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from rich._export_format import CONSOLE_SVG_FORMAT
from rich.console import Console
from rich.terminal_theme import TerminalTheme
from rich.text import Text

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests"))

from servers import Call, GeminiServer, ResponsesServer, Say  # noqa: E402 - of the tests

TOOLS = '''
from asstproxy import tool


@tool(read_only=True)
def share_price(symbol: str) -> dict[str, object]:
    """The price of a share at the close."""
    return {"price": 213.4, "currency": "EUR", "change": "+1.2 %"}
'''
APPLE = (
    "Apple closed at **213.40 €**, up 1.2 %.\n\n| | Price | Change |\n|---|--:|--:|\n| AAPL | 213.40 € | +1.2 % |\n\n"
    "That is 8 % above the mean of the last 50 days. The volume was "
)
HASH = """Compute it, and compare it with the one published:

```python
import hashlib

def sha256(path: str) -> str:
    \"\"\"The hash of a file, read piece by piece.\"\"\"
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
```

1. On **Linux**: `sha256sum FILE`
2. On a **Mac**: `shasum -a 256 FILE`

> A hash proves nothing if it comes from the same place as the file.
"""
MACHINE = {
    "gpt": "A state machine has one state at a time. A message moves it along a transition, and a table says which are allowed.",
    "gemini": "It is a model of behaviour:\n\n- states\n- events\n- transitions",
}
SVG = re.sub(r"@font-face \{\{.*?\}\}\s*", "", CONSOLE_SVG_FORMAT, flags=re.DOTALL)
"""Rich's, without fonts to be fetched from elsewhere."""
DARK = TerminalTheme(
    (22, 24, 29),
    (213, 216, 221),
    [
        *((92, 99, 112), (232, 106, 110), (140, 194, 101), (222, 184, 92)),
        *((100, 160, 235), (199, 125, 220), (86, 190, 200), (213, 216, 221)),
    ],
)
LIGHT = TerminalTheme(
    (252, 252, 250),
    (40, 44, 52),
    [
        *((40, 44, 52), (190, 40, 45), (50, 125, 35), (150, 105, 0)),
        *((30, 95, 190), (145, 45, 165), (0, 115, 130), (120, 125, 135)),
    ],
)


_numbers = itertools.count()


class _Screen:
    """A command in a window of its own tmux server."""

    def __init__(self, command: str, columns: int, rows: int) -> None:
        self._socket, self._columns = f"asst-picture-{os.getpid()}-{next(_numbers)}", columns
        self._tmux("-f", "/dev/null", "new-session", "-d", "-x", str(columns), "-y", str(rows), command)

    def type(self, text: str, *, key: str = "Enter") -> None:
        """Type a text, then a key."""
        self._tmux("send-keys", "-l", "--", text)
        self._tmux("send-keys", key)

    def until(self, so: Callable[[str], object]) -> None:
        """Wait until the text of the screen is so."""
        deadline = time.monotonic() + 30
        while not so(self._tmux("capture-pane", "-p")):
            if time.monotonic() > deadline:
                raise SystemExit(f"This never came:\n{self._tmux('capture-pane', '-p')}")
            time.sleep(0.05)

    def draw(self, name: str, title: str, theme: TerminalTheme = DARK) -> None:
        """Draw the screen into docs/NAME.svg."""
        lines = self._tmux("capture-pane", "-e", "-p").rstrip("\n").split("\n")
        with Path(os.devnull).open("w", encoding="utf-8") as nowhere:
            console = Console(
                record=True, width=self._columns, force_terminal=True, color_system="truecolor", file=nowhere
            )
            console.print(Text.from_ansi("\n".join(lines)), crop=False)
        svg = console.export_svg(title=title, theme=theme, code_format=SVG, unique_id=name)
        (ROOT / "docs" / f"{name}.svg").write_text(re.sub(r"[ \t]+\n", "\n", svg), encoding="utf-8")

    def end(self) -> None:
        """End it."""
        self._tmux("kill-server")

    def _tmux(self, *arguments: str) -> str:
        command = ["tmux", "-L", self._socket, *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def _brain(answers: Mapping[str, Sequence[Any]]) -> Callable[[Any], Sequence[Any]]:
    """Answer by a word of the last message; a tool's result has the answer `result`."""

    def think(request: Any) -> Sequence[Any]:
        last = str((request.get("input") or request.get("contents"))[-1])
        word = "result" if "function_call_output" in last else next((w for w in answers if w in last), "")
        return answers.get(word) or [Say("Fine.")]

    return think


def _prompt(text: str) -> bool:
    return any(line.rstrip() == "›" for line in text.splitlines())


def _settled(turns: int) -> Callable[[str], bool]:
    return lambda text: text.count("completed · ") >= turns and _prompt(text)


def main() -> None:
    """Draw all of them."""
    answers: dict[str, Sequence[Any]] = {
        "AAPL": [Say("I look it up.", phase="commentary"), Call("share_price", {"symbol": "AAPL"})],
        "result": [Say(APPLE, pace=0.01), Say("higher than usual, too, for the fourth day in a row. " * 9, pace=0.25)],
        "hash": [Say(HASH)],
        "state machine": [Say(MACHINE["gpt"], pace=0.01)],
    }
    others = {"state machine": [Say(MACHINE["gemini"], pace=0.01)]}
    with (
        tempfile.TemporaryDirectory() as folder,
        ResponsesServer(_brain(answers)) as gpt,
        GeminiServer(_brain(others)) as gemini,
    ):
        for kind in ("CONFIG", "DATA", "CACHE"):
            os.environ[f"ASST_{kind}_DIR"] = f"{folder}/{kind}"
        os.environ |= {"OPENAI_BASE_URL": gpt.base_url, "OPENAI_API_KEY": gpt.key, "PYTHONPATH": folder}
        os.environ |= {"GOOGLE_GEMINI_BASE_URL": gemini.url, "GEMINI_API_KEY": gemini.key}
        (Path(folder) / "shop.py").write_text(TOOLS)
        chat = _Screen("asst chat -p gpt -t shop:share_price", 80, 24)
        try:
            chat.until(_prompt)
            chat.type("What did AAPL close at?")
            chat.until(lambda text: "for the fourth day" in text and "Writing the answer" in text)
            chat.draw("chat", "asst chat: the states a turn passes through")
            chat.type("", key="C-c")
            chat.until(lambda text: "cancelled · " in text and _prompt(text))
            chat.type("/clear")
            chat.until(lambda text: "Starting fresh" in text and _prompt(text))
            chat.type("/model")
            chat.until(lambda text: "Esc back" in text)
            chat.draw("chat-models", "/model: prices, context, shutdown dates")
        finally:
            chat.end()
        both = _Screen("asst chat -p gpt", 112, 18)
        try:
            both.until(_prompt)
            both.type("What is a state machine?")
            both.until(_settled(1))
            both.type("/compare gemini")
            both.until(lambda text: "Continue with 1 or 2?" in text)
            both.draw("chat-compare", "/compare: the same question, two assistants")
        finally:
            both.end()
        day = _Screen("asst --theme light chat -p gpt", 80, 25)
        try:
            day.until(_prompt)
            day.type("How do I check a hash?")
            day.until(_settled(1))
            day.draw("chat-light", "asst chat, in a light terminal", LIGHT)
        finally:
            day.end()


if __name__ == "__main__":
    main()

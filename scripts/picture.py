"""Draw docs/chat.svg from a real session: python scripts/picture.py [JOURNAL]

Without a journal, hold the session first: the local model, with a template that lets it call tools, and a tool.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from rich.console import Console

from asstproxy.cli.render.detail import Detail
from asstproxy.cli.render.print_conversation import print_conversation
from asstproxy.cli.render.theme import THEME
from asstproxy.store.recovery import each_record

ROOT = Path(__file__).parent.parent
QUESTIONS = ("What is the capital of Italy?", "Should I buy or sell AAPL at 150?")


def hold_session() -> Path:
    """Ask the local model; the journal of the session."""
    folder = Path(tempfile.mkdtemp())
    env = {**os.environ, "ASST_CONFIG_DIR": str(folder), "ASST_DATA_DIR": str(folder)}
    template = str(ROOT / "examples" / "stock.jinja")
    subprocess.run(["asst", "setup", "local", "--yes", "--chat-template", template], env=env, check=True)
    for number, question in enumerate(QUESTIONS):
        more = ["-c"] if number else []
        tool = ["-t", str(ROOT / "examples" / "adviser.py")] if number else []
        subprocess.run(["asst", "ask", "--yes", *more, *tool, question], env=env, check=True, stdin=subprocess.DEVNULL)
    (journal,) = folder.glob("sessions/*/*.jsonl")
    return journal


def draw(journal: Path, picture: Path) -> None:
    """Print the session as the chat does, into an SVG of 80 columns."""
    with Path(os.devnull).open("w", encoding="utf-8") as nowhere:
        console = Console(
            record=True,
            width=80,
            force_terminal=True,
            color_system="truecolor",
            theme=THEME,
            file=nowhere,
            highlight=False,
        )
        print_conversation(list(each_record(journal)), console, Detail(states=True))
    console.save_svg(str(picture), title="asst chat")


if __name__ == "__main__":
    draw(Path(sys.argv[1]) if sys.argv[1:] else hold_session(), ROOT / "docs" / "chat.svg")

"""What is shown of an answer: nothing in it acts on the terminal, and how it was cut into pieces makes no difference."""

from __future__ import annotations

import io
import re

from rich.console import Console

from asstproxy.cli.render.markdown_stream import MarkdownStream
from asstproxy.text.safe_text import Cleaner, clean

from .pieces import pieces

SEEDS = [
    b"# Head\n\nA *word* and `code`, [a link](http://x.y).\n\n- one\n  - two\n\n1. a\n2. b\n\n> quote\n\n```py\nprint(1)\n```\n",
    b"| a | b |\n|---|:-:|\n| 1 | 2 |\n\n[x]: http://y\n\n[x] <b>html</b>\n***\n~~no~~\n\\\n",
    b"\x1b]52;c;aGk=\x07\x1b[2J\x1b[31mred\x1b[0m \xc2\x9b2J a\rb \xe2\x80\xae \x1bP+q\x1b\\ \xed\xa0\x80 \x08\x08\x7f\0",
]
FOUND: list[bytes] = []
_ACTS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def target(data: bytes) -> None:
    """The first byte says how it is cut."""
    text = data[1:].decode(errors="surrogateescape")
    cleaner, whole = Cleaner(), clean(text)
    cut = list(pieces(data, text))
    assert "".join(map(cleaner.feed, cut)) == whole
    assert not _ACTS.search(whole)
    console = Console(file=io.StringIO(), width=40, color_system=None, force_terminal=False)
    stream = MarkdownStream()
    for piece in cut:
        stream.feed(piece)
        for block in stream.take():
            console.print(block)
        assert len(stream.tail(24).rows(console, console.options)) <= 24
    for block in stream.finish():
        console.print(block)
    assert isinstance(console.file, io.StringIO)
    assert not _ACTS.search(console.file.getvalue())

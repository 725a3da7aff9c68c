"""Streamed Markdown looks, in the end, like Markdown that was printed at once."""

from __future__ import annotations

import io
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from rich.console import Console
from rich.live import Live
from rich.markdown import Markdown

from asstproxy.cli.render.markdown_stream import MarkdownStream

from .replies import REPLIES
from .screen import Terminal, printed


def chunks(text: str, size: int) -> Iterator[str]:
    return (text[at : at + size] for at in range(0, len(text), size))


def stream(pieces: Iterable[str], console: Console) -> None:
    """Print the finished blocks after every chunk, and draw the tail."""
    markdown = MarkdownStream()
    for piece in pieces:
        markdown.feed(piece)
        for block in markdown.take():
            console.print(block, crop=False)
        assert len(markdown.tail(24).rows(console, console.options)) <= 24
    for block in markdown.finish():
        console.print(block, crop=False)


def text_of(pieces: Iterable[str], columns: int = 80) -> str:
    console = printed(columns)
    stream(pieces, console)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def sent(pieces: Iterable[str]) -> str:
    terminal = Terminal()
    stream(pieces, terminal.console)
    return re.sub(r"\x1b]8;id=\d+;", "\x1b]8;id=1;", terminal.sent)  # Rich makes ids by chance


@pytest.mark.parametrize("size", [3, 17, 250])
@pytest.mark.parametrize("name", REPLIES)
def test_pieces_look_like_the_whole(name: str, size: int) -> None:
    """However the text is split, the output is that of one print, to the last colour."""
    assert sent(chunks(REPLIES[name], size)) == sent([REPLIES[name]])


@given(st.sampled_from(sorted(REPLIES)), st.data(), st.sampled_from([30, 80, 120]))
def test_any_pieces_look_like_the_whole(name: str, data: st.DataObject, columns: int) -> None:
    """Split anywhere, at any width."""
    text = REPLIES[name]
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=30)))
    pieces = [text[a:b] for a, b in zip([0, *cuts], [*cuts, len(text)], strict=True)]
    assert text_of(pieces, columns) == text_of([text], columns)


LINES = ["", "", "- a", "- ", "  b", "    c", "1. d", "2) e", "> f", "```", "~~~py", "# g", "---", "===", "a | b"]
LINES += [
    "-|-",
    "h",
    "| i | j |",
    "\ttab",
    "   - k",
    "[l]: /n",
    "[l]",
    "* * *",
    "+ ```",
    "  ```",
    "10. m",
    " 3. o",
    "   ",
]


@given(st.lists(st.sampled_from(LINES), max_size=14).map("\n".join), st.integers(1, 12))
def test_any_markdown_looks_like_the_whole(text: str, size: int) -> None:
    """Lines of Markdown syntax, in any order, split anywhere; the link is defined before."""
    text = f"[l]: /m\n{text}"
    assert text_of(chunks(text, size)) == text_of([text])


@pytest.mark.parametrize("name", ["words", "paragraphs", "bullets", "loose bullets", "quotes", "wide characters"])
def test_it_looks_like_rich(name: str) -> None:
    """Blocks whose style we did not change look as Rich draws them (but for trailing spaces)."""
    text = REPLIES[name].replace("# ", "").partition("\n|")[0].replace("      code of two", "  code of two")
    console = printed()
    oracle = Markdown("", hyperlinks=False)
    oracle.parsed = MarkdownIt().enable(["strikethrough", "table"]).disable(["html_block", "html_inline"]).parse(text)
    console.print(oracle)
    assert isinstance(console.file, io.StringIO)
    rows = [row.rstrip().replace("and code.", "and `code`.") for row in console.file.getvalue().strip("\n").split("\n")]
    assert text_of(chunks(text, 5)).strip("\n").split("\n") == rows


@pytest.mark.parametrize("name", REPLIES)
def test_a_terminal_shows_the_same(name: str) -> None:
    """With a tail that is repainted below, scrollback and screen end up as after one print."""
    once = Terminal(rows=20)
    stream([REPLIES[name]], once.console)
    terminal = Terminal(rows=20)
    markdown = MarkdownStream()
    with Live(console=terminal.console, auto_refresh=False, transient=True, vertical_overflow="crop") as live:
        for piece in chunks(REPLIES[name], 7):
            markdown.feed(piece)
            for block in markdown.take():
                terminal.console.print(block, crop=False)
            live.update(markdown.tail(18), refresh=True)
        live.update("")
        for block in markdown.finish():
            terminal.console.print(block, crop=False)
    assert terminal.rows == once.rows
    assert terminal.title == ""


def finished(text: str) -> str:
    """The rows that are printed for good, without waiting for more."""
    markdown, console = MarkdownStream(), printed()
    markdown.feed(text)
    for block in markdown.take():
        console.print(block, crop=False)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("one\n\ntwo\n", "one\n"),
        ("one\n\ntwo\n\nthr", "one\n"),
        ("1. a\n2. b\n3. c\n4", " 1. a\n 2. b\n"),
        ("- a\n- b", ""),
        ("```\n" + "x\n" * 15, ""),
        ("```\n" + "x\n" * 17, "code\n" + "x\n" * 16),
        ("# Title\n1", ""),
        ("# Title\n1. a\n", "Title\n"),
    ],
)
def test_what_is_printed_for_good(text: str, shown: str) -> None:
    """All but the last block; all but the last item of a list; 16 lines of a fence at a time; never half a line."""
    assert finished(text) == shown


def test_the_tail_is_the_end_of_the_rest() -> None:
    """It shows the last rows of the unfinished rest, half a line included, and no more rows than allowed."""
    markdown, console = MarkdownStream(), printed()
    markdown.feed("printed\n\n" + "  \n".join(f"line {n}" for n in range(100)))
    markdown.take()
    for height, rows in ((30, 24), (24, 24), (5, 5), (1, 1), (0, 0), (-3, 0)):
        shown = [
            "".join(segment.text for segment in row) for row in markdown.tail(height).rows(console, console.options)
        ]
        assert shown == [f"line {n}" for n in range(100 - rows, 100)]


@pytest.mark.parametrize(
    ("markdown", "shown"),
    [
        ("[bank](http://evil.org/x)", "bank (http://evil.org/x)"),
        ("[http://bank.org](http://evil.org)", "http://bank.org (http://evil.org)"),
        ("[**bank** `a`](http://evil.org)", "bank `a` (http://evil.org)"),
        ("<http://a.org/b>", "http://a.org/b"),
        ("<me@a.org>", "me@a.org"),
        ("![chart](http://evil.org/track.png)", "image: chart (http://evil.org/track.png)"),
        ("[![b](i.svg)](http://evil.org)", "image: b (i.svg) (http://evil.org)"),
        ("[x](javascript:alert(1))", "[x](javascript:alert(1))"),
        ("[x](/a&#x202e;b)", "x (/a%E2%80%AEb)"),
        (f"![x](data:image/png;base64,{'A' * 500})", "image: x (data:image/png;base64,AAAAAAAAAAAAAAAAAA…)"),
        ("a&#27;[2Jb&#x202e;c", "a�[2Jbc"),
        ("<b>x</b> <script>", "<b>x</b> <script>"),
    ],
)
def test_nothing_is_hidden(markdown: str, shown: str) -> None:
    """A link shows where it leads, HTML is text, and no entity smuggles a control character in."""
    assert text_of([markdown]) == f"{shown}\n"


@pytest.mark.parametrize("columns", [60, 80])
def test_a_table_that_is_too_wide_keeps_its_words_whole(columns: int) -> None:
    """Only an address is folded, because it is longer than any column could be; no row is wider than the screen."""
    table = (
        "| Library | What it is good for | Licence | First release | Notes |\n|---|---|:-:|--:|---|\n"
        "| requests | synchronous HTTP for people who want it simple | Apache-2.0 | 2011 | No HTTP/2, no async |\n"
        "| aiohttp | asynchronous client and server | Apache-2.0 | 2013 | https://docs.aiohttp.org/en/stable/client.html |\n"
    )
    shown = text_of([table], columns=columns)
    assert {word for word in re.findall(r"[\w./-]+", table.partition("https")[0]) if word.strip("-")} <= set(
        re.findall(r"[\w./-]+", shown)
    )
    assert max(map(len, shown.splitlines())) <= columns


def test_a_table_is_folded_and_not_cut() -> None:
    """At 40 columns every letter of a wide table is there."""
    words = ["Donaudampfschifffahrtsgesellschaft", "https://example.org/a/long/path", "incomprehensibilities", "x"]
    table = f"| {' | '.join('ABCD')} |\n|{'---|' * 4}\n| {' | '.join(words)} |\n"
    shown = text_of([table], columns=40)
    assert "…" not in shown
    assert max(map(len, shown.splitlines())) <= 40
    letters = Counter(c for c in shown if c.isalnum() or c in ":/.")
    assert letters == Counter("".join(["ABCD", *words]))


OSC = re.compile(r"\x1b\](.*?)(?:\x1b\\|\x07)")


@pytest.mark.parametrize("name", REPLIES)
def test_only_hyperlinks_are_sent(name: str) -> None:
    """The only OSC sequences are links to addresses of the web that stand on the screen, too."""
    written = sent([REPLIES[name]])
    for sequence in OSC.findall(written):
        number, _, address = sequence.removeprefix("8;id=").partition(";")
        assert sequence == "8;;" or (number.isdigit() and address.startswith(("http://", "https://", "mailto:")))


@pytest.mark.parametrize(
    ("markdown", "links"),
    [
        ("[bank](http://bank.org/x)", {"http://bank.org/x"}),
        ("<http://a.org/b>", {"http://a.org/b"}),
        ("![chart](http://a.org/c.png)", {"http://a.org/c.png"}),
        ("<me@a.org>", {"mailto:me@a.org"}),
        ("[x](/etc/passwd) [y](file:///etc/passwd) [z](#part)", set()),
        ("[x](http://a.org/&#27;]8;;b)", {"http://a.org/&#27;%5D8;;b"}),
    ],
)
def test_links_are_hyperlinks(markdown: str, links: set[str]) -> None:
    """OSC 8, on the text and on the address that stands behind it; other kinds of addresses are text."""
    found = {sequence.partition(";")[2].partition(";")[2] for sequence in OSC.findall(sent([markdown]))}
    assert found - {""} == links


CODE = """```python
def f():
\treturn "a line that is much longer than the forty columns of this terminal"

```"""


@pytest.mark.parametrize("around", [("", ""), ("- item\n\n  ", "\n- next"), ("> ", "\n\nafter")])
def test_code_copies_exactly(around: tuple[str, str]) -> None:
    """No indentation, no padding, no line folded by us, tabs as tabs, whatever the code stands in; its language above it."""
    before, after = around
    indent = "\n" + (before.rpartition("\n")[2] if before.startswith("-") else before)
    console = printed(40)
    stream([before, CODE.replace("\n", indent), after], console)
    assert isinstance(console.file, io.StringIO)
    lines = console.file.getvalue().split("\n")
    at = lines.index("def f():")
    assert lines[at + 1] == '\treturn "a line that is much longer than the forty columns of this terminal"'
    assert lines[at - 1].strip("▌ ") == "python"


def test_code_of_no_language_is_marked_too() -> None:
    """Without colours nothing else tells it from text; inline code keeps its backticks there, and only there."""
    assert text_of(["a `b`\n\n```\nc\n```"]) == "a `b`\n\ncode\nc\n"
    terminal = Terminal()
    stream(["a `b`\n\n```\nc\n```"], terminal.console)
    assert terminal.rows == ["a b", "", "code", "c"]


@pytest.mark.parametrize(
    "formula",
    [
        "$a_1 * b_2 * c$",
        r"\(a_1 \* b\)",
        "$$x^*_1 + y^*_2$$",
        "$$\na\n= b\n- c\n$$",
        "\\[\n\\frac{a}{b}\n\\]",
        r"\[ a_1 * b * c \]",
    ],
)
def test_math_is_left_alone(formula: str) -> None:
    """Nothing in a formula is Markdown, neither in a line nor between `$$`; its lines stay lines."""
    assert text_of([f"Before.\n\n{formula}\n\nAfter."]) == f"Before.\n\n{formula}\n\nAfter.\n"
    assert text_of(chunks(f"With\n{formula}\n\nAfter *b*.", 3)) in (
        f"With\n{formula}\n\nAfter b.\n",
        f"With {formula}\n\nAfter b.\n",
        f"With\n\n{formula}\n\nAfter b.\n",
    )


@pytest.mark.parametrize("text", ["It costs $5 and *not* $6.", "$HOME and $PATH", "a $ b"])
def test_money_is_not_math(text: str) -> None:
    """A dollar sign before a price or a name begins no formula."""
    assert text_of([text]) == text.replace("*", "") + "\n"


def test_task_lists() -> None:
    """What is done and what isn't, in the words of Markdown."""
    assert text_of(["- [x] done\n- [ ] open\n"]) == " • [x] done\n • [ ] open\n"


N = 10_000
BOMBS: dict[str, Callable[[], str]] = {
    "quotes": lambda: ">" * N + " deep",
    "spaced quotes": lambda: "> " * N + "deep",
    "lists": lambda: "- " * N + "deep",
    "numbers": lambda: "1. " * N + "deep",
    "stairs": lambda: "\n".join("  " * n + "- a" for n in range(300)) + "\n\ndeep",
    "brackets": lambda: "[" * N + "deep",
    "images": lambda: "![" * N + "deep",
    "stars": lambda: "*a **b " * N + "deep",
    "backticks": lambda: " ".join("`" * n for n in range(200)) + " deep",
    "word": lambda: "x" * 100_000 + "deep",
    "wide word": lambda: "漢" * 20_000 + "deep",
    "code line": lambda: "```python\n" + "(" * 100_000 + "deep",
    "table": lambda: "|a|b|\n|-|-|\n" + "|1|2|\n" * 4_000 + "|deep|\n",
    "wide table": lambda: "|a" * 256 + "|\n" + "|-" * 256 + "|\n" + "|deep\n" * 60,
    "definitions": lambda: "[a]: /b\n" * 4_000 + "deep",
    "empty lines": lambda: "\n" * 100_000 + "deep",
    "empty code lines": lambda: "```\n" + "\n" * 10_000 + "deep",
    "tabs": lambda: "a" + "\t" * 10_000 + "deep",
}


@pytest.mark.parametrize("columns", [8, 80])
@pytest.mark.parametrize("name", BOMBS)
def test_bombs_are_only_text(name: str, columns: int) -> None:
    """Markdown made to break a renderer is shown to its last word, without an error."""
    bomb = BOMBS[name]()
    shown = text_of(chunks(bomb, len(bomb) // 3 + 1), columns)
    assert "deep" in shown.replace("\n", "").replace(" ", "")


@pytest.mark.parametrize("unit", ["word " * 10, "a line of text\n", "- item\n", "| 1 | 2 |\n", "code\n", "> quote\n"])
def test_the_work_is_proportional_to_the_text(unit: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The parser reads a text of any shape only a few times in all, however many chunks it arrives in."""
    parsed = 0
    parse = MarkdownIt.parse

    def counting(self: MarkdownIt, src: str, env: object = None) -> object:
        nonlocal parsed
        parsed += len(src)
        return parse(self, src, env)  # type: ignore[arg-type]

    monkeypatch.setattr(MarkdownIt, "parse", counting)
    head = {"| 1": "| a | b |\n|---|---|\n", "cod": "```\n"}.get(unit[:3], "")
    text = head + unit * (60_000 // len(unit))
    markdown = MarkdownStream()
    for piece in chunks(text, 150):
        markdown.feed(piece)
        markdown.take()
    markdown.finish()
    assert parsed < 15 * len(text)

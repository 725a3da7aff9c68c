"""Code blocks: below their language, from the first column on, whatever they stand in, so that they copy exactly.

Within a list or a quote, Rich would indent the lines and cut them off. So it lays out a placeholder for each line, and `code_line`
finds the line again in the row that it made.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache, lru_cache
from typing import Any, Self, cast

from markdown_it.token import Token
from rich.console import Console, ConsoleOptions, RenderResult
from rich.markdown import CodeBlock, Markdown
from rich.segment import Segment
from rich.style import Style
from rich.syntax import ANSISyntaxTheme, Syntax
from rich.text import Text

from ..look import look
from .theme import is_plain, recoloured

__all__ = ["CODE", "CodeLines", "CodeLinesPage", "MathLines", "code_line"]

_LONG_LINE = 2_000
"""Code with a longer line is not highlighted: lexers use regular expressions, and some of them explode."""
_LINE = "asst.code"
"""In the meta of a placeholder's style: the number of the line."""

CODE = ANSISyntaxTheme(
    {
        # By Pygments' token types, which are tuples of names. Rich's ansi_dark has bright colours that fade on white,
        # its ansi_light a blue that fades on black.
        ("Comment",): Style(dim=True, italic=True),
        ("Comment", "Preproc"): Style(color="cyan"),
        ("Keyword",): Style(color="magenta"),
        ("Operator", "Word"): Style(color="magenta"),
        ("Name", "Builtin"): Style(color="cyan"),
        ("Name", "Class"): Style(bold=True),
        ("Name", "Decorator"): Style(color="cyan"),
        ("Name", "Exception"): Style(color="cyan"),
        ("Name", "Function"): Style(bold=True),
        ("Name", "Tag"): Style(color="magenta"),
        ("Literal", "String"): Style(color="green"),
        ("Literal", "Number"): Style(color="cyan"),
        ("Generic", "Deleted"): Style(color="red"),
        ("Generic", "Inserted"): Style(color="green"),
        ("Generic", "Heading"): Style(bold=True),
        ("Generic", "Subheading"): Style(bold=True),
    }
)
"""The colours of code: the terminal's own, as in `theme`."""


@cache
def _in_theme(name: str) -> ANSISyntaxTheme:
    return ANSISyntaxTheme({token: recoloured(style, name) for token, style in CODE.style_map.items()})


def code_line(row: list[Segment], lines: Sequence[list[Segment]]) -> list[Segment] | None:
    """The one of `lines` that a row has a placeholder of; None if it has none."""
    for segment in row:
        if segment.style is not None and (number := segment.style.meta.get(_LINE)) is not None:
            return lines[int(number)]
    return None


class CodeLinesPage(Markdown):
    """A page that collects its lines of code while it is laid out."""

    code_lines: list[list[Segment]]

    def add_line(self, line: list[Segment]) -> Segment:
        """Add a line; returns its placeholder."""
        self.code_lines.append(line)
        return Segment("x", Style(meta={_LINE: len(self.code_lines) - 1}))


class CodeLines(CodeBlock):
    """Code: no frame, no background. The language stands above it.

    For a piece, the token's meta has the code `before` it, and `open` if more code follows.
    """

    page: CodeLinesPage
    meta: dict[str, Any]

    @classmethod
    def create(cls, markdown: Markdown, token: Token) -> Self:
        """See `MarkdownElement`; Rich's signature."""
        code = cls((token.info or "").strip().partition(" ")[0], "")
        code.page, code.meta = cast("CodeLinesPage", markdown), token.meta
        return code

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        text = str(self.text)
        before, is_open = self.meta.get("before", ""), self.meta.get("open", False)
        code = before + (text[:-1] if is_open else text.rstrip())
        name = self.lexer_name
        if "before" not in self.meta:
            language = Text(name or "code", no_wrap=True, overflow="ellipsis")
            yield Text.assemble("code: ", language) if is_plain(console) else Text(language.plain, style="dim")
        lexer = _lexer(name if max(map(len, code.split("\n"))) <= _LONG_LINE else "")
        lines = Syntax(code, lexer, theme=_in_theme(look().theme)).highlight(code).split("\n", allow_blank=True)
        for line in lines[before.count("\n") :][: code.count("\n") + 1 - before.count("\n")]:
            yield self.page.add_line(list(line.render(console)))
            yield Segment.line()


class MathLines(CodeLines):
    r"""A formula between `$$` or `\[` and `\]`, as it was written."""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        for line in str(self.text).rstrip("\n").split("\n"):
            yield self.page.add_line([Segment(line)])
            yield Segment.line()


@lru_cache(maxsize=64)
def _lexer(name: str) -> Any:
    """The Pygments lexer of that name, cached: looking for an unknown name searches all installed packages.

    Not that of Rich, which turns tabs into spaces.
    """
    from pygments.lexers import get_lexer_by_name
    from pygments.lexers.special import TextLexer
    from pygments.util import ClassNotFound

    try:
        return get_lexer_by_name(name, stripnl=False, ensurenl=True)
    except ClassNotFound:
        return TextLexer(stripnl=False, ensurenl=True)

"""`asst ask -x`: one code block of the answer on stdout, and nothing else."""

from __future__ import annotations

from typing import Literal, TextIO

from asstproxy.core.codec import repair_surrogates
from asstproxy.core.events import AssistantMessageRetrieved, Record
from asstproxy.text.safe_text import clean

__all__ = ["CodeView", "code_block"]


class CodeView:
    """Writes the code of a complete answer. `code`: what it wrote; None if the answer has no code block.

    On a terminal, control characters are removed (`safe_text`), unless `raw`.
    """

    def __init__(self, stdout: TextIO, which: Literal["first", "last"], *, raw: bool = False) -> None:
        self.code: str | None = None
        self._stdout, self._which = stdout, which
        self._filtered = stdout.isatty() and not raw

    def __call__(self, record: Record) -> None:
        """Write the code, once the answer is complete.

        Raises:
            OSError: stdout can't be written.
        """
        if not isinstance(record.event, AssistantMessageRetrieved):
            return
        self.code = code_block(record.event.text, self._which)
        if self.code is not None:
            self._stdout.write(clean(self.code) if self._filtered else repair_surrogates(self.code))
            self._stdout.flush()


def code_block(markdown: str, which: Literal["first", "last"] = "first") -> str | None:
    """The content of a fenced code block, with a line feed at its end; None if there is none.

    As CommonMark has it: a block in a list loses its indentation, and one that isn't closed goes on to the end.
    """
    from markdown_it import MarkdownIt

    blocks = [token.content for token in MarkdownIt("commonmark").parse(markdown) if token.type == "fence"]
    return (blocks[0] if which == "first" else blocks[-1]) if blocks else None

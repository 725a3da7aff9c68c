"""Long pasted text, shown in the prompt as `[300 lines pasted, 14 kB]`. It is sent, edited and saved whole.

In the prompt's text a single character stands for it, so that every key that moves or deletes takes it as one thing.
"""

from __future__ import annotations

import re

from prompt_toolkit.formatted_text import StyleAndTextTuples
from prompt_toolkit.formatted_text.utils import fragment_list_to_text
from prompt_toolkit.layout.processors import Processor, Transformation, TransformationInput
from prompt_toolkit.layout.utils import explode_text_fragments

from ...core.attachment import readable_size

__all__ = ["FoldProcessor", "Folds"]

_LINES, _CHARACTERS = 4, 600
"""From so many lines or characters on, a pasted text is folded."""
_FIRST = 0x100000
"""The first character that stands for a fold: in a plane for private use that no font and no keyboard has."""
_MARK = re.compile("[\U00100000-\U0010ffff]")


class Folds:
    """The texts that are folded in the prompts of one chat."""

    def __init__(self) -> None:
        self._texts: list[str] = []

    def fold(self, text: str) -> str:
        """What the prompt shows for a pasted text: the text itself if it is short."""
        if text.count("\n") + 1 < _LINES and len(text) < _CHARACTERS:
            return text
        if text not in self._texts:
            self._texts.append(text)
        return chr(_FIRST + self._texts.index(text))

    def fold_known(self, text: str) -> str:
        """The text with everything that was folded once folded again, the longest first."""
        for known in sorted(self._texts, key=len, reverse=True):
            text = text.replace(known, self.fold(known))
        return text

    def expand(self, text: str) -> str:
        """The text with every fold opened."""
        return _MARK.sub(lambda found: self.content(found[0]) or found[0], text) if self._texts else text

    def content(self, character: str) -> str:
        """The text that this character stands for; empty if it stands for none."""
        number = ord(character) - _FIRST if character else -1
        return self._texts[number] if 0 <= number < len(self._texts) else ""

    def label(self, character: str) -> str:
        """How a fold is shown."""
        text = self.content(character)
        lines = text.strip("\n").count("\n") + 1
        what = f"{lines:,} lines" if lines > 1 else f"{len(text):,} characters"
        return f"[{what} pasted, {readable_size(len(text.encode('utf-8', 'replace')))}]"


class FoldProcessor(Processor):
    """Shows the label of a fold in place of its character."""

    def __init__(self, folds: Folds) -> None:
        self._folds = folds

    def apply_transformation(self, transformation_input: TransformationInput) -> Transformation:
        """A line of the prompt, with labels."""
        before = transformation_input.fragments
        if not _MARK.search(fragment_list_to_text(before)):
            return Transformation(before)
        shown: StyleAndTextTuples = []
        columns = [0]  # where each character of the line begins on the screen
        for style, character, *_ in explode_text_fragments(before):
            known = self._folds.content(character)
            text = self._folds.label(character) if known else character
            shown.append((f"{style} class:pasted" if known else style, text))
            columns.append(columns[-1] + len(text))

        def to_display(at: int) -> int:
            return columns[min(at, len(columns) - 1)] + max(at - len(columns) + 1, 0)

        def to_source(at: int) -> int:
            inside = [number for number, column in enumerate(columns) if column <= at]
            return inside[-1] + max(at - columns[-1], 0)

        return Transformation(shown, to_display, to_source)

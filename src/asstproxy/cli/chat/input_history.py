"""What was sent before, for Up and Ctrl-R: in a file of the user, with pasted texts whole."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable

from prompt_toolkit.history import FileHistory, History, InMemoryHistory

from ...config.paths import create_private, data_dir, private_dir
from .pasted_text import Folds

__all__ = ["input_history"]


def input_history(folds: Folds, *, save: bool) -> History:
    """The history of the prompt; with `save`, it outlives the chat."""
    if not save:
        return InMemoryHistory()
    return _SavedHistory(str(create_private(private_dir(data_dir()) / "chat-history")), folds)


class _SavedHistory(FileHistory):
    """In this chat a pasted text stays folded; the file has it whole."""

    def __init__(self, file: str, folds: Folds) -> None:
        super().__init__(file)
        self._folds = folds

    def load_history_strings(self) -> Iterable[str]:
        """The strings, the newest first; one that occurs more than once only where it is newest. None if it can't be read."""
        with contextlib.suppress(OSError):
            return dict.fromkeys(super().load_history_strings())
        return ()

    def store_string(self, string: str) -> None:
        """Append it to the file. Where that fails (a full disk), this chat remembers it all the same, and the session says why."""
        with contextlib.suppress(OSError):
            super().store_string(self._folds.expand(string))

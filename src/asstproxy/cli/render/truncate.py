"""Text cut to a number of columns."""

from __future__ import annotations

__all__ = ["pad", "truncate"]


def truncate(text: str, columns: int, end: str = "") -> str:
    """The text in at most so many columns. A cut is shown as `…`, followed by `end` (a closing bracket)."""
    from rich.cells import cell_len, set_cell_size  # late: a list that goes into a pipe is not cut

    if cell_len(text) <= columns:
        return text
    if columns <= len(end):
        return ""
    return set_cell_size(text, columns - 1 - len(end)).rstrip() + "…" + end


def pad(text: str, columns: int) -> str:
    """The text, followed by spaces up to so many columns."""
    from rich.cells import cell_len

    return text + " " * max(columns - cell_len(text), 0)

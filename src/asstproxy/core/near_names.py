"""Names that were probably meant."""

from __future__ import annotations

from collections.abc import Iterable

__all__ = ["did_you_mean", "near_names"]


def near_names(typed: str, names: Iterable[str]) -> list[str]:
    """The names that are one slip away (two in a long word): a letter wrong, missing, too many, or two swapped. Nearest first."""
    slips = 1 if len(typed) < 6 else 2
    found = sorted((_distance(typed.lower(), name), name) for name in names if abs(len(name) - len(typed)) <= slips)
    return [name for distance, name in found if distance <= slips]


def did_you_mean(typed: str, names: Iterable[str]) -> str:
    """A question that names the nearest of these names; empty if none is near."""
    near = near_names(typed, names)
    return f'Did you mean "{near[0]}"?' if near else ""


def _distance(a: str, b: str) -> int:
    """How many slips turn one word into the other (optimal string alignment)."""
    before, row = [0] * (len(b) + 1), list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        last, before, row = before, row, [i]
        for j, y in enumerate(b, 1):
            row.append(min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (x != y)))
            if i > 1 and j > 1 and x == b[j - 2] and a[i - 2] == y:
                row[j] = min(row[j], last[j - 2] + 1)
    return row[-1]

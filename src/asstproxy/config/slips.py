"""Slips in the names of keys that a person wrote: a warning, because a key that nobody reads has no effect and no error.

A key that is near no other is left alone: a newer asst, or a provider of another package, may know it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from pathlib import Path

from ..core.near_names import did_you_mean
from ..core.warnings import warn_once
from .toml import line_of

__all__ = ["warn_of_slips"]


def warn_of_slips(
    path: Path,
    table: tuple[str, ...],
    unknown: Iterable[str],
    known: Collection[str],
    settings: Collection[str] = (),
    *,
    effect: str = "has no effect",
) -> None:
    """Warn of each of the `unknown` keys in this table of the file that is near a `known` one, or belongs into `settings`."""
    for key in unknown:
        if key in settings:
            hint = f"Write it into settings: settings = {{ {key} = … }}"
        elif not (hint := did_you_mean(key, known)):
            continue
        line = line_of(path, (*table, key))
        warn_once(f'{path}{f", line {line}" if line else ""}: the key "{key}" {effect}. {hint}')

"""`asst usage`: its options and help."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

__all__ = ["usage"]


class Column(StrEnum):
    """By what turns are added up."""

    MODEL = "model"
    DAY = "day"
    PROFILE = "profile"
    SESSION = "session"


def usage(
    by: Annotated[Column, typer.Option("--by", help="Add up by this.")] = Column.MODEL,
    since: Annotated[str, typer.Option("--since", help="Only turns since then: 30d, 12h or 2026-11-01.")] = "",
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show turns, tokens and cost of all sessions. The cost is an estimate, at the prices of each request's date."""
    from ..usage_table import print_usage

    print_usage(by.value, since, as_json=json)

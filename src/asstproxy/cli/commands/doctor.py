"""`asst doctor`: its options and help."""

from __future__ import annotations

from typing import Annotated

import typer

__all__ = ["doctor"]


def doctor(
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Print every line, for a bug report.")] = False,
    offline: Annotated[bool, typer.Option("--offline", help="Contact no server.")] = False,
) -> None:
    """Check what is installed, set up and reachable. Prints no secret: safe to paste into a bug report."""
    from ..doctor.report import doctor

    raise typer.Exit(doctor(as_json=json, offline=offline, verbose=verbose))

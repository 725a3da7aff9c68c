"""`asst script`: its options and help."""

from __future__ import annotations

import typer

__all__ = ["script"]


def script() -> None:
    """Print the interaction script as a Mermaid diagram."""
    from ...core.script import mermaid

    typer.echo(mermaid())

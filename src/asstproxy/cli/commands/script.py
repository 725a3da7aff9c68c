"""`asst script`: its options and help."""

from __future__ import annotations

import sys

__all__ = ["script"]


def script() -> None:
    """Print the interaction script as a Mermaid diagram."""
    from ...core.script import mermaid

    sys.stdout.write(mermaid() + "\n")

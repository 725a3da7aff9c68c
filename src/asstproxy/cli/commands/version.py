"""`asst version`: its help."""

from __future__ import annotations

import sys

__all__ = ["version"]


def version() -> None:
    """Print the version."""
    from ..._version import __version__

    sys.stdout.write(f"asst {__version__}\n")

"""The command `asst`. Its version is told before anything else is imported."""

from __future__ import annotations

import sys


def main() -> None:
    """Run `asst` and exit with its code."""
    if sys.argv[1:] in (["--version"], ["-V"]):
        from ._version import __version__

        sys.stdout.write(f"asst {__version__}\n")
        return
    from .cli.run import run

    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()

"""The command `asst`. Its version is printed before anything else is imported."""

from __future__ import annotations

import os
import sys


def main() -> None:
    """Run `asst` and exit with its code."""
    if sys.argv[1:] in (["--version"], ["-V"]) and _print_version():
        return
    import gc

    # Starting creates tens of thousands of objects that stay; to look for garbage among them takes 20 ms.
    gc.set_threshold(100_000)
    from .cli.main import run
    from .cli.standard_streams import open_streams

    open_streams()
    code = run(sys.argv[1:])
    gc.freeze()  # Python collects once more when it exits, which takes 50 ms
    sys.exit(code)


def _print_version() -> bool:
    """Print the version before anything else is imported; False if it can't be written: the full start then reports why."""
    from ._version import __version__

    try:
        os.write(1, f"asst {__version__}\n".encode())
    except OSError:
        return False
    return True


if __name__ == "__main__":
    # `python -m` looks into the current folder first, even if somebody else can write there. What runs before this line has
    # been found already. `asst` and `python -P -m asstproxy` never look there.
    try:
        here = os.getcwd()  # noqa: PTH109 - it would be that folder's pathlib
    except FileNotFoundError:  # it was deleted
        here = ""
    if not sys.flags.safe_path and sys.path[:1] == [here]:
        del sys.path[0]
    main()

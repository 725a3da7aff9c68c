"""The command `asst`."""

from __future__ import annotations

import os
import sys


def main() -> None:
    """Run `asst` and exit with its code."""
    import gc

    # Starting creates tens of thousands of objects that stay; to look for garbage among them takes 20 ms.
    gc.set_threshold(100_000)
    from .cli.main import run
    from .cli.standard_streams import open_streams

    open_streams()
    code = run(sys.argv[1:])
    gc.freeze()  # Python collects once more when it exits, which takes 50 ms
    sys.exit(code)


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

"""The command `asst`. `--version` is answered before anything else is imported."""

from __future__ import annotations

import os
import sys


def main() -> None:
    """Run `asst` and exit with its code."""
    if sys.argv[1:] in (["--version"], ["-V"]):
        from ._version import __version__

        sys.stdout.write(f"asst {__version__}\n")
        return
    import gc

    # Starting creates tens of thousands of objects that stay; to look for garbage among them takes 20 ms.
    gc.set_threshold(100_000)
    from .cli.main import run

    code = run(sys.argv[1:])
    gc.freeze()  # Python collects once more when it exits, which takes 50 ms
    sys.exit(code)


if __name__ == "__main__":
    # `python -m` looks into the current folder first, even if somebody else can write there. What runs before this line has
    # been found already. `asst` and `python -P -m asstproxy` never look there.
    if not sys.flags.safe_path and sys.path[:1] == [os.getcwd()]:  # noqa: PTH109 - it would be that folder's pathlib
        del sys.path[0]
    main()

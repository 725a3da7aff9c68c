"""The command `asst`. Its version is told before anything else is imported."""

from __future__ import annotations

import sys


def main() -> None:
    """Run `asst` and exit with its code."""
    if sys.argv[1:] in (["--version"], ["-V"]):
        from ._version import __version__

        sys.stdout.write(f"asst {__version__}\n")
        return
    import gc

    # A start makes tens of thousands of things that stay; to look for garbage among them takes 20 ms.
    gc.set_threshold(100_000)
    from .cli.run import run

    code = run(sys.argv[1:])
    gc.freeze()  # Python looks once more before it ends, which takes 50 ms
    sys.exit(code)


if __name__ == "__main__":
    main()

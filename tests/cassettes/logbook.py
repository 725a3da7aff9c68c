"""cassettes/README.md: which server, version and date each cassette came from. The cassettes say so themselves."""

from __future__ import annotations

from .scenarios import FOLDER
from .tape import metadata, read

__all__ = ["README", "table", "write_down"]

README = FOLDER / "README.md"
MARK = "<!-- recorded: written by scripts/record_cassettes.py -->\n"


def table() -> str:
    """The table, from the cassettes that are there."""
    rows = ["| cassette | server | version | date | requests |", "|---|---|---|---|---|"]
    for file in sorted(FOLDER.glob("*.yaml")):
        about = metadata(file)
        values = (f"`{file.stem}`", about["server"], about["version"], about["date"], str(len(read(file))))
        rows.append(f"| {' | '.join(values)} |")
    return "\n".join(rows) + "\n"


def write_down() -> None:
    """Bring the table in the README up to date."""
    text = README.read_text(encoding="utf-8").partition(MARK)[0]
    README.write_text(f"{text}{MARK}{table()}", encoding="utf-8")

"""What `asst ask` prints, and where."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ..core.errors import UsageError

__all__ = ["Output"]


@dataclass(frozen=True, slots=True)
class Output:
    """What to print."""

    json: bool = False
    events: bool = False
    raw: bool = False
    quiet: bool = False
    file: Path | None = None
    """Where the answer is saved once it is complete."""
    extract: Literal["first", "last"] | None = None
    """The code block that is printed instead of the answer."""
    cost: bool = False
    schema: bool = False
    """Whether the answer is JSON that fits a schema of the command line."""

    def __post_init__(self) -> None:
        if self.json and self.events:
            raise UsageError("--json and --events can't be combined.", "Give one of them.")
        if self.extract and (self.json or self.events):
            raise UsageError("-x prints code, so --json and --events can't be combined with it.")
        if self.extract and self.schema:
            raise UsageError("-x prints code, and with --schema the answer is JSON.", "Give one of them.")

    @property
    def is_drawn(self) -> bool:
        """Whether the exchange is drawn in the terminal, states and all."""
        return sys.stdout.isatty() and not (self.json or self.events or self.quiet or self.raw or self.extract)

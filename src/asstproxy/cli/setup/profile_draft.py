"""What setup was told, and the profile that is to come of it."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from typing import Any

from ...config.profiles import Config, Profile

__all__ = ["Answers", "Draft"]


@dataclass(frozen=True, slots=True)
class Answers:
    """What was said on the command line; `own` are the provider's own keys, None takes one out."""

    name: str = ""
    model: str = ""
    system: str | None = None
    preset: str = ""
    tools: tuple[str, ...] | None = None
    base_url: str = ""
    api_key_env: str = ""
    key_stdin: bool = False
    keyring: bool = False
    default: bool = False
    check: bool = True
    yes: bool = False
    conversation: bool = False
    managed: str | None = None
    """The managed prompt that is to be loaded; with an empty string one is to be stored."""
    own: dict[str, Any] = field(default_factory=dict)

    @property
    def asking(self) -> bool:
        """Whether there is a person who may be asked."""
        return sys.stdin.isatty() and sys.stderr.isatty() and not self.yes


@dataclass(slots=True)
class Draft:
    """A profile in the making: `table` as it stands in the file, `values` what changes (None takes a key out)."""

    config: Config
    name: str
    table: dict[str, Any]
    values: dict[str, Any]

    @property
    def profile(self) -> Profile:
        """As it would be if it were written now."""
        merged = {**self.table, **self.values}
        tables = {**self.config.tables, self.name: {k: v for k, v in merged.items() if v is not None}}
        return Config(self.config.default, tables).profile(self.name)

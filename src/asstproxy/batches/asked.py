"""Who is asked and how, for all items of a batch: a later run must ask as the first one did, or its results don't compare."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from ..core.events import Configured
from .item import fingerprint

__all__ = ["Asked", "asked_of"]


class Asked(msgspec.Struct, frozen=True):
    """What all items have in common. `instructions` and `schema` are fingerprints of them (hexadecimal), or empty."""

    profile: str = ""
    model: str = ""
    instructions: str = ""
    settings: dict[str, Any] = {}
    tools: tuple[str, ...] = ()
    schema: str = ""

    def without(self, later: Asked, *, allowed: bool = False) -> str:
        """What was here and isn't in `later`, in words; empty if they agree. `allowed`: only the schema must be the same."""
        if self.schema != later.schema:
            return "another schema"
        if allowed or self == later:
            return ""
        for name in ("profile", "model"):
            if (before := getattr(self, name)) != (now := getattr(later, name)):
                return f"the {name} {before}, not {now}" if before and now else f"another {name}"
        if self.instructions != later.instructions:
            return "other instructions"
        if self.tools != later.tools:
            return f"the tools {', '.join(self.tools)}" if self.tools else "no tools"
        return _settings(self.settings, later.settings)


def _settings(before: Mapping[str, Any], now: Mapping[str, Any]) -> str:
    name = next(key for key in sorted({*before, *now}) if before.get(key) != now.get(key))
    if name not in before:
        return f"no {name}"
    value = msgspec.json.encode(before[name]).decode()
    return f"{name}={value}" + (f", not {msgspec.json.encode(now[name]).decode()}" if name in now else "")


def asked_of(configured: Configured, tools: Iterable[str] = (), schema: bytes = b"") -> Asked:
    """What all items have in common, from who answers, the names of the tools and the text of the schema."""
    return Asked(
        configured.profile,
        configured.model,
        _hex(configured.instructions.encode()),
        dict(configured.settings),
        tuple(sorted(tools)),
        _hex(schema),
    )


def _hex(text: bytes) -> str:
    return f"{fingerprint(text):016x}" if text else ""

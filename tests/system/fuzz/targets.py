"""Every target by its name."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from . import codec, html, journal, llm_logs, settings, streams, transcript, view

__all__ = ["TARGETS", "Target"]

MODULES = (codec, journal, transcript, llm_logs, settings, html, view)
STREAMS: dict[str, list[bytes]] = {"responses": [], "generate": [], "interactions": []}
"""What was found once, by the API."""


@dataclass(frozen=True)
class Target:
    """What is called with data, data that is right, and data that was a finding."""

    call: Callable[[bytes], None]
    seeds: Sequence[bytes]
    found: Sequence[bytes] = field(default_factory=list)


TARGETS = {
    module.__name__.rpartition(".")[2]: Target(module.target, module.SEEDS, module.FOUND) for module in MODULES
} | {name: Target(streams.target_of(name), streams.seeds(name), found) for name, found in STREAMS.items()}

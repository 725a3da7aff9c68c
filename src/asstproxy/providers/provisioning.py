"""What a provider may keep at its server for a profile: created by `asst setup`, and deleted by it."""

from __future__ import annotations

from typing import Any, NamedTuple

__all__ = ["Provisioned"]


class Provisioned(NamedTuple):
    """What `provision(profile, tools)` of a provider's module gives: keys for the profile, and what was done, in words."""

    keys: dict[str, Any]
    message: str

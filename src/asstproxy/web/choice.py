"""Who answers, as the page says it."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["Choice"]


class Choice(NamedTuple):
    """A profile, and a model if not the profile's. Empty: as before in the session."""

    profile: str = ""
    model: str = ""

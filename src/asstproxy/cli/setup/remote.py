"""What a provider keeps at its server for a profile: created before the profile is saved, and deleted with it.

The provider's `INFO.remote` is the key of the profile that names it; its module has `provision` and `withdraw`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from ...config.profiles import Profile
from ...core.errors import AssistantError, AsstError, NotSetUpError, UsageError
from ...providers.registry import provider_info, provider_module
from ..hints import hint_for
from .profile_draft import ProfileDraft
from .prompts import say, wait_for

__all__ = ["provisioned", "remote_id", "withdraw"]


@contextmanager
def provisioned(draft: ProfileDraft) -> Iterator[None]:
    """Create or update it, with the profile's tools; delete what was created if the profile is not saved after all.

    Raises:
        NotSetUpError: the provider refuses.
    """
    if not draft.info.remote:
        yield
        return
    from ...tools.loading import find_tools

    profile, module = draft.profile, provider_module(draft.profile)
    tools = [tool.spec for tool in find_tools(profile.tools)]
    try:
        made = wait_for(lambda: module.provision(profile, tools))
    except AssistantError as error:
        raise NotSetUpError(str(error), hint_for(error)) from None
    say(made.message)
    created = any(draft.merged.get(key) != value for key, value in made.keys.items())
    draft.changes |= made.keys
    try:
        yield
    except BaseException:
        if created:
            with suppress(AsstError, SystemExit):
                say(wait_for(lambda: module.withdraw(draft.profile)))
        raise


def remote_id(profile: Profile) -> str:
    """What the profile says of that which is at its server; empty if there is nothing."""
    return str(profile.options.get(provider_info(profile.provider).remote) or "")


def withdraw(profile: Profile) -> None:
    """Delete it.

    Raises:
        UsageError: this profile has nothing at its server.
        NotSetUpError: the provider refuses.
    """
    if not remote_id(profile):
        raise UsageError(f"The profile {profile.name} has nothing at its server.", "Leave out --remote.")
    module: Any = provider_module(profile)
    try:
        say(wait_for(lambda: module.withdraw(profile)))
    except AssistantError as error:
        if error.kind != "not_found":
            raise NotSetUpError(str(error), hint_for(error)) from None
        say(f"The server no longer has {remote_id(profile)}.")

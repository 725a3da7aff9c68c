"""What is special about `asst setup` for a server that speaks Chat Completions: its address, and whether it really does."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from ...core.errors import AssistantError, NotSetUpError
from ...providers.protocols import Found
from ...providers.registry import address
from ...providers.transport import Transport
from .models import refused
from .profile_draft import ProfileDraft
from .prompts import say, wait_for
from .steps import SetupSteps

__all__ = ["ServerSteps", "find_out"]


@dataclass(frozen=True)
class ServerSteps(SetupSteps):
    """See `SetupSteps`; for `chat-completions` and for every vendor that speaks it."""

    def prepare(self, draft: ProfileDraft) -> None:
        """See that the address is complete. Azure's name for a model is that of the deployment."""
        if deployment := draft.changes.get("deployment"):
            draft.changes.setdefault("model", deployment)
        if draft.info.places:
            address(draft.profile)

    def adapt(self, draft: ProfileDraft) -> None:
        """Correct the address, with or without `/v1`."""
        if not draft.changes.get("base_url") or (found := find_out(draft)) is None:
            return
        if not found.chat:
            raise NotSetUpError(
                f"{found.base_url} speaks the Responses API, and not Chat Completions.",
                f"Run: asst setup local --base-url {found.base_url}",
            )
        draft.changes["base_url"] = found.base_url


def find_out(draft: ProfileDraft) -> Found | None:
    """Ask the server of a profile what it speaks, and where, and say so; None if that can't be found out.

    Raises:
        NotSetUpError: it does not accept the key.
    """
    from ...providers.connection import ServerOptions, http_transport
    from ...providers.protocols import find_protocol

    profile = draft.profile
    given = str(profile.options["base_url"])

    def transport(where: str) -> Transport:
        there = msgspec.structs.replace(profile, options=profile.options | {"base_url": where})
        return http_transport(there, msgspec.structs.replace(there.read(ServerOptions), silence=10.0), draft.info)

    try:
        found = wait_for(lambda: find_protocol(given, transport))
    except AssistantError as error:
        raise refused(error, draft) from None
    if found is not None:
        spoken = {"Chat Completions": found.chat, "the Responses API": found.responses}
        say(f"Found: {' and '.join(name for name, there in spoken.items() if there)} at {found.base_url}.")
    return found

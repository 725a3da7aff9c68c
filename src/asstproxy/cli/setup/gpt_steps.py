"""What is special about `asst setup gpt`: a Conversation at OpenAI, in which every session of the profile begins."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Annotated

import typer

from ...core.errors import AssistantError, AsstError, NotSetUpError
from ..hints import hint_for
from .profile_draft import ProfileDraft
from .prompts import say, wait_for
from .steps import SetupSteps

__all__ = ["GptSteps"]


@dataclass(frozen=True)
class GptSteps(SetupSteps):
    """See `SetupSteps`."""

    conversation: Annotated[
        bool, typer.Option("--conversation", help="Create a Conversation at OpenAI, in which every session begins.")
    ] = False

    @contextmanager
    def provision(self, draft: ProfileDraft) -> Iterator[None]:
        """Create the Conversation, if one was asked for; delete it if the profile is not saved."""
        if not self.conversation:
            yield
            return
        from ...providers.openai.gpt import forget_conversation, new_conversation

        profile = draft.profile
        say("Creating a Conversation at OpenAI …")
        try:
            number = wait_for(lambda: new_conversation(profile))
        except AssistantError as error:
            raise NotSetUpError(f"Can't create the Conversation: {error}", hint_for(error)) from None
        if draft.saved.get("conversation"):
            say(f"The previous Conversation, {draft.saved['conversation']}, stays at OpenAI.")
        draft.changes |= {"history": "server", "conversation": number}
        try:
            yield
        except BaseException:
            with suppress(AsstError, SystemExit):
                wait_for(lambda: forget_conversation(profile, number))
            raise

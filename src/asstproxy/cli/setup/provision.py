"""What is made at a provider for a profile: a Conversation at OpenAI, a managed prompt at Google."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress

from ...core.errors import AssistantError, AsstError, NotSetUpError
from ..hints import hint_for
from .profile_draft import Answers, Draft
from .prompts import say, wait_for

__all__ = ["provisioned"]


@contextmanager
def provisioned(making: Draft, answers: Answers) -> Iterator[None]:
    """Make what was asked for, and unmake it if the profile is then not written.

    Raises:
        NotSetUpError: the provider refuses; nothing was changed.
    """
    if answers.managed == "":
        from .managed import store_managed

        store_managed(making)
    if not answers.conversation:
        yield
        return
    from ...providers.openai.gpt import forget_conversation, new_conversation

    profile = making.profile
    say("Making a Conversation at OpenAI …")
    try:
        number = wait_for(lambda: new_conversation(profile))
    except AssistantError as error:
        raise NotSetUpError(f"The Conversation cannot be made: {error}", hint_for(error)) from None
    if making.table.get("conversation"):
        say(f"The Conversation used so far, {making.table['conversation']}, stays at OpenAI.")
    making.values |= {"history": "server", "conversation": number}
    try:
        yield
    except BaseException:
        with suppress(AsstError, SystemExit):
            wait_for(lambda: forget_conversation(profile, number))
        raise

"""What is special about one provider in `asst setup`. Most providers need none of it: `ProviderInfo` says enough.

A vendor's module (gpt_steps, gemini_steps, local_steps) has a subclass of `SetupSteps`. Its fields are further options of
`asst setup NAME`; its methods are stages of the wizard.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, ClassVar, cast

from ...config.vendors import VENDORS
from ...core.errors import AsstError

if TYPE_CHECKING:
    from ...config.profiles import Profile
    from .profile_draft import ProfileDraft

__all__ = ["SetupSteps", "steps_of"]

_CLASSES = {
    "gpt": "gpt_steps:GptSteps",
    "gemini": "gemini_steps:GeminiSteps",
    "local": "local_steps:LocalSteps",
    "chat-completions": "server_steps:ServerSteps",
}


@dataclass(frozen=True)
class SetupSteps:
    """The steps of a provider that needs none of its own."""

    option_help: ClassVar[Mapping[str, str]] = {}
    """Better help for options that every provider has: the option's field, its help."""

    def prepare(self, draft: ProfileDraft) -> None:
        """Complete the draft before the key is looked for and the provider is asked.

        Raises:
            UsageError: the options exclude each other.
            NotSetUpError: something that the profile needs is missing.
        """

    def adapt(self, draft: ProfileDraft) -> None:
        """Ask the server what the profile must say of it, once the key is known. Not called with `--no-check`.

        Raises:
            NotSetUpError: the server isn't one for this provider.
        """

    def provision(self, draft: ProfileDraft) -> AbstractContextManager[None]:  # noqa: ARG002 - part of the interface
        """Create at the provider what the profile refers to; leaving the context with an error deletes it again.

        Raises:
            NotSetUpError: the provider refuses.
        """
        return nullcontext()

    @staticmethod
    def problem(profile: Profile) -> AsstError | None:  # noqa: ARG004 - part of the interface
        """What keeps the profile from working, as far as this machine shows; `asst doctor` prints it."""
        return None


def steps_of(provider: str) -> type[SetupSteps]:
    """The steps of a provider."""
    protocol = VENDORS[provider].protocol if provider in VENDORS else ""
    found = _CLASSES.get(provider) or (protocol == "chat-completions" and _CLASSES[protocol])
    if not found:
        return SetupSteps
    module, _, name = found.partition(":")
    return cast("type[SetupSteps]", getattr(import_module(f".{module}", __package__), name))

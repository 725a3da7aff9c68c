"""Managed prompts of Google's Agent Platform: model, instructions and tools of an assistant, stored with versions.

They are only storage: nothing runs "by prompt id", so a loaded prompt's parts are sent with each request. The SDK
(`agentplatform`, extra `vertex`) does it: it makes six requests and waits for two of Google's operations.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import msgspec

from ...config.profiles import Profile
from ...core.errors import AssistantError, NotSetUpError
from ...core.turn import ToolSpec
from ..transport.failures import refusal
from .endpoint import GeminiOptions
from .failures import LOGIN

__all__ = ["TIMEOUT", "ManagedPrompt", "load_prompt", "prompt_location", "store_prompt"]

TIMEOUT = 90
"""Seconds for each of Google's operations."""
REGION = "us-central1"
T = TypeVar("T")


class ManagedPrompt(msgspec.Struct, frozen=True):
    """A stored prompt. `functions` are the names of the functions that the assistant may call."""

    prompt: str
    version: str = ""
    model: str = ""
    instructions: str = ""
    functions: tuple[str, ...] = ()


def prompt_location(profile: Profile) -> str:
    """The location of this profile's prompts: a region, since prompts are never global."""
    options = profile.read(GeminiOptions)
    location = options.location or os.environ.get("GOOGLE_CLOUD_LOCATION") or "global"
    return REGION if location == "global" else location


def store_prompt(profile: Profile, model: str, tools: Sequence[ToolSpec], prompt: str = "") -> ManagedPrompt:
    """Store the profile's model, instructions and tools: a new prompt, or a new version of this one. Takes ten seconds.

    Raises:
        NotSetUpError: the SDK is not installed.
        AssistantError: Google can't be reached, or refuses.
    """
    declarations = [
        {"name": tool.name, "description": tool.description, "parameters_json_schema": tool.parameters}
        for tool in tools
    ]
    data: dict[str, Any] = {"model": model, "contents": [{"role": "user", "parts": [{"text": "{input}"}]}]}
    if profile.instructions:
        data["system_instruction"] = {"parts": [{"text": profile.instructions}]}
    if declarations:
        data["tools"] = [{"function_declarations": declarations}]
    config = {"prompt_display_name": f"asst {profile.name}", "timeout": TIMEOUT}

    def work(prompts: Any) -> Any:
        if prompt:
            return prompts.update(prompt_id=prompt, prompt={"prompt_data": data}, config=config)
        return prompts.create_version(prompt={"prompt_data": data}, config=config)

    return _read(_with(profile, work))


def load_prompt(profile: Profile, prompt: str) -> ManagedPrompt:
    """The latest version of a managed prompt.

    Raises:
        NotSetUpError: the SDK is not installed.
        AssistantError: the prompt does not exist, or Google can't be reached or refuses.
    """
    return _read(_with(profile, lambda prompts: prompts.get(prompt_id=prompt)))


def _read(stored: Any) -> ManagedPrompt:
    data = stored.prompt_data
    parts = getattr(getattr(data, "system_instruction", None), "parts", None) or []
    declared = [one for tool in getattr(data, "tools", None) or [] for one in tool.function_declarations or []]
    return ManagedPrompt(
        prompt=str(stored.prompt_id or ""),
        version=str(stored.version_id or ""),
        model=str(getattr(data, "model", None) or "").rpartition("/")[2],
        instructions="\n".join(str(part.text) for part in parts if part.text),
        functions=tuple(str(one.name) for one in declared),
    )


def _with(profile: Profile, work: Callable[[Any], T]) -> T:
    options = profile.read(GeminiOptions)
    try:
        import agentplatform  # type: ignore[import-not-found,unused-ignore]
    except ImportError:
        raise NotSetUpError("Managed prompts need Google's SDK.", "Run: pip install 'asstproxy[vertex]'") from None
    base = options.base_url or os.environ.get("GOOGLE_VERTEX_BASE_URL") or ""
    project = options.project or os.environ.get("GOOGLE_CLOUD_PROJECT") or None
    where = base or f"Agent Platform ({prompt_location(profile)})"
    try:
        client = agentplatform.Client(
            project=project,
            location=prompt_location(profile),
            http_options={"base_url": base} if base else None,
        )
        return work(client.prompts)
    except Exception as error:
        raise _explained(error, where) from error


def _explained(error: Exception, where: str) -> Exception:
    code = getattr(error, "code", None)
    if isinstance(code, int):  # google.genai.errors.APIError
        details = getattr(error, "details", None)
        body = details if isinstance(details, dict) else {"error": {"message": getattr(error, "message", None) or ""}}
        return refusal(code, body, {}, f"{where} /projects/")
    module = type(error).__module__
    if module.startswith("google.auth"):
        words = str(error.args[0]) if error.args else type(error).__name__
        return AssistantError("authentication", f"The Google login can't be used: {words}", LOGIN)
    if module.startswith(("httpx", "requests")):
        return AssistantError("connection", f"Can't connect to {where}.", "Is the network up?", retryable=True)
    if isinstance(error, TimeoutError):
        return AssistantError("timeout", f"{where} did not store the prompt in time.", "Try again.")
    return AssistantError("server", f"{where}: {error}", "Check project and location, then try again.")

"""`gpt`: OpenAI's models over the Responses API (https://developers.openai.com/api/docs/api-reference/responses)."""

from __future__ import annotations

import os
from typing import Any, Literal

import msgspec

from ...config.profiles import Profile
from ...config.provider_info import BUILT_IN
from ...core.errors import NotSetUpError
from ..model_list import ModelInfo, fetch_models
from ..transport import Transport
from ..transport.insecure_http import warn_of_plain_http
from .provider import ResponsesProxy, created_id

__all__ = ["INFO", "GptOptions", "connect", "forget_conversation", "models", "new_conversation"]

INFO = BUILT_IN["gpt"]


class GptOptions(msgspec.Struct, frozen=True):
    """What a profile of this provider may hold. `poll` and `silence` are in seconds.

    `conversation` is the id of a Conversation at OpenAI, in which every new session begins (with history = "server").
    """

    base_url: str = ""
    api_key_env: str = "OPENAI_API_KEY"
    transport: Literal["http", "sdk"] = "http"
    history: Literal["client", "server"] = "client"
    conversation: str = ""
    poll: float = 2.0
    silence: float = 600.0


def connect(profile: Profile, *, client: Any = None) -> ResponsesProxy:
    """An Assistant Proxy for this profile; `client` is an `openai.AsyncOpenAI` to be used instead of our own transport.

    Raises:
        NotSetUpError: there is no key, or the SDK is not installed.
    """
    options = profile.read(GptOptions)
    return ResponsesProxy(
        _transport(options, profile, client),
        provider="gpt",
        model=profile.model or INFO.default_model,
        history=options.history,
        extra={} if options.history == "server" else {"store": False},
        poll=options.poll,
        resumable=True,
        conversation=options.conversation,
    )


async def models(profile: Profile) -> list[ModelInfo]:
    """The models that the key may use: one cheap request, which also tells whether it is a good one.

    Raises:
        NotSetUpError: there is no key.
        AssistantError: the server cannot be reached, or refuses.
    """
    return await fetch_models(_transport(profile.read(GptOptions), profile, None), "/models", INFO.models)


async def new_conversation(profile: Profile) -> str:
    """Make an empty Conversation at OpenAI; its id.

    Raises:
        NotSetUpError: there is no key.
        AssistantError: the server cannot be reached, or refuses.
    """
    transport = _transport(profile.read(GptOptions), profile, None)
    try:
        return created_id(await transport.call("POST", "/conversations", {"metadata": {"asst": profile.name}}))
    finally:
        await transport.aclose()


async def forget_conversation(profile: Profile, number: str) -> None:
    """Delete a Conversation at OpenAI.

    Raises:
        AssistantError: it could not be.
    """
    transport = _transport(profile.read(GptOptions), profile, None)
    try:
        await transport.call("DELETE", f"/conversations/{number}")
    finally:
        await transport.aclose()


def _transport(options: GptOptions, profile: Profile, client: Any) -> Transport:
    if client is not None:
        from .sdk_transport import OpenAITransport

        return OpenAITransport(client)
    base_url = options.base_url or os.environ.get("OPENAI_BASE_URL") or INFO.base_url
    key = profile.secret(options.api_key_env)
    warn_of_plain_http(base_url, f"'{profile.name}'")
    if options.transport == "sdk":
        return _sdk(base_url, key, options.silence)
    from ..transport.http import HttpTransport

    return HttpTransport(base_url, {"Authorization": f"Bearer {key}"}, silence=options.silence)


def _sdk(base_url: str, key: str, silence: float) -> Transport:
    try:
        from openai import AsyncOpenAI
    except ImportError:
        raise NotSetUpError(
            "The openai SDK is not installed.", "Run: pip install 'asstproxy[openai]', or use transport = \"http\"."
        ) from None
    from .sdk_transport import OpenAITransport

    return OpenAITransport(AsyncOpenAI(base_url=base_url, api_key=key, timeout=silence), own=True)

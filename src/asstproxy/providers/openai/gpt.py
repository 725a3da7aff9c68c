"""`gpt`: OpenAI's models over the Responses API (https://developers.openai.com/api/docs/api-reference/responses).

Some vendors speak it, too: their rows in `config/vendors.py` name this provider.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any, Literal

from ...config.base_url import warn_of_plain_http
from ...config.profiles import Profile
from ...config.provider_info import BUILT_IN
from ...core.errors import NotSetUpError
from ..connection import PolledOptions, api_key, base_url, http_transport, required_model
from ..registry import provider_info
from ..transport import Transport
from .provider import ResponsesProvider, created_id

if TYPE_CHECKING:
    from ..model_list import ModelInfo

__all__ = ["INFO", "GptOptions", "connect", "forget_conversation", "models", "new_conversation"]

INFO = BUILT_IN["gpt"]


class GptOptions(PolledOptions, frozen=True):
    """What a profile of this provider may hold.

    `conversation` is the id of a Conversation at OpenAI, in which every new session begins (with history = "server").
    """

    transport: Literal["http", "sdk"] = "http"
    history: Literal["client", "server"] = "client"
    conversation: str = ""


def connect(profile: Profile, *, client: Any = None) -> ResponsesProvider:
    """An Assistant Proxy for this profile; `client` is an `openai.AsyncOpenAI` to use instead of our own transport.

    Raises:
        NotSetUpError: the key is missing, or the SDK is not installed.
    """
    options = profile.read(GptOptions)
    return ResponsesProvider(
        _transport(profile, options, client),
        provider=profile.provider,  # it may be the name of a vendor
        model=required_model(profile, provider_info(profile.provider).default_model),
        history=options.history,
        extra={} if options.history == "server" else {"store": False},
        poll=options.poll,
        resumable=profile.provider == "gpt",
        conversation=options.conversation,
    )


async def models(profile: Profile) -> list[ModelInfo]:
    """The models that the key may use: one cheap request, which also shows whether the key is good.

    Raises:
        NotSetUpError: the key is missing.
        AssistantError: the server cannot be reached, or refuses.
    """
    from ..model_list import fetch_models

    transport = _transport(profile, profile.read(GptOptions))
    return await fetch_models(transport, "/models", provider_info(profile.provider).models)


async def new_conversation(profile: Profile) -> str:
    """Make an empty Conversation at OpenAI; its id.

    Raises:
        NotSetUpError: the key is missing.
        AssistantError: the server cannot be reached, or refuses.
    """
    async with contextlib.aclosing(_transport(profile, profile.read(GptOptions))) as transport:
        return created_id(await transport.call("POST", "/conversations", {"metadata": {"asst": profile.name}}))


async def forget_conversation(profile: Profile, number: str) -> None:
    """Delete a Conversation at OpenAI.

    Raises:
        NotSetUpError: the key is missing.
        AssistantError: the server cannot be reached, or refuses.
    """
    async with contextlib.aclosing(_transport(profile, profile.read(GptOptions))) as transport:
        await transport.call("DELETE", f"/conversations/{number}")


def _transport(profile: Profile, options: GptOptions, client: Any = None) -> Transport:
    if client is None and options.transport == "http":
        return http_transport(profile, options, provider_info(profile.provider))
    from .sdk_transport import OpenAITransport

    if client is not None:
        return OpenAITransport(client)
    try:
        from openai import AsyncOpenAI
    except ImportError:
        raise NotSetUpError(
            "The openai SDK is not installed.", "Run: pip install 'asstproxy[openai]', or use transport = \"http\"."
        ) from None
    info = provider_info(profile.provider)
    address, key = base_url(profile, info), api_key(profile, options, info)
    warn_of_plain_http(address, f"'{profile.name}'")
    return OpenAITransport(AsyncOpenAI(base_url=address, api_key=key, timeout=options.silence), own=True)

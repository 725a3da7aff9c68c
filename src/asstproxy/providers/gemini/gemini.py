"""`gemini`: Google's models, over generateContent or the Interactions API (https://ai.google.dev/api)."""

from __future__ import annotations

from typing import Any

from ...config.profiles import Profile
from ...config.provider_info import BUILT_IN
from ...core.errors import NotSetUpError
from ..model_list import ModelInfo, fetch_models
from ..transport import Transport
from .endpoint import Endpoint, GeminiOptions, address, endpoint, needs_key
from .provider import GeminiProvider

__all__ = ["INFO", "GeminiOptions", "address", "connect", "models", "needs_key"]

INFO = BUILT_IN["gemini"]


def connect(profile: Profile, *, client: Any = None) -> GeminiProvider:
    """An Assistant Proxy for this profile; `client` is a `google.genai.Client` to use instead of our own transport.

    Raises:
        NotSetUpError: the key or the project is missing, or a package is not installed.
    """
    options = profile.read(GeminiOptions)
    model, models, keeps_files = profile.model or INFO.default_model, "/models", True
    if client is not None:
        from .sdk_transport import GoogleTransport

        transport: Transport = GoogleTransport(client)
    else:
        place = endpoint(options, profile)
        transport = _sdk(place, options.silence) if options.transport == "sdk" else _http(place, options.silence)
        models = "/models" if options.transport == "sdk" else place.models
        keeps_files = not place.vertex
    if options.api == "interactions":
        from .interactions import InteractionsProvider

        return InteractionsProvider(transport, model, poll=options.poll, keeps_files=keeps_files)
    from .generate import GenerateProvider

    return GenerateProvider(transport, model, models=models, keeps_files=keeps_files)


async def models(profile: Profile) -> list[ModelInfo]:
    """The models that the key may use: one cheap request, which also shows whether the key is good.

    Agent Platform has no such list for a project: there the tokens of one word are counted, which is free, and the list is
    empty.

    Raises:
        NotSetUpError: the key or the project is missing, or a package is not installed.
        AssistantError: the server cannot be reached, or refuses.
    """
    options = profile.read(GeminiOptions)
    place = endpoint(options, profile)
    transport = _http(place, options.silence)
    if not place.vertex:
        return await fetch_models(transport, "/models?pageSize=1000", INFO.models)
    word = {"contents": [{"role": "user", "parts": [{"text": "Hello"}]}]}
    try:
        await transport.call("POST", f"{place.models}/{profile.model or INFO.default_model}:countTokens", word)
    finally:
        await transport.aclose()
    return []


def _http(place: Endpoint, silence: float) -> Transport:
    if place.key is None:
        from .auth import VertexTransport

        return VertexTransport(place.url, silence=silence)
    from ..transport.http import HttpTransport

    new = "." if place.vertex else f", or create one at {INFO.vendor}: {INFO.keys_url}"
    key_hint = f"Check the key in {place.variable}{new}" if place.variable else ""
    return HttpTransport(place.url, {"x-goog-api-key": place.key}, silence=silence, key_hint=key_hint)


def _sdk(place: Endpoint, silence: float) -> Transport:
    try:
        from google import genai  # type: ignore[import-not-found,unused-ignore]
    except ImportError:
        raise NotSetUpError(
            "The google-genai SDK is not installed.", 'Run: pip install google-genai, or use transport = "http".'
        ) from None
    from .sdk_transport import GoogleTransport, client_options

    asked: dict[str, Any] = {"api_key": place.key} if place.key else {}
    if place.project:
        asked |= {"project": place.project, "location": place.location}
    options = client_options(place.root, place.version, silence)
    try:
        client = genai.Client(enterprise=place.vertex, http_options=options, **asked)
    except ValueError as error:
        raise NotSetUpError(
            f"The google-genai SDK refuses this profile: {error}", 'You can use transport = "http" instead.'
        ) from None
    return GoogleTransport(client, owned=True)

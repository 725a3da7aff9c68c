"""`local`: a model in llama.cpp that asst starts itself, or any server that speaks the Responses protocol."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator, Sequence
from pathlib import Path
from typing import Any

import msgspec

from ...config.profiles import Profile
from ...core.errors import NotSetUpError
from ...core.events import AssistantMessageRetrieved, Event, MessageIncomplete, Notice, Started, ToolResult, Usage
from ...core.turn import Turn
from ..model_list import ModelInfo, fetch_models
from ..openai.provider import ResponsesProxy
from ..transport import Transport
from ..transport.insecure_http import warn_of_plain_http
from .process import INSTRUCTIONS, find_model
from .transport import EmbeddedTransport

__all__ = ["LocalOptions", "connect", "models"]

NO_TOOLS = (
    "{model} will not see the tools: its chat template has no place for them. "
    'A profile can name another template: chat_template = "FILE".'
)


class LocalOptions(msgspec.Struct, frozen=True):
    """What a profile of this provider may hold.

    With `base_url` a server that runs already is used (Ollama, vLLM, LM Studio, llama-server), with the key in the variable
    `api_key_env` if it wants one. Else `model` is a GGUF file: `chat_template` is a file with a Jinja template, `n_predict`
    the most tokens of an answer, `n_ctx` those of the context, `threads` how many of the processor's. `silence` is in seconds.
    """

    base_url: str = ""
    api_key_env: str = ""
    chat_template: str = ""
    n_predict: int = 512
    n_ctx: int = 4096
    threads: int | None = None
    silence: float = 600.0


def connect(profile: Profile, *, client: Any = None) -> ResponsesProxy:
    """An Assistant Proxy for this profile; `client` is an `openai.AsyncOpenAI` to be used instead of our own transport.

    Raises:
        NotSetUpError: the model, its template or the package `xllamacpp` is missing.
    """
    options = profile.read(LocalOptions)
    if client is not None:
        from ..openai.sdk_transport import OpenAITransport

        return ResponsesProxy(OpenAITransport(client), provider="local", model=profile.model)
    if options.base_url:
        return _served(profile, options)
    return _embedded(profile, options)


async def models(profile: Profile) -> list[ModelInfo]:
    """The models of the server; of llama.cpp in the process the one file, once it is loaded.

    Raises:
        NotSetUpError: the model, its template, its key or a package is missing.
        AssistantError: the server cannot be reached, or the model not be loaded.
    """
    options = profile.read(LocalOptions)
    return await fetch_models(
        _http(profile, options) if options.base_url else _engine(profile, options)[0], "/models", {}
    )


def _served(profile: Profile, options: LocalOptions) -> ResponsesProxy:
    if not profile.model:
        raise NotSetUpError(f"The profile '{profile.name}' names no model.", "Say which one of the server's: -m MODEL.")
    return ResponsesProxy(_http(profile, options), provider="local", model=profile.model)


def _http(profile: Profile, options: LocalOptions) -> Transport:
    from ..transport.http import HttpTransport

    headers = {"Authorization": f"Bearer {profile.secret(options.api_key_env)}"} if options.api_key_env else {}
    warn_of_plain_http(options.base_url, f"'{profile.name}'")
    return HttpTransport(options.base_url, headers, silence=options.silence)


def _embedded(profile: Profile, options: LocalOptions) -> ResponsesProxy:
    transport, model = _engine(profile, options)
    return EmbeddedProxy(transport, model.stem, options.n_predict)


def _engine(profile: Profile, options: LocalOptions) -> tuple[EmbeddedTransport, Path]:
    model = Path(profile.model).expanduser() if profile.model else find_model()
    if model is None:
        raise NotSetUpError("There is no local model yet.", "Run: asst setup local --yes")
    template = None
    if options.chat_template:
        try:
            template = Path(options.chat_template).expanduser().read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise NotSetUpError(f"The chat template {options.chat_template} cannot be read: {error}.") from None
    transport = EmbeddedTransport(
        model,
        chat_template=template,
        n_predict=options.n_predict,
        n_ctx=options.n_ctx,
        threads=options.threads,
    )
    return transport, model


class EmbeddedProxy(ResponsesProxy):
    """The same protocol, with what llama.cpp does not say: that an answer was cut, and that a template shows no tools."""

    def __init__(self, transport: EmbeddedTransport, model: str, n_predict: int) -> None:
        super().__init__(transport, provider="local", model=model)
        self._engine, self._n_predict = transport, n_predict
        self._limit = n_predict

    async def start_processing(self, turn: Turn) -> AsyncGenerator[Event]:
        """See `AssistantProxy`."""
        self._limit = int(turn.settings.get("max_output_tokens") or self._n_predict)
        turn = msgspec.structs.replace(turn, model=self.model, instructions=turn.instructions or INSTRUCTIONS)
        async with contextlib.aclosing(self._marked(super().start_processing(turn))) as events:
            async for event in events:
                yield event
                if isinstance(event, Started) and turn.tools and not await self._engine.renders_tools():
                    yield Notice(NO_TOOLS.format(model=self.model))

    async def submit_tool_outputs(self, results: Sequence[ToolResult]) -> AsyncGenerator[Event]:
        """See `AssistantProxy`."""
        async with contextlib.aclosing(self._marked(super().submit_tool_outputs(results))) as events:
            async for event in events:
                yield event

    async def _marked(self, said: AsyncGenerator[Event]) -> AsyncGenerator[Event]:
        spent = 0
        async with contextlib.aclosing(said) as events:
            async for event in events:
                if isinstance(event, Usage):
                    spent = event.output_tokens
                if isinstance(event, AssistantMessageRetrieved) and spent >= self._limit:
                    yield MessageIncomplete(event.text, "max_output_tokens", event.raw, event.resume)
                else:
                    yield event

"""`local`: a model in llama.cpp, which asst starts itself, or any server that speaks Responses or Chat Completions."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from ...config.paths import expand_home
from ...config.profiles import Profile
from ...config.provider_info import BUILT_IN
from ...core.errors import AssistantError, NotSetUpError
from ...core.events import AssistantMessageRetrieved, Event, Heartbeat, MessageIncomplete, Notice, Usage
from ...core.history import Item
from ...core.roles import SchemaSupport
from ...core.schema_walk import references, with_root_at
from ...core.turn import Turn
from ..attachments import MB, AttachmentFormat
from ..connection import ServerOptions, http_transport
from ..modalities import readable_by
from ..model_list import ModelInfo, fetch_models
from ..openai.provider import ResponsesProvider
from ..openai.wire import IMAGES, responses_part
from ..stream import StreamReader
from ..transport import JSON, Transport
from .process import INSTRUCTIONS, Embedded, EmbeddedError, Served, find_model, renders_tools

if TYPE_CHECKING:
    from ..chat_completions import ChatCompletionsProvider

__all__ = ["INFO", "LocalOptions", "connect", "models"]

INFO = BUILT_IN["local"]
Api = Literal["", "responses", "chat-completions"]
FILES = AttachmentFormat(dict.fromkeys(IMAGES, 20 * MB), responses_part, inline=40 * MB)
"""Pictures, if the model can see. llama.cpp refuses `input_file`; the sizes are ours."""
NO_TOOLS = (
    "{model} will not see the tools, because its chat template has no place for them. "
    'A profile can name another template: chat_template = "FILE".'
)


class LocalOptions(ServerOptions, frozen=True):
    """What a profile of this provider may hold.

    With `base_url`, a running server is asked (Ollama, vLLM, LM Studio, llama-server), over `api`; without it, llama.cpp
    over Chat Completions, and others over Responses. Otherwise the model is a GGUF file: `chat_template` is a file with a Jinja
    template, `mmproj` the GGUF file with which the model sees pictures, `n_predict` the most tokens of an answer, `n_ctx` the
    tokens of the context, `threads` the number of the processor's threads.
    """

    api: Api = ""
    chat_template: str = ""
    mmproj: str = ""
    n_predict: int = 512
    n_ctx: int = 4096
    threads: int | None = None


def connect(profile: Profile, *, client: Any = None) -> ResponsesProvider:
    """An Assistant Proxy for this profile; `client` is an `openai.AsyncOpenAI` to use instead of our own transport.

    Raises:
        NotSetUpError: the model, its template, its key or the package `xllamacpp` is missing.
    """
    options = profile.read(LocalOptions)
    if client is not None:
        from ..openai.sdk_transport import OpenAITransport

        return ResponsesProvider(OpenAITransport(client), provider="local", model=profile.model)
    if not options.base_url:
        return EmbeddedProvider(*_engine(profile, options), options.n_predict, options.n_ctx)
    if not profile.model:
        raise NotSetUpError(
            f"The profile '{profile.name}' names no model.",
            "Choose one of the server's.",
            code="model_not_named",
            data={"profile": profile.name, "provider": "local"},
        )
    made = LocalServerProvider(http_transport(profile, options, INFO), provider="local", model=profile.model)
    if options.api:
        made.speak(options.api)
    return made


async def models(profile: Profile) -> list[ModelInfo]:
    """The models of the server; without a server, the GGUF file once llama.cpp has loaded it.

    Raises:
        NotSetUpError: the model, its template, its key or a package is missing.
        AssistantError: the server cannot be reached, or the model cannot be loaded.
    """
    options = profile.read(LocalOptions)
    transport = http_transport(profile, options, INFO) if options.base_url else _engine(profile, options)[0]
    return await fetch_models(transport, "/models", INFO.models)


def _engine(profile: Profile, options: LocalOptions) -> tuple[EmbeddedTransport, str]:
    model = expand_home(profile.model) if profile.model else find_model()
    if model is None:
        raise NotSetUpError(
            "No local model is installed yet.", "Name a model file, or a server.", code="local_model_missing"
        )
    template = None
    if options.chat_template:
        try:
            template = expand_home(options.chat_template).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise NotSetUpError(f"Can't read the chat template {options.chat_template}: {error}.") from None
    transport = EmbeddedTransport(
        model,
        chat_template=template,
        mmproj=str(expand_home(options.mmproj)) if options.mmproj else "",
        n_predict=options.n_predict,
        n_ctx=options.n_ctx,
        threads=options.threads,
    )
    return transport, model.stem


class LocalProvider(ResponsesProvider):
    """The same protocol, with what some servers do not say: that an answer was cut (its status is "completed" all the same)."""

    structured = SchemaSupport(recursive=True)
    optional = ("json_schema",)
    attachment_format = FILES
    _spent = Usage()
    """Tokens of this answer."""
    context: int | None = None
    """Tokens of the context, if that is known."""

    async def accepts(self, model: str) -> Mapping[str, int]:
        """See `StatelessProvider`: what the server says of this model."""
        return await readable_by(self.transport, model, self.attachments.accepted)

    def request(self, turn: Turn, items: Sequence[Item]) -> tuple[str, JSON]:
        """See `StatelessProvider`; llama.cpp ignores the schema in `text`, and makes a grammar of its own `json_schema`."""
        path, body = super().request(turn, items)
        return path, body | ({"json_schema": _for_grammar(turn.schema)} if turn.schema is not None else {})

    def longest_answer(self) -> int | None:
        """Tokens at which an answer is cut, if that is known."""
        limit = self.turn.settings.get("max_output_tokens")
        return limit if isinstance(limit, int) else None

    def answer(self, items: list[Item]) -> AsyncGenerator[Event]:
        """See `StatelessProvider`."""
        self._spent = Usage()
        return super().answer(items)

    def annotate(self, event: Event, items: list[Item]) -> Event:
        """See `StatelessProvider`: an answer that used up its tokens was cut."""
        if isinstance(event, Usage):
            self._spent = event
        if isinstance(event, AssistantMessageRetrieved) and self._is_cut():
            event = MessageIncomplete(event.text, "max_output_tokens", event.raw, event.resume)
        return super().annotate(event, items)

    def _is_cut(self) -> bool:
        limit, spent = self.longest_answer(), self._spent
        used = spent.input_tokens + spent.output_tokens
        return bool(limit and spent.output_tokens >= limit) or bool(self.context and used >= self.context)


class LocalServerProvider(LocalProvider):
    """A server that runs already. If nobody said how to ask it, llama.cpp's is asked over Chat Completions, where it says that an
    answer was cut.
    """

    _chat: ChatCompletionsProvider | None = None
    _known = False

    async def begin(self, turn: Turn) -> Sequence[Event]:
        """See `StatelessProvider`: the first time, the server is asked for its name."""
        from .llama_cpp import as_chat_settings, is_llama_cpp

        if not self._known:
            self.speak("chat-completions" if await is_llama_cpp(self.transport) else "responses")
        if self._chat is not None:  # it makes nothing in the background
            settings = as_chat_settings(self.turn.settings)
            self.turn = self._chat.turn = msgspec.structs.replace(self.turn, background=False, settings=settings)
        return await super().begin(turn)

    def speak(self, api: Api) -> None:
        """Ask the server over this API."""
        self._known = True
        if api == "chat-completions":
            from ..chat_completions import ChatCompletionsProvider
            from ..file_parts import chat_part

            self._chat = ChatCompletionsProvider(self.transport, self.model, "local")
            self.attachments.form = msgspec.structs.replace(FILES, part=chat_part)
            self._chat.attachments = self.attachments  # one store of files, and one count of their bytes

    def request(self, turn: Turn, items: Sequence[Item]) -> tuple[str, JSON]:
        """See `StatelessProvider`."""
        if self._chat is None:
            return super().request(turn, items)
        if turn.schema is not None:
            turn = msgspec.structs.replace(turn, schema=_for_grammar(turn.schema))
        return self._chat.request(turn, items)

    def new_reader(self) -> StreamReader:
        """See `StatelessProvider`."""
        return super().new_reader() if self._chat is None else self._chat.new_reader()


def _for_grammar(schema: JSON) -> JSON:
    """The schema without references to its root, of which llama.cpp can't make a grammar: they lead to a definition."""
    if all(ref.startswith(("#/$defs/", "#/definitions/")) for ref in references(schema)):
        return schema
    moved: JSON = with_root_at("#/$defs/asst_root", schema)
    definitions = {"asst_root": {key: value for key, value in moved.items() if key != "$defs"}}
    return moved | {"$defs": moved.get("$defs", {}) | definitions}


class EmbeddedProvider(LocalProvider):
    """llama.cpp in a process of ours: it also does not say that a template shows no tools."""

    def __init__(self, transport: EmbeddedTransport, model: str, n_predict: int, n_ctx: int | None = None) -> None:
        super().__init__(transport, provider="local", model=model)
        self._engine, self._n_predict, self.context = transport, n_predict, n_ctx
        self._shows_tools = False  # whether the present turn does, so that the template must

    def longest_answer(self) -> int:
        """See `LocalProvider`."""
        return super().longest_answer() or self._n_predict

    def resolve(self, turn: Turn) -> Turn:
        """See `StatelessProvider`: there is only this model, and it needs instructions."""
        return msgspec.structs.replace(turn, model=self.model, instructions=turn.instructions or INSTRUCTIONS)

    async def begin(self, turn: Turn) -> Sequence[Event]:
        """See `StatelessProvider`."""
        self._shows_tools = bool(turn.tools)
        return []

    async def answer(self, items: list[Item]) -> AsyncGenerator[Event]:
        """See `StatelessProvider`: the first time, the model is loaded, which may take a while."""
        if not self._engine.is_ready:
            yield Heartbeat("loading")
            await self._engine.ready()
            yield Heartbeat("loaded")
        if self._shows_tools and not await self._engine.renders_tools():
            yield Notice(NO_TOOLS.format(model=self.model))
        self._shows_tools = False  # said once a turn
        async with contextlib.aclosing(super().answer(items)) as events:
            async for event in events:
                yield event


class EmbeddedTransport:
    """Starts llama.cpp with `model` and these options (see `Embedded.start`), then talks to it over HTTP."""

    def __init__(self, model: Path, **options: Any) -> None:
        self._model, self._options = model, options
        self._engine = Embedded()
        self._served: Served | None = None
        self._http: Transport | None = None
        self._renders_tools: bool | None = None

    @property
    def is_ready(self) -> bool:
        """Whether the model is loaded."""
        return self._http is not None

    async def ready(self) -> Transport:
        """Load the model, unless it is loaded; returns the transport to its server.

        Raises:
            AsstError: llama.cpp isn't installed, or the model can't be loaded.
        """
        if self._http is None:
            from ..transport.http import HttpTransport

            try:
                self._served = await self._engine.start_async(self._model, **self._options)
            except ImportError:
                raise NotSetUpError("llama.cpp is not installed.", "Run: pip install 'asstproxy[local]'") from None
            except EmbeddedError as error:
                raise AssistantError(
                    "invalid_request", str(error), "Choose another model.", code="local_model_unusable"
                ) from error
            headers = {"Authorization": f"Bearer {self._served.api_key}"}
            self._http = HttpTransport(self._served.base_url, headers, proxies=False)
        return self._http

    async def renders_tools(self) -> bool:
        """Whether the model's chat template shows it the tools."""
        await self.ready()
        if self._renders_tools is None:
            assert self._served is not None  # noqa: S101 - it is ready
            try:
                self._renders_tools = await asyncio.to_thread(renders_tools, self._served)
            except EmbeddedError as error:
                raise AssistantError("server", str(error), "Try again.") from error
        return self._renders_tools

    async def call(self, method: str, path: str, body: JSON | None = None) -> JSON:
        """See `Transport.call`."""
        return await (await self.ready()).call(method, path, body)

    async def events(self, method: str, path: str, body: JSON | None = None) -> AsyncGenerator[list[JSON]]:
        """See `Transport.events`."""
        http = await self.ready()
        async with contextlib.aclosing(http.events(method, path, body)) as events:
            async for together in events:
                yield together

    async def aclose(self) -> None:
        """Close the connection and end the engine."""
        if self._http is not None:
            await self._http.aclose()
        self._engine.stop()

"""The ways of asking: every provider, every API of it, streamed, in one reply, in the background, over each transport."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from importlib.util import find_spec
from typing import Any, Literal

from asstproxy.config.profiles import Profile
from asstproxy.core.roles import AssistantProxy
from asstproxy.providers import connect
from asstproxy.providers.openai.provider import ResponsesProvider
from asstproxy.providers.transport.http import HttpTransport
from servers import AnthropicServer, AssistantsServer, GeminiServer, InteractionsServer, ResponsesServer, Server

__all__ = ["KEY", "WAYS", "Way", "matches", "way"]

KEY = "sk-test-0123456789abcdef"
"""The key that every server here wants; a proxy finds it in `TEST_KEY`."""
AUTHORIZATION = {"Authorization": f"Bearer {KEY}"}


@dataclass(frozen=True)
class Way:
    """A provider's API, and how it is asked.

    `asks`: the request that makes the model work, and is paid for. `begun` and `middle`: the events before the first piece of
    text, and before the third; `lead`: how many of them come only once in an exchange. `resumes`: a stream that broke can be
    taken up again. `kept_alive`: a connection serves several requests, as over TLS; no profile says so of a plain-text
    address.
    """

    name: str
    server: Callable[..., Any]
    provider: str
    asks: str
    path: str = "/v1"
    how: Literal["streamed", "unary", "polled"] = "streamed"
    background: bool = False
    resumes: bool = False
    begun: int = 2
    middle: int = 6
    lead: int = 0
    options: tuple[tuple[str, Any], ...] = ()
    settings: tuple[tuple[str, Any], ...] = ()
    kept_alive: bool = False

    def __str__(self) -> str:
        return self.name

    @property
    def stream(self) -> bool:
        """Whether the answer comes in pieces."""
        return self.how == "streamed"

    @property
    def later(self) -> Way:
        """The same, for the answer to the results of tools."""
        return replace(self, begun=self.begun - self.lead, middle=self.middle - self.lead)

    @property
    def model(self) -> str:
        """The model that is asked."""
        models = {"gemini": "gemini-3.8-flash", "anthropic": "claude-sonnet-5-5"}
        return models.get(self.provider, "gpt-6-luna")

    @property
    def missing(self) -> str:
        """The package that this way needs and that is not installed."""
        sdk = {"gpt": "openai", "gemini": "google.genai"}[self.provider] if "sdk" in self.name else ""
        return sdk if sdk and not _installed(sdk) else ""

    def profile(self, server: Server, silence: float) -> Profile:
        """The profile that asks this server in this way; the stream and the background are options of a conversation."""
        options: dict[str, Any] = {"base_url": server.url + self.path, "api_key_env": "TEST_KEY", "silence": silence}
        if self.provider in ("gpt", "gemini", "assistants"):
            options |= {"poll": 0.01}
        return Profile("p", self.provider, model=self.model, options=options | dict(self.options))

    @contextmanager
    def open(self, brain: Any, silence: float) -> Iterator[tuple[Any, AssistantProxy]]:
        """A server with this brain, and a proxy that asks it and puts up with so many seconds of silence."""
        with self.server(brain, key=KEY) as server:
            address = server.url + self.path
            if self.kept_alive:
                transport = HttpTransport(address, AUTHORIZATION, silence=silence, reuse=True)
                yield server, ResponsesProvider(transport, provider="gpt", model=self.model, extra={"store": False})
            else:
                yield server, connect(self.profile(server, silence))


def _installed(package: str) -> bool:
    try:
        return find_spec(package) is not None
    except ModuleNotFoundError:
        return False


def matches(way: Way, request: Any) -> bool:
    """Whether a request is the one that asks the model."""
    return re.search(way.asks, str(request)) is not None


def _gpt(name: str, how: Any = "streamed", *, provider: str = "gpt", background: bool = False, **options: Any) -> Way:
    resumes = background and how == "streamed"
    begun = 3 if resumes else 2  # a response in the background is queued first
    return Way(
        name,
        ResponsesServer,
        provider,
        r"POST /v1/responses$",
        how=how,
        background=background,
        resumes=resumes,
        begun=begun,
        middle=begun + 4,
        options=tuple(options.items()),
    )


def _gemini(name: str, how: Any = "streamed", **options: Any) -> Way:
    asks = r"POST /v1beta/models/[\w.-]+:(streamG|g)enerateContent"
    return Way(name, GeminiServer, "gemini", asks, "", how, begun=0, middle=2, options=tuple(options.items()))


def _assistants(name: str, how: Any = "streamed", *, oaa: bool = False) -> Way:
    return Way(
        name,
        partial(AssistantsServer, oaa=oaa),
        "assistants",
        r"POST /api/v1/threads/\w+/runs(/\w+/submit_tool_outputs)?$",
        "/api/v1",
        how,
        resumes=how == "streamed",
        begun=7,
        middle=9,
        lead=2,
        options=(("assistant_id", AssistantsServer.assistant),),
    )


def _interactions(name: str, how: Any = "streamed", *, store: bool = True, **options: Any) -> Way:
    return Way(
        name,
        InteractionsServer,
        "gemini",
        r"POST /v1beta/interactions$",
        "",
        how,
        background=how == "polled",
        resumes=how == "streamed" and store,
        begun=3,
        middle=5,
        options=(("api", "interactions"), *options.items()),
        settings=() if store else (("store", False),),
    )


WAYS = [
    _gpt("gpt"),
    _gpt("gpt-unary", "unary"),
    replace(_gpt("gpt-kept-alive"), kept_alive=True),
    _gpt("gpt-conversation", history="server"),
    _gpt("gpt-conversation-unary", "unary", history="server"),
    _gpt("gpt-background", background=True),
    _gpt("gpt-polled", "polled", background=True, history="server"),
    _gpt("gpt-sdk", transport="sdk"),
    _gpt("gpt-sdk-unary", "unary", transport="sdk"),
    _gpt("gpt-sdk-background", background=True, transport="sdk"),
    _gpt("local", provider="local"),
    _gpt("local-unary", "unary", provider="local"),
    _gemini("gemini"),
    _gemini("gemini-unary", "unary"),
    _gemini("gemini-sdk", transport="sdk"),
    _interactions("interactions"),
    _interactions("interactions-unstored", store=False),
    _interactions("interactions-unary", "unary"),
    _interactions("interactions-polled", "polled"),
    _interactions("interactions-sdk", transport="sdk"),
    Way("chat-completions", ResponsesServer, "chat-completions", r"POST /v1/chat/completions$", begun=1, middle=3),
    Way("chat-completions-unary", ResponsesServer, "chat-completions", r"POST /v1/chat/completions$", how="unary"),
    Way("anthropic", AnthropicServer, "anthropic", r"POST /v1/messages$", begun=3, middle=5),
    Way("anthropic-unary", AnthropicServer, "anthropic", r"POST /v1/messages$", how="unary"),
    _assistants("assistants"),
    _assistants("assistants-oaa", oaa=True),
    _assistants("assistants-polled", "polled"),
]


def way(name: str) -> Way:
    """A way by its name."""
    return next(one for one in WAYS if one.name == name)

"""What is recorded, and what is played: every conversation, on every server that can hold it. Both sides read this table.

The model's words are its own: nothing here says what an answer is, only which way the conversation takes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from asstproxy import Options, RetryPolicy

__all__ = ["CASSETTES", "FOLDER", "SERVERS", "TAKES", "TOOLS", "Scenario", "Server", "Take"]

FOLDER = Path(__file__).resolve().parents[2] / "cassettes"


# ---- who answers -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Server:
    """A server, as a profile of asst. `key` is the environment variable with the key that a `real` one asks for.

    `host`: its name in scripts/local_servers.py, if another one. `limit`: what the API calls the setting that limits an answer.
    `version`: of a server on this machine that the script does not start; it is asked with `--real`, too.
    """

    title: str
    profile: dict[str, Any]
    real: bool = False
    key: str = "CASSETTE_KEY"
    host: str = ""
    limit: str = "max_output_tokens"
    version: str = ""


SHORT_NAME = "max_output_tokens"
SHORT = {SHORT_NAME: 60}
SERVERS = {
    "llama": Server(
        "llama.cpp",
        {
            "provider": "local",
            "api": "responses",
            "base_url": "http://127.0.0.1:18081/v1",
            "model": "smollm2",
            "settings": SHORT,
        },
    ),
    "ogx": Server(
        "OGX",
        {"provider": "gpt", "base_url": "http://127.0.0.1:18321/v1", "model": "llamacpp/smollm2", "settings": SHORT},
    ),
    "litellm": Server(
        "LiteLLM",
        {"provider": "gemini", "base_url": "http://127.0.0.1:14000", "model": "smollm2", "settings": SHORT},
    ),
    "llama-chat": Server(
        "llama.cpp",
        {
            "provider": "chat-completions",
            "base_url": "http://127.0.0.1:18081/v1",
            "model": "smollm2",
            "settings": SHORT,
        },
        host="llama",
        limit="max_tokens",
    ),
    "ogx-chat": Server(
        "OGX",
        {
            "provider": "chat-completions",
            "base_url": "http://127.0.0.1:18321/v1",
            "model": "llamacpp/smollm2",
            "settings": SHORT,
        },
        host="ogx",
        limit="max_tokens",
    ),
    "aimock-chat": Server(
        "aimock",
        {"provider": "chat-completions", "base_url": "http://127.0.0.1:14010/v1", "model": "gpt-6-luna"},
        host="aimock",
        limit="max_tokens",
    ),
    "aimock-claude": Server(
        "aimock",
        {"provider": "anthropic", "base_url": "http://127.0.0.1:14010", "model": "claude-sonnet-5-5"},
        host="aimock",
        limit="max_tokens",
    ),
    "oaa": Server(  # it runs where somebody has set it up, with an assistant of this id (cassettes/README.md)
        "open-assistant-api",
        {
            "provider": "assistants",
            "base_url": "http://127.0.0.1:8086/api/v1",
            "model": "gpt-6-luna",
            "assistant_id": "6b0b6c9bb1583a2e8c336a0d",
        },
        key="ASSISTANTS_API_KEY",
        version="commit bcdfb9b",
    ),
    "openai": Server("OpenAI", {"provider": "gpt", "base_url": "https://api.openai.com/v1"}, True, "OPENAI_API_KEY"),
    "google": Server(
        "Google",
        {"provider": "gemini", "base_url": "https://generativelanguage.googleapis.com"},
        True,
        "GEMINI_API_KEY",
    ),
}


# ---- what is said ----------------------------------------------------------------------------------------------------


def get_stock_price(symbol: str) -> str:
    """Get the latest price of a stock.

    Args:
        symbol: the stock's ticker symbol.
    """
    return "187.25"


def buy_or_sell(symbol: str, price: float) -> str:
    """Say whether to buy or to sell a stock at a price.

    Args:
        symbol: the stock's ticker symbol.
        price: the price in dollars.
    """
    return f"The advice is to {'buy' if price < 170 else 'sell'}."


TOOLS: tuple[Callable[..., str], ...] = (get_stock_price, buy_or_sell)
"""The functions that stock.jinja makes the small model call; their results never change."""

STREAMED = "ready started streaming completed"
REPLIED = "ready started completed"
FOLLOWED = "ready started running streaming completed"
WAITED = "ready started running completed"
TOOL_ROUND = "requires_action tools_executed tool_outputs_submitted"


@dataclass(frozen=True)
class Scenario:
    """One conversation. `on` names the servers that can hold it; `profile` is added to theirs.

    `paths`: for each message of the person, the states that the exchange passes through.
    """

    name: str
    on: str
    says: tuple[str, ...]
    paths: tuple[str, ...]
    tools: bool = False
    stream: bool = True
    background: bool = False
    profile: dict[str, Any] = field(default_factory=dict)

    @property
    def options(self) -> Options:
        """How it is held: one attempt, and no heartbeat but the server's own."""
        return Options(
            stream=self.stream,
            background=self.background,
            max_tool_rounds=2,
            heartbeat=3600.0,
            retry=RetryPolicy(attempts=1),
        )


FRANCE = "What is the capital of France?"
SUM = "What is 2+2?"
PRICE = "What is the price of AAPL?"
ADVICE = "Should I buy or sell AAPL at 150?"
STORY = "Tell me a long story about a dog."
EVERYWHERE = "llama ogx litellm llama-chat ogx-chat aimock-chat aimock-claude openai google"
STATEFUL = "ogx openai"
ON_SERVER = {"history": "server"}
INTERACTIONS = {"api": "interactions"}

SCENARIOS = (
    Scenario("text-streamed", EVERYWHERE, (FRANCE,), (STREAMED,)),
    Scenario("text-replied", EVERYWHERE, (FRANCE,), (REPLIED,), stream=False),
    Scenario("two-turns", EVERYWHERE, (FRANCE, SUM), (STREAMED, STREAMED)),
    Scenario(
        "tools-streamed",
        EVERYWHERE,
        (PRICE,),
        (f"ready started {TOOL_ROUND} streaming completed",),
        tools=True,
    ),
    Scenario(
        "tools-replied",
        EVERYWHERE,
        (ADVICE,),
        (f"ready started {TOOL_ROUND} completed",),
        tools=True,
        stream=False,
    ),
    Scenario(
        "tools-then-text",
        EVERYWHERE,
        (PRICE, FRANCE),
        (f"ready started {TOOL_ROUND} streaming completed", STREAMED),
        tools=True,
    ),
    Scenario("conversation", STATEFUL, (FRANCE, SUM), (STREAMED, STREAMED), profile=ON_SERVER),
    Scenario(
        "conversation-tools",
        STATEFUL,
        (PRICE, FRANCE),
        (f"ready started {TOOL_ROUND} streaming completed", STREAMED),
        tools=True,
        profile=ON_SERVER,
    ),
    Scenario("background", STATEFUL, (FRANCE,), (WAITED,), stream=False, background=True),
    Scenario(
        "background-tools",
        STATEFUL,
        (ADVICE,),
        (f"ready started running {TOOL_ROUND} running completed",),
        tools=True,
        stream=False,
        background=True,
    ),
    Scenario(
        "background-conversation",
        STATEFUL,
        (FRANCE, SUM),
        (WAITED, WAITED),
        stream=False,
        background=True,
        profile=ON_SERVER,
    ),
    Scenario(
        "cut-short",
        "ogx litellm llama-chat ogx-chat openai google",
        (STORY,),
        ("ready started streaming incomplete",),
        profile={"settings": {"max_output_tokens": 16}},
    ),
    Scenario(
        "unknown-model",
        "ogx litellm ogx-chat openai google",
        (FRANCE,),
        ("ready started error",),
        profile={"model": "no-such-model"},
    ),
    Scenario("assistants-streamed", "oaa", (FRANCE, SUM), (FOLLOWED, FOLLOWED)),
    Scenario("assistants-polled", "oaa", (FRANCE, SUM), (WAITED, WAITED), stream=False),
    Scenario(
        "assistants-tools",
        "oaa",
        (PRICE,),
        (f"ready started running streaming {TOOL_ROUND} running streaming completed",),
        tools=True,
    ),
    Scenario(
        "assistants-tools-polled",
        "oaa",
        (PRICE,),
        (f"ready started running {TOOL_ROUND} running completed",),
        tools=True,
        stream=False,
    ),
    Scenario(
        "assistants-unknown-model",
        "oaa",
        (FRANCE,),
        ("ready started running error",),
        stream=False,
        profile={"model": "no-such-model"},
    ),
    Scenario("interactions-streamed", "litellm google", (FRANCE,), (STREAMED,), profile=INTERACTIONS),
    Scenario("interactions-replied", "litellm google", (FRANCE,), (REPLIED,), stream=False, profile=INTERACTIONS),
)


# ---- the cassettes ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Take:
    """One scenario on one server: a cassette."""

    server: Server
    at: str
    scenario: Scenario

    @property
    def name(self) -> str:
        """The name of the cassette."""
        return f"{self.at}-{self.scenario.name}"

    @property
    def host(self) -> str:
        """The server's name in scripts/local_servers.py."""
        return self.server.host or self.at

    @property
    def file(self) -> Path:
        """Where the cassette is."""
        return FOLDER / f"{self.name}.yaml"

    def profile(self, poll: float) -> dict[str, Any]:
        """The profile that answers; `poll` is in seconds."""
        profile = self.server.profile | self.scenario.profile | {"api_key_env": self.server.key}
        limit = {SHORT_NAME: self.server.limit}
        settings = {limit.get(name, name): value for name, value in profile.get("settings", {}).items()}
        return (
            profile
            | ({"settings": settings} if settings else {})
            | ({"poll": poll} if self.scenario.background or self.at == "oaa" else {})
        )


TAKES = tuple(Take(SERVERS[name], name, scenario) for scenario in SCENARIOS for name in scenario.on.split())
"""Everything that can be recorded."""

CASSETTES = tuple(take for take in TAKES if not take.server.real or take.file.exists())
"""What must be there: everything from the servers that run anywhere, and what somebody with a key has recorded."""

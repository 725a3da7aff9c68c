"""A conversation that is longer than the model's context: one clear line says what to do, and doing it helps."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from asstproxy import State
from asstproxy.cli.hints import hint_after
from asstproxy.config.profiles import Profile
from asstproxy.core.events import ErrorOccurred
from asstproxy.core.redact import register_secrets
from asstproxy.providers import connect
from asstproxy.providers.transport.failures import failure, refusal
from cli.conftest import ASST
from cli.setup.tmux import Tmux
from core.stage import Stage
from servers import (
    ApiError,
    Brain,
    ErrorEvent,
    GeminiServer,
    InteractionsServer,
    Json,
    Output,
    ResponsesServer,
    Say,
    Server,
    Status,
)

OPENAI = "Your input exceeds the context window of this model. Please adjust your input and try again."
GOOGLE = "The input token count (1200000) exceeds the maximum number of tokens allowed (1048576)."
START, AUTO, LARGER = "Start a new one", "truncation = 'auto'", "n_ctx"
LONGEST = 200
"""Characters of input that the test's models take."""


def limited(request: Json) -> list[Output]:
    """A model whose context is small; it refuses what is longer, in OpenAI's words."""
    if len(json.dumps(request["input"])) > 4 * LONGEST:
        raise ApiError(400, OPENAI, code="context_length_exceeded")
    return [Say("Understood.")]


@pytest.mark.parametrize(
    ("status", "error", "hints"),
    [
        (400, {"code": "context_length_exceeded", "type": "invalid_request_error", "message": OPENAI}, (AUTO,)),
        (
            400,
            {
                "code": 400,
                "type": "exceed_context_size_error",
                "message": "request (5012 tokens) exceeds the available context size (4096 tokens), try increasing it",
                "n_prompt_tokens": 5012,
                "n_ctx": 4096,
            },
            (LARGER,),
        ),
        (500, {"code": 500, "type": "server_error", "message": "Context size has been exceeded."}, ()),
        (
            400,
            {
                "code": 400,
                "type": "BadRequestError",
                "message": "This model's maximum context length is 4096 tokens. However, you requested 5012 tokens.",
            },
            (),
        ),
        (
            400,
            {
                "code": 400,
                "type": "BadRequestError",
                "message": "The decoder prompt (length 5012) is longer than the maximum model length of 4096.",
            },
            (),
        ),
        (
            400,
            (
                "Trying to keep the first 5012 tokens when context the overflows. However, the model is loaded with context "
                "length of only 4096 tokens, which is not enough."
            ),
            (),
        ),
        (
            429,
            {
                "code": "rate_limit_exceeded",
                "type": "tokens",
                "message": "Request too large for gpt-6-luna on tokens per min (TPM): Limit 30000, Requested 61000.",
            },
            (),
        ),
        (400, {"code": 400, "status": "INVALID_ARGUMENT", "message": GOOGLE}, ()),
        (400, {"code": "invalid_request", "message": GOOGLE}, ()),
    ],
    ids=[
        "openai",
        "llama.cpp",
        "llama.cpp-later",
        "vllm",
        "vllm-older",
        "lm-studio",
        "tokens-a-minute",
        "gemini",
        "interactions",
    ],
)
def test_every_server_is_understood(status: int, error: Any, hints: tuple[str, ...]) -> None:
    """Each server's own refusal is a conversation that is too long; nothing is sent again; only what helps there is advised."""
    told = refusal(status, {"error": error}, {}, "http://127.0.0.1:1/v1")
    assert (told.kind, told.retryable) == ("context_length", False)
    assert START in told.hint
    assert [hint for hint in (AUTO, LARGER) if hint in told.hint] == [*hints]
    assert "\n" not in f"{told}{told.hint}"


@pytest.mark.parametrize("words", [OPENAI, GOOGLE])
@pytest.mark.parametrize("code", ["context_length_exceeded", "invalid_request", "400", "", "server_error"])
def test_in_the_middle_of_a_stream(code: str, words: str) -> None:
    """The same, told inside an answer, whatever code comes with it."""
    assert failure(code, words).kind == "context_length"


def test_a_code_of_any_length_is_read() -> None:
    """A code that looks like a number, longer than Python reads numbers, is a code that nobody knows."""
    assert failure("4" * 10_000, "no").kind == "server"


@pytest.mark.parametrize(
    ("status", "error", "kind"),
    [
        (400, {"message": "Unknown parameter: 'context'.", "code": "unknown_parameter"}, "invalid_request"),
        (401, {"message": "context length exceeded", "code": "invalid_api_key"}, "authentication"),
        (429, {"message": "Rate limit reached for requests per min", "code": "rate_limit_exceeded"}, "rate_limit"),
        (429, {"message": "You exceeded your current quota", "code": "insufficient_quota"}, "quota"),
    ],
)
def test_nothing_else_is_taken_for_it(status: int, error: Any, kind: str) -> None:
    """Other refusals stay what they are."""
    assert refusal(status, {"error": error}, {}, "http://x").kind == kind


@contextmanager
def talking(api: str, monkeypatch: pytest.MonkeyPatch, brain: Brain) -> Iterator[tuple[Any, Stage]]:
    kind: Any = {
        "gpt": ResponsesServer,
        "local": ResponsesServer,
        "gemini": GeminiServer,
        "interactions": InteractionsServer,
    }
    server: Server
    with kind[api](brain) as server:
        monkeypatch.setenv("OPENAI_API_KEY", getattr(server, "key", ""))
        monkeypatch.setenv("GEMINI_API_KEY", getattr(server, "key", ""))
        options: dict[str, Any] = {"base_url": getattr(server, "base_url", server.url)}
        if api == "interactions":
            options["api"] = "interactions"
        if api == "local":
            options["api_key_env"] = "OPENAI_API_KEY"
        provider = "gemini" if api == "interactions" else api
        yield (
            server,
            Stage(assistant=connect(Profile("p", provider, model="gpt-6-luna" * (api == "local"), options=options))),
        )


@pytest.mark.parametrize("where", ["refused", "in the stream"])
@pytest.mark.parametrize("api", ["gpt", "local", "gemini", "interactions"])
async def test_clearing_helps(api: str, where: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """On each provider: the exchange ends as `context_length`, once; after `/clear` the next one is answered."""
    words = OPENAI if api in ("gpt", "local") else GOOGLE
    code = "context_length_exceeded" if api == "gpt" else None
    if api == "gemini" and where == "in the stream":
        pytest.skip("generateContent refuses before it streams")
    fault = (
        Status(400, code=code, message=words, first=1, on="POST")
        if where == "refused"
        else ErrorEvent(1, status=400, code=code, message=words, first=1, on="POST")
    )
    with talking(api, monkeypatch, lambda _: [Say("Understood.")]) as (server, stage):
        conversation = stage.conversation
        assert (await conversation.exchange("one")).state is State.COMPLETED
        server.faults.add(fault)
        before = len(server.requests)
        settled = await conversation.exchange("two, which is too long")
        assert isinstance(settled.event, ErrorOccurred)
        assert settled.event.kind == "context_length", settled.event
        assert START in settled.event.hint
        assert "/clear" in hint_after(settled.event, chat=True)
        assert "asst sessions fork 01ABC" in hint_after(settled.event, session="01ABC")
        assert len(server.requests) == before + 1
        conversation.cut_history(0)
        assert (await conversation.exchange("three")).state is State.COMPLETED
        assert "one" not in str(
            server.requests[-1].json["input" if "input" in server.requests[-1].json else "contents"]
        )
        await conversation.aclose()


def test_in_the_chat(server: ResponsesServer) -> None:
    """A person reads one line, types /clear, and goes on; the session keeps everything."""
    server.brain = limited
    with Tmux([ASST, "chat", "-p", "gpt"], columns=100) as terminal:
        terminal.wait_for("/help")
        for number in range(12):
            terminal.enter(f"Remember this number: {number:040}")
            text = terminal.wait_for("completed", within=30) if not number else _next(terminal, number)
            if "Error" in text:
                break
        else:
            raise AssertionError("it never became too long")
        assert "Error: " in text
        told = " ".join(text.split())
        assert "exceeds the context window" in told
        assert "Start a new one, or set truncation = 'auto'." in told
        assert "/clear starts fresh" in told
        terminal.enter("/clear")
        terminal.wait_for("Starting fresh")
        terminal.enter("Hello again")
        terminal.wait_for("Understood.")
        terminal.press("C-d")
        terminal.wait_end(0)


def _next(terminal: Tmux, number: int) -> str:
    """The screen when that exchange has settled, one way or the other."""
    deadline = time.monotonic() + 30
    while True:
        text = terminal.text
        if "Error: " in text or text.count("completed") > number:
            return text
        assert time.monotonic() < deadline, text
        time.sleep(0.03)


@pytest.mark.parametrize("unit", ["x", "*", "a***", "token count ", "exceed ", "context length ", "maximum "])
def test_a_long_error_is_read_at_once(unit: str) -> None:
    """What a server says of its failure cannot hold us up: a megabyte of it is cut, and costs no more than to copy it."""
    register_secrets("sk-secret-0123456789")
    began = time.process_time()
    told = refusal(400, {"error": {"message": unit * (1_000_000 // len(unit))}}, {}, "http://x")
    assert time.process_time() - began < 2
    assert len(str(told)) < 2_000

"""The contract suite rejects providers that break a rule: a good one, broken on purpose in one way at a time."""

from __future__ import annotations

import gc
import json
from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing
from pathlib import Path
from types import ModuleType
from typing import Any, ClassVar, cast

import msgspec
import pytest

from asstproxy.core.turn import Options
from asstproxy.provider import AssistantProxy, ChunkReceived, Event, Heartbeat, HttpTransport, Kind, Started, Turn
from asstproxy.providers import connect
from asstproxy.providers.openai.provider import ResponsesProvider
from asstproxy.testing import (
    Calls,
    CutOff,
    ErrorInAnswer,
    Failure,
    Filtered,
    Hang,
    HttpBackend,
    HttpRequest,
    HttpResponse,
    Length,
    ProviderContract,
    RateLimited,
    Reply,
    Signed,
    Text,
    harness,
)
from servers.brain import words

from . import test_contract
from .mutants import MUTANTS, Mutant

SOURCE = Path(__file__).with_name("chat_provider.py").read_text(encoding="utf-8")
STATUS: dict[Kind, int] = {"authentication": 401, "not_found": 404, "rate_limit": 429, "server": 500}


# ---- the API: Chat Completions, streamed or in one reply -----------------------------------------------------------------


class ChatBackend(HttpBackend):
    """`module` holds the provider, good or broken. Connections are kept alive, so that one that is left open shows."""

    def __init__(self, module: ModuleType) -> None:
        super().__init__()
        self.module = module

    def proxy(self) -> AssistantProxy:
        transport = HttpTransport(self.url, {"Authorization": f"Bearer {self.secret}"}, reuse=True)
        proxy: AssistantProxy = self.module.ChatProvider(transport, "small-model")
        return proxy

    def response(self, reply: Reply, request: HttpRequest) -> HttpResponse:
        answer = streamed if request.body.get("stream") else whole
        match reply:
            case Text(text):
                return answer(text, "stop")
            case Calls(calls, text):
                return answer(text, "tool_calls", calls)
            case Signed(signed, signature):
                calls = signed.calls if isinstance(signed, Calls) else ()
                return answer(signed.text, "tool_calls" if calls else "stop", calls, reasoning=signature)
            case Length(text):
                return answer(text, "length")
            case Filtered(text):
                return answer(text, "content_filter")
            case CutOff(text):
                return answer(text, "", ending="complete" if request.body.get("stream") else "cut")
            case ErrorInAnswer(text):
                error = {"code": "server_error", "message": f"The model of {self.secret}\nfailed."}
                return answer(text, "error", error=error)
            case Failure(kind):
                return HttpResponse(STATUS[kind], {"error": {"message": f"No,\n{self.secret}!"}})
            case RateLimited(seconds):
                return HttpResponse(429, {"error": {"message": "Slow down."}}, headers={"Retry-After": str(seconds)})
            case Hang(text):
                return answer(text, "", ending="hang")


def streamed(
    text: str,
    reason: str,
    calls: Any = (),
    *,
    error: Any = None,
    reasoning: str | None = None,
    ending: Any = "complete",
) -> HttpResponse:
    chunks: list[Any] = [chunk({"role": "assistant", "content": None, "reasoning_content": reasoning})]
    chunks += [chunk({"content": word}) for word in (words(text) if text else [])]
    for index, (name, arguments) in enumerate(calls):
        begun = {"index": index, "id": f"c{index}", "type": "function", "function": {"name": name}}
        chunks.append(chunk({"tool_calls": [begun]}))
        for piece in words(json.dumps(arguments)) if arguments else []:
            chunks.append(chunk({"tool_calls": [{"index": index, "function": {"arguments": piece}}]}))
    if reason:
        last = chunk({}, reason) | ({"error": error} if error else {})
        chunks += [last, {"choices": [], "usage": {"prompt_tokens": 8, "completion_tokens": 4}}, "[DONE]"]
    return HttpResponse(events=chunks, ending=ending)


def chunk(delta: Any, reason: str | None = None) -> dict[str, Any]:
    return {"choices": [{"index": 0, "delta": delta, "finish_reason": reason}]}


def whole(
    text: str,
    reason: str,
    calls: Any = (),
    *,
    error: Any = None,
    reasoning: str | None = None,
    ending: Any = "complete",
) -> HttpResponse:
    functions = [{"name": name, "arguments": json.dumps(args) if args else ""} for name, args in calls]
    made = [{"id": f"c{index}", "type": "function", "function": f} for index, f in enumerate(functions)]
    message = {"role": "assistant", "content": text or None, "tool_calls": made, "reasoning_content": reasoning}
    body = {"choices": [{"index": 0, "message": message, "finish_reason": reason}]} | (
        {"error": error} if error else {}
    )
    return HttpResponse(body=body, ending=ending)


def module_of(source: str) -> ModuleType:
    module = ModuleType("chat_provider")
    exec(compile(source, "chat_provider.py", "exec"), module.__dict__)  # noqa: S102 - our own file
    return module


class TestGoodProvider(ProviderContract):
    """What the mutants are made of passes, so that each of them fails because of what was changed."""

    failures = frozenset(STATUS)
    module: ClassVar[ModuleType] = module_of(SOURCE)

    def backend(self) -> ChatBackend:
        return ChatBackend(self.module)


class TestGoodProviderInOneReply(TestGoodProvider):
    options = Options(stream=False)


# ---- the mutants -----------------------------------------------------------------------------------------------------------

TOO_SLOW = ("stopping took", "Connections left open", "Requests that the API still works on")
CASES = [pytest.param(mutant, test, id=f"{test}: {mutant.name}") for test, some in MUTANTS.items() for mutant in some]


@pytest.fixture
def leftovers() -> Iterator[None]:
    """What a mutant leaves open is collected, and complained about, in its own test: in a later one it would be an error."""
    yield
    gc.collect()


@pytest.mark.parametrize(("mutant", "test"), CASES)
@pytest.mark.usefixtures("leftovers")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_broken_provider_is_rejected(mutant: Mutant, test: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The test fails with a message that names what is wrong."""
    if mutant.message in TOO_SLOW:
        monkeypatch.setattr(harness, "STOP_LIMIT", 0.5)  # it need not take long to be too slow
    suite = TestGoodProvider()
    suite.module = module_of(mutant.source(SOURCE))  # type: ignore[misc] # of this one alone
    with pytest.raises(Exception, match=mutant.message):
        getattr(suite, test)()


def test_every_test_rejects_something() -> None:
    """No test of the suite is there for nothing; `attach`, which this provider lacks, has mutants of its own."""
    assert {name for name in dir(ProviderContract) if name.startswith("test_")} == {*MUTANTS, "test_attach"}


# ---- taking up an exchange that goes on in the background: `gpt`, which can do that ----------------------------------------


class PassesOn:
    """Does what a good provider does."""

    def __init__(self, proxy: ResponsesProvider) -> None:
        self.proxy, self.provider, self.model = proxy, proxy.provider, proxy.model
        self.submit_tool_outputs, self.aclose = proxy.submit_tool_outputs, proxy.aclose

    async def start_processing(self, turn: Turn) -> AsyncGenerator[Event]:
        async with aclosing(self.proxy.start_processing(turn)) as events:
            async for event in events:
                yield self.changed(event)

    async def attach(self, turn: Turn) -> AsyncGenerator[Event]:
        async with aclosing(self.proxy.attach(turn)) as events:
            async for event in events:
                yield event

    def changed(self, event: Event) -> Event:
        return event


class AsksAgain(PassesOn):
    async def attach(self, turn: Turn) -> AsyncGenerator[Event]:
        async with aclosing(
            self.proxy.start_processing(msgspec.structs.replace(turn, text="hi", history=()))
        ) as events:
            await anext(events)
            async for event in events:
                yield event


class OpensAgain(PassesOn):
    async def attach(self, turn: Turn) -> AsyncGenerator[Event]:
        yield Started(self.provider, turn.model)
        async with aclosing(super().attach(turn)) as events:
            async for event in events:
                yield event


class LosesPieces(PassesOn):
    async def attach(self, turn: Turn) -> AsyncGenerator[Event]:
        async with aclosing(super().attach(turn)) as events:
            async for event in events:
                yield ChunkReceived(event.text[1:]) if isinstance(event, ChunkReceived) else event


class TellsNoPlace(PassesOn):
    def changed(self, event: Event) -> Event:
        return Heartbeat(event.status) if isinstance(event, Heartbeat) else event


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        (AsksAgain, "made again instead of taken up"),
        (OpensAgain, "opening event must not come again"),
        (LosesPieces, "do not add up"),
        (TellsNoPlace, "the `resume` of a heartbeat must be"),
        (PassesOn, None),
    ],
)
def test_broken_attach_is_rejected(
    broken: type[PassesOn], message: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Likewise; the last one is good."""
    monkeypatch.setattr(test_contract, "connect", lambda profile: broken(cast("ResponsesProvider", connect(profile))))
    test = test_contract.TestGptInTheBackground().test_attach
    if message is None:
        test()
    else:
        with pytest.raises(AssertionError, match=message):
            test()

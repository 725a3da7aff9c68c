"""Two hundred conversations at once in one process, on one event loop."""

from __future__ import annotations

import asyncio
import gc
import os
import re
import threading
import tracemalloc
from collections.abc import Callable, Iterable

import pytest

from asstproxy import AssistantProxy, Conversation, RetryPolicy, State, Store, UserProxy, conform, tool
from asstproxy.config.profiles import Profile
from asstproxy.core.events import ActionRequired, AssistantMessageRetrieved, Record, ToolCall
from asstproxy.core.turn import Options
from asstproxy.providers import connect
from asstproxy.providers.scripted import ScriptedProvider, say
from asstproxy.store.session import Session
from servers import Call, GeminiServer, Json, Output, ResponsesServer, Say
from servers.brain import last_text

MANY, FEW = 200, 50
MARK = re.compile(r"mark\d{3}")


@tool(approval="never")
async def turned(text: str) -> str:
    """The text, the other way round.

    Args:
        text: any text.
    """
    await asyncio.sleep(0)
    return text[::-1]


def model(request: Json) -> list[Output]:
    """Calls the tool for what asks for it, reads a tool's output out, and else answers with the mark that it was asked with."""
    said = last_text(request)
    if said.startswith("turn "):
        return [Call("turned", {"text": said.removeprefix("turn ")})]
    return [Say(f"You said {said}, I believe.")]


class Talk:
    """One conversation with a mark of its own, kept in a session of its own."""

    def __init__(self, number: int, assistant: AssistantProxy) -> None:
        self.mark = f"mark{number:03}"
        self.session: Session = Store().create()
        self.records: list[Record] = []
        retry = RetryPolicy(attempts=8, delay=0.05)  # a loop full of work may be late to accept connections
        self.conversation = Conversation(
            assistant, UserProxy([turned]), options=Options(retry=retry), past=self.session.past
        )
        self.conversation.subscribe(self.session, essential=True)
        self.conversation.subscribe(self.records.append)
        self.answers: list[str] = []

    async def hold(self) -> None:
        for message in (f"hello {self.mark}", f"turn {self.mark}", f"and {self.mark} again"):
            settled = await self.conversation.exchange(message)
            assert settled.state is State.COMPLETED, settled
            assert isinstance(settled.event, AssistantMessageRetrieved)
            self.answers.append(settled.event.text)

    async def close(self) -> None:
        await self.conversation.aclose()
        self.session.close()

    def check(self) -> None:
        """Every word of it is its own, in memory, in the journal and in the transcript."""
        turned_mark = self.mark[::-1]
        assert [self.mark in self.answers[0], turned_mark in self.answers[1], self.mark in self.answers[2]] == [
            True
        ] * 3
        path = self.session.path
        for text in (*self.answers, path.read_text(), path.with_suffix(".json").read_text()):
            assert {*MARK.findall(text)} <= {self.mark}
            assert {*re.findall(r"\d{3}kram", text)} <= {turned_mark}
        assert not [*conform(self.records)]
        numbers = [record.seq for record in Store().records(self.session.id)]
        assert numbers == sorted(set(numbers))  # with gaps where pieces of text are one line
        assert numbers[-1] == self.records[-1].seq
        assert Store().summary(self.session.id).exchange_count == 3


def scripted(number: int) -> ScriptedProvider:
    mark = f"mark{number:03}"
    call = ActionRequired((ToolCall("c0", "turned", f'{{"text": "{mark}"}}'),))
    return ScriptedProvider(say(f"hello {mark}", pieces=9), [call], say(f"it is {mark[::-1]}"), say(f"bye {mark}"))


async def all_at_once(talks: Iterable[Talk]) -> None:
    async with asyncio.TaskGroup() as group:
        for talk in talks:
            group.create_task(talk.hold())


def held() -> tuple[int, int, int]:
    """Open files, tasks and threads of this process."""
    gc.collect()
    threads = [
        one for one in threading.enumerate() if not one.name.startswith("asyncio_")
    ]  # the tests' own `to_thread`
    return len(os.listdir("/proc/self/fd")), len(asyncio.all_tasks()), len(threads)


@pytest.mark.slow(reason="200 conversations, of three exchanges each")
@pytest.mark.parametrize("provider", ["scripted", "gpt", "gemini"])
async def test_two_hundred_at_once(
    provider: str, monkeypatch: pytest.MonkeyPatch, record_property: Callable[[str, object], None]
) -> None:
    """All complete, no word gets into another's answer or file, and nothing is left open."""
    server: ResponsesServer | GeminiServer = (GeminiServer if provider == "gemini" else ResponsesServer)(model)
    version = "" if provider == "gemini" else "/v1"
    monkeypatch.setenv("OPENAI_API_KEY", server.key)
    monkeypatch.setenv("GEMINI_API_KEY", server.key)
    with server:
        before = held()

        def assistant(number: int) -> AssistantProxy:
            if provider == "scripted":
                return scripted(number)
            return connect(Profile("p", provider, options={"base_url": server.url + version}))

        talks = [Talk(number, assistant(number)) for number in range(MANY)]
        await all_at_once(talks)
        if provider != "scripted":
            await server.eventually(lambda server: server.open_connections == 0)
            assert len({str(context) for context in server.contexts}) == 4 * MANY
        for talk in talks:
            await talk.close()
        assert len({talk.session.id for talk in talks}) == MANY
        for talk in talks:
            talk.check()
        assert held() == before
    record_property("figure", f"{provider}: {MANY} conversations at once, {4 * MANY} requests, none of them mixed up")


async def test_memory_of_a_conversation(
    monkeypatch: pytest.MonkeyPatch, record_property: Callable[[str, object], None]
) -> None:
    """An open conversation with an HTTP client, a session on disk and three exchanges behind it fits in 200 kB."""
    monkeypatch.setenv("OPENAI_API_KEY", "sk-test-0123456789abcdef")
    talks: list[Talk] = []
    with ResponsesServer(model) as first:  # imports and caches are not a conversation's
        warm = Talk(999, connect(Profile("p", "gpt", options={"base_url": first.base_url})))
        await warm.hold()
        await warm.close()
    tracemalloc.start()
    try:
        gc.collect()
        before = tracemalloc.get_traced_memory()[0]
        server = ResponsesServer(model)
        with server:
            talks += [
                Talk(number, connect(Profile("p", "gpt", options={"base_url": server.base_url})))
                for number in range(FEW)
            ]
            await all_at_once(talks)
        del server  # what it remembers of its clients is not ours
        gc.collect()
        each = (tracemalloc.get_traced_memory()[0] - before) / FEW
    finally:
        tracemalloc.stop()
    for talk in talks:
        await talk.close()
    record_property(
        "figure", f"{each / 1000:.0f} kB of Python's memory for an open conversation (HTTP client included)"
    )
    assert each < 200_000

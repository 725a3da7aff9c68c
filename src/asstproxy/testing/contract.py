"""The contract of an Assistant Proxy as tests: what core relies on, and what holds for every provider.

```python
class TestMine(ProviderContract):
    failures = frozenset({"authentication", "rate_limit", "server"})

    @asynccontextmanager
    async def bench(self) -> AsyncIterator[Bench]:
        with MyFakeServer() as server:
            yield MyBench(server)
```

That is all: pytest, or unittest with a `TestCase` on top, finds the tests. They need no plugin; each runs in a loop of its
own, and fails also when a task is left over in it.
"""

# ruff: noqa: S101 - these are tests

from __future__ import annotations

import asyncio
import json
from contextlib import AbstractAsyncContextManager, aclosing
from typing import Any, ClassVar

from ..core.codec import decode, encode
from ..core.conversation import Conversation
from ..core.errors import Kind
from ..core.events import AssistantMessageRetrieved, ChunkReceived, Record, Started, ToolResult
from ..core.mediator import conform
from ..core.retry import RetryPolicy
from ..core.roles import AssistantProxy
from ..core.script import State
from ..core.turn import Options
from ..user import UserProxy
from .bench import Bench, Calls, Failure, Hang, Text
from .law import cancelled, in_order, in_time, law
from .talk import Talk, elsewhere, failure, kept, read

__all__ = ["ProviderContract"]

STYLE = "Grüße an die Welt \N{EARTH GLOBE EUROPE-AFRICA}\u2028und <b>weiter</b>"
RETRY: dict[Kind, bool] = {
    "rate_limit": True,
    "authentication": False,
    "not_found": False,
    "invalid_request": False,
    "quota": False,
    "context_length": False,
    "content": False,
}
"""Where there can be no doubt, whether the same request may work later."""


def add(a: int, b: int) -> str:
    """Add two numbers."""
    return f"sum {a + b}"


class ProviderContract:
    """Subclass it under a name that begins with `Test`, and give it a `bench`.

    `options` say how the assistant is asked, `failures` which kinds of errors the bench can bring about, `patience` how
    long one test may take, in seconds.
    """

    options: ClassVar[Options] = Options()
    failures: ClassVar[frozenset[Kind]] = frozenset({"server"})
    patience: ClassVar[float] = 60.0

    def bench(self) -> AbstractAsyncContextManager[Bench]:
        """The provider in its test bench."""
        raise NotImplementedError

    # ---- what is said --------------------------------------------------------------------------------------------------

    @law
    async def test_an_answer(self, bench: Bench) -> None:
        """`Started` first, the whole answer last and nothing after it; its pieces add up to it, whatever characters it has."""
        bench.answers(Text(STYLE))
        async with aclosing(bench.proxy()) as proxy:
            assert await Talk(proxy, self.options).answer(STYLE) == STYLE
        assert STYLE in bench.heard()

    @law
    async def test_streamed_or_not_it_is_the_same_answer(self, bench: Bench) -> None:
        """How the answer travels makes no difference to it."""
        bench.answers(Text(STYLE))
        async with aclosing(bench.proxy()) as proxy:
            streamed = await Talk(proxy, Options(stream=True)).answer("hi")
            whole = await Talk(proxy, Options(stream=False)).answer("hi")
        assert streamed == whole == STYLE

    @law
    async def test_the_history_is_sent(self, bench: Bench) -> None:
        """In a second exchange the model knows the first one, once and in its order; a first exchange knows of no other."""
        async with aclosing(bench.proxy()) as proxy:
            bench.answers(Text("the first answer"), Text("the second answer"))
            talk = Talk(proxy, self.options)
            await talk.answer("the first question")
            assert await talk.answer("the second question") == "the second answer"
            in_order(bench.heard(), "the first question", "the first answer", "the second question")
            assert bench.heard().count("the first question") == 1
            await Talk(proxy, self.options).answer("a fresh start")
        assert "first" not in bench.heard()

    # ---- tools ---------------------------------------------------------------------------------------------------------

    @law
    async def test_a_tool_is_called(self, bench: Bench) -> None:
        """The call comes with its arguments as JSON; the model gets the output, and still knows it in the next exchange."""
        bench.answers(Calls((("add", {"a": 1, "b": 2}),)), Text("it is three"))
        async with aclosing(bench.proxy()) as proxy:
            talk = Talk(proxy, self.options)
            (call,) = (await talk.call("what is 1 + 2?")).calls
            assert (call.name, json.loads(call.arguments)) == ("add", {"a": 1, "b": 2})
            closing = await talk.submit([ToolResult(call.call_id, "sum 3")])
            assert isinstance(closing, AssistantMessageRetrieved)
            assert closing.text == "it is three"
            in_order(bench.heard(), "what is 1 + 2?", "sum 3")
            await talk.answer("thanks")
        in_order(bench.heard(), "what is 1 + 2?", "sum 3", "it is three", "thanks")

    @law
    async def test_parallel_calls(self, bench: Bench) -> None:
        """All calls of a reply come at once, in their order and each with an id of its own; so go the results."""
        bench.answers(Calls(tuple(("add", {"a": n, "b": n}) for n in range(3))), Text("done"))
        async with aclosing(bench.proxy()) as proxy:
            talk = Talk(proxy, self.options)
            calls = (await talk.call("add them")).calls
            assert [json.loads(call.arguments) for call in calls] == [{"a": n, "b": n} for n in range(3)]
            assert len({call.call_id for call in calls}) == 3
            await talk.submit([ToolResult(call.call_id, f"sum {n}") for n, call in enumerate(calls)])
        in_order(bench.heard(), "add them", "sum 0", "sum 1", "sum 2")

    @law
    async def test_several_rounds(self, bench: Bench) -> None:
        """The model may ask again and again, and knows all that was asked and answered before."""
        rounds = [Calls((("add", {"a": n, "b": 0}),)) for n in range(3)]
        bench.answers(*rounds, Text("done"))
        async with aclosing(bench.proxy()) as proxy:
            talk = Talk(proxy, self.options)
            closing: Any = await talk.call("count")
            for n in range(3):
                (call,) = closing.calls
                closing = await talk.submit([ToolResult(call.call_id, f"sum {n}")])
        assert isinstance(closing, AssistantMessageRetrieved)
        in_order(bench.heard(), "count", "sum 0", "sum 1", "sum 2")

    @law
    async def test_a_tool_that_failed(self, bench: Bench) -> None:
        """The model learns that a call failed, and why."""
        bench.answers(Calls((("add", {"a": 1, "b": 2}),)), Text("sorry"))
        async with aclosing(bench.proxy()) as proxy:
            talk = Talk(proxy, self.options)
            (call,) = (await talk.call("add")).calls
            await talk.submit([ToolResult(call.call_id, error="out of numbers")])
        assert "out of numbers" in bench.heard()

    # ---- stopping ------------------------------------------------------------------------------------------------------

    @law
    async def test_it_can_be_closed_after_every_message(self, bench: Bench) -> None:
        """Closing the iterator stops in time, wherever it stands, and the proxy can be asked again."""
        async with aclosing(bench.proxy()) as proxy:
            for count in range(1, await self._messages(bench, proxy)):
                bench.answers(Text("one two three"))
                events = proxy.start_processing(Talk(proxy, self.options).turn("hi"))
                for _ in range(count):
                    await anext(events)
                with in_time(f"after {count} messages"):
                    if hasattr(events, "aclose"):
                        await events.aclose()
                await self._works(bench, proxy)

    @law
    async def test_it_can_be_cancelled_after_every_message(self, bench: Bench) -> None:
        """Cancelling the task that reads stops in time, wherever it stands, and the proxy can be asked again."""
        async with aclosing(bench.proxy()) as proxy:
            for count in range(1, await self._messages(bench, proxy)):
                bench.answers(Text("one two three"))
                with in_time(f"after {count} messages"):
                    await cancelled(read(proxy, Talk(proxy, self.options), count))
                await self._works(bench, proxy)

    @law
    async def test_silence_can_be_cancelled(self, bench: Bench) -> None:
        """A model that falls silent, before its answer or within it, holds up nobody."""
        async with aclosing(bench.proxy()) as proxy:
            for text in ("", "well, "):
                bench.answers(Hang(text))
                task = asyncio.create_task(read(proxy, Talk(proxy, self.options)))
                await asyncio.wait({task}, timeout=0.15)
                assert not task.done(), "the bench does not hang"
                task.cancel()
                with in_time("in silence"):
                    await cancelled(task)
                await self._works(bench, proxy)

    async def _messages(self, bench: Bench, proxy: AssistantProxy) -> int:
        bench.answers(Text("one two three"))
        talk = Talk(proxy, self.options)
        await talk.answer("hi")
        return len(talk.said)

    async def _works(self, bench: Bench, proxy: AssistantProxy) -> None:
        bench.answers(Text("here I am"))
        assert await Talk(proxy, self.options).answer("again") == "here I am"

    # ---- going on ------------------------------------------------------------------------------------------------------

    @law
    async def test_another_process_goes_on(self, bench: Bench) -> None:
        """A new proxy continues from what the journal holds: the history, or the provider's own `resume`."""
        bench.answers(Calls((("add", {"a": 1, "b": 2}),)), Text("it is three"), Text("it was three"))
        journal: list[bytes] = []
        async with aclosing(self._conversation(bench)) as conversation:
            conversation.subscribe(lambda record: journal.append(encode(record)))
            await conversation.exchange("what is 1 + 2?")
        async with aclosing(self._conversation(bench, [decode(line) for line in journal])) as conversation:
            assert (await conversation.exchange("and now?")).event.text == "it was three"  # type: ignore[union-attr]
        in_order(bench.heard(), "what is 1 + 2?", "sum 3", "it is three", "and now?")

    @law
    async def test_another_provider_s_history_is_taken_up(self, bench: Bench) -> None:
        """What somebody else said, with tools and with `raw` that only he understands, is sent in neutral words."""
        bench.answers(Text("I know"))
        async with aclosing(bench.proxy()) as proxy:
            assert await Talk(proxy, self.options, elsewhere()).answer("do you know?") == "I know"
        in_order(bench.heard(), "what is 5 + 5?", "sum 10", "it is ten", "do you know?")
        assert "opaque" not in bench.heard()

    # ---- failures ------------------------------------------------------------------------------------------------------

    @law
    async def test_every_failure_is_told(self, bench: Bench) -> None:
        """It is raised after `Started`, as an error with its kind, in one line that holds no key; then all works again."""
        assert self.failures, "every provider can fail"
        async with aclosing(bench.proxy()) as proxy:
            for kind in sorted(self.failures):
                bench.answers(Failure(kind))
                talk = Talk(proxy, self.options)
                error = await failure(talk)
                assert [type(event) for event in talk.said if not isinstance(event, ChunkReceived)][:1] == [Started]
                assert error.kind == kind, f"{kind}: {error}"
                assert error.retryable == RETRY.get(kind, error.retryable), f"{kind}: retryable is {error.retryable}"
                for words in (str(error), error.hint):
                    assert "\n" not in words
                    assert not bench.secret or bench.secret not in words, f"{kind}: the key is in {words!r}"
                assert str(error), f"{kind}: no words"
                await self._works(bench, proxy)

    # ---- the whole -----------------------------------------------------------------------------------------------------

    @law
    async def test_a_conversation(self, bench: Bench) -> None:
        """With mediator and driver: two exchanges, tools in between; every record is what the script allows."""
        bench.answers(Text("hello"), Calls((("add", {"a": 1, "b": 2}), ("add", {"a": 3, "b": 4}))), Text("3 and 7"))
        async with aclosing(self._conversation(bench)) as conversation:
            records = kept(conversation)
            assert (await conversation.exchange("hi")).state is State.COMPLETED
            assert (await conversation.exchange("add")).event.text == "3 and 7"  # type: ignore[union-attr]
        assert list(conform(records)) == []
        in_order(bench.heard(), "hi", "hello", "add", "sum 3", "sum 7")

    @law
    async def test_a_conversation_can_be_stopped_at_every_record(self, bench: Bench) -> None:
        """Also in the middle of a tool round; the next exchange works, and its history has no loose ends."""
        script = (Calls((("add", {"a": 1, "b": 2}),)), Text("one two three"))
        stop = 2
        while True:
            bench.answers(*script)
            async with aclosing(self._conversation(bench)) as conversation:
                records = kept(conversation)
                conversation.subscribe(lambda r, at=stop: conversation.cancel() if r.seq == at else None)  # type: ignore[misc]
                with in_time(f"at record {stop}"):
                    await cancelled(conversation.exchange("hi"))
                ended = records[-1].state
                bench.answers(Text("here I am"))
                assert (await conversation.exchange("again")).event.text == "here I am"  # type: ignore[union-attr]
                assert list(conform(records)) == []
            if ended is State.COMPLETED:
                break
            assert ended is State.CANCELLED, f"stopped at record {stop}, it ended as {ended}"
            stop += 1
        assert stop > 8, "the exchange is too short to prove anything"

    def _conversation(self, bench: Bench, past: list[Record] | None = None) -> Conversation:
        retry = RetryPolicy(attempts=3, delay=0.05)
        options = Options(stream=self.options.stream, background=self.options.background, retry=retry)
        return Conversation(bench.proxy(), UserProxy([add]), options=options, past=past or ())

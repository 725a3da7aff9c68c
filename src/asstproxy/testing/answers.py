"""The contract: answers, and what a request must hold."""

# ruff: noqa: S101 - these are tests

from __future__ import annotations

from collections.abc import Mapping
from contextlib import aclosing
from typing import Any

from ..core.turn import Options
from ..provider import AssistantMessageRetrieved, MessageIncomplete, ToolResult
from .backend import Backend, Calls, Filtered, Length, ReceivedRequest, Reply, Text
from .client import ProviderClient
from .harness import ContractBase, assert_in_order, provider_test

__all__ = ["AnswerTests"]

UNUSUAL = "Grüße an die Welt \N{EARTH GLOBE EUROPE-AFRICA}\u2028und <b>weiter</b>"
ADD_ONE_TWO = Calls((("add", {"a": 1, "b": 2}),))


class AnswerTests(ContractBase):
    """What comes back to a message, and what the model gets to see."""

    @provider_test
    async def test_answer(self, backend: Backend) -> None:
        """The opening event comes first, the closing event last; the pieces add up to the answer, whatever its characters."""
        backend.will_reply(Text(UNUSUAL))
        async with aclosing(backend.proxy()) as proxy:
            assert await self.client(backend, proxy).expect_answer(UNUSUAL) == UNUSUAL
        assert UNUSUAL in backend.received()[-1].text, "The message has not arrived as it was written."

    @provider_test
    async def test_opening_event_precedes_request(self, backend: Backend) -> None:
        """The opening event is published before the request goes out, also with the results of tools."""
        backend.will_reply(ADD_ONE_TWO, Text("done"))
        async with aclosing(backend.proxy()) as proxy:
            client = self.client(backend, proxy)
            async with aclosing(proxy.start_processing(client.turn("hi"))) as events:  # type: ignore[type-var]
                await anext(events)
                assert not backend.received(), "The first event came after the request."
            (call,) = await client.expect_calls("add")
            before = len(backend.received())
            results = [ToolResult(call.call_id, "sum 3")]
            async with aclosing(proxy.submit_tool_outputs(results)) as events:  # type: ignore[type-var]
                await anext(events)
                assert len(backend.received()) == before, "The first event came after the request with the results."

    @provider_test
    async def test_same_answer_with_and_without_stream(self, backend: Backend) -> None:
        """The answer is the same whether the turn asks for a stream or not."""
        backend.will_reply(Text(UNUSUAL))
        async with aclosing(backend.proxy()) as proxy:
            for stream in (True, False):
                client = ProviderClient(proxy, Options(stream=stream), secret=backend.secret)
                assert await client.expect_answer("hi") == UNUSUAL, f"wrong answer with stream={stream}"

    @provider_test
    async def test_length_limit_is_incomplete(self, backend: Backend) -> None:
        """An answer that stops at the limit of output tokens ends with MessageIncomplete, reason `max_output_tokens`."""
        await self._incomplete(backend, Length("the beginning of"), "max_output_tokens")

    @provider_test
    async def test_content_filter_is_incomplete(self, backend: Backend) -> None:
        """An answer that a content filter stops ends with MessageIncomplete, reason `content_filter`."""
        await self._incomplete(backend, Filtered("the beginning of"), "content_filter")

    async def _incomplete(self, backend: Backend, reply: Length | Filtered, reason: str) -> None:
        self.skip_without(type(reply))
        backend.will_reply(reply, Text("here I am"))
        async with aclosing(backend.proxy()) as proxy:
            client = self.client(backend, proxy)
            closing = await client.send("tell me a story")
            assert isinstance(closing, MessageIncomplete), f"The answer is incomplete, but ended with {closing}"
            assert (closing.text, closing.reason) == (reply.text, reason), f"wrong text or reason: {closing}"
            assert await client.expect_answer("go on") == "here I am"
        assert_in_order(backend.received()[-1].text, "tell me a story", reply.text, "go on")

    @provider_test
    async def test_history_is_sent(self, backend: Backend) -> None:
        """A second exchange shows the model the first one, once and in order; another conversation does not see it."""
        async with aclosing(backend.proxy()) as proxy:
            backend.will_reply(Text("the first answer"), Text("the second answer"))
            client = self.client(backend, proxy)
            await client.expect_answer("the first question")
            assert await client.expect_answer("the second question") == "the second answer"
            conversation = backend.received()[-1].text
            assert_in_order(conversation, "the first question", "the first answer", "the second question")
            for text in ("the first question", "the first answer"):
                assert conversation.count(text) == 1, f"{text!r} was sent more than once."
            await self.client(backend, proxy).expect_answer("a fresh start")
        assert "first" not in backend.received()[-1].text, "A new conversation must not see an earlier one."

    @provider_test
    async def test_instructions_are_sent(self, backend: Backend) -> None:
        """Every request has the instructions of its turn, that with the results of tools too, and none of an earlier turn."""
        backend.will_reply(ADD_ONE_TWO, Text("done"))
        async with aclosing(backend.proxy()) as proxy:
            for instructions in ("Answer like a pirate.", "Answer like a poet."):
                client = self.client(backend, proxy, instructions=instructions)
                for request in await self._tool_round(backend, client):
                    assert instructions in str(request.body), f"The instructions were not sent: {request.body}"
            await self.client(backend, proxy, instructions="").expect_answer("hi")
        assert "Answer like" not in str(backend.received()[-1].body), "Instructions of an earlier turn were sent."

    @provider_test
    async def test_settings_are_sent(self, backend: Backend) -> None:
        """Every request has the settings of its turn, that with the results of tools too, and none that the turn lacks."""
        backend.will_reply(ADD_ONE_TWO, Text("done"))
        async with aclosing(backend.proxy()) as proxy:
            for request in await self._tool_round(backend, self.client(backend, proxy, settings=self.settings)):
                for name, value in self.settings.items():
                    assert value in values_of(request.body, name), f"The setting {name} was not sent: {request.body}"
            for request in await self._tool_round(backend, self.client(backend, proxy)):
                for name in self.settings:
                    assert not values_of(request.body, name), f"The setting {name} was sent, but nobody has set it."

    @provider_test
    async def test_model_of_turn_is_asked(self, backend: Backend) -> None:
        """Every request of a turn that names a model goes to that model, and `Started` names it."""
        self.skip_with_one_model()
        await self._asks(backend, self.another_model)

    @provider_test
    async def test_default_model_is_asked(self, backend: Backend) -> None:
        """Every request of a turn that names no model goes to the proxy's own model, and `Started` names it."""
        await self._asks(backend, "")

    async def _asks(self, backend: Backend, model: str) -> None:
        backend.will_reply(ADD_ONE_TWO, Text("done"))
        async with aclosing(backend.proxy()) as proxy:
            for request in await self._tool_round(backend, self.client(backend, proxy, model=model)):
                wanted = model or proxy.model
                assert request.model == wanted, f"The model {request.model!r} was asked instead of {wanted!r}."

    async def _tool_round(self, backend: Backend, client: ProviderClient) -> list[ReceivedRequest]:
        """Hold an exchange with one call; its two requests."""
        script: tuple[Reply, ...] = (ADD_ONE_TWO, Text("done"))
        backend.will_reply(*script)
        before = len(backend.received())
        (call,) = await client.expect_calls("add")
        closing = await client.submit([ToolResult(call.call_id, "sum 3")])
        assert isinstance(closing, AssistantMessageRetrieved), f"Expected a complete answer, got {closing}"
        requests = list(backend.received()[before:])
        assert len(requests) == len(script), f"{len(requests)} requests arrived instead of {len(script)}."
        return requests


def values_of(body: Any, name: str) -> list[Any]:
    """All values with this name, at any depth of the JSON."""
    inner = body.values() if isinstance(body, Mapping) else body if isinstance(body, list) else ()
    here = [body[name]] if isinstance(body, Mapping) and name in body else []
    return here + [value for part in inner for value in values_of(part, name)]

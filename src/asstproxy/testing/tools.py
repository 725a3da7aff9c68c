"""The contract: tools."""

# ruff: noqa: S101 - these are tests

from __future__ import annotations

import json
from contextlib import aclosing

from ..provider import ActionRequired, AssistantMessageRetrieved, ToolResult
from .backend import Backend, Calls, Text
from .client import ADD
from .harness import ContractBase, assert_in_order, provider_test

__all__ = ["ToolTests"]


class ToolTests(ContractBase):
    """How tools are offered and called, and how their results reach the model."""

    @provider_test
    async def test_tools_are_offered(self, backend: Backend) -> None:
        """A request has the name, the description and the parameters of each tool of its turn, and no tool of an earlier one."""
        backend.will_reply(Text("hello"))
        async with aclosing(backend.proxy()) as proxy:
            await self.client(backend, proxy).expect_answer("hi")
            await self.client(backend, proxy, tools=()).expect_answer("hi")
        offered, bare = (json.dumps(request.body) for request in backend.received())
        for part in (ADD.name, ADD.description, *ADD.parameters["properties"]):
            assert json.dumps(part) in offered, f"{part!r} of the tool was not sent: {offered}"
        assert ADD.description not in bare, "A tool was offered that the turn does not have."

    @provider_test
    async def test_tool_call(self, backend: Backend) -> None:
        """A call comes with its arguments as JSON; the model gets the result, and sees it in the next exchange, too."""
        backend.will_reply(Calls((("add", {"a": 1, "b": 2}),)), Text("it is three"))
        async with aclosing(backend.proxy()) as proxy:
            client = self.client(backend, proxy)
            (call,) = await client.expect_calls("what is 1 + 2?")
            assert (call.name, json.loads(call.arguments)) == ("add", {"a": 1, "b": 2}), f"not the call made: {call}"
            closing = await client.submit([ToolResult(call.call_id, "sum 3")])
            assert isinstance(closing, AssistantMessageRetrieved), f"Expected a complete answer, got {closing}"
            assert closing.text == "it is three"
            assert_in_order(backend.received()[-1].text, "what is 1 + 2?", "sum 3")
            await client.expect_answer("thanks")
        assert_in_order(backend.received()[-1].text, "what is 1 + 2?", "sum 3", "it is three", "thanks")

    @provider_test
    async def test_text_before_tool_call(self, backend: Backend) -> None:
        """What the model writes before a call is in `ActionRequired.text`, and the model sees it in the next request."""
        backend.will_reply(Calls((("add", {"a": 1, "b": 2}),), "let me see"), Text("done"))
        async with aclosing(backend.proxy()) as proxy:
            client = self.client(backend, proxy)
            closing = await client.send("what is 1 + 2?")
            assert isinstance(closing, ActionRequired), f"Expected tool calls, got {closing}"
            assert closing.text == "let me see", f"The text before the call is missing: {closing}"
            await client.submit([ToolResult(closing.calls[0].call_id, "sum 3")])
        assert_in_order(backend.received()[-1].text, "what is 1 + 2?", "let me see", "sum 3")

    @provider_test
    async def test_tool_call_without_arguments(self, backend: Backend) -> None:
        """The arguments of a call that has none are an empty JSON object."""
        backend.will_reply(Calls((("add", {}),)), Text("done"))
        async with aclosing(backend.proxy()) as proxy:
            client = self.client(backend, proxy)
            (call,) = await client.expect_calls("add")
            assert call.arguments.strip() == "{}", f"The arguments must be '{{}}', not {call.arguments!r}."
            await client.submit([ToolResult(call.call_id, "sum 0")])

    @provider_test
    async def test_parallel_tool_calls(self, backend: Backend) -> None:
        """All calls of a reply come in one event, in order and each with its own id; the results are sent in that order."""
        backend.will_reply(Calls(tuple(("add", {"a": n, "b": n}) for n in range(3))), Text("done"))
        async with aclosing(backend.proxy()) as proxy:
            client = self.client(backend, proxy)
            calls = await client.expect_calls("add them")
            arguments = [json.loads(call.arguments) for call in calls]
            assert arguments == [{"a": n, "b": n} for n in range(3)], f"not the calls made, in order: {arguments}"
            assert len({call.call_id for call in calls}) == 3, f"Each call needs its own id: {calls}"
            await client.submit([ToolResult(call.call_id, f"sum {n}") for n, call in enumerate(calls)])
        assert_in_order(backend.received()[-1].text, "add them", "sum 0", "sum 1", "sum 2")

    @provider_test
    async def test_several_tool_rounds(self, backend: Backend) -> None:
        """The model may call tools again and again; each request shows it every earlier call and result once."""
        rounds = [Calls((("add", {"a": n, "b": 0}),)) for n in range(3)]
        backend.will_reply(*rounds, Text("done"))
        async with aclosing(backend.proxy()) as proxy:
            client = self.client(backend, proxy)
            calls = await client.expect_calls("count")
            for n in range(3):
                closing = await client.submit([ToolResult(calls[0].call_id, f"sum {n}")])
                calls = closing.calls if isinstance(closing, ActionRequired) else ()
        assert isinstance(closing, AssistantMessageRetrieved), f"Expected a complete answer, got {closing}"
        conversation = backend.received()[-1].text
        assert_in_order(conversation, "count", "sum 0", "sum 1", "sum 2")
        assert conversation.count("sum 0") == 1, "A result was sent more than once."

    @provider_test
    async def test_failed_tool(self, backend: Backend) -> None:
        """The model sees that a call failed, and why."""
        backend.will_reply(Calls((("add", {"a": 1, "b": 2}),)), Text("sorry"))
        async with aclosing(backend.proxy()) as proxy:
            client = self.client(backend, proxy)
            (call,) = await client.expect_calls("add")
            await client.submit([ToolResult(call.call_id, error="out of numbers")])
        assert "out of numbers" in backend.received()[-1].text, "The model does not see the error of the tool."

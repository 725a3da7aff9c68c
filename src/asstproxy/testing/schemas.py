"""The contract: schemas of answers, for a provider whose API takes them."""

# ruff: noqa: S101 - these are tests

from __future__ import annotations

import json
import unittest
from contextlib import aclosing
from typing import Any

from ..provider import AssistantMessageRetrieved, Structured, ToolResult
from .backend import Backend, Calls, Text
from .harness import ContractBase, provider_test

__all__ = ["SchemaTests"]

HARBOUR: dict[str, Any] = {
    "type": "object",
    "properties": {"harbour": {"type": "string"}, "depth_in_metres": {"type": "integer"}},
    "required": ["harbour", "depth_in_metres"],
    "additionalProperties": False,
}
ANSWER = '{"harbour": "Bergen", "depth_in_metres": 11}'


class SchemaTests(ContractBase):
    """How the schema of an answer reaches the API. A provider without `structured` is never given one."""

    @provider_test
    async def test_schema_is_sent(self, backend: Backend) -> None:
        """Every request has the schema of its turn, that with the results of tools too, and none of an earlier turn."""
        backend.will_reply(Calls((("add", {"a": 1, "b": 2}),)), Text(ANSWER), Text("hello"))
        async with aclosing(backend.proxy()) as proxy:
            if not isinstance(proxy, Structured):
                raise unittest.SkipTest("the provider has no `structured`: asst asks for a call of a function instead")
            client = self.client(backend, proxy, schema=HARBOUR)
            (call,) = await client.expect_calls("which harbour?")
            closing = await client.submit([ToolResult(call.call_id, "sum 3")])
            assert isinstance(closing, AssistantMessageRetrieved), f"Expected a complete answer, got {closing}"
            assert json.loads(closing.text) == json.loads(ANSWER), f"The answer has changed: {closing.text}"
            await self.client(backend, proxy).expect_answer("hi")
        *asked, bare = (json.dumps(request.body) for request in backend.received())
        for request in asked:
            for name in HARBOUR["properties"]:
                assert json.dumps(name) in request, f"{name!r} of the schema was not sent: {request}"
        assert '"depth_in_metres": {' not in bare, "A schema was sent that the turn does not have."

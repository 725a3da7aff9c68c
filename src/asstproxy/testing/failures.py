"""The contract: failures."""

# ruff: noqa: S101 - these are tests

from __future__ import annotations

from contextlib import aclosing

from ..provider import AssistantError, AssistantMessageRetrieved, AssistantProxy, Kind, ToolResult
from .backend import Backend, Calls, CutOff, ErrorInAnswer, Failure, RateLimited, Text
from .harness import ContractBase, assert_in_order, provider_test

__all__ = ["FailureTests"]

RETRYABLE: dict[Kind, bool] = {
    "rate_limit": True,
    "authentication": False,
    "not_found": False,
    "invalid_request": False,
    "quota": False,
    "context_length": False,
    "content": False,
}
"""Whether the same request may work later. For the other kinds it depends on the API."""


class FailureTests(ContractBase):
    """Failures are raised as `AssistantError`, and the request can be made again."""

    @provider_test
    async def test_every_failure_is_raised(self, backend: Backend) -> None:
        """A failure is raised after the opening event, with its kind, in one line without the key; then all works again."""
        assert self.failures, "Every provider can fail: name the kinds in `failures`."
        async with aclosing(backend.proxy()) as proxy:
            for kind in sorted(self.failures):
                backend.will_reply(Failure(kind))
                error = await self.client(backend, proxy).expect_failure()
                assert error.kind == kind, f"The kind must be {kind}, not {error.kind}: {error}"
                wanted = RETRYABLE.get(kind, error.retryable)
                assert error.retryable == wanted, f"{kind}: retryable must be {wanted}."
                await self._check_error(backend, proxy, error)

    @provider_test
    async def test_retry_after_is_passed_on(self, backend: Backend) -> None:
        """The seconds that the API asks to wait are in `retry_after`."""
        self.skip_without(RateLimited)
        backend.will_reply(RateLimited(7))
        async with aclosing(backend.proxy()) as proxy:
            error = await self.client(backend, proxy).expect_failure()
            assert (error.kind, error.retryable) == ("rate_limit", True), f"a retryable rate_limit, not {error.kind}"
            assert error.retry_after == 7, f"retry_after must be 7, not {error.retry_after}."

    @provider_test
    async def test_answer_that_breaks_off(self, backend: Backend) -> None:
        """An answer without its end is a failure, even if the stream seems complete; what came before is published."""
        self.skip_without(CutOff)
        backend.will_reply(CutOff("half of an"))
        await self._broken_answer(backend, "half of an", ("connection", "protocol"))

    @provider_test
    async def test_error_in_answer(self, backend: Backend) -> None:
        """An error that the API reports inside an answer is a failure with its kind; what came before is published."""
        self.skip_without(ErrorInAnswer)
        backend.will_reply(ErrorInAnswer("half of an"))
        await self._broken_answer(backend, "half of an", ("server",))

    async def _broken_answer(self, backend: Backend, text: str, kinds: tuple[Kind, ...]) -> None:
        async with aclosing(backend.proxy()) as proxy:
            client = self.client(backend, proxy)
            error = await client.expect_failure()
            assert error.kind in kinds, f"The kind must be {' or '.join(kinds)}, not {error.kind}: {error}"
            received = client.text_received
            assert received in ("", text), f"Of the answer {text!r} the pieces {received!r} were published."
            await self._check_error(backend, proxy, error)

    async def _check_error(self, backend: Backend, proxy: AssistantProxy, error: AssistantError) -> None:
        assert str(error), f"{error.kind}: the error has no message."
        for words in (str(error), error.hint):
            assert "\n" not in words, f"{error.kind}: message and hint must be one line each: {words!r}"
        backend.will_reply(Text("here I am"))
        assert await self.client(backend, proxy).expect_answer("again") == "here I am"

    @provider_test
    async def test_failed_request_can_be_repeated(self, backend: Backend) -> None:
        """After a failure, the same turn can be asked again: the model sees the history and the message once."""
        async with aclosing(backend.proxy()) as proxy:
            client = self.client(backend, proxy)
            backend.will_reply(Text("the old answer"))
            await client.expect_answer("the old question")
            backend.will_reply(self._failure(), Text("here I am"))
            await client.expect_failure(lambda: client.send("the new question"))
            closing = await client.repeat()
        assert isinstance(closing, AssistantMessageRetrieved), f"Expected a complete answer, got {closing}"
        conversation = backend.received()[-1].text
        assert_in_order(conversation, "the old question", "the old answer", "the new question")
        for text in ("the old question", "the old answer", "the new question"):
            assert conversation.count(text) == 1, f"After a failure {text!r} was sent more than once."

    @provider_test
    async def test_failed_tool_round_can_be_repeated(self, backend: Backend) -> None:
        """After a failure, the same results can be sent again, in every round: the model sees them once."""
        add = Calls((("add", {"a": 1, "b": 2}),))
        backend.will_reply(add, self._failure(), add, self._failure(), Text("done"))
        async with aclosing(backend.proxy()) as proxy:
            client = self.client(backend, proxy)
            calls = await client.expect_calls("add twice")
            for n in range(2):
                results = [ToolResult(calls[0].call_id, f"sum {n}")]
                await client.expect_failure(lambda results=results: client.submit(results))  # type: ignore[misc]
                closing = await client.repeat()
                calls = getattr(closing, "calls", ())
        assert isinstance(closing, AssistantMessageRetrieved), f"Expected a complete answer, got {closing}"
        conversation = backend.received()[-1].text
        assert_in_order(conversation, "add twice", "sum 0", "sum 1")
        for text in ("add twice", "sum 0", "sum 1"):
            assert conversation.count(text) == 1, f"After a failure {text!r} was sent more than once."

    def _failure(self) -> Failure:
        """A failure after which asst asks again, if the backend has one."""
        order: tuple[Kind, ...] = ("rate_limit", "server")
        return Failure(next((kind for kind in order if kind in self.failures), min(self.failures)))

"""The assistant of an exchange whose request is in a batch at its provider: the answer is there, or it has failed."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence

import msgspec

from ..core.errors import AssistantError
from ..core.events import Event, ToolResult, Usage
from ..core.retry import RetryPolicy
from ..core.turn import Options, Turn
from ..providers.batch_api import BATCH, BatchAnswer, BatchApi

__all__ = ["OPTIONS", "LateAssistant"]

OPTIONS = Options(stream=False, heartbeat=3600.0, retry=RetryPolicy(attempts=1), corrects=False)
"""A request of a batch is made once: nothing is corrected, and nothing is tried again."""


class LateAssistant:
    """An Assistant Proxy and `Attachable`. `attach` yields `answer`."""

    def __init__(self, api: BatchApi, answer: BatchAnswer | None = None) -> None:
        self._api, self._answer = api, answer
        self.provider, self.model = api.provider.provider, api.provider.model
        self.structured = api.structured

    async def accepts(self, model: str) -> Mapping[str, int]:
        """See `AcceptsAttachments`."""
        return await self._api.provider.accepts(model)

    def start_processing(self, turn: Turn) -> AsyncGenerator[Event]:  # noqa: ARG002 - as the protocol has it
        """See `AssistantProxy`."""
        raise _one_request()

    def submit_tool_outputs(self, results: Sequence[ToolResult]) -> AsyncGenerator[Event]:  # noqa: ARG002 - the same
        """See `AssistantProxy`."""
        raise _one_request()

    async def attach(self, turn: Turn) -> AsyncGenerator[Event]:
        """See `Attachable`."""
        answer = self._answer
        if answer is None or answer.error is not None or answer.reply is None:
            raise (answer and answer.error) or _one_request()
        for event in self._api.answer(turn, answer.reply):
            yield msgspec.structs.replace(event, service_tier=BATCH) if isinstance(event, Usage) else event

    async def aclose(self) -> None:
        """Nothing is open."""


def _one_request() -> AssistantError:
    return AssistantError("protocol", "The assistant called a tool, and a batch makes one request.", "Ask it directly.")

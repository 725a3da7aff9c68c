"""Everything that a provider imports: the contract, its events, errors and transports. The guide is docs/providers.md.

A provider lets an assistant take part in conversations: only it calls the assistant's API. This is a whole one:

```python
from asstproxy.provider import AssistantMessageRetrieved, Started, ToolOutputsSubmitted

class Parrot:
    provider, model = "parrot", "parrot-1"

    async def start_processing(self, turn):
        yield Started(self.provider, turn.model or self.model)
        yield AssistantMessageRetrieved(f"You wrote: {turn.text}")

    async def submit_tool_outputs(self, results):
        yield ToolOutputsSubmitted()
        yield AssistantMessageRetrieved("Thank you.")

    async def aclose(self):
        pass
```

`asstproxy.testing` tests it. Other modules of asstproxy may move between releases; the names here stay.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .config.profiles import Profile
from .core.coalesce import merge_chunks
from .core.errors import AssistantError, AsstError, Kind, NotSetUpError
from .core.events import (
    ActionRequired,
    AssistantMessageRetrieved,
    ChunkReceived,
    Event,
    Heartbeat,
    MessageIncomplete,
    Notice,
    Reasoning,
    Started,
    ToolCall,
    ToolOutputsSubmitted,
    ToolResult,
    Usage,
)
from .core.history import AssistantSaid, Item, ToolOutputs, UserSaid
from .core.roles import AssistantProxy, Attachable
from .core.turn import ToolSpec, Turn
from .providers.model_list import ModelInfo, fetch_models
from .providers.transport import JSON, Transport
from .providers.transport.failures import failure as api_error
from .providers.transport.insecure_http import warn_of_plain_http

if TYPE_CHECKING:
    from .providers.transport.http import HttpTransport

__all__ = [
    "JSON",
    "ActionRequired",
    "AssistantError",
    "AssistantMessageRetrieved",
    "AssistantProxy",
    "AssistantSaid",
    "AsstError",
    "Attachable",
    "ChunkReceived",
    "Event",
    "Heartbeat",
    "HttpTransport",
    "Item",
    "Kind",
    "MessageIncomplete",
    "ModelInfo",
    "NotSetUpError",
    "Notice",
    "Profile",
    "Reasoning",
    "Started",
    "ToolCall",
    "ToolOutputs",
    "ToolOutputsSubmitted",
    "ToolResult",
    "ToolSpec",
    "Transport",
    "Turn",
    "Usage",
    "UserSaid",
    "api_error",
    "fetch_models",
    "merge_chunks",
    "warn_of_plain_http",
]


def __getattr__(name: str) -> Any:
    # Late (PEP 562): it imports httpx2, which takes as long as all the rest together.
    if name == "HttpTransport":
        from .providers.transport.http import HttpTransport

        return HttpTransport
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

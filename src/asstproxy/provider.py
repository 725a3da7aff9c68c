"""Everything that a provider imports."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .config.profiles import Profile
from .config.provider_info import ProviderInfo, SetupQuestion
from .core.coalesce import TextBuffer, merge_chunks
from .core.errors import AssistantError, AsstError, Kind, NotSetUpError, may_pass
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
from .providers.background import BackgroundJob, JobReader
from .providers.base import StatelessProvider
from .providers.connection import PolledOptions, ServerOptions, api_key, base_url, http_transport
from .providers.fields import ToolCallBuffer, get_arguments, get_content, get_count, get_object, get_objects, get_text
from .providers.model_list import ModelInfo, fetch_models
from .providers.stream import StreamReader, read_reply, read_stream
from .providers.transport import JSON, Transport
from .providers.transport.failures import failure as api_error
from .providers.transport.failures import reported_error
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
    "BackgroundJob",
    "ChunkReceived",
    "Event",
    "Heartbeat",
    "HttpTransport",
    "Item",
    "JobReader",
    "Kind",
    "MessageIncomplete",
    "ModelInfo",
    "NotSetUpError",
    "Notice",
    "PolledOptions",
    "Profile",
    "ProviderInfo",
    "Reasoning",
    "ServerOptions",
    "SetupQuestion",
    "Started",
    "StatelessProvider",
    "StreamReader",
    "TextBuffer",
    "ToolCall",
    "ToolCallBuffer",
    "ToolOutputs",
    "ToolOutputsSubmitted",
    "ToolResult",
    "ToolSpec",
    "Transport",
    "Turn",
    "Usage",
    "UserSaid",
    "api_error",
    "api_key",
    "base_url",
    "fetch_models",
    "get_arguments",
    "get_content",
    "get_count",
    "get_object",
    "get_objects",
    "get_text",
    "http_transport",
    "may_pass",
    "merge_chunks",
    "read_reply",
    "read_stream",
    "reported_error",
    "warn_of_plain_http",
]


def __getattr__(name: str) -> Any:
    # Late (PEP 562): it imports httpx2, which takes as long as all the rest together.
    if name == "HttpTransport":
        from .providers.transport.http import HttpTransport

        return HttpTransport
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

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

from .config.base_url import warn_of_plain_http
from .config.profiles import Profile
from .config.provider_info import SERVER_QUESTIONS, ProviderInfo, SetupQuestion
from .config.setting_tables import Setting
from .core.attachment import Attachment, AttachmentStore, Upload
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
    Source,
    Started,
    ToolCall,
    ToolOutputsSubmitted,
    ToolResult,
    Usage,
)
from .core.history import AssistantMessage, Item, ToolOutputs, UserMessage
from .core.roles import AcceptsAttachments, AssistantProxy, Attachable, SchemaSupport, Structured
from .core.turn import ToolSpec, Turn
from .providers.answer_notes import WAITING, Progress, cited, describe_blocks, unshown, url_citations, waits_for
from .providers.answer_schema import Dialect, named_schema, refuses_schema, rewritten
from .providers.attachments import MB, AttachmentFormat, Parts, SentFile, no_parts
from .providers.background import BackgroundJob
from .providers.base import StatelessProvider
from .providers.batch_api import BatchAnswer, BatchApi, BatchLimits, BatchRequests, Missing, RemoteBatch, not_answered
from .providers.block_buffer import BlockBuffer
from .providers.closing import closing, cut_by, is_whole, later_reason
from .providers.connection import PolledOptions, ServerOptions, api_key, base_url, http_transport, required_model
from .providers.fields import (
    ToolCallBuffer,
    function_calls,
    function_of,
    get_arguments,
    get_blocks,
    get_content,
    get_count,
    get_index,
    get_object,
    get_objects,
    get_text,
    joined_turns,
    not_null,
    parsed_arguments,
    with_fitting_ids,
    with_hosted_tools,
)
from .providers.in_words import in_words
from .providers.modalities import readable_by
from .providers.model_list import ModelInfo, fetch_models
from .providers.provisioning import Provisioned
from .providers.quirks import NO_QUIRKS, VendorProvider, items_for, vendor_transport
from .providers.reasoning import ReasoningBuffer, ThinkTags
from .providers.stateful import StatefulProvider
from .providers.stream import JobReader, StreamReader, read_reply, read_stream
from .providers.text_fold import MessageFold, TextFold
from .providers.transport import JSON, Transport
from .providers.transport.error_words import find_error
from .providers.transport.failures import failure as api_error
from .providers.transport.failures import reported_error
from .providers.usage import chat_usage, messages_usage, reported_cost, service_tier

if TYPE_CHECKING:
    from .providers.transport.http import HttpTransport

__all__ = [
    "JSON",
    "MB",
    "NO_QUIRKS",
    "SERVER_QUESTIONS",
    "WAITING",
    "AcceptsAttachments",
    "ActionRequired",
    "AssistantError",
    "AssistantMessage",
    "AssistantMessageRetrieved",
    "AssistantProxy",
    "AsstError",
    "Attachable",
    "Attachment",
    "AttachmentFormat",
    "AttachmentStore",
    "BackgroundJob",
    "BatchAnswer",
    "BatchApi",
    "BatchLimits",
    "BatchRequests",
    "BlockBuffer",
    "ChunkReceived",
    "Dialect",
    "Event",
    "Heartbeat",
    "HttpTransport",
    "Item",
    "JobReader",
    "Kind",
    "MessageFold",
    "MessageIncomplete",
    "Missing",
    "ModelInfo",
    "NotSetUpError",
    "Notice",
    "Parts",
    "PolledOptions",
    "Profile",
    "Progress",
    "ProviderInfo",
    "Provisioned",
    "Reasoning",
    "ReasoningBuffer",
    "RemoteBatch",
    "SchemaSupport",
    "SentFile",
    "ServerOptions",
    "Setting",
    "SetupQuestion",
    "Source",
    "Started",
    "StatefulProvider",
    "StatelessProvider",
    "StreamReader",
    "Structured",
    "TextBuffer",
    "TextFold",
    "ThinkTags",
    "ToolCall",
    "ToolCallBuffer",
    "ToolOutputs",
    "ToolOutputsSubmitted",
    "ToolResult",
    "ToolSpec",
    "Transport",
    "Turn",
    "Upload",
    "Usage",
    "UserMessage",
    "VendorProvider",
    "api_error",
    "api_key",
    "base_url",
    "chat_usage",
    "cited",
    "closing",
    "cut_by",
    "describe_blocks",
    "fetch_models",
    "find_error",
    "function_calls",
    "function_of",
    "get_arguments",
    "get_blocks",
    "get_content",
    "get_count",
    "get_index",
    "get_object",
    "get_objects",
    "get_text",
    "http_transport",
    "in_words",
    "is_whole",
    "items_for",
    "joined_turns",
    "later_reason",
    "may_pass",
    "merge_chunks",
    "messages_usage",
    "named_schema",
    "no_parts",
    "not_answered",
    "not_null",
    "parsed_arguments",
    "read_reply",
    "read_stream",
    "readable_by",
    "refuses_schema",
    "reported_cost",
    "reported_error",
    "required_model",
    "rewritten",
    "service_tier",
    "unshown",
    "url_citations",
    "vendor_transport",
    "waits_for",
    "warn_of_plain_http",
    "with_fitting_ids",
    "with_hosted_tools",
]


def __getattr__(name: str) -> Any:
    # Late (PEP 562): it imports httpx2, which takes as long as all the rest together.
    if name == "HttpTransport":
        from .providers.transport.http import HttpTransport

        return HttpTransport
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

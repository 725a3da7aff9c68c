"""A turn: everything that a provider is given for one exchange, and the options that shape it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Protocol

import msgspec

from .attachment import Attachment, AttachmentStore, with_text_files
from .events import Configured
from .history import History, Item
from .retry import RetryPolicy

__all__ = ["OfferedTool", "Options", "ToolSpec", "Turn", "turn_for"]


class ToolSpec(msgspec.Struct, frozen=True):
    """A function as the assistant sees it; `parameters` is a JSON schema of type `object`."""

    name: str
    description: str
    parameters: dict[str, Any]


class OfferedTool(Protocol):
    """A tool, as far as the core knows it."""

    @property
    def spec(self) -> ToolSpec:
        """How the assistant sees it."""


class Turn(msgspec.Struct, frozen=True):
    """Everything that a provider needs for one exchange.

    `history` is neutral; `resume` is the provider's own opaque JSON (see `AssistantMessageRetrieved`) or None. `settings`
    are the provider's own parameters, sent only because the user set them. `stream` and `background` say how to ask.
    `attachments` are the files of the message (text files are part of `text` already); `files` has their bytes. `schema` is
    the JSON Schema that the answer must fit: only a proxy that has `structured` (`roles.Structured`) is given one. `corrects`:
    `text` is the correction of an answer that did not fit, in the same exchange.
    """

    text: str
    history: tuple[Item, ...] = ()
    instructions: str = ""
    model: str = ""
    tools: tuple[ToolSpec, ...] = ()
    settings: dict[str, Any] = {}
    resume: Any = None
    stream: bool = True
    background: bool = False
    attachments: tuple[Attachment, ...] = ()
    files: AttachmentStore | None = None
    schema: dict[str, Any] | None = None
    corrects: bool = False


class Options(msgspec.Struct, frozen=True):
    """How exchanges are held.

    `stream`, `background`: how the assistant is asked. `max_tool_rounds`: rounds of tool calls in one exchange, after which
    it ends as incomplete. `heartbeat`: seconds of silence after which a heartbeat is published. `retry`: when a failed
    request is sent again. `corrects`: an answer that doesn't fit its schema is corrected, once.
    """

    stream: bool = True
    background: bool = False
    max_tool_rounds: int = 20
    heartbeat: float = 2.0
    retry: RetryPolicy = RetryPolicy()
    corrects: bool = True


def turn_for(
    text: str,
    resume: Any = None,
    *,
    configured: Configured,
    history: History,
    tools: Iterable[OfferedTool],
    options: Options,
    provider: str,
    model: str,
    attachments: tuple[Attachment, ...] = (),
    files: AttachmentStore | None = None,
    schema: dict[str, Any] | None = None,
    corrects: bool = False,
) -> Turn:
    """The turn for this provider and model; `resume` is the token of a running exchange that is attached to.

    `corrects`: the message is the correction of an answer, and the history has it already.
    """
    items = history.items(provider, model, include_open=corrects or resume is not None)
    text, attached = with_text_files(text, attachments, files)
    return Turn(
        text=text,
        attachments=attached,
        files=files,
        history=items[:-1] if corrects else items,
        instructions=configured.instructions,
        model=model,
        tools=tuple(tool.spec for tool in tools),
        settings=configured.settings,
        resume=resume or history.resume(provider),
        stream=options.stream,
        background=options.background,
        schema=schema,
        corrects=corrects,
    )

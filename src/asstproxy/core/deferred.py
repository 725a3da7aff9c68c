"""An exchange whose answer comes much later: it is opened here, and `Conversation.attach` takes the answer up, in any process."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from .attachment import AttachedFile
from .conversation import Conversation, accepted_schema, new_message
from .errors import AssistantError
from .events import Event, Heartbeat, Record, Started
from .exchange import to_error_event
from .turn import Turn, turn_for

__all__ = ["defer"]


async def defer(
    conversation: Conversation,
    text: str,
    request: Callable[[Turn], Awaitable[Any]],
    *,
    attachments: Sequence[AttachedFile] = (),
    schema: Mapping[str, Any] | None = None,
) -> Record:
    """Open an exchange without waiting for its answer; returns its last record, a heartbeat or an error.

    `request` is given the turn, and returns the token by which `AssistantProxy.attach` finds the answer. If it raises an
    `AssistantError`, the exchange settles as `error`. No tool is offered.

    Raises:
        UsageError: as `Conversation.exchange`; nothing is published.
        OSError: the journal can't be written.
    """
    assistant, configured = conversation.assistant, conversation.configured
    fits = accepted_schema(assistant, schema)
    model = configured.model or assistant.model
    message = await new_message(
        text, attachments, assistant, model, conversation.files, fits.schema if fits is not None else None
    )
    turn = turn_for(
        message.text,
        configured=configured,
        history=conversation.history,
        tools=(),
        options=conversation.options,
        provider=assistant.provider,
        model=model,
        attachments=message.attachments,
        files=conversation.files,
        schema=message.schema,
    )

    def step(event: Event) -> Record:
        conversation.mediator.handle(event)
        return conversation.publish(event)

    conversation.publish(configured)
    step(message)
    step(Started(assistant.provider, model))
    try:
        token = await request(turn)
    except AssistantError as error:
        return step(to_error_event(error))
    return step(Heartbeat("queued", resume=token))

"""The User Proxy: the person and the internal side. It sends messages, asks for approval and runs function tools."""

from __future__ import annotations

import asyncio
import json
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar, overload

from .core.attachment import AttachedFile, Attachment
from .core.coalesce import RecordStream
from .core.errors import AssistantError, UsageError
from .core.events import (
    SCHEMA_REASON,
    ApprovalGiven,
    ApprovalRequested,
    AssistantMessageRetrieved,
    ErrorOccurred,
    Event,
    MessageIncomplete,
    Record,
    ToolCall,
    ToolsExecuted,
    Unknown,
)
from .core.redact import redacting_logger

if TYPE_CHECKING:  # a conversation without tools must not pay for them
    from .core.answer_schema import Check
    from .core.conversation import Conversation
    from .core.roles import Publish
    from .tools import Approver, Tool
    from .tools.approval import Approvals
    from .tools.runner import ToolRunner

__all__ = ["UserProxy"]

_log = redacting_logger(__name__)
T = TypeVar("T")


class Asking(ABC):
    """Send a message and await its answer, in one call."""

    current_task: asyncio.Task[Record] | None = None
    """The exchange of the last message that was sent."""

    @property
    @abstractmethod
    def conversation(self) -> Conversation:
        """The conversation that the messages belong to."""

    @overload
    async def ask(self, text: str, *, schema: None = None, timeout: float | None = None) -> str: ...

    @overload
    async def ask(self, text: str, *, schema: type[T], timeout: float | None = None) -> T: ...

    @overload
    async def ask(self, text: str, *, schema: Mapping[str, Any], timeout: float | None = None) -> dict[str, Any]: ...

    async def ask(
        self, text: str, *, schema: type[Any] | Mapping[str, Any] | None = None, timeout: float | None = None
    ) -> Any:
        """The answer to a message. `timeout` is in seconds.

        `schema`: what the answer must be. With a pydantic model, a dataclass or a TypedDict (or `list[Person]`), it is a value of
        that type; with a JSON Schema (of an object), the dict that fits it; without one, it is the text.

        Raises:
            AssistantError: the exchange failed, or the answer does not fit, or is cut short (the last two only with a schema).
            asyncio.CancelledError: the exchange was cancelled.
            UsageError: the schema cannot be used, or an exchange is in progress.
        """
        if schema is None:
            return _text_of(await self._exchange(text, timeout, None, None))
        if isinstance(schema, Mapping):
            return json.loads(_data_of(await self._exchange(text, timeout, schema, None)))
        from .tools.answer_type import answer_type

        kind = answer_type(schema)
        return kind.convert(json.loads(_data_of(await self._exchange(text, timeout, kind.schema, kind.check))))

    async def _exchange(
        self, text: str, timeout: float | None, schema: Mapping[str, Any] | None, check: Check | None
    ) -> Event | Unknown:
        exchange = self.conversation.exchange(text, timeout=timeout, schema=schema, check=check)
        task = asyncio.get_running_loop().create_task(exchange)
        if self.current_task is None or self.current_task.done():
            self.current_task = task
        return (await task).event


def _text_of(event: Event | Unknown) -> str:
    """The answer, complete or in part; raises what an exchange that has none ended with."""
    match event:
        case AssistantMessageRetrieved(text=text) | MessageIncomplete(text=text):
            return text
        case ErrorOccurred(kind=kind, message=message, hint=hint):
            raise AssistantError(kind, message, hint)  # type: ignore[arg-type]  # a newer asst may know more kinds
    raise asyncio.CancelledError


def _data_of(event: Event | Unknown) -> str:
    """The answer as JSON that fits."""
    match event:
        case MessageIncomplete(reason=reason, problems=problems) if reason == SCHEMA_REASON:
            raise AssistantError(
                "protocol",
                f"The answer doesn't fit the schema: {'; '.join(problems)}.",
                "Ask again, or make the schema simpler.",
                code="schema_mismatch",
            )
        case MessageIncomplete(reason=reason):
            raise AssistantError(
                "protocol", f"The answer is incomplete ({reason}).", "Ask again.", code="answer_incomplete"
            )
    return _text_of(event)


class Offering:
    """The tools that the assistant may call."""

    _runner: ToolRunner | None = None  # from the first tool on

    @property
    def tools(self) -> dict[str, Tool]:
        """The tools that the assistant may call, by name."""
        return self._runner.tools if self._runner is not None else {}

    def offer(self, tools: Iterable[Callable[..., Any] | Tool]) -> None:
        """Offer more tools to the assistant, from the next exchange on.

        Raises:
            UsageError: a function cannot be described, two tools have one name, or they are too many; none is offered.
        """
        self._runner = _runner(self._runner)
        self._runner.offer(tools)

    def withdraw(self, name: str) -> None:
        """Stop offering a tool; an "always" for it is forgotten."""
        if self._runner is not None:
            self._runner.withdraw(name)

    @property
    def approvals(self) -> Approvals:
        """Which tools may run without asking."""
        self._runner = _runner(self._runner)
        return self._runner.approvals


class UserProxy(Asking, Offering):
    """What a program talks to: send a message, get the answer, watch the records. It runs the tools.

    `approve` asks a person about calls that need approval; without it they are refused.
    """

    def __init__(self, tools: Iterable[Callable[..., Any] | Tool] = (), approve: Approver | None = None) -> None:
        self.approve = approve
        self.answer: Event | Unknown | None = None
        """The last answer; None before the first one."""
        self._cleanups: list[Callable[[], Awaitable[object]]] = []
        self._conversation: Conversation | None = None
        if tools := tuple(tools):
            self.offer(tools)

    # ---- the program's side ------------------------------------------------------------------------------------------

    @property
    def conversation(self) -> Conversation:
        """The conversation that it takes part in.

        Raises:
            UsageError: there is none.
        """
        if self._conversation is None:
            raise UsageError("This user proxy has no conversation.", "Give it to a Conversation.")
        return self._conversation

    def send_user_message(self, text: str, attachments: Sequence[AttachedFile | Attachment] = ()) -> None:
        """Open an exchange; it runs in the background, in a task of its own.

        `attachments` go with the message: files from `asstproxy.read_attachment`.

        Raises:
            UsageError: an exchange is in progress, or the conversation is missing.
        """
        if self.current_task is not None and not self.current_task.done():
            raise UsageError("The assistant has not answered the last message yet.", "Await get_assistant_message().")
        self.current_task = asyncio.get_running_loop().create_task(
            self.conversation.exchange(text, attachments=attachments)
        )

    async def get_assistant_message(self) -> str:
        """The answer to the last message, complete or, if it was cut short, in part.

        Raises:
            AssistantError: the exchange failed.
            asyncio.CancelledError: the exchange was cancelled.
            UsageError: no message was sent.
        """
        if self.current_task is None:
            raise UsageError("No message was sent.", "Call send_user_message(text) first.")
        return _text_of((await asyncio.shield(self.current_task)).event)

    def stream(
        self, text: str | None = None, attachments: Sequence[AttachedFile | Attachment] = ()
    ) -> AsyncIterator[Record]:
        """The records of the exchange as they come, to its end; with `text`, send that message first, with these files.

        A slow reader gets adjacent chunks of text merged; nothing is lost. After the last record, what the exchange
        raised is raised (see `Conversation.exchange`), but for its cancellation.

        Raises:
            UsageError: no message was sent; with `text`: it is empty, or an exchange is in progress.
            OSError: the session can't be written; after the last record.
        """
        records = RecordStream()
        if text is not None:
            self.send_user_message(text, attachments)
        return records.until_done(self.current_task, self.conversation.subscribe(records))

    async def aclose(self) -> None:
        """End the conversation: stop the exchange in progress, close the assistant and what the tools needed."""
        await self.conversation.aclose()

    # ---- tools -------------------------------------------------------------------------------------------------------

    def add_cleanup(self, close: Callable[[], Awaitable[object]]) -> None:
        """Have `close` awaited at the end of the conversation, for something that the tools need until then."""
        self._cleanups.append(close)

    # ---- the mediator's side (`core.roles.UserProxy`) ----------------------------------------------------------------

    def bind(self, conversation: Conversation) -> None:
        """Take part in a conversation."""
        self._conversation = conversation

    async def execute_tools(
        self, calls: Sequence[ToolCall], approved: ApprovalGiven | None, publish: Publish
    ) -> ToolsExecuted | ApprovalRequested:
        """Run the calls side by side, or request approval first; see `ToolRunner.execute`."""
        self._runner = _runner(self._runner)
        return await self._runner.execute(calls, approved, publish)

    async def ask_approval(self, calls: Sequence[ToolCall]) -> ApprovalGiven:
        """Ask the person whether these calls may run; with nobody to ask, they may not."""
        from .tools import deny_all

        self._runner = _runner(self._runner)
        return await self._runner.ask(calls, self.approve or deny_all)

    def set_assistant_message(self, message: Event | Unknown) -> None:
        """Take the answer."""
        self.answer = message

    async def clean_up(self) -> None:
        """Await what `add_cleanup` was given; the conversation does it at its end."""
        while self._cleanups:
            try:
                await self._cleanups.pop()()
            except Exception:  # noqa: BLE001 - whatever fails, the rest is closed
                _log.exception("something that the tools needed could not be closed")


def _runner(before: ToolRunner | None) -> ToolRunner:
    """The tool runner, made when it is needed first."""
    from .tools.runner import ToolRunner

    return before if before is not None else ToolRunner()

"""A session that is open in this server: its exchanges run here, whether a browser watches or not."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import msgspec

from ..config.profiles import load_config
from ..config.who_answers import choose_profile, configure
from ..core.attachment import AttachedFile, Attachment
from ..core.conversation import Conversation
from ..core.errors import AsstError, UsageError
from ..core.events import Cancelled, Configured, Event, Notice, Record, SetUserMessage
from ..core.redact import redacting_logger
from ..core.resume import can_attach
from ..providers.assembly import Asked, assemble, budget_of
from ..store.session import Session
from ..text.status_text import join_sentences
from ..tools import Tool
from ..tools.toolbox import open_toolbox
from ..user import UserProxy
from .approval import PageApproval
from .choice import Choice
from .feed import Feed

__all__ = ["LiveSession", "open_live"]

_log = redacting_logger(__name__)


class LiveSession:
    """The conversation of a session. One exchange at a time; its records go to the feed, which is live."""

    def __init__(self, session: Session, conversation: Conversation, feed: Feed) -> None:
        self.feed = feed
        self._session, self._conversation = session, conversation
        self._task: asyncio.Task[Record] | None = None
        self.approval = PageApproval(self._publish_status)
        self._closed = False
        conversation.subscribe(feed.add)
        self._publish_status()

    @property
    def configured(self) -> Configured:
        """Who answers."""
        return self._conversation.configured

    @property
    def is_busy(self) -> bool:
        """Whether an exchange is in progress."""
        return self._task is not None and not self._task.done()

    @property
    def is_running(self) -> bool:
        """Whether the session's last exchange has not settled: it may still run at the provider."""
        return self._conversation.is_running

    def publish(self, event: Event) -> None:
        """Publish a note.

        Raises:
            OSError: the journal can't be written.
        """
        self._conversation.publish(event)

    # ---- exchanges -----------------------------------------------------------------------------------------------------

    def send(
        self,
        text: str,
        attachments: Sequence[AttachedFile | Attachment],
        done: Callable[[], None],
        *,
        keep: int | None = None,
        background: bool = False,
    ) -> None:
        """Hold an exchange, at the provider in the background if so wished, where it outlives this process.

        `keep`: first forget all but so many exchanges (an edited message, or a repeated one).

        Raises:
            UsageError: an exchange is in progress.
        """
        if self.is_busy:
            raise UsageError("A turn is in progress.", "Wait for its answer, or stop it.")
        conversation = self._conversation
        conversation.options = msgspec.structs.replace(conversation.options, background=background)
        turns = len(conversation.history.exchanges)
        is_new = text != self._last_message or any(isinstance(one, AttachedFile) for one in attachments)
        if keep == turns - 1 and not is_new:  # a retry: it may fetch an answer that was made meanwhile
            self._run(conversation.retry(text, attachments=attachments), done)
            return
        if keep is not None and keep < turns:
            conversation.cut_history(keep)
        self._run(conversation.exchange(text, attachments=attachments), done)

    @property
    def _last_message(self) -> str:
        messages = (record.event for record in reversed(self.feed.records) if isinstance(record.event, SetUserMessage))
        return next((message.text for message in messages), "")

    def attach(self, done: Callable[[], None]) -> None:
        """Take up the exchange that still runs at the provider."""
        self._run(self._conversation.attach(), done)

    def _run(self, exchange: Any, done: Callable[[], None]) -> None:
        self._task = asyncio.get_running_loop().create_task(exchange)
        self._task.add_done_callback(lambda task: self._finished(task, done))
        self._publish_status()

    def _finished(self, task: asyncio.Task[Record], done: Callable[[], None]) -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            # An error of the assistant is a record. This one came before the message was published, or couldn't be published.
            if not isinstance(error, AsstError):
                _log.error("an exchange failed", exc_info=error)
            words = join_sentences(str(error) or type(error).__name__, getattr(error, "hint", ""))
            self.feed.set_status(**{**self.feed.status, "busy": False, "fault": words})
        self._publish_status()
        done()

    def stop(self) -> None:
        """Stop the exchange in progress."""
        self._conversation.cancel(Cancelled("user"))

    async def aclose(self) -> None:
        """Stop what runs, close the assistant and the MCP servers, and release the session."""
        if self._closed:
            return
        self._closed = True
        try:
            await self._conversation.aclose()
            if self._task is not None:
                with contextlib.suppress(Exception, asyncio.CancelledError):
                    await self._task
        finally:
            self.feed.is_live = False
            if self._session.has_exchange:
                self._session.close()
            else:
                self._session.discard()
            self.feed.caught_up()
            self.feed.set_status(live=False)

    # ---- status --------------------------------------------------------------------------------------------------------

    def _publish_status(self) -> None:
        fault = {"fault": self.feed.status["fault"]} if "fault" in self.feed.status and not self.is_busy else {}
        self.feed.set_status(
            live=True,
            busy=self.is_busy,
            asked=self.approval.asked,
            **fault,
        )


async def open_live(
    session: Session, choice: Choice, tools: Iterable[Tool | Callable[..., Any]], feed: Feed
) -> LiveSession:
    """Open a conversation on a session; the profile is that of `choice`, else the last one of the session.

    Raises:
        AsstError: the profile or one of its tools can't be used. The session is left open.
    """
    before = next((r.event for r in reversed(session.past) if isinstance(r.event, Configured)), None)
    profile = choose_profile(load_config(), choice.profile, before)
    configured = configure(profile, before, model=choice.model)
    asked = Asked(msgspec.structs.replace(profile, model=configured.model), configured.settings)
    assistant = assemble([asked], budget_of(None, profile))
    try:
        box = await open_toolbox(profile)
    except BaseException:
        await assistant.aclose()
        raise
    if session.is_running and not can_attach(assistant, session.past):
        session.interrupt()
        feed.extend(session.past)
    user = UserProxy((*tools, *box.tools))
    user.add_cleanup(box.aclose)
    conversation = Conversation(
        assistant,
        user,
        configured=msgspec.structs.replace(configured, tools=tuple(user.tools)),
        past=session.past,
        files=session.files,
    )
    conversation.subscribe(session, essential=True)
    live = LiveSession(session, conversation, feed)
    user.approve = live.approval.approve
    for notice in box.notices:
        conversation.publish(Notice(notice))
    return live

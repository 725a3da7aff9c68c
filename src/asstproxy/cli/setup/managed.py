"""`asst setup gemini --managed`: the assistant as a managed prompt at Google, and `--managed-id`: one that is there."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

from ...config.profiles import Profile
from ...core.errors import AssistantError, AsstError, NotSetUpError
from ...tools import Tool
from ..hints import hint_for
from .profile_draft import Draft
from .prompts import say, wait_for

__all__ = ["load_managed", "store_managed"]


def store_managed(making: Draft) -> None:
    """Store model, instructions and tools; the profile gets the ids of the prompt and of its version.

    Raises:
        NotSetUpError: Google refuses, or its SDK is not installed.
    """
    from ...providers.gemini.managed_prompts import store_prompt
    from ...providers.model_list import default_model
    from ...tools.loading import find_tools

    profile = making.profile
    tools = [tool.spec for tool in find_tools(profile.tools)]
    model = profile.model or default_model(profile)
    before = str(profile.options.get("managed_prompt") or "")
    what = f"Storing a new version of the managed prompt {before}" if before else "Storing a managed prompt"
    stored = _patiently(
        f"{what} at Google, which takes ten seconds", lambda: store_prompt(profile, model, tools, before)
    )
    say(f"Stored: prompt {stored.prompt}, version {stored.version}.")
    making.values |= {"model": model, "managed_prompt": stored.prompt, "managed_version": stored.version}


def load_managed(profile: Profile, prompt: str, values: dict[str, Any]) -> None:
    """Take over what the prompt says, as far as the options do not say otherwise.

    Raises:
        NotSetUpError: Google refuses, or its SDK is not installed.
    """
    from ...providers.gemini.managed_prompts import load_prompt

    loaded = _patiently(f"Loading the managed prompt {prompt}", lambda: load_prompt(profile, prompt))
    values.setdefault("model", loaded.model or None)
    values.setdefault("instructions", loaded.instructions or None)
    if "tools" not in values:
        names, missing = _tools(loaded.functions, profile.tools)
        values["tools"] = names or None
        if missing:
            say(f"Warning: it has functions that are not known here: {', '.join(missing)}. Give them with --tool.")
    values |= {"managed_prompt": loaded.prompt or prompt, "managed_version": loaded.version or None}


def _tools(functions: Sequence[str], mine: Sequence[str]) -> tuple[list[str], list[str]]:
    """Where the functions of these names are, among the profile's own and those that are installed; what is missing."""
    from ...tools.loading import find_tools, installed

    known: dict[str, Tool] = {}
    for place in (*mine, *installed()):
        try:
            for tool in find_tools([place]):
                known.setdefault(tool.name, tool)
        except AsstError:
            continue
    return [known[name].source for name in functions if name in known], [n for n in functions if n not in known]


def _patiently(what: str, work: Callable[[], Any]) -> Any:
    """Do slow work in a thread that never holds the process, and show on a terminal that it goes on."""
    from ...providers.gemini.managed_prompts import PATIENCE
    from ...tools.isolation import run_blocking

    say(f"{what} …")
    try:
        return wait_for(lambda: _ticking(run_blocking(work, 3.0 * PATIENCE)))
    except TimeoutError:
        raise NotSetUpError("Google does not answer.", "Try again.") from None
    except AssistantError as error:
        raise NotSetUpError(str(error), hint_for(error)) from None


async def _ticking(work: Any) -> Any:
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

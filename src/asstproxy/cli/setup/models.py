"""One cheap call that sees whether the key is good, and the choice among the models it may use."""

from __future__ import annotations

import asyncio
import difflib
from contextlib import suppress
from datetime import UTC, datetime

from ...config.credentials import find_key
from ...config.paths import cache_dir
from ...config.profiles import Profile
from ...core.errors import AssistantError, NotSetUpError
from ...providers.model_list import ModelInfo, list_models, model_notes
from .keys import ASSISTANTS, foreign
from .prompts import choose, say, wait_for

__all__ = ["RefusedKeyError", "choose_model", "judge", "look", "only", "remember"]

WITHIN = 20.0
"""Seconds for the check; a model of gigabytes is given ten times as long to load."""
MANY = 14
PASSING = ("connection", "timeout", "server", "rate_limit", "quota")
"""Failures that say nothing about the profile."""


class RefusedKeyError(NotSetUpError):
    """The provider does not accept the key; another one may be good."""


def look(profile: Profile, variable: str) -> list[ModelInfo] | None:
    """The provider's models; None (and a warning) when it could not be asked.

    Raises:
        RefusedKeyError: it was asked, and does not accept the key.
        NotSetUpError: it was asked, and refuses: a wrong address, or a model that does not load.
    """
    seconds = WITHIN * 10 if profile.provider == "local" and not profile.options.get("base_url") else WITHIN
    try:
        models = wait_for(lambda: asyncio.wait_for(list_models(profile), seconds))
    except TimeoutError:
        say(f"Warning: not checked: no answer within {seconds:.0f} s.")
        return None
    except AssistantError as error:
        if error.kind in PASSING:
            say(f"Warning: not checked: {error}")
            return None
        refused = RefusedKeyError if error.kind == "authentication" else NotSetUpError
        raise refused(str(error), _hint(error, profile, variable)) from None
    if profile.provider != "local" or profile.options.get("base_url"):
        what = "the key is good" if variable else "it answers"
        say(f"Checked: {what}{f', {len(models)} models' if models else ''}.")
    remember(profile.provider, models)
    return models


def _hint(error: AssistantError, profile: Profile, variable: str) -> str:
    about = ASSISTANTS.get(profile.provider)
    if error.kind == "authentication" and about and variable:
        whose = foreign(find_key(variable) or "", about.vendor)
        if whose:
            return f"{variable} looks like a key of {whose}, not of {about.vendor}: make one at {about.keys}"
        return f"Nothing was changed. Check {variable}, or make a new key at {about.keys}" if about.keys else error.hint
    return f"{error.hint} (--no-check skips this check.)"


def judge(model: str, models: list[ModelInfo] | None, *, yes: bool = True) -> None:
    """Whether this model can be used.

    Raises:
        NotSetUpError: it is not there, or was shut down.
    """
    if not models or not model:
        return
    info = next((one for one in models if one.id == model), None)
    if info is None:
        names = [one.id for one in models]
        near = difflib.get_close_matches(model, names, 3, 0.5) or names[:3]
        raise NotSetUpError(
            f"There is no model '{model}', or this key may not use it.",
            f"Perhaps: {', '.join(near)}. (--no-check skips this check.)",
        )
    if gone(info):
        raise NotSetUpError(f"The model '{model}' was shut down on {info.shutdown}.", f"Take {models[0].id}.")
    if info.shutdown and yes:
        say(f"Warning: {model} will be shut down on {info.shutdown}.")


def only(models: list[ModelInfo]) -> str:
    """The model, where there is but one.

    Raises:
        NotSetUpError: there are several.
    """
    if len(models) > 1:
        names = ", ".join(info.id for info in models[:8])
        raise NotSetUpError(f"The server has {len(models)} models.", f"Name one with --model: {names}.")
    return models[0].id


def gone(info: ModelInfo) -> bool:
    """Whether its day is over."""
    return bool(info.shutdown) and info.shutdown <= datetime.now(UTC).date().isoformat()


def choose_model(profile: Profile, models: list[ModelInfo] | None, default: str) -> str:
    """Ask which model; those worth offering come first."""
    offered = models or [ModelInfo(name, note) for name, note in model_notes(profile).items()]
    living = [info for info in offered if not gone(info)]
    shown = living if len(living) <= MANY else [info for info in living if info.note or info.id == default]
    shown = shown or living[:MANY]
    if not shown:
        return default
    default = default if default and any(info.id == default for info in living) else shown[0].id
    if default not in [info.id for info in shown]:
        shown = [next(info for info in living if info.id == default), *shown]
    say("Models:" if len(shown) == len(living) else f"Models ({len(living) - len(shown)} more by their names):")
    offers = [(info.id, ", ".join(filter(None, (info.note, _leaving(info))))) for info in shown]
    while True:
        chosen = choose("Model", offers, default, free=True)
        try:
            judge(chosen, models)
        except NotSetUpError as error:
            say(f"  {error} {error.hint}")
        else:
            return chosen


def _leaving(info: ModelInfo) -> str:
    return f"will be shut down on {info.shutdown}" if info.shutdown else ""


def remember(provider: str, models: list[ModelInfo]) -> None:
    """Keep the names for the completion in the shell; a cache, so that it does not matter if it fails."""
    import json

    from ...config.atomic import write_atomically

    if models:
        with suppress(OSError):
            write_atomically(
                cache_dir() / "models" / f"{provider}.json", json.dumps([info.id for info in models]).encode()
            )

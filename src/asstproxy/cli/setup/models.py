"""One cheap request that shows whether the key works, and the choice among the models it may use."""

from __future__ import annotations

import asyncio
import difflib
import json
import re
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime

from ...config.atomic import write_atomically
from ...config.credentials import find_key
from ...config.paths import cache_dir
from ...core.errors import AssistantError, NotSetUpError, may_pass
from ...providers.model_list import ModelInfo, list_models
from ...providers.registry import provider_module
from ..exchange_cost import prices
from ..hints import hint_for
from ..model_table import price_text, with_prices
from .keys import foreign_vendor
from .profile_draft import ProfileDraft
from .prompts import choose, say, show_step, wait_for

__all__ = ["RefusedKeyError", "check_connection", "choose_model", "judge", "only_model", "refused"]

MANY = 14
_HEADING = "Models, with dollars per 1M tokens in / out:"
SKIP = "(--no-check skips this check.)"


class RefusedKeyError(NotSetUpError):
    """The provider refuses the key; another one may work."""


def check_connection(draft: ProfileDraft) -> list[ModelInfo] | None:
    """The provider's models. None, and a line that says why, when it can't be asked.

    Raises:
        RefusedKeyError: the provider refuses the key.
        NotSetUpError: the URL is wrong, the model doesn't load, or the provider can't be loaded.
    """
    profile, seconds = draft.profile, draft.check_timeout
    if not draft.info.lists_models or not hasattr(provider_module(profile), "models"):
        say(f"Not checked: {draft.provider} has no list of models. Test the profile: asst setup check {draft.name}")
        return None
    try:
        models = wait_for(lambda: asyncio.wait_for(list_models(profile), seconds))
    except TimeoutError:
        say(f"Warning: not checked: no answer within {seconds:.0f} s.")
        return None
    except AssistantError as error:
        if error.kind == "quota" or (
            may_pass(error.kind) and error.kind != "protocol"
        ):  # says nothing about the profile
            say(f"Warning: not checked: {error}")
            return None
        raise refused(error, draft) from None
    if draft.model_choice != "fixed":
        what = f"{draft.key.variable} works" if draft.key.variable else "the server answers"
        say(f"Checked: {what}{f', {len(models)} models' if models else ''}.")
    _cache(draft.provider, models)
    return models


def refused(error: AssistantError, draft: ProfileDraft) -> NotSetUpError:
    """What a provider's error means for the profile."""
    kind = RefusedKeyError if error.kind == "authentication" else NotSetUpError
    return kind(str(error), _hint(error, draft))


def _hint(error: AssistantError, draft: ProfileDraft) -> str:
    variable, info = draft.key.variable, draft.info
    if error.kind == "authentication" and variable:
        found = foreign_vendor(find_key(variable) or "", info.vendor) if info.vendor else ""
        if found and info.keys_url:
            return f"{variable} looks like a key of {found}, not of {info.vendor}. Create a key: {info.keys_url}"
        if info.keys_url:
            return f"Nothing was changed. Check {variable}, or create a new key: {info.keys_url}"
        return hint_for(error) or f"Nothing was changed. Check {variable}."
    if error.kind == "authentication" and not info.key_variables:
        return f"No key was sent. If the server wants one, name its variable: --api-key-env NAME {SKIP}"
    return f"{hint_for(error)} {SKIP}".lstrip()


def judge(model: str, models: list[ModelInfo] | None, provider: str) -> None:
    """Whether this model can be used; a warning if it will be shut down.

    Raises:
        NotSetUpError: it doesn't exist, or was shut down.
    """
    if not models or not model:
        return
    info = next((one for one in models if one.id == model), None)
    if info is None:
        names = [one.id for one in models]
        near = difflib.get_close_matches(model, names, 3, 0.5)
        hint = f"Did you mean {_either(near)}?" if near else f"Some that it has: {', '.join(names[:3])}."
        raise NotSetUpError(f'{provider} has no model "{model}", or your key can\'t use it.', f"{hint} {SKIP}")
    if _is_gone(info):
        raise NotSetUpError(f'The model "{model}" was shut down on {info.shutdown}.', f"Use {models[0].id}.")
    if info.shutdown:
        say(f"Warning: {model} will be shut down on {info.shutdown}.")


def only_model(models: list[ModelInfo]) -> str:
    """The model, where there is just one.

    Raises:
        NotSetUpError: there are several.
    """
    if len(models) > 1:
        names = ", ".join(info.id for info in models[:8])
        raise NotSetUpError(f"There are {len(models)} models to choose from.", f"Name one with --model: {names}")
    return models[0].id


def choose_model(draft: ProfileDraft, models: list[ModelInfo] | None, default: str) -> str:
    """Ask which model to use. Those worth offering come first; `?` shows the others. Nothing when none is known."""
    listed = models or [ModelInfo(name, note) for name, note in draft.info.models.items()]
    table = prices()
    listed = [with_prices(one, draft.name, draft.provider, table) for one in listed]
    usable = [one for one in listed if not _is_gone(one)]
    shown = usable if len(usable) <= MANY else [one for one in usable if one.note or one.id == default]
    shown = shown or usable[:MANY]
    if not shown:
        return default
    default = default if default and any(one.id == default for one in usable) else shown[0].id
    while True:
        more = len(usable) - len(shown)
        show_step()
        say(f"Models ({more} more: ? or a part of a name), with dollars per 1M tokens in / out:" if more else _HEADING)
        chosen = choose("Model", list(zip((one.id for one in shown), _abouts(shown), strict=True)), default, free=True)
        if chosen == "?":
            shown = usable
            continue
        found = [one for one in usable if chosen.casefold() in f"{one.id} {one.note}".casefold()]
        if found and all(one.id != chosen for one in usable):
            shown, default = found, found[0].id
            continue
        try:
            judge(chosen, models, draft.provider)
        except NotSetUpError as error:
            say(f"  {error} {hint_for(error)}")
        else:
            return chosen


def _abouts(models: Sequence[ModelInfo]) -> list[str]:
    """What each is good for, and its price if that is known."""
    notes = [", ".join(filter(None, (one.note, one.shutdown and f"shuts down {one.shutdown}"))) for one in models]
    width = max(map(len, notes))
    prices = [price_text(one) for one in models]
    return [f"{note:<{width}}  {price}" if price != "?" else note for note, price in zip(notes, prices, strict=True)]


def _is_gone(info: ModelInfo) -> bool:
    return bool(info.shutdown) and info.shutdown <= datetime.now(UTC).date().isoformat()


def _either(names: list[str]) -> str:
    return " or ".join(filter(None, (", ".join(names[:-1]), names[-1])))


def _cache(provider: str, models: list[ModelInfo]) -> None:
    """Save the names for shell completion. Only a cache: nothing depends on it."""
    if models and re.fullmatch(r"[\w.-]+", provider):
        with suppress(OSError):
            write_atomically(
                cache_dir() / "models" / f"{provider}.json", json.dumps([info.id for info in models]).encode()
            )

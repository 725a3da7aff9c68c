"""`asst setup gpt|gemini|local`: look, ask what cannot be found out, check, show what changes, write.

Nothing is written before everything is known, so that whatever ends it earlier changes nothing.
"""

from __future__ import annotations

import sys
from typing import Any

from ...config.credentials import key_source, require_keyring, store_key, temporary_key
from ...config.edit import check_name, set_profile
from ...config.profiles import Config, load_config
from ...core.errors import AsstError, NotSetUpError, UsageError
from .from_options import given, table_of, writable
from .instructions import spoken
from .keys import ASSISTANTS, Key, found_addresses, key_for, refuse_foreign, variable_of
from .profile_draft import Answers, Draft
from .prompts import ask, choose, confirm, say
from .provision import provisioned

__all__ = ["setup", "which"]


def which() -> str:
    """Ask which assistant is to be set up.

    Raises:
        UsageError: nobody can be asked.
    """
    if not sys.stdin.isatty():
        raise UsageError("Which assistant?", "Run: asst setup gpt, asst setup gemini, or asst setup local.")
    writable()
    config = load_config()
    for name in config.tables:
        say(f"Set up already: {name}{' (the default)' if name == config.default else ''}.")
    say("Which assistant shall answer?")
    keys = {name: next(filter(key_source, about.variables), "") for name, about in ASSISTANTS.items()}
    offers = [
        (name, about.title + (f" ({keys[name]} is there)" if keys[name] else "")) for name, about in ASSISTANTS.items()
    ]
    return choose("Assistant", offers, next((name for name, key in keys.items() if key), "local"))


def setup(assistant: str, answers: Answers) -> None:
    """Make or change a profile of this assistant.

    Raises:
        UsageError: an option is wrong.
        NotSetUpError: something of it is not there, or the provider refuses.
    """
    writable()
    config = load_config()
    name = check_name(answers.name or assistant)
    table = table_of(config, name, assistant)
    if table:
        say(f"The profile '{name}' is there; this changes it.")
    values = given(assistant, answers)
    if answers.keyring:
        require_keyring()
    for line in found_addresses(assistant):
        say(f"Found: {line}.")
    key = Key(
        variable_of(assistant, answers.api_key_env or str(table.get("api_key_env") or "")), keyring=answers.keyring
    )
    if assistant == "local":
        from .local_steps import local_steps

        local_steps(answers, table, values)
    if assistant == "gemini":
        from .google import google_steps

        google_steps(answers, table, values, key)
    if answers.key_stdin and not key.variable:
        raise UsageError("This profile needs no key.", "If it does, name its variable: --api-key-env NAME.")
    if key.variable:
        key_for(assistant, key, asking=answers.asking, from_stdin=answers.key_stdin)
    making = Draft(config, name, table, values)
    _check_until_good(making, answers, key)
    with temporary_key(key.variable, key.new):
        if answers.asking:
            spoken(table, values)
        with provisioned(making, answers):
            _write(config, name, values, answers, key)


def _check_until_good(making: Draft, answers: Answers, key: Key) -> None:
    """Check; a key that was just typed, and is refused, is asked for once more."""
    from .models import RefusedKeyError

    while True:
        try:
            with temporary_key(key.variable, key.new):
                return _check(making, answers, key)
        except RefusedKeyError as error:
            if not answers.asking or key.new is None or answers.key_stdin:
                raise
            say(f"{error}")
            key.new = None
            key_for(making.profile.provider, key, asking=True, from_stdin=False)


def _check(making: Draft, answers: Answers, key: Key) -> None:
    """See that the key is good and the model there; ask for another key when the one just typed is not."""
    from ...providers.model_list import default_model
    from .models import choose_model, judge, look, only

    profile = making.profile
    embedded = profile.provider == "local" and not profile.options.get("base_url")
    models = None
    if answers.check:
        from ...config.credentials import find_key

        known = bool(key.variable) and find_key(key.variable) is not None
        if known and not profile.options.get("base_url") and not found_addresses(profile.provider):
            refuse_foreign(find_key(key.variable), profile.provider, key.variable)
        if known or not key.variable:
            models = look(profile, key.variable)
    if embedded:
        return
    model = str(making.profile.model or default_model(profile))
    if not model and models and (len(models) == 1 or not answers.asking):
        making.values["model"] = only(models)
    elif answers.asking and not answers.model and profile.provider != "local":
        making.values["model"] = choose_model(profile, models, model) or None
    elif answers.asking and not model:
        making.values["model"] = choose_model(profile, models, "") or ask("Model") or None
    else:
        judge(model, models)
    if not making.profile.model and profile.provider == "local":
        raise NotSetUpError("The server has to be told a model.", "Name one: --model NAME.")


def _write(config: Config, name: str, values: dict[str, Any], answers: Answers, key: Key) -> None:
    default = answers.default or not config.default
    if answers.asking and not default and config.default != name:
        default = confirm(f"Shall '{name}' answer when no profile is named (now: {config.default})?", default=False)
    change = set_profile(name, values, default=default)
    say(f"{change.path}:")
    for line in change.diff:
        say(f"  {line}")
    if not change:
        say("  nothing changes")
    if key.new:
        say(f"{'The keyring' if key.keyring else 'credentials.toml (0600)'} will keep {key.variable}.")
    if answers.asking and (change or key.new) and not confirm("Write this?", default=True):
        raise NotSetUpError("Nothing was changed.")
    change.write()
    if key.new:
        try:
            store_key(key.variable, key.new, keyring=key.keyring)
        except AsstError:
            change.undo()
            raise
    say(
        f'Ask it: asst ask {"" if default or config.default == name else f"-p {name} "}"What is the capital of France?"'
    )

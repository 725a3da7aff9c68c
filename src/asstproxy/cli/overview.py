"""`asst` alone: what it does, and the assistants that are set up."""

from __future__ import annotations

import sys

from ..config.profiles import Config, load_config
from ..config.who_answers import choose_profile
from ..core.errors import AsstError, NotSetUpError
from ..text.safe_text import clean_line
from .fitted import fitted

__all__ = ["print_overview"]

_TEXT = """asst: talk with GPT, Gemini, Claude and local models. Everything is saved.

  asst ask "question"    one answer on stdout; reads a pipe, too
  asst chat              talk; -c continues the latest session, -r picks one
  asst web               the same in the browser
  asst setup             add, change and check assistants
  asst sessions          list, search, export and replay what was said
  asst batch FILE        ask thousands of questions
  asst tools, mcp        what assistants may call
  asst usage, doctor     what it cost, what is wrong

"""
_NAMED = 4
"""Profiles that are named."""


def print_overview() -> None:
    """Print it on stdout."""
    text = f"{_TEXT}{_assistants()}\nasst help TOPIC · asst -h lists all commands · asst COMMAND -h\n"
    sys.stdout.write(fitted(text))


def _assistants() -> str:
    try:
        config = load_config()
    except AsstError:
        return "The configuration has an error. Run: asst doctor"
    names = list(config.tables)
    if not names:
        return _without_profiles(config)
    names.sort(key=lambda name: name != config.default)
    shown = [f"{clean_line(name)} (default)" if name == config.default else clean_line(name) for name in names[:_NAMED]]
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return f"You have: {', '.join(shown)}{more}"


def _without_profiles(config: Config) -> str:
    """Who would answer now: a key in the environment is enough, and so is an installed local model."""
    try:
        name = choose_profile(config).name
    except NotSetUpError as error:
        if error.code == "nothing_chosen":
            variable, provider = error.data["variable"], error.data["provider"]
            return f'{variable} is set: asst ask -p {provider} "question". To make it the default: asst setup {provider} --yes'
        return "No assistant yet. Run: asst setup (or, without a key: asst setup local --yes)"
    return f"No profile yet: {name} answers. To add one: asst setup"

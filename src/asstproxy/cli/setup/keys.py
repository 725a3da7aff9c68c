"""Keys in `asst setup`: where they are, asking for one, and seeing that it is not another vendor's."""

from __future__ import annotations

import os
import re
import sys
from dataclasses import dataclass
from urllib.parse import urlsplit, urlunsplit

from ...config.credentials import key_source, validate_key
from ...config.os_keyring import has_keyring
from ...core.errors import AsstError, NotSetUpError, UsageError
from ..env_file import loaded
from .prompts import ask_hidden, choose, say

__all__ = ["ASSISTANTS", "Assistant", "Key", "foreign", "key_for", "public", "variable_of"]


@dataclass(frozen=True, slots=True)
class Assistant:
    """What setup knows of a provider before it asks it."""

    title: str
    vendor: str = ""
    variables: tuple[str, ...] = ()
    keys: str = ""
    addresses: tuple[str, ...] = ()


ASSISTANTS = {
    "gpt": Assistant(
        "GPT, over OpenAI's API",
        "OpenAI",
        ("OPENAI_API_KEY",),
        "https://platform.openai.com/api-keys",
        ("OPENAI_BASE_URL",),
    ),
    "gemini": Assistant(
        "Gemini, over Google's API",
        "Google",
        ("GOOGLE_API_KEY", "GEMINI_API_KEY"),
        "https://aistudio.google.com/apikey",
        ("GOOGLE_GEMINI_BASE_URL", "GOOGLE_VERTEX_BASE_URL"),
    ),
    "local": Assistant("a model on this machine: no key, no network"),
}

_SHAPES = (  # only what is certain: vendors change how their keys look
    ("Anthropic", re.compile(r"sk-ant-")),
    ("OpenAI", re.compile(r"sk-(?!ant-|or-)")),
    ("Google", re.compile(r"AIza|AQ\.")),
    ("xAI", re.compile(r"xai-")),
    ("Groq", re.compile(r"gsk_")),
)


@dataclass(slots=True)
class Key:
    """The variable that names the key, and a new key that is not kept yet."""

    variable: str
    new: str | None = None
    keyring: bool = False


def variable_of(assistant: str, given: str = "") -> str:
    """The variable that holds this assistant's key: the one given, one that is set, or the usual one.

    Raises:
        UsageError: this is a key, or no name of a variable.
    """
    if given:
        if foreign(given, "") or not re.fullmatch(r"[A-Za-z_]\w*", given, re.ASCII) or len(given) > 64:
            raise UsageError(
                "--api-key-env takes the name of an environment variable, not a key.",
                "Keys come from the environment, from --key-stdin or from the hidden question.",
            )
        return given
    usual = ASSISTANTS[assistant].variables
    return next((name for name in usual if key_source(name)), usual[-1] if usual else "")


def key_for(assistant: str, key: Key, *, asking: bool, from_stdin: bool) -> None:
    """Find the key, or ask for it; says what was found.

    Raises:
        UsageError: what was typed is no key.
        NotSetUpError: it is another vendor's.
    """
    about = ASSISTANTS.get(assistant) or Assistant(assistant)
    if from_stdin:
        key.new = ask_hidden("Key") if sys.stdin.isatty() else sys.stdin.readline()
        key.new = validate_key(key.new)
        if key_source(key.variable) == "environment":
            say(f"Warning: {key.variable} is set in the environment, too, and goes before the key that is kept.")
        return
    place = key_source(key.variable) if key.variable else None
    if place:
        file = loaded.get(key.variable)
        say(
            f"Found: {key.variable} ({place if file is None else f'in {file}: give --env-file to the other commands, too'})."
        )
    elif key.variable and asking:
        _ask_for_it(about, key)
    elif key.variable:
        say(f"Warning: {key.variable} is not set: export it before you ask, or run: asst setup {assistant} --key-stdin")


def _ask_for_it(about: Assistant, key: Key) -> None:
    where = f" (make one at {about.keys})" if about.keys else ""
    say(f"{key.variable} is not set{where}.")
    while key.new is None:
        typed = ask_hidden("Paste the key; it is not shown (Enter goes on without)")
        if not typed:
            say(f"Going on without a key: export {key.variable} before you ask.")
            return
        try:
            key.new = validate_key(typed)
        except AsstError as error:
            say(f"  {error} {error.hint}")
    if has_keyring() and not key.keyring:
        places = [("credentials.toml", "a file for you alone"), ("keyring", "the keyring of this system")]
        key.keyring = choose("Keep it in", places, "credentials.toml") == "keyring"


def foreign(value: str, vendor: str) -> str:
    """The vendor whose key this certainly is, if that is not the one it is for."""
    found = next((name for name, shape in _SHAPES if shape.match(value)), "")
    return found if found != vendor else ""


def refuse_foreign(value: str | None, assistant: str, variable: str) -> None:
    """Do not even send a key to a vendor whose key it is not.

    Raises:
        NotSetUpError: it is another vendor's.
    """
    about = ASSISTANTS.get(assistant)
    whose = foreign(value or "", about.vendor) if about and about.vendor else ""
    if about and whose:
        raise NotSetUpError(
            f"{variable} holds a key of {whose}, not of {about.vendor}; it was not sent.", f"Make one at {about.keys}"
        )


def public(address: str) -> str:
    """An address without a user, a password or a query in it."""
    parts = urlsplit(address)
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit((parts.scheme, host, parts.path, "", ""))


def found_addresses(assistant: str) -> list[str]:
    """What the environment says about where to ask."""
    names = ASSISTANTS[assistant].addresses
    return [f"{name} = {public(os.environ[name])}" for name in names if os.environ.get(name)]

"""Profiles: saved assistants. TOML in the user config dir, checked when it is read.

```toml
default = "gpt"

[profiles.gpt]
provider = "gpt"
model = "gpt-6-luna"
instructions = "Answer briefly."
tools = ["package.module:function"]
settings = { max_output_tokens = 500 }   # the provider's own parameters
max_cost = 0.50                          # US dollars, for each run of asst
title = "model"                          # who names a session: its first words, or the model
base_url = "…"                           # and the provider's own options
```

How the prompt of `asst chat` is edited:

```toml
[chat]
editing = "vi"                # or "emacs", which is the default

[chat.keys]                   # a key as prompt_toolkit names it, several with spaces between them
f2 = "/sessions"              # a slash command,
c-o = "newline"               # what the chat can do: send, newline, editor,
"c-x c-u" = "undo"            # or a command of readline
```
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal, TypeVar

import msgspec

from ..core.errors import NotSetUpError, UsageError
from .credentials import credentials_file, find_key, validate_key
from .paths import config_dir, ensure_private
from .provider_info import BUILT_IN
from .toml import convert, read_toml

__all__ = ["ChatSettings", "Config", "Profile", "config_file", "credentials_file", "load_config"]

T = TypeVar("T")
_TABLES = frozenset({"default", "profiles", "chat", "mcp", "look"})
"""What is written at the top of the file."""


class Profile(msgspec.Struct, frozen=True):
    """One assistant as the user set it up. `options` are the keys that only its provider understands."""

    name: str
    provider: str
    model: str = ""
    instructions: str = ""
    tools: tuple[str, ...] = ()
    settings: dict[str, Any] = {}
    options: dict[str, Any] = {}
    max_cost: float | None = None
    states: bool = False
    title: Literal["words", "model"] = "words"

    def read(self, options: type[T]) -> T:
        """The provider's own keys, converted to the struct that describes them.

        Raises:
            NotSetUpError: a value has a type that the provider can't use; the message has its path.
        """
        path, table = config_file(), ("profiles", self.name)
        self._check_names(getattr(options, "__struct_fields__", ()), path, table)
        return convert(self.options, options, path, table)

    def _check_names(self, fields: tuple[str, ...], path: Path, table: tuple[str, ...]) -> None:
        """Warn of slips in the names of keys; `fields` are those of the provider's own, if it reads all of them."""
        info = BUILT_IN.get(self.provider)
        settings = info.settings if info is not None else {}
        unknown = [key for key in self.options if key not in fields and key != "mcp"] if "base_url" in fields else []
        misspelt = [key for key in self.settings if key not in settings] if settings else []
        if unknown or misspelt:
            from .slips import warn_of_slips

            warn_of_slips(path, table, unknown, (*Table.__struct_fields__, *fields), settings)
            warn_of_slips(path, (*table, "settings"), misspelt, settings, effect="is sent as it is")

    def secret(self, variable: str) -> str:
        """An API key, from the environment, `credentials.toml` or the keyring.

        Raises:
            NotSetUpError: it is in none of them, or can't be a key.
        """
        key = find_key(variable)
        if not key:
            raise NotSetUpError(
                f"No key for '{self.name}': {variable} is not set.",
                f"Set {variable}.",
                code="key_missing",
                data={"variable": variable, "provider": self.provider, "profile": self.name},
            )
        try:
            return validate_key(key)
        except UsageError as error:  # otherwise an error message about headers would show all of it
            raise NotSetUpError(f"{variable}: {error}", "Set it again.") from None


class Table(msgspec.Struct):
    """The keys that a profile of any provider has; the others are the provider's own."""

    provider: str
    model: str = ""
    instructions: str = ""
    tools: tuple[str, ...] = ()
    settings: dict[str, Any] = {}
    states: bool = False
    max_cost: float | None = None
    title: Literal["words", "model"] = "words"


class ChatSettings(msgspec.Struct):
    """How the prompt is edited. `keys`: what a key does, or several keys typed one after the other."""

    editing: Literal["emacs", "vi"] = "emacs"
    keys: dict[str, str] = {}


class Config(msgspec.Struct):
    """The whole file. `tables` are its profiles, `mcp` the MCP servers that profiles may name, both unchecked."""

    default: str = ""
    tables: dict[str, dict[str, Any]] = msgspec.field(name="profiles", default_factory=dict)
    chat: ChatSettings = msgspec.field(default_factory=ChatSettings)
    mcp: dict[str, dict[str, Any]] = msgspec.field(default_factory=dict)

    @property
    def names(self) -> list[str]:
        """Every profile, built-in ones first."""
        return [*BUILT_IN, *(name for name in self.tables if name not in BUILT_IN)]

    def profile(self, name: str) -> Profile:
        """The profile with this name.

        Raises:
            NotSetUpError: there is none, or it has an error; the message names the file and the key.
        """
        if name.startswith("replay:"):  # not in the file: the rest of the name is a session
            return Profile(name, "replay", options={"session": name.removeprefix("replay:")})
        if name not in self.tables and name not in BUILT_IN and not _is_vendor(name):
            known = ", ".join(self.names)
            raise NotSetUpError(
                f"No such profile: '{name}'.",
                f"Known: {known}.",
                code="profile_unknown",
                data={"known": known, "profile": name},
            )
        values = dict(self.tables.get(name, {}))
        values.setdefault("provider", name)
        table = convert(values, Table, config_file(), ("profiles", name))
        own = {key: value for key, value in values.items() if key not in Table.__struct_fields__}
        if "mcp" in own:
            own["mcp"] = self._servers(name, own["mcp"])
        return Profile(name, **msgspec.structs.asdict(table), options=own)

    def _servers(self, profile: str, named: Any) -> Any:
        """The MCP servers of a profile. `mcp` is a list of saved ones, or a table of its own, where `NAME = true` is a saved one.

        Raises:
            NotSetUpError: one isn't saved.
        """
        if isinstance(named, list):
            named = dict.fromkeys(map(str, named), True)
        if not isinstance(named, dict):
            return named  # who reads it reports the type
        for name, value in named.items():
            if value is True and name not in self.mcp:
                raise _unknown_server(profile, name, ", ".join(self.mcp))
        return {name: self.mcp[name] if value is True else value for name, value in named.items()}


def _unknown_server(profile: str, name: str, known: str) -> NotSetUpError:
    return NotSetUpError(
        f'profiles.{profile}.mcp names the MCP server "{name}", which isn\'t saved.',
        f"Saved: {known or 'none'}.",
        code="mcp_server_unknown",
        data={"known": known or "none", "name": name},
    )


def _is_vendor(name: str) -> bool:
    from .vendors import VENDORS

    return name in VENDORS


def config_file() -> Path:
    """The file with the profiles."""
    return config_dir() / "config.toml"


def load_config() -> Config:
    """The user's configuration; empty without a file.

    Raises:
        NotSetUpError: the file can't be read; the message has the line, or the path of the wrong key.
    """
    path = config_file()
    ensure_private(path.parent, path)
    values = read_toml(path)
    if unknown := values.keys() - _TABLES:
        from .slips import warn_of_slips

        warn_of_slips(path, (), sorted(unknown), _TABLES)
    return convert(values, Config, path)

"""Profiles: who answers, and how. TOML in the user config dir, checked when it is read.

```toml
default = "gpt"

[profiles.gpt]
provider = "gpt"
model = "gpt-6-luna"
instructions = "Answer briefly."
tools = ["package.module:function"]
settings = { max_output_tokens = 500 }   # the provider's own parameters
base_url = "…"                           # and the provider's own options
```
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, TypeVar

import msgspec

from ..core.errors import NotSetUpError, UsageError
from .credentials import credentials_file, find_key, validate_key
from .paths import config_dir, ensure_private
from .provider_info import BUILT_IN
from .toml import convert, read_toml

__all__ = ["Config", "Profile", "config_file", "credentials_file", "load_config"]

T = TypeVar("T")


class Profile(msgspec.Struct, frozen=True):
    """One assistant as the user set it up. `options` are the provider's own keys, which only it understands."""

    name: str
    provider: str
    model: str = ""
    instructions: str = ""
    tools: tuple[str, ...] = ()
    settings: dict[str, Any] = {}
    options: dict[str, Any] = {}

    def read(self, options: type[T]) -> T:
        """The provider's own keys, as the struct in which the provider describes them.

        Raises:
            NotSetUpError: a key has a value that the provider cannot use; the message has its path.
        """
        return convert(self.options, options, config_file(), ("profiles", self.name))

    def secret(self, variable: str) -> str:
        """A key, from the environment, `credentials.toml` or the keyring.

        Raises:
            NotSetUpError: it is in none of them, or cannot be a key.
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
        except UsageError as error:  # it would end up, whole, in an error message about headers
            raise NotSetUpError(f"{variable} holds no key. {error}", "Set it again.") from None


class Table(msgspec.Struct):
    """The keys of a profile that every provider has; the rest are the provider's own."""

    provider: str
    model: str = ""
    instructions: str = ""
    tools: tuple[str, ...] = ()
    settings: dict[str, Any] = {}


class Config(msgspec.Struct):
    """The whole file. `tables` are the profiles as they stand there."""

    default: str = ""
    tables: dict[str, dict[str, Any]] = msgspec.field(name="profiles", default_factory=dict)

    @property
    def names(self) -> list[str]:
        """Every profile there is, the built-in ones first."""
        return [*BUILT_IN, *(name for name in self.tables if name not in BUILT_IN)]

    def profile(self, name: str) -> Profile:
        """A profile by its name.

        Raises:
            NotSetUpError: there is none, or it has an error; the message names the file and the key.
        """
        if name.startswith("replay:"):  # no entry of the file: the rest of the name is a session
            return Profile(name, "replay", options={"session": name.removeprefix("replay:")})
        if name not in self.tables and name not in BUILT_IN:
            known = ", ".join(self.names)
            raise NotSetUpError(
                f"There is no profile '{name}'.", f"Known: {known}.", code="profile_unknown", data={"known": known}
            )
        values = dict(self.tables.get(name, {}))
        values.setdefault("provider", name)
        table = convert(values, Table, config_file(), ("profiles", name))
        own = {key: value for key, value in values.items() if key not in Table.__struct_fields__}
        return Profile(name, **msgspec.structs.asdict(table), options=own)


def config_file() -> Path:
    """The file with the profiles."""
    return config_dir() / "config.toml"


def load_config() -> Config:
    """The user's configuration; an empty one when there is no file.

    Raises:
        NotSetUpError: the file cannot be read; the message has the line, or the path of the wrong key.
    """
    path = config_file()
    ensure_private(path.parent, path)
    return convert(read_toml(path), Config, path)

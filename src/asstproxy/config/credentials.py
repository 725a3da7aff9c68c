"""Keys, by the name of their environment variable: from the environment, `credentials.toml` (0600), or the OS keyring.

```toml
OPENAI_API_KEY = "sk-…"
WORK_KEY = { keyring = "asst" }   # the key itself is in the keyring of the system, under this service
```
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

from ..core.errors import NotSetUpError, UsageError
from ..core.redact import register_secrets
from . import os_keyring
from .atomic import write_atomically
from .paths import config_dir, ensure_private
from .toml import read_toml

__all__ = [
    "Place",
    "credentials_file",
    "find_key",
    "forget_key",
    "key_source",
    "store_key",
    "stored_keys",
    "temporary_key",
    "validate_key",
]

_tried: dict[str, str] = {}
SERVICE = "asst"
Place = Literal["environment", "credentials.toml", "keyring"]


def credentials_file() -> Path:
    """The file with the keys, for the user alone."""
    return config_dir() / "credentials.toml"


def _entries() -> dict[str, Any]:
    path = credentials_file()
    ensure_private(path.parent, path)
    entries = read_toml(path)
    register_secrets(*(value for value in entries.values() if isinstance(value, str)))
    return entries


def stored_keys() -> list[str]:
    """The names of the keys that are kept: never the keys.

    Raises:
        NotSetUpError: the file has an error.
    """
    return [name for name, value in _entries().items() if isinstance(value, str | dict)]


def key_source(variable: str) -> Place | None:
    """Where the key is, without looking at it.

    Raises:
        NotSetUpError: the file has an error.
    """
    if os.environ.get(variable, "").strip():
        return "environment"
    entry = _entries().get(variable)
    if isinstance(entry, dict):
        return "keyring"
    return "credentials.toml" if isinstance(entry, str) and entry.strip() else None


def find_key(variable: str) -> str | None:
    """The key, or None when it is nowhere.

    Raises:
        NotSetUpError: the file has an error, or the keyring does not open.
    """
    key = _tried.get(variable) or os.environ.get(variable, "").strip() or _kept(variable)
    register_secrets(key)
    return key


def _kept(variable: str) -> str | None:
    entry = _entries().get(variable)
    if isinstance(entry, dict):
        entry = os_keyring.find(str(entry.get("keyring") or SERVICE), variable)
    return entry.strip() or None if isinstance(entry, str) else None


@contextmanager
def temporary_key(variable: str, key: str | None) -> Iterator[None]:
    """For a while, as if this key were kept: whether it is a good one can be seen before it is."""
    before = dict(_tried)
    if key:
        _tried[variable] = key
    try:
        yield
    finally:
        _tried.clear()
        _tried.update(before)


def store_key(variable: str, key: str, *, keyring: bool = False) -> None:
    """Keep a key in `credentials.toml`, or in the OS keyring with a word about it in that file.

    Raises:
        UsageError: it is no key: empty, or with blanks or control characters in it.
        NotSetUpError: it cannot be kept.
    """
    key = validate_key(key)
    if keyring:
        os_keyring.keep(SERVICE, variable, key)
    _change(variable, {"keyring": SERVICE} if keyring else key)


def forget_key(variable: str) -> None:
    """Keep the key no longer.

    Raises:
        NotSetUpError: the file cannot be changed.
    """
    entry = _entries().get(variable)
    if isinstance(entry, dict):
        os_keyring.forget(str(entry.get("keyring") or SERVICE), variable)
    if entry is not None:
        _change(variable, None)


def validate_key(key: str) -> str:
    """The key without blanks around it.

    Raises:
        UsageError: it cannot be one.
    """
    key = key.strip()
    register_secrets(key)
    if not key:
        raise UsageError("The key is empty.", "Paste the whole key.")
    if not key.isascii() or not key.isprintable() or " " in key:
        raise UsageError("There are blanks or other characters in it that no key has.", "Paste it again.")
    return key


def _change(variable: str, value: Any) -> None:
    import tomlkit

    path = credentials_file()
    _entries()
    try:
        document = tomlkit.parse(path.read_text(encoding="utf-8-sig") if path.exists() else "")
        if value is not None:
            if isinstance(value, dict):
                inline = tomlkit.inline_table()
                inline.update(value)
                value = inline
            document[variable] = value
        elif variable in document:
            del document[variable]
        write_atomically(path, tomlkit.dumps(document).encode())
    except OSError as error:
        raise NotSetUpError(
            f"{path} cannot be written: {error.strerror}.", "Mend its permissions, or set ASST_CONFIG_DIR."
        ) from error

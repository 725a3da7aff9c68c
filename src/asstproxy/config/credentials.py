"""API keys, by the name of their environment variable: from the environment, `credentials.toml` (0600), or the OS keyring.

```toml
OPENAI_API_KEY = "sk-…"

[WORK_KEY]
keyring = "asst"   # the key itself is in the keyring of the operating system, under this service
```

Only asst writes this file, so `tomli-w` does: comments in it are not kept.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

from ..core.errors import NotSetUpError, UsageError
from ..core.redact import register_secrets
from .atomic import only_writer, write_atomically
from .paths import config_dir, ensure_private
from .toml import read_toml

__all__ = [
    "KeySource",
    "credentials_file",
    "find_key",
    "forget_key",
    "has_key",
    "has_keyring",
    "key_source",
    "require_keyring",
    "store_key",
    "stored_keys",
    "temporary_key",
    "validate_key",
]

_temporary: dict[str, str] = {}
SERVICE = "asst"
KeySource = Literal["environment", "credentials.toml", "keyring"]


def credentials_file() -> Path:
    """The file with the keys, which only the user can read."""
    return config_dir() / "credentials.toml"


def _entries() -> dict[str, Any]:
    path = credentials_file()
    ensure_private(path.parent, path)
    entries = read_toml(path)
    register_secrets(*(value for value in entries.values() if isinstance(value, str)))
    return entries


def stored_keys() -> list[str]:
    """The names of the stored keys, never the keys themselves.

    Raises:
        NotSetUpError: the file has an error.
    """
    return [name for name, value in _entries().items() if isinstance(value, str | dict)]


def key_source(variable: str) -> KeySource | None:
    """Where a key comes from, without reading it; None if it is nowhere.

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
    """The key; None if it is nowhere.

    Raises:
        NotSetUpError: the file has an error, or the keyring can't be opened.
    """
    key = _temporary.get(variable) or os.environ.get(variable, "").strip() or _stored(variable)
    register_secrets(key)
    return key


def _stored(variable: str) -> str | None:
    entry = _entries().get(variable)
    if isinstance(entry, dict):
        with _keyring(f"Unlock it, or export {variable}=…", user=variable) as keyring:
            entry = keyring.get_password(_service(entry), variable)
    return entry.strip() or None if isinstance(entry, str) else None


@contextmanager
def temporary_key(variable: str, key: str | None) -> Iterator[None]:
    """Use this key for a while as if it were stored, so that it can be checked first."""
    before = dict(_temporary)
    if key:
        _temporary[variable] = key
    try:
        yield
    finally:
        _temporary.clear()
        _temporary.update(before)


def has_key(variable: str) -> bool:
    """Whether there is a key for this variable, in use for a while or for good.

    Raises:
        NotSetUpError: the file has an error.
    """
    return variable in _temporary or key_source(variable) is not None


def store_key(variable: str, key: str, *, keyring: bool = False) -> None:
    """Store a key in `credentials.toml`, or in the OS keyring with a reference to it in that file.

    Raises:
        UsageError: it can't be a key: it is empty, or has spaces or control characters in it.
        NotSetUpError: it can't be stored.
    """
    key = validate_key(key)
    if keyring:
        with _keyring("Save it in credentials.toml instead.", code="keyring_refused") as os_keyring:
            os_keyring.set_password(SERVICE, variable, key)
    _change(variable, {"keyring": SERVICE} if keyring else key)


def forget_key(variable: str) -> None:
    """Delete a stored key.

    Raises:
        NotSetUpError: the file can't be changed.
    """
    entry = _entries().get(variable)
    if isinstance(entry, dict):
        with suppress(NotSetUpError), _keyring() as keyring:  # it may be gone already
            keyring.delete_password(_service(entry), variable)
    if entry is not None:
        _change(variable, None)


def validate_key(key: str) -> str:
    """The key without spaces around it.

    Raises:
        UsageError: it can't be a key.
    """
    key = key.strip()
    register_secrets(key)
    if not key:
        raise UsageError("The key is empty.", "Paste the whole key.")
    if not key.isascii() or not key.isprintable() or " " in key:
        raise UsageError("That isn't a key: it contains spaces or other invalid characters.", "Paste it again.")
    return key


def _change(variable: str, value: Any) -> None:
    import tomli_w

    path = credentials_file()
    _entries()
    try:
        with only_writer(path.parent):  # another asst may be saving a key, too
            entries = {name: entry for name, entry in _entries().items() if name != variable}
            if value is not None:
                entries[variable] = value
            write_atomically(path, tomli_w.dumps(entries).encode())
    except OSError as error:
        raise NotSetUpError(
            f"{path} can't be written: {error.strerror}.", "Fix its permissions, or set ASST_CONFIG_DIR."
        ) from error


# ---- the OS keyring (extra `keyring`), imported when it is used --------------------------------------------------------


def has_keyring() -> bool:
    """Whether the extra `keyring` is installed."""
    return find_spec("keyring") is not None


def require_keyring(user: str = "") -> None:
    """Check that the extra `keyring` is installed; `user` is the variable that needs it.

    Raises:
        NotSetUpError: it is not.
    """
    if not has_keyring():
        needed = f"{user} is in the keyring, but the" if user else "The"
        raise NotSetUpError(f"{needed} package keyring is not installed.", "Run: pip install 'asstproxy[keyring]'")


def _service(entry: dict[str, Any]) -> str:
    return str(entry.get("keyring") or SERVICE)


@contextmanager
def _keyring(hint: str = "", *, code: str = "", user: str = "") -> Iterator[Any]:
    """The module `keyring`; its errors become a `NotSetUpError` with this hint."""
    require_keyring(user)
    keyring, errors = import_module("keyring"), import_module("keyring.errors")
    try:
        yield keyring
    except errors.KeyringError as error:
        raise NotSetUpError(f"The OS keyring failed: {type(error).__name__}.", hint, code=code) from None

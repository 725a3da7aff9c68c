"""The keyring of the system (extra `keyring`): imported when a key is there, or is to go there."""

from __future__ import annotations

from contextlib import suppress
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from ..core.errors import NotSetUpError

__all__ = ["demand_keyring", "find", "forget", "has_keyring", "keep"]

PIP = "Run: pip install 'asstproxy[keyring]'"


def has_keyring() -> bool:
    """Whether the extra `keyring` is installed."""
    return find_spec("keyring") is not None


def demand_keyring() -> None:
    """See that keys can be kept in the keyring of the system.

    Raises:
        NotSetUpError: its package is not installed.
    """
    if not has_keyring():
        raise NotSetUpError("The package keyring is not installed.", PIP)


def find(service: str, variable: str) -> str | None:
    """The key, if it is there.

    Raises:
        NotSetUpError: the keyring does not open.
    """
    if not has_keyring():
        raise NotSetUpError(f"{variable} is in the keyring, and the package keyring is not installed.", PIP)
    keyring, errors = _keyring()
    try:
        found: str | None = keyring.get_password(service, variable)
    except errors.KeyringError as error:
        raise NotSetUpError(
            f"The keyring does not open: {type(error).__name__}.", f"Unlock it, or export {variable}=…"
        ) from None
    return found


def keep(service: str, variable: str, key: str) -> None:
    """Put a key there.

    Raises:
        NotSetUpError: the keyring takes none.
    """
    demand_keyring()
    keyring, errors = _keyring()
    try:
        keyring.set_password(service, variable, key)
    except errors.KeyringError as error:
        raise NotSetUpError(
            f"The keyring refused the key: {type(error).__name__}.",
            "Save it in credentials.toml instead.",
            code="keyring_refused",
        ) from None


def forget(service: str, variable: str) -> None:
    """Take a key away; it may be gone already."""
    if has_keyring():
        keyring, errors = _keyring()
        with suppress(errors.KeyringError):
            keyring.delete_password(service, variable)


def _keyring() -> tuple[Any, Any]:
    return import_module("keyring"), import_module("keyring.errors")

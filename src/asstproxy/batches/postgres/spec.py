"""What the database keeps of a batch as a whole: who is asked and how. Keys and addresses of servers stay on the machines."""

from __future__ import annotations

from hashlib import blake2b
from typing import Any

import msgspec

from ...core.errors import UsageError
from ...core.events import Configured
from ..item import Item

__all__ = ["Spec", "decode_item", "encode_item", "queue_of", "require_remote", "signed"]

_LONGEST = 39
"""Bytes of the name of a queue: procrastinate makes a channel of it, whose name Postgres limits to 63."""


class Spec(msgspec.Struct, frozen=True):
    """Who is asked, and how. `configured` names the profile, which every worker looks up in its own configuration."""

    configured: Configured
    schema: dict[str, Any] | None = None
    background: bool = False


def queue_of(profile: str, provider: str) -> str:
    """The queue of the tickets for a profile: a worker that has no such profile, or no key for it, doesn't see them."""
    name = f"asst/{profile}" if profile == provider else f"asst/{profile}/{provider}"
    if len(name.encode()) > _LONGEST:
        return f"asst/{blake2b(name.encode(), digest_size=12).hexdigest()}"
    return name


def require_remote(item: Item) -> Item:
    """The item, if a worker on another machine can ask it.

    Raises:
        UsageError: it names a file of this machine.
    """
    for one in item.attachments:
        if not one.startswith(("https://", "http://")):
            raise UsageError(
                'a worker can\'t read the file in "attachments"',
                "Attach addresses (https://…).",
                data={"key": "attachments"},
            )
    return item


def encode_item(item: Item) -> bytes:
    """The item as the database keeps it; the schema is that of the whole batch."""
    return msgspec.json.encode(msgspec.structs.replace(item, schema="", values={}))


def decode_item(data: bytes) -> Item:
    """The item of a row."""
    return msgspec.json.decode(data, type=Item)


def signed(body: int) -> int:
    """The fingerprint of an item as Postgres's `bigint`."""
    return body - (1 << 64) if body >> 63 else body

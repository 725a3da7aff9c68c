"""Plain HTTP to another machine: allowed, since many a model runs in somebody's own network, but not without a word.

Loopback addresses and names are this machine. All others are not, also link-local and private ones: whoever is in that
network can read what is said, and the key. Names are not looked up, so that nothing waits for it.
"""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from ...core.warnings import warn_once

__all__ = ["is_exposed", "warn_of_plain_http"]

_HERE = re.compile(r"(?:.+\.)?localhost\.?|127(?:\.\d{1,3}){3}|0\.0\.0\.0|::1?", re.IGNORECASE)


def is_exposed(address: str) -> bool:
    """Whether what is sent there can be read on the way."""
    try:
        parts = urlsplit(address)
        return parts.scheme.lower() in ("http", "ws") and not _HERE.fullmatch(parts.hostname or "localhost")
    except ValueError:  # no address: whoever asks there will say so
        return False


def warn_of_plain_http(address: str, who: str) -> None:
    """Tell the person, once, if what is sent there can be read on the way."""
    if is_exposed(address):
        host = urlsplit(address).hostname
        warn_once(
            f"{who} is asked over plain HTTP at {host}: others on the way can read what is said, and the key."
            " Use https://, or a tunnel to localhost.",
            about=f"plain HTTP to {host}",
        )

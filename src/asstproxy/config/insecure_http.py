"""Plain HTTP to another machine: allowed, because many models run in a private network, but with a warning.

Only loopback addresses and names are this machine. Link-local and private addresses are not: others in that network can read
the messages and the key. Names are not resolved, so nothing waits for DNS.
"""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from ..core.warnings import warn_once

__all__ = ["is_exposed", "warn_of_plain_http"]

_HERE = re.compile(r"(?:.+\.)?localhost\.?|127(?:\.\d{1,3}){3}|0\.0\.0\.0|::1?", re.IGNORECASE)


def is_exposed(address: str) -> bool:
    """Whether others can read what is sent to this URL."""
    try:
        parts = urlsplit(address)
        return parts.scheme.lower() in ("http", "ws") and not _HERE.fullmatch(parts.hostname or "localhost")
    except ValueError:  # not a URL: the request will fail and say so
        return False


def warn_of_plain_http(address: str, who: str) -> None:
    """Warn the person, once, if others can read what is sent to this URL."""
    if is_exposed(address):
        host = urlsplit(address).hostname
        warn_once(
            f"{who} uses plain HTTP to {host}: others on the network can read the messages and the key."
            " Use https://, or a tunnel to localhost.",
            about=f"plain HTTP to {host}",
        )

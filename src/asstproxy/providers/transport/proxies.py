"""Which proxy a request goes through: as curl reads the environment, but a loopback address is asked directly.

The variables: `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY`, and `NO_PROXY` with the hosts that are asked directly (names, with their
subdomains; addresses; networks; `host:port`; `*`). A name in small letters goes before the same in capitals. On macOS and Windows,
the system's settings count where no variable is set (https://docs.python.org/3/library/urllib.request.html#urllib.request.getproxies).
"""

from __future__ import annotations

import os
import ssl
from dataclasses import dataclass
from functools import lru_cache
from importlib.util import find_spec
from ipaddress import ip_address, ip_network
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from urllib.request import getproxies

from ...core.errors import NotSetUpError
from ...core.redact import public_url, register_secrets

if TYPE_CHECKING:
    import httpx2

__all__ = ["EnvironmentProxy", "certificates_are_named", "proxy_for", "tls_context"]

SYSTEM = "the system's settings"
CERTIFICATES = ("SSL_CERT_FILE", "SSL_CERT_DIR")


@dataclass(frozen=True, slots=True)
class EnvironmentProxy:
    """A proxy, and the variable that names it."""

    url: str
    source: str

    @property
    def shown(self) -> str:
        """It in a message, without user and password."""
        return f"the proxy {public_url(self.url)} ({self.source})"

    def client_proxy(self, context: ssl.SSLContext | bool) -> httpx2.Proxy:
        """It for the HTTP client. `context`: the certificates that an encrypted proxy is checked with.

        Raises:
            NotSetUpError: it can't be used, or the package for it is missing.
        """
        import httpx2

        scheme = urlsplit(self.url).scheme.lower()
        if scheme in ("socks5", "socks5h") and find_spec("socksio") is None:
            raise NotSetUpError(
                f"{self.source} names a SOCKS proxy, and the package for those is not installed.",
                f"Run: pip install 'asstproxy[socks]', or unset {self.source}.",
            )
        encrypted = context if scheme == "https" and isinstance(context, ssl.SSLContext) else None
        try:
            if scheme not in ("http", "https", "socks5", "socks5h") or not urlsplit(self.url).hostname:
                raise ValueError
            return httpx2.Proxy(self.url, ssl_context=encrypted)
        except (ValueError, httpx2.InvalidURL):
            raise NotSetUpError(
                f"{self.source} names a proxy that asst can't use: {public_url(self.url)}.",
                "Write it like http://host:port or socks5://host:port.",
            ) from None


def proxy_for(url: str) -> EnvironmentProxy | None:
    """The proxy that the environment names for this URL; None if it is asked directly."""
    parts = urlsplit(url)
    host, port = (parts.hostname or "").rstrip("."), parts.port or (443 if parts.scheme == "https" else 80)
    if not host or _is_loopback(host):
        return None
    found = getproxies()
    if any(_covers(entry.strip(), host, port) for entry in found.get("no", "").split(",")):
        return None
    for kind in (parts.scheme, "all"):
        if address := found.get(kind, "").strip():
            address = address if "://" in address else f"http://{address}"
            if address.startswith("socks://"):  # as GNOME writes it
                address = address.replace("socks://", "socks5://", 1)
            register_secrets(urlsplit(address).password)
            names = (f"{kind}_proxy", f"{kind}_proxy".upper())
            return EnvironmentProxy(address, next((name for name in names if os.environ.get(name)), SYSTEM))
    return None


def certificates_are_named() -> bool:
    """Whether the environment names the certificates to trust."""
    return any(os.environ.get(name) for name in CERTIFICATES)


def tls_context() -> ssl.SSLContext:
    """The certificates to trust: those that SSL_CERT_FILE or SSL_CERT_DIR name, else the system's.

    Raises:
        NotSetUpError: they can't be read.
    """
    try:
        return _context(*(os.environ.get(name) for name in CERTIFICATES))
    except (OSError, ssl.SSLError) as error:
        variable = next((name for name in CERTIFICATES if os.environ.get(name)), "")
        if not variable:
            raise
        reason = error.strerror if type(error).__module__ != "ssl" and error.strerror else "it has no certificate"
        raise NotSetUpError(
            f"{variable} names certificates that can't be read: {os.environ[variable]} ({reason}).",
            f"Correct or unset {variable}.",
        ) from None


@lru_cache(maxsize=1)
def _context(*_named: str | None) -> ssl.SSLContext:
    """Read once: that takes 60 ms and a megabyte, and a batch has many assistants. `_named`: the files that were named."""
    import httpx2

    return httpx2.create_ssl_context()


def _is_loopback(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _covers(entry: str, host: str, port: int) -> bool:
    """Whether an entry of NO_PROXY names this host."""
    entry = entry.lower().rpartition("://")[2].rstrip(".")
    if entry in ("", "*"):
        return entry == "*"
    try:
        address = ip_address(host)
    except ValueError:
        address = None
    if address is not None and "/" in entry:
        try:
            return address in ip_network(entry.replace("[", "").replace("]", ""), strict=False)
        except ValueError:
            return False
    name, _, number = entry.rpartition(":")
    if name and number.isdecimal() and (name.endswith("]") or ":" not in name):
        if int(number) != port:
            return False
        entry = name
    entry = entry.strip("[]").removeprefix("*").removeprefix(".")
    return host.lower() == entry or (address is None and host.lower().endswith(f".{entry}"))

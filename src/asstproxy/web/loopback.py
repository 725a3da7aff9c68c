"""Addresses that lead to this machine, from this machine only."""

from __future__ import annotations

import ipaddress

__all__ = ["LOOPBACK_HOSTS", "is_loopback"]

LOOPBACK_HOSTS = frozenset({"127.0.0.1", "localhost", "::1"})
"""The names of this machine that no other machine has."""


def is_loopback(host: str) -> bool:
    """Whether a server that listens on this address can be reached from this machine only."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host in LOOPBACK_HOSTS

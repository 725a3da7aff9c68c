"""What holds for every test: nothing of this machine's user is read or written, and nothing leaves this machine."""

from __future__ import annotations

import ipaddress
import os
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from asstproxy.cli import env_file
from asstproxy.config import credentials
from asstproxy.core import redact, warnings

settings.register_profile(
    "asst", deadline=None, print_blob=True
)  # the machine is shared: time says nothing about a law
settings.load_profile("asst")

WORKERS_PER_CORE = 2
"""Of pytest-xdist: half of the time a test waits, for a process or a server."""
REMEMBERED: tuple[set[str] | dict[str, str], ...] = (
    redact._known,
    warnings._shown,
    env_file.loaded,
    credentials._temporary,
)
"""What a process of asst remembers to its end."""
FOREIGN = ("ASST_", "OPENAI_", "GEMINI_", "GOOGLE_", "NO_COLOR", "FORCE_COLOR", "XDG_")


@pytest.fixture(autouse=True)
def _own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in [name for name in os.environ if name.startswith(FOREIGN)]:
        monkeypatch.delenv(name)
    for kind in ("CONFIG", "DATA", "CACHE"):
        monkeypatch.setenv(f"ASST_{kind}_DIR", str(tmp_path / f"asst-{kind.lower()}"))
    variables = dict(os.environ)
    before = os.umask(0o077)  # what a test writes for asst is as private as what asst writes: else it would say so
    yield
    os.umask(before)
    os.environ.clear()
    os.environ.update(variables)


@pytest.fixture(autouse=True)
def _nothing_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    """A test begins as a process of asst begins: no key is known, and nothing was told."""
    for kept in REMEMBERED:
        kept.clear()
    monkeypatch.setattr(warnings, "_handler", warnings._log)


@pytest.hookimpl(optionalhook=True)  # without pytest-xdist there is no such hook
def pytest_xdist_auto_num_workers() -> int:
    """How many `-n auto` means."""
    return WORKERS_PER_CORE * (os.cpu_count() or 1)


def _stay_here(event: str, arguments: tuple[object, ...]) -> None:
    """Refuse to reach for another machine; an audit hook sees every library, whatever it is built on."""
    if event == "socket.connect" and isinstance(address := arguments[1], tuple):
        host = str(address[0])
    elif event == "socket.getaddrinfo" and arguments[0] is not None:
        host = arguments[0].decode() if isinstance(arguments[0], bytes) else str(arguments[0])
    else:
        return
    if host not in ("", "localhost", socket.gethostname()) and not _is_loopback(host):
        raise PermissionError(f"a test reached for {host}")


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


sys.addaudithook(_stay_here)

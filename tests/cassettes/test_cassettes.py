"""The cassettes themselves: complete, clean, and known to the README."""

from __future__ import annotations

import re
import socket

import pytest

from .logbook import README, table
from .player import HEADERS, NO_KEY
from .scenarios import CASSETTES, FOLDER, SERVERS, TAKES, Take
from .tape import raw

SECRETS = re.compile(
    r"authori[sz]ation|bearer|api[-_]key|set-cookie|openai-(?:organization|project)|\bsk-|\bAIza|\borg-\w|\bproj_\w"
    r"|-----BEGIN|[\w.]+@[\w-]+\.\w|x-[\w-]*id\b",
    re.IGNORECASE,
)
"""Keys and what carries them, organizations, people."""
PLACES = re.compile(r"/(?:home|root|tmp|work|usr|var|opt|Users)\b|[A-Z]:\\|site-packages")
"""Folders of the machine that recorded."""
ADDRESS = re.compile(r"\b\d{1,3}(?:\.\d{1,3}){3}\b")

cassette = pytest.mark.parametrize("take", CASSETTES, ids=lambda take: take.name)


def test_every_scenario_has_its_cassette() -> None:
    """What the table names for servers that run anywhere is recorded, and no file is left over."""
    assert {take.file for take in CASSETTES} == set(FOLDER.glob("*.yaml"))
    assert len({take.name for take in TAKES}) == len(TAKES)


def test_the_readme_knows_where_each_came_from() -> None:
    """Server, version and date of every cassette stand in cassettes/README.md."""
    assert README.read_text(encoding="utf-8").endswith(table())


@cassette
def test_a_cassette_holds_no_secret(take: Take) -> None:
    """No key, cookie, organization or person, and no folder, address or name of the machine that recorded it."""
    text = take.file.read_text(encoding="utf-8")
    assert not SECRETS.findall(text)
    assert not PLACES.findall(text)
    assert set(ADDRESS.findall(text)) <= {"127.0.0.1"}
    assert NO_KEY not in text
    assert not re.search(rf"(?<!\w){re.escape(socket.gethostname())}(?!\w)", text)


@cassette
def test_a_cassette_keeps_four_headers_at_most(take: Take) -> None:
    """Headers are where keys travel: what is not on the short list is not recorded."""
    for request, response in raw(take.file):
        assert {*request["headers"], *response["headers"]} <= set(HEADERS)


@cassette
def test_a_cassette_is_small(take: Take) -> None:
    """A scenario is as short as it can be."""
    assert take.file.stat().st_size < 40_000


def test_servers_of_our_own_are_on_this_machine() -> None:
    """Whoever records without --real asks nobody else."""
    for server in SERVERS.values():
        assert server.profile["base_url"].startswith("https://" if server.real else "http://127.0.0.1:")

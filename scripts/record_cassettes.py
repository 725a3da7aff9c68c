"""Records the cassettes again, from real servers, and writes down in cassettes/README.md where they come from.

usage: python scripts/record_cassettes.py [--only NAME] [--real]

Without --real, the servers of scripts/local_servers.py are installed if need be, started, and ended afterwards. With
--real, OpenAI and Google are asked (and paid), whichever of OPENAI_API_KEY and GEMINI_API_KEY is set. NAME may hold
wildcards: 'ogx-*'. What is recorded is the table in tests/cassettes/scenarios.py; run the tests afterwards.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import socket
import sys
import tempfile
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))  # the table is the tests'

from scripts.local_servers import serving

from cassettes.logbook import write_down
from cassettes.player import NO_KEY, paths, play, recorder
from cassettes.scenarios import FOLDER, TAKES, Take

POLL = 0.2
"""Seconds between two questions about an answer in the background, so that a few of them are on the cassette."""
TRIES = 3
"""vcrpy reads streams to their end, so connections are used again, and llama.cpp now and then closes one that is."""


def main() -> int:
    """Record what the arguments choose; 1 if some of it could not be recorded."""
    arguments = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    arguments.add_argument("--only", metavar="NAME", default="*", help="a cassette; wildcards are understood")
    arguments.add_argument(
        "--real", action="store_true", help="ask servers that run already: OpenAI, Google, open-assistant-api"
    )
    chosen = arguments.parse_args()
    takes = [take for take in TAKES if _is_there(take) == chosen.real and fnmatchcase(take.name, chosen.only)]
    takes = [take for take in takes if not chosen.real or os.environ.get(take.server.key)]
    if not takes:
        arguments.error("there is nothing to record: no such cassette, or no key for --real")
    with tempfile.TemporaryDirectory() as folder:
        os.environ["ASST_CONFIG_DIR"] = folder
        with _answering(takes, real=chosen.real) as versions:
            failed = [t for t in takes if not any(_recorded(t, versions[t.host]) for _ in range(TRIES))]
    known = {take.file for take in TAKES}
    for file in FOLDER.glob("*.yaml"):
        if file not in known:
            file.unlink()
    write_down()
    return 1 if failed else 0


@contextlib.contextmanager
def _answering(takes: Sequence[Take], *, real: bool) -> Iterator[dict[str, str]]:
    """The servers of these takes, with their versions."""
    servers = {take.host: take.server for take in takes}
    if real:
        yield {name: server.version or server.profile["base_url"] for name, server in servers.items()}
        return
    os.environ.update({server.key: NO_KEY for server in servers.values()})
    with serving(tuple(servers)) as versions:
        yield versions


def _is_there(take: Take) -> bool:
    """Whether its server runs without this script."""
    return take.server.real or bool(take.server.version)


def _recorded(take: Take, version: str) -> bool:
    """Record one cassette, in the place of the old one; one that went another way, or tells of us, is not kept."""
    new = take.file.with_suffix(".new")
    new.unlink(missing_ok=True)
    about = {"server": take.server.title, "version": version, "date": datetime.now(UTC).date().isoformat()}
    try:
        with recorder("all").use_cassette(str(new)) as cassette:
            cassette.get_metadata("recorded", about)
            records = asyncio.run(play(take, poll=POLL))
        took = paths(records)
        if took != list(take.scenario.paths):
            return _said(take, f"took another way: {took}\n{records[-1].event}")
        text = new.read_text(encoding="utf-8")
        for secret in (os.environ[take.server.key], socket.gethostname(), str(Path.home())):
            if secret in text:
                return _said(take, "the key, this machine's name or its user's folder is in it")
        new.replace(take.file)
    finally:
        new.unlink(missing_ok=True)
    _said(take, f"{len(cassette)} requests")
    return True


def _said(take: Take, text: str) -> bool:
    sys.stderr.write(f"{take.name}: {text}\n")
    return False


if __name__ == "__main__":
    sys.exit(main())

"""`kill -9` at random moments of streamed, tool-calling exchanges: what was published is in the journal, and it goes on."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import time
from datetime import datetime
from pathlib import Path

import pytest

from asstproxy.core.events import ChunkReceived
from asstproxy.core.mediator import conform
from asstproxy.core.script import RESTING
from asstproxy.store.recovery import read_journal
from asstproxy.store.store import Store
from forked import asst_command

from .sending import SendingServer

VICTIM = Path(__file__).with_name("victim.py")
HELD_BACK = 0.05
"""Seconds of streamed text that may be lost."""
SLACK = 0.25
"""Seconds that a busy machine may be late."""


@pytest.mark.parametrize("rounds", [4, pytest.param(30, marks=pytest.mark.slow(reason="30 processes"))])
def test_kill_costs_at_most_50_ms_of_received_text(rounds: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of what the server had sent when the command was killed, all but the last 50 ms is in the journal."""
    chance = random.Random(1)  # noqa: S311 - moments, not secrets
    lost = []
    for _ in range(rounds):
        with SendingServer() as server:
            monkeypatch.setenv("OPENAI_BASE_URL", server.base_url)
            monkeypatch.setenv("OPENAI_API_KEY", server.key)
            command = [asst_command.ASST, "ask", "-p", "gpt", "go"]
            with asst_command.start(command, stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL) as victim:
                until = time.monotonic() + 60
                while len(server.sent_at) < 1500 and time.monotonic() < until:
                    time.sleep(0.002)
                time.sleep(chance.uniform(0, 0.2))
                killed, sent = time.time(), list(server.sent_at)
                victim.kill()
        session = Store().transcript(Store().newest())
        text = "".join(
            record.event.text for record in Store().records(session.id) if isinstance(record.event, ChunkReceived)
        )
        assert text
        assert "steady steady ".startswith(text[:14])
        lost.append(killed - sent[len(text)] if len(text) < len(sent) else 0.0)
    print("lost, in ms:", sorted(round(1000 * seconds) for seconds in lost))  # noqa: T201 - a measurement: pytest -s
    lost.sort()
    assert lost[len(lost) // 4] <= HELD_BACK  # on a busy machine, others have the processor meanwhile
    assert lost[-1] <= HELD_BACK + SLACK


MANY = [pytest.param(25, seed, marks=pytest.mark.slow(reason="200 processes in all")) for seed in range(1, 9)]


@pytest.mark.parametrize(("rounds", "seed"), [(6, 0), *MANY])
def test_nothing_that_was_published_is_lost(rounds: int, seed: int) -> None:
    """Every record but the last 50 ms of text is there, one torn line at the most; the session reopens and conforms."""
    chance = random.Random(20261122 + seed)  # noqa: S311 - moments, not secrets
    session, torn = "", 0
    for number in range(rounds):
        session = session if number % 3 else ""  # two rounds of three go on in the session that was killed before
        session, published = _killed(session, chance.uniform(0.0, 0.6))
        path = Store().path(session)
        *whole, rest = path.read_bytes().split(b"\n")
        torn += bool(rest)
        kept = [json.loads(line) for line in whole]
        _assert_kept(published, kept)
        reading = read_journal(path)
        assert reading.damage == []
        Store().open(session).close()
        again = read_journal(path)
        assert list(conform(again.records)) == []
        assert again.records[-1].state in RESTING
        assert again.torn == 0
        assert Store().summary(session).exchange_count == Store().transcript(session).exchange_count


def _killed(session: str, after: float) -> tuple[str, list[tuple[int, str, str]]]:
    """Kill a process so many seconds after its session was open; what it had published by then."""
    victim = subprocess.Popen([sys.executable, str(VICTIM), *([session] if session else [])], stdout=subprocess.PIPE)
    assert victim.stdout is not None
    first = victim.stdout.readline().decode().split()
    time.sleep(after)
    victim.kill()
    rest = victim.stdout.read().decode()
    victim.stdout.close()
    victim.wait()
    told = [line.split() for line in rest.split("\n")[:-1]]
    return first[1], [(int(seq), kind, at) for seq, kind, at in told]


def _assert_kept(published: list[tuple[int, str, str]], kept: list[dict[str, object]]) -> None:
    if not published:
        return
    end = datetime.fromisoformat(published[-1][2]).timestamp()
    there = {(record["seq"], record["type"]) for record in kept}
    last = max((int(str(record["seq"])) for record in kept), default=0)
    for seq, kind, at in published:
        if kind == "chunk_received":
            late = end - datetime.fromisoformat(at).timestamp() > HELD_BACK + SLACK
            assert not late or seq <= last, f"text #{seq} of {at} is lost"
        else:
            assert (seq, kind) in there, f"#{seq} {kind} is lost"

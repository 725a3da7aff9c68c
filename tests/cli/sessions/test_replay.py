"""`asst replay`, and the provider that answers from a recording."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterable
from pathlib import Path

import pytest

from asstproxy.core.conversation import Conversation
from asstproxy.core.errors import AssistantError
from asstproxy.core.events import ErrorOccurred, Record
from asstproxy.core.mediator import conform
from asstproxy.core.script import State
from asstproxy.providers.playback import ReplayProvider
from asstproxy.providers.scripted import say
from asstproxy.store.session import Session
from asstproxy.store.store import Store
from store.rig import UPPER, asst, held, lines, tool_exchange


@pytest.fixture
def recorded() -> Session:
    """Two exchanges, the first of them with a tool."""
    return held(["use the tool", "and now?"], *tool_exchange(), say("That was all.", pieces=4))


def test_a_replay_says_what_was_said(recorded: Session) -> None:
    """Into a pipe: the answers; from a session, a journal and a transcript alike."""
    for what in ("", recorded.id, str(recorded.path), str(recorded.path.with_suffix(".json"))):
        done = asst("replay", *([what] if what else []), "--speed", "max")
        assert (done.returncode, done.stdout) == (0, "It is ABC.\nThat was all.\n"), what
    again = held(["x"], say("1"), session=Store().create())
    assert asst("replay", again.id).stdout == "1\n"


def test_gaps_are_as_recorded_and_a_second_at_the_most(recorded: Session) -> None:
    """An hour of waiting becomes one second; --speed divides it; a clock that was set back makes no pause."""

    def spread(all_: list[bytes]) -> list[bytes]:
        out = []
        for line in all_:
            record = json.loads(line)
            hour = {"tools_executed": 1, "completed": 0}.get(record["state"], 2 if record["seq"] > 20 else 0)
            record["at"] = f"2026-01-01T0{hour}:00:00.000Z"
            out.append(json.dumps(record).encode() + b"\n")
        return out

    lines(recorded.path, spread)

    def seconds(speed: str) -> float:
        began = time.monotonic()
        assert asst("replay", recorded.id, "--speed", speed).returncode == 0
        return time.monotonic() - began

    assert seconds("0.5") - min(seconds("20") for _ in range(2)) > 1.5


def test_from_begins_with_that_record(recorded: Session) -> None:
    """Earlier exchanges are left out; the numbers are those of --events."""
    second = next(r.seq for r in Store().records(recorded.id) if r.event.type == "set_user_message" and r.seq > 5)
    assert asst("replay", "--speed", "max", "--from", str(second)).stdout == "That was all.\n"
    beyond = asst("replay", "--from", "999")
    assert (beyond.returncode, beyond.stdout, beyond.stderr.count("\n")) == (2, "", 1)
    assert "No step 999" in beyond.stderr
    events = [json.loads(line)["seq"] for line in asst("replay", "--events", "--from", str(second)).stdout.splitlines()]
    assert events[0] == second


def test_step_waits_for_a_line_when_stdin_is_no_terminal(recorded: Session) -> None:
    """One record for each line; the end of stdin, or q, ends it."""
    count = len(Store().records(recorded.id))
    assert asst("replay", recorded.id, "--step", stdin="\n" * count).stdout == "It is ABC.\nThat was all.\n"
    assert asst("replay", recorded.id, "--step", stdin="\n" * (count // 2) + "q\n").stdout in "It is ABC.\n"
    assert asst("replay", recorded.id, "--step", stdin="").stdout == ""


@pytest.mark.parametrize("speed", ["0", "-1", "fast", "nan", ""])
def test_a_speed_that_is_none_is_wrong_usage(recorded: Session, speed: str) -> None:
    """Exit code 2."""
    assert asst("replay", recorded.id, "--speed", speed).returncode == 2


def test_check_tells_the_first_difference(recorded: Session) -> None:
    """0 when a fresh strict mediator reaches the same states, else 1 and the record's number."""
    assert asst("replay", recorded.id, "--check").returncode == 0
    lines(recorded.path, lambda all_: [*all_[:6], all_[6].replace(b'"state":"', b'"state":"error","x":"'), *all_[7:]])
    done = asst("replay", recorded.id, "--check")
    assert done.returncode == 1
    assert done.stdout.startswith("#7 ")
    assert done.stdout.count("\n") == 1
    assert asst("replay", "/nowhere.jsonl", "--check").returncode == 5


# ---- the recording as a provider ---------------------------------------------------------------------------------------


def test_the_recorded_side_answers_again_and_tools_run_for_real(recorded: Session) -> None:
    """`-p replay:SESSION`: the same answers; the tool's real result is what the recording is compared with."""
    talk = ["-p", f"replay:{recorded.id}", "--yes", "-t", UPPER, "-q"]
    assert asst("ask", *talk, "use the tool").stdout == "It is ABC.\n"
    new = Store().newest()
    assert asst("ask", *talk, "-c", "and now?").stdout == "That was all.\n"
    assert [e.tools[0].output for e in Store().transcript(new).exchanges if e.tools] == ["ABC"]
    assert asst("replay", new, "--check").returncode == 0


def test_a_message_that_was_not_recorded_fails_at_once(recorded: Session) -> None:
    """One line with the nearest recorded message; nothing is sent anywhere, also with keys and addresses set."""
    done = asst(
        "ask",
        "-p",
        f"replay:{recorded.id}",
        "-q",
        "and then?",
        OPENAI_API_KEY="k",
        OPENAI_BASE_URL="http://127.0.0.1:9",
    )
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1)
    assert "departs" in done.stderr
    assert "'use the tool'" in done.stderr
    assert "'and now?'" in done.stderr


def test_a_departure_does_not_pass(recorded: Session) -> None:
    """The same would depart again: nothing says to try again."""
    done = asst("ask", "-p", f"replay:{recorded.id}", "and then?")
    assert "departs" in done.stderr
    assert "Try again" not in done.stderr


def test_a_tool_that_gives_something_else_is_a_departure(recorded: Session) -> None:
    """The hint shows both results."""

    def upper(text: str) -> str:
        """Upper case.

        Args:
            text: any text.
        """
        return text.upper() + "!"

    settled = asyncio.run(_ask(recorded, [upper], "use the tool"))[-1]
    assert isinstance(settled.event, ErrorOccurred)
    assert "'ABC'" in settled.event.message
    assert "'ABC!'" in settled.event.message


def test_the_end_of_the_recording_is_a_departure() -> None:
    """So is an exchange that was stopped in the recording."""
    session = held(["one"], say("1"))
    records = asyncio.run(_ask(session, [], "one", "two"))
    assert isinstance(records[-1].event, ErrorOccurred)
    assert "turn 2" in records[-1].event.message


def test_recorded_failures_fail_again() -> None:
    """With the recorded kind and words; a failed exchange that was asked again counts as it happened."""
    session = held(["one", "one"], [AssistantError("quota", "No credit.", "Pay.")], say("1"))
    records = asyncio.run(_ask(session, [], "one", "one"))
    ends = [r for r in records if r.state in (State.ERROR, State.COMPLETED) and r.event.type != "usage"]
    assert [r.event.type for r in ends] == ["error", "assistant_message_retrieved"]
    assert isinstance(ends[0].event, ErrorOccurred)
    assert (ends[0].event.kind, ends[0].event.message, ends[0].event.hint) == ("quota", "No credit.", "Pay.")


def test_a_replayed_conversation_has_the_records_of_the_recording(recorded: Session) -> None:
    """Same messages, same states, in the same order; only numbers, times and the provider's name differ."""
    from store.rig import upper

    again = asyncio.run(_ask(recorded, [upper], "use the tool", "and now?"))
    assert _told(again) == _told(Store().records(recorded.id))
    assert list(conform(again)) == []


def _told(records: Iterable[Record]) -> list[tuple[str, str]]:
    aside = ("chunk_received", "session_opened", "configured")
    return [(r.state, r.event.type) for r in records if r.event.type not in aside]


async def _ask(recorded: Session, tools: list[object], *messages: str) -> list[Record]:
    from dataclasses import replace

    from asstproxy.tools import as_tool
    from asstproxy.user import UserProxy

    user = UserProxy([replace(as_tool(tool), approval="never") for tool in tools])  # type: ignore[arg-type]
    conversation = Conversation(ReplayProvider(Store().records(recorded.id)), user)
    records: list[Record] = []
    conversation.subscribe(records.append)
    for message in messages:
        await conversation.exchange(message)
    return records


def test_a_session_that_is_not_there_is_not_set_up(tmp_path: Path) -> None:
    """Exit code 3, before anything is saved."""
    done = asst("ask", "-p", f"replay:{tmp_path}/none.jsonl", "hi")
    assert (done.returncode, done.stderr.count("\n")) == (3, 1)
    assert [*Store().ids()] == []

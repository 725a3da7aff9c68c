"""An exchange that ran in the background at the provider when the process died is attached to again."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest

from asstproxy.core.mediator import conform
from asstproxy.core.script import State
from asstproxy.store.store import Store
from servers import Call, Cut, ResponsesServer, Say, Status

from .rig import UPPER, asst, start

WORDS = "".join(f"word{i} " for i in range(60))


def _brain(body: Any) -> list[Any]:
    last = body["input"][-1]
    if last.get("type") == "function_call_output":
        return [Say(f"It is {last['output']}.")]
    if "tool" in str(last):
        return [Say("Let me see. " * 10, pace=0.03), Call("upper", {"text": "abc"})]
    return [Say(WORDS, pace=0.03)]


def _killed_while(server: ResponsesServer, message: str, *options: str) -> str:
    """Ask in the background, and kill -9 in the middle of the answer; the session's id."""
    server.brain = _brain
    process = start("ask", "-q", "--background", *options, message)
    deadline = time.monotonic() + 20
    store = Store()
    while time.monotonic() < deadline:
        ids = [*store.ids()]
        if ids and store.path(ids[0]).read_bytes().count(b"chunk_received") >= 3:
            break
        time.sleep(0.01)
    process.kill()
    process.communicate()
    assert store.summary(ids[0]).state in (State.STREAMING, State.RUNNING)
    return ids[0]


def test_retry_fetches_the_rest_of_the_answer(server: ResponsesServer) -> None:
    """`ask --retry` prints all of it, once; the model ran once, and the stream was resumed after the last number."""
    session = _killed_while(server, "go")
    done = asst("ask", "--retry", "-q")
    assert (done.returncode, done.stdout.strip()) == (0, WORDS.strip())
    whole = Store().transcript(session)
    assert [(e.state, e.answer.strip()) for e in whole.exchanges] == [(State.COMPLETED, WORDS.strip())]
    chunks = "".join(r["text"] for r in _records(session) if r["type"] == "chunk_received")
    assert chunks.strip() == WORDS.strip()
    assert len(server.contexts) == 1
    assert any("starting_after" in repr(request) for request in server.requests if request.method == "GET")
    assert list(conform(Store().records(session))) == []


def test_a_new_message_comes_after_the_rest_of_the_old_answer(server: ResponsesServer) -> None:
    """`ask -c`: stdout is the new answer alone, and the model is sent the whole old one."""
    session = _killed_while(server, "go")
    done = asst("ask", "-c", "use no to-ol")
    assert done.returncode == 0
    assert "The provider kept working on the last message. Its answer is saved" in done.stderr
    whole = Store().transcript(session)
    assert [e.answer.strip() for e in whole.exchanges] == [WORDS.strip(), WORDS.strip()]
    assert WORDS.strip() in json.dumps(server.contexts[-1])


def test_when_the_stream_is_too_old_the_response_is_polled(server: ResponsesServer) -> None:
    """After five minutes the server streams no more: the text that was not heard comes at once."""
    server.stream_window = 0.0
    session = _killed_while(server, "go")
    done = asst("ask", "--retry", "-q")
    assert (done.returncode, done.stdout.strip()) == (0, WORDS.strip())
    assert list(conform(Store().records(session))) == []


def test_an_attached_exchange_may_go_on_with_tools(server: ResponsesServer) -> None:
    """The calls that come after attaching run here, and their results go back with all that was said."""
    session = _killed_while(server, "use the tool", "-t", UPPER, "--yes")
    done = asst("ask", "--retry", "-q", "-t", UPPER, "--yes")
    assert (done.returncode, done.stdout.strip().endswith("It is ABC.")) == (0, True), done.stderr
    assert [t.output for t in Store().transcript(session).exchanges[0].tools] == ["ABC"]
    assert list(conform(Store().records(session))) == []


def test_a_response_that_is_gone_ends_the_exchange_in_one_line(server: ResponsesServer) -> None:
    """The partial answer is kept, and the message can be asked again."""
    session = _killed_while(server, "go")
    server.faults.add(Status(404, on="GET"))
    assert asst("ask", "--retry", "-q").returncode == 1
    entry = Store().transcript(session).exchanges[0]
    assert (entry.state, entry.answer.startswith("word0 ")) == (State.ERROR, True)
    server.faults.clear()
    again = asst("ask", "--retry", "-q")
    assert (again.returncode, again.stdout.strip()) == (0, WORDS.strip())
    assert [e.withdrawn for e in Store().transcript(session).exchanges] == [True, False]


@pytest.mark.parametrize("how", ["end", "reset"])
def test_a_stream_that_breaks_is_taken_up_in_the_same_process(server: ResponsesServer, how: Any) -> None:
    """Nothing is said twice, nothing is missing, and the model runs once."""
    server.brain = _brain
    server.faults.add(Cut(event=12, how=how, first=1, on="POST /v1/responses"))
    done = asst("ask", "-q", "--background", "go")
    assert (done.returncode, done.stdout.strip()) == (0, WORDS.strip())
    assert len(server.contexts) == 1


def test_an_exchange_in_the_foreground_is_interrupted_and_asked_again(server: ResponsesServer) -> None:
    """It does not go on anywhere: --retry withdraws what was left of it, and asks."""
    server.brain = _brain
    process = start("ask", "-q", "go")
    store = Store()
    for _ in range(2000):
        ids = [*store.ids()]
        if ids and store.path(ids[0]).read_bytes().count(b"chunk_received") >= 3:
            break
        time.sleep(0.01)
    process.kill()
    process.communicate()
    done = asst("ask", "--retry", "-q")
    assert (done.returncode, done.stdout.strip()) == (0, WORDS.strip())
    first, second = store.transcript(ids[0]).exchanges
    assert (first.state, first.withdrawn, second.state) == (State.ERROR, True, State.COMPLETED)
    assert len(server.contexts) == 2
    assert "word0" not in json.dumps(server.contexts[-1])


def test_retry_needs_something_to_retry(server: ResponsesServer) -> None:
    """And takes no message of its own."""
    assert server.requests == []
    assert asst("ask", "--retry").returncode == 5
    assert asst("ask", "--retry", "words").returncode == 2


def _records(session: str) -> list[dict[str, Any]]:
    path: Path = Store().path(session)
    return [json.loads(line) for line in path.read_text().splitlines()]

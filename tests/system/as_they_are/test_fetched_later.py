"""An answer that was made in the background for an exchange that failed is fetched by a retry, not asked and paid for again."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from pictures import PNG

from .asking import asst, profile_for
from .case_server import CaseServer, reply, sse

POSTS = {"gpt": "POST /v1/responses", "interactions": "POST /v1beta/interactions"}
RUNS = {"gpt": {"id": "r1", "status": "queued"}, "interactions": {"id": "r1", "status": "in_progress"}}
WRONG_KEY = reply({"error": {"message": "Wrong key."}}, "401 Unauthorized")
DOWN = reply({"error": {"message": "Down."}}, "503 Service Unavailable")
NO_SUCH = reply({"error": {"message": "No such response."}}, "404 Not Found")
ADD = 'def add(a: int, b: int) -> int:\n    """Add."""\n    open("ran", "a").write("x")\n    return a + b\n'


def answered(name: str, text: str = "Hi", status: str = "completed") -> dict[str, Any]:
    """A reply of either API."""
    if name == "gpt":
        content = [{"type": "output_text", "text": text}]
        return {"id": "r1", "status": status, "output": [{"type": "message", "role": "assistant", "content": content}]}
    steps = [{"type": "model_output", "content": [{"type": "text", "text": text}]}]
    return {"id": "r1", "status": status, "steps": steps}


def call(name: str) -> dict[str, Any]:
    """A reply that calls `add`."""
    if name == "gpt":
        item = {"type": "function_call", "call_id": "c1", "name": "add", "arguments": '{"a": 1, "b": 2}'}
        return {"id": "r1", "status": "completed", "output": [item]}
    step = {"type": "function_call", "id": "c1", "name": "add", "arguments": {"a": 1, "b": 2}}
    return {"id": "r1", "status": "requires_action", "steps": [step]}


def ask(folder: Path, profile: dict[str, Any], *words: str) -> Any:
    """`asst ask` in the background, without functions unless they are named."""
    tools = () if "-t" in words else ("--no-tools",)
    return asst(folder, profile, "ask", "--background", "--no-stream", *tools, *words)


@pytest.mark.parametrize("name", POSTS)
def test_a_failed_exchange_gets_its_answer(name: str, tmp_path: Path) -> None:
    """A retry asks for the response whose token is in the journal; it says so, and nothing is asked anew."""
    with CaseServer(reply(RUNS[name]), WRONG_KEY, WRONG_KEY, reply(answered(name))) as server:
        profile = profile_for(name, server.url, poll=0.05)
        assert ask(tmp_path, profile, "-p", "p", "hi").returncode == 1
        done = ask(tmp_path, profile, "--retry")
    assert (done.stdout, done.returncode) == ("Hi\n", 0), done.stderr
    assert "instead of asking again" in done.stderr
    assert server.asked.count(POSTS[name]) == 1


@pytest.mark.parametrize("name", POSTS)
@pytest.mark.parametrize("end", ["kept", "gone"])
def test_so_does_one_with_files(name: str, end: str, tmp_path: Path) -> None:
    """Its files stay with the message, which the next one follows; an answer that is gone is asked for with them."""
    (tmp_path / "dot.png").write_bytes(PNG)
    (tmp_path / "notes.txt").write_text("Seven dots.")
    files = ("-a", str(tmp_path / "dot.png"), "-a", str(tmp_path / "notes.txt"))
    answers = (reply(answered(name)),) if end == "kept" else (NO_SUCH, reply(answered(name)))
    with CaseServer(reply(RUNS[name]), WRONG_KEY, WRONG_KEY, *answers) as server:
        stateless = {"settings": {"store": "false"}} if name != "gpt" else {}
        profile = profile_for(name, server.url, poll=0.05, **stateless)
        assert ask(tmp_path, profile, "-p", "p", *files, "hi").returncode == 1
        done = ask(tmp_path, profile, "--retry")
        assert (done.stdout, done.returncode) == ("Hi\n", 0), done.stderr
        assert server.asked.count(POSTS[name]) == (1 if end == "kept" else 2)
        assert ask(tmp_path, profile, "-c", "more").returncode == 0
    for body in [
        json.dumps(body) for body, line in zip(server.bodies, server.asked, strict=True) if line == POSTS[name]
    ]:
        assert (base64.b64encode(PNG).decode() in body, body.count("Seven dots."), "hi" in body) == (True, 1, True)


@pytest.mark.parametrize("name", POSTS)
def test_so_does_one_whose_deadline_passed(name: str, tmp_path: Path) -> None:
    """However often it is tried in vain: each attempt keeps the token for the next."""
    with CaseServer(reply(RUNS[name]), DOWN) as server:
        profile = profile_for(name, server.url, poll=0.05)
        assert ask(tmp_path, profile, "-p", "p", "--timeout", "1", "hi").returncode != 0
        assert ask(tmp_path, profile, "--timeout", "1", "--retry").returncode != 0
        server.answers = (reply(answered(name)),)
        done = ask(tmp_path, profile, "--retry")
    assert (done.stdout, done.returncode) == ("Hi\n", 0), done.stderr
    assert server.asked.count(POSTS[name]) == 1


@pytest.mark.parametrize("name", POSTS)
@pytest.mark.parametrize("end", ["gone", "failed", "cancelled"])
def test_an_answer_that_is_gone_is_asked_for_anew(name: str, end: str, tmp_path: Path) -> None:
    """One line says why: the provider no longer has it, or it failed for good."""
    gone = NO_SUCH if end == "gone" else reply(answered(name, status=end))
    with CaseServer(reply(RUNS[name]), WRONG_KEY, WRONG_KEY, gone, reply(answered(name))) as server:
        profile = profile_for(name, server.url, poll=0.05)
        ask(tmp_path, profile, "-p", "p", "hi")
        done = ask(tmp_path, profile, "--retry")
    assert (done.stdout, done.returncode) == ("Hi\n", 0), done.stderr
    assert done.stderr.count("Asking again, because") == 1
    assert "instead of asking again" not in done.stderr
    assert server.asked.count(POSTS[name]) == 2
    assert "hi" in str(server.bodies[-1])


@pytest.mark.parametrize("name", POSTS)
def test_tools_do_not_run_again(name: str, tmp_path: Path) -> None:
    """An exchange that failed after its tools had run goes on behind them; the next message is sent with all of it."""
    (tmp_path / "add.py").write_text(ADD)
    first, second = reply(call(name)), reply(RUNS[name] | {"id": "r2"})
    last = reply(answered(name, "Three") | {"id": "r2"})
    with CaseServer(reply(RUNS[name]), first, second, WRONG_KEY, WRONG_KEY, last) as server:
        profile = profile_for(
            name, server.url, poll=0.05, **({"settings": {"store": "false"}} if name != "gpt" else {})
        )
        assert ask(tmp_path, profile, "-p", "p", "-t", "./add.py", "--yes", "hi").returncode == 1
        done = ask(tmp_path, profile, "-t", "./add.py", "--yes", "--retry")
        assert (done.stdout, done.returncode) == ("Three\n", 0), done.stderr
        assert ask(tmp_path, profile, "-t", "./add.py", "-c", "more").returncode == 0
    assert (tmp_path / "ran").read_text() == "x"
    assert server.asked.count(POSTS[name]) == 3
    assert [word in json.dumps(server.bodies[-1]) for word in ("c1", "Three", "more")] == [True] * 3


@pytest.mark.parametrize("seconds", [0, 5.1], ids=["from_start", "from_a_token"])
def test_a_stream_goes_on_where_it_broke(seconds: float, tmp_path: Path) -> None:
    """The text that came before is printed again, and the rest once; a token that brings it up to date comes after 5 s."""
    created = {"type": "response.created", "sequence_number": 0, "response": {"id": "r1", "status": "queued"}}
    deltas = [
        {"type": "response.output_text.delta", "sequence_number": n, "item_id": "m", "delta": text}
        for n, text in enumerate(("One ", "two ", "three"), 1)
    ]
    whole = answered("gpt", "One two three")
    rest = sse(
        *(deltas[2:] if seconds else deltas), {"type": "response.completed", "sequence_number": 4, "response": whole}
    )
    half = sse(created, deltas[0], f"%sleep {seconds}", deltas[1])
    with CaseServer(half, WRONG_KEY, WRONG_KEY, WRONG_KEY, reply(RUNS["gpt"]), rest) as server:
        profile = profile_for("gpt", server.url, poll=0.05)
        broken = asst(tmp_path, profile, "ask", "-p", "p", "--background", "--no-tools", "hi")
        assert (broken.stdout, broken.returncode) == ("One two \n", 1)
        done = asst(tmp_path, profile, "ask", "--no-tools", "--retry")
    assert (done.stdout, done.returncode) == ("One two three\n", 0), done.stderr
    assert server.asked.count(POSTS["gpt"]) == 1


@pytest.mark.parametrize("words", [("-m", "n"), ("-s", "Be brief.")], ids=["model", "instructions"])
def test_who_asks_for_something_else_gets_it(words: tuple[str, str], tmp_path: Path) -> None:
    """With another model, or other instructions, the message is asked anew."""
    with CaseServer(reply(RUNS["gpt"]), WRONG_KEY, WRONG_KEY, reply(answered("gpt"))) as server:
        profile = profile_for("gpt", server.url, poll=0.05)
        ask(tmp_path, profile, "-p", "p", "hi")
        assert ask(tmp_path, profile, *words, "--retry").returncode == 0
    assert server.asked.count(POSTS["gpt"]) == 2

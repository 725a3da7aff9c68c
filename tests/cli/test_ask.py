"""`asst ask`, run as a shell runs it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from asstproxy import Store, conform
from forked import asst_command
from servers import Cut, Html, Incomplete, ResponsesServer, Say, Status, refused_port

from .conftest import ASST, Asst, Ran
from .in_process import asst_here
from .terminal import Terminal


def _states(out: str) -> list[str]:
    states = [json.loads(line)["state"] for line in out.splitlines()]
    return [state for i, state in enumerate(states) if i == 0 or states[i - 1] != state]


def test_stdout_is_the_answer_and_nothing_else(asst: Asst, server: ResponsesServer) -> None:
    """The answer goes to stdout, who answers to stderr."""
    server.brain = lambda _: [Say("Paris, *of course*.\n\n    code")]
    ran = asst("ask", "-p", "gpt", "What is the capital of France?")
    assert ran == Ran(0, "Paris, *of course*.\n\n    code\n", "gpt · gpt-6-luna\n")
    assert asst("ask", "-p", "gpt", "-q", "x").err == ""


def test_a_terminal_shows_the_answer_without_a_name(server: ResponsesServer) -> None:
    """There is only one answer: below it stands one line that says how it went."""
    with Terminal([ASST, "ask", "-p", "gpt", "hi"]) as terminal:
        assert terminal.wait_end() == 0
        assert "gpt · gpt-6-luna" not in terminal.text
        assert terminal.text.lstrip().startswith("You said: hi\n\ncompleted · ")


@pytest.mark.parametrize(
    ("encoding", "shown"), [("ascii", "caf? ??"), ("latin-1", "caf\u00e9 ??"), ("utf-8", "caf\u00e9 京")]
)
def test_a_terminal_whose_encoding_lacks_characters(server: ResponsesServer, encoding: str, shown: str) -> None:
    """Frames and marks are ASCII there; what the text loses is told, with the way to see it."""
    server.brain = lambda _: [Say("caf\u00e9 京\n\n- one")]
    with Terminal([ASST, "ask", "--states", "-p", "gpt", "hi"], 100, env={"PYTHONIOENCODING": encoding}) as terminal:
        assert terminal.wait_end() == 0
        text = terminal.text
    if encoding == "utf-8":
        assert "stands for" not in text
        return
    assert (
        f"asst: ? stands for a character that your terminal's encoding ({encoding}) lacks. Set LC_ALL=C.UTF-8" in text
    )
    assert "ready " in text
    assert " > started " in text
    assert " * one" in text
    if encoding == "ascii":
        assert f"\n{shown}\n" in text


def test_a_size_of_nothing_hides_nothing(server: ResponsesServer) -> None:
    """COLUMNS=0 and LINES=0, as some wrappers export them, count as not set: the answer is drawn."""
    with Terminal([ASST, "ask", "-p", "gpt", "hi"], 60, env={"COLUMNS": "0", "LINES": "0"}) as terminal:
        assert terminal.wait_end() == 0
        assert "You said: hi\n" in terminal.text


@pytest.mark.parametrize(
    ("words", "stdin", "sent"),
    [
        (["two", "words"], None, "two words"),
        ([], "from a pipe\n", "from a pipe"),
        (["summarise"], "a\nb\n", "summarise\n\na\nb"),
        (["summarise", "-"], "a\n", "summarise\n\na"),
    ],
)
def test_prompt_is_words_stdin_or_both(
    asst: Asst, server: ResponsesServer, words: list[str], stdin: str | None, sent: str
) -> None:
    """Stdin follows the words, after a blank line."""
    assert asst("ask", "-p", "gpt", *words, stdin=stdin).code == 0
    assert server.requests[-1].json["input"][-1]["content"][0]["text"] == sent


def test_silent_pipe_does_not_hang(server: ResponsesServer) -> None:
    """With a prompt, a pipe that is never written to and never closed is not waited for, with a warning."""
    reader, writer = os.pipe()
    try:
        done = asst_command.run(
            [ASST, "ask", "-p", "gpt", "hi"], stdin=reader, capture_output=True, timeout=30, check=False
        )
    finally:
        os.close(writer)
        os.close(reader)
    assert done.returncode == 0
    assert b"silent" in done.stderr


@pytest.mark.parametrize("stdin", [None, "", " \n"])
def test_empty_message_is_wrong_usage(asst: Asst, server: ResponsesServer, stdin: str | None) -> None:
    """An empty message: exit 2, one line, no request."""
    ran = asst("ask", "-p", "gpt", stdin=stdin)
    assert (ran.code, ran.out, len(ran.err.splitlines())) == (2, "", 1)
    assert not server.requests


@pytest.mark.parametrize("data", [b"\xff\xfe\x00binary", b"text\0text"])
def test_binary_stdin_is_refused(asst: Asst, server: ResponsesServer, data: bytes) -> None:
    """Binary data is not sent."""
    ran = asst("ask", "-p", "gpt", stdin=data)
    assert (ran.code, len(ran.err.splitlines())) == (2, 1)
    assert not server.requests


def test_events_are_the_journal(asst: Asst, server: ResponsesServer) -> None:
    """`--events` passes through the states, and its records conform."""
    ran = asst("ask", "-p", "gpt", "--events", "hi")
    assert _states(ran.out) == ["new", "ready", "started", "streaming", "completed"]
    assert not list(conform(Store().records(Store().newest())))


def test_json_is_one_object(asst: Asst, server: ResponsesServer) -> None:
    """`--json` has everything that a script needs."""
    server.brain = lambda _: [Say("Paris.")]
    result = json.loads(asst("ask", "-p", "gpt", "--json", "hi").out)
    assert (result["answer"], result["state"], result["provider"], result["model"]) == (
        "Paris.", "completed", "gpt", "gpt-6-luna",
    )  # fmt: skip
    assert result["session"] == Store().newest()
    assert result["usage"]["output"] > 0
    assert 0 < result["seconds"]["first_chunk"] <= result["seconds"]["total"]


@pytest.mark.parametrize("options", [["--no-stream"], ["--background"], ["--mediator", "basic"], []])
def test_every_way_of_asking_gives_the_answer(asst: Asst, server: ResponsesServer, options: list[str]) -> None:
    """Streamed, in one reply or in the background, under either mediator: the answer is the same."""
    server.brain = lambda _: [Say("Paris.")]
    assert asst("ask", "-p", "gpt", *options, "hi").out == "Paris.\n"


def test_session_goes_on(asst: Asst, server: ResponsesServer) -> None:
    """`-c` and `--session` send the conversation so far; `--no-save` saves nothing."""
    asst("ask", "-p", "gpt", "first")
    asst("ask", "-c", "second")
    session = Store().newest()
    asst("ask", "--session", session[:20], "third")
    asst("ask", "-p", "gpt", "--no-save", "other")
    assert [len(request.json["input"]) for request in server.requests] == [1, 3, 5, 1]
    assert list(Store().ids()) == [session]


@pytest.mark.parametrize(
    ("fault", "code", "says"),
    [
        (Status(401), 1, "key"),
        (Status(404), 1, "model"),
        (Status(500), 1, "answered 500"),
        (Html(), 1, "base_url"),
        (Cut(event=5, how="end"), 1, "broke off"),
        (Cut(event=5, how="reset"), 1, "broke"),
    ],
    ids=str,
)
def test_failure_is_one_line_and_an_exit_code(
    asst: Asst, server: ResponsesServer, fault: object, code: int, says: str
) -> None:
    """A failure is one line on stderr, without the key; the exchange is saved as an error."""
    server.faults.add(fault)  # type: ignore[arg-type]
    ran = asst("ask", "-q", "-p", "gpt", "hi")
    assert (ran.code, len(ran.err.splitlines())) == (code, 1)
    assert says in ran.err
    assert server.key not in ran.err
    assert Store().summary(Store().newest()).state == "error"


def test_incomplete_answer_has_its_own_code(asst: Asst, server: ResponsesServer) -> None:
    """A partial answer is printed, and the exit code says that it is one."""
    server.brain = lambda _: [Say("Par"), Incomplete("max_output_tokens")]
    ran = asst("ask", "-q", "-p", "gpt", "hi")
    assert (ran.code, ran.out) == (4, "Par\n")
    assert ran.err == "asst: Cut short: the answer reached its length limit.\n"


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["ask", "-p", "nobody", "hi"], 3),
        (["ask", "-p", "gpt", "hi"], 3),
        (["ask", "--session", "NONE", "hi"], 5),
        (["ask", "-c", "hi"], 5),
        (["ask", "--mediator", "none", "-p", "local", "hi"], 2),
        (["ask", "-t", "no.such.module:function", "-p", "local", "hi"], 2),
        (["ask", "--nonsense"], 2),
        (["nonsense"], 2),
        (["replay", "NONE"], 5),
        (["sessions", "show"], 5),
        (["chat"], 2),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_what_is_missing_is_one_line(asst: Asst, arguments: list[str], code: int) -> None:
    """Unknown profile, no key, no session, wrong option: one line each, and the code of the table."""
    ran = asst(*arguments)
    assert (ran.code, ran.out, len(ran.err.splitlines())) == (code, "", 1)


def test_nothing_set_up_is_told(tmp_path: Path) -> None:
    """Without a profile and without a local model, the one line says what to run."""
    # An interpreter that sees asst and its dependencies, but not the packages of the local model.
    hide = tmp_path / "sitecustomize.py"
    hide.write_text("import sys; sys.modules['xllamacpp'] = None\n")
    env = {**os.environ, "PYTHONPATH": str(tmp_path)}
    done = asst_command.run(
        [ASST, "ask", "hi"], capture_output=True, text=True, env=env, stdin=subprocess.DEVNULL, check=False
    )
    assert (done.returncode, len(done.stderr.splitlines())) == (3, 1)
    assert "asst setup local" in done.stderr


def test_no_server_is_told(asst: Asst, monkeypatch: pytest.MonkeyPatch) -> None:
    """An unreachable server: its address, and what to check."""
    monkeypatch.setenv("OPENAI_API_KEY", "sk-test")
    with refused_port() as port:
        monkeypatch.setenv("OPENAI_BASE_URL", f"http://127.0.0.1:{port}/v1")
        ran = asst("ask", "-q", "-p", "gpt", "hi")
    assert ran.code == 1
    assert "Cannot connect to http://127.0.0.1" in ran.err


def test_damaged_profile_is_named(asst: Asst, tmp_path: object) -> None:
    """A TOML error names file and line; a wrong value names its key; the file stays as it is."""
    from asstproxy.config.profiles import config_file

    config_file().parent.mkdir(parents=True)
    for text, says in (("[profiles.gpt]\nmodel = \n", "line 2"), ("[profiles.gpt]\nmodel = 1\n", "profiles.gpt.model")):
        config_file().write_text(text)
        ran = asst("ask", "-p", "gpt", "hi")
        assert (ran.code, len(ran.err.splitlines())) == (3, 1)
        assert str(config_file()) in ran.err
        assert says in ran.err
        assert config_file().read_text() == text


Start = Callable[[Sequence[str]], "subprocess.Popen[bytes]"]


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_signal_cancels_and_keeps(server: ResponsesServer, start: Start, number: int, code: int) -> None:
    """Ctrl-C and SIGTERM end it with their codes; the part that arrived is printed and saved."""
    server.brain = lambda _: [Say("one two three four ", pace=0.2), Say("five six", pace=30)]
    process = start(["ask", "-p", "gpt", "hi"])
    assert process.stdout is not None
    assert process.stdout.read(3) == b"one"
    process.send_signal(number)
    process.communicate(timeout=10)
    assert process.returncode == code
    summary = Store().transcript(Store().newest())
    assert summary.state == "cancelled"
    assert summary.exchanges[0].answer.startswith("one")


def test_timeout_has_its_own_code(asst: Asst, server: ResponsesServer) -> None:
    """`--timeout` cancels the exchange and exits with 124."""
    server.brain = lambda _: [Say("one two", pace=30)]
    assert asst("ask", "-p", "gpt", "--timeout", "0.5", "hi").code == 124
    assert Store().summary(Store().newest()).state == "cancelled"


def test_closed_pipe_ends_quietly(server: ResponsesServer) -> None:
    """`asst ask | head` prints nothing on stderr; the exchange is saved."""
    server.brain = lambda _: [Say("line\n" * 200, pieces=["line\n"] * 200, pace=0.02)]
    command = f"{ASST} ask -q -p gpt hi | head -n 1"
    done = subprocess.run(
        ["bash", "-c", command], capture_output=True, stdin=subprocess.DEVNULL, timeout=60, check=False
    )
    assert (done.stdout, done.stderr) == (b"line\n", b"")
    deadline = time.monotonic() + 10
    while Store().summary(Store().newest()).state != "cancelled":
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_kill_loses_nothing_that_was_seen(server: ResponsesServer, start: Start, asst: Asst) -> None:
    """After `kill -9` the journal has the text that was on the screen, and the next command marks it as interrupted."""
    server.brain = lambda _: [Say("one two three four five six seven ", pace=0.15), Say("x y", pace=30)]
    process = start(["ask", "-p", "gpt", "hi"])
    assert process.stdout is not None
    seen = process.stdout.read(13).decode()
    time.sleep(0.1)
    process.kill()
    process.communicate()
    server.brain = lambda _: [Say("again")]
    assert asst("ask", "-c", "go on").code == 0
    first = Store().transcript(Store().newest()).exchanges[0]
    assert first.answer.startswith(seen)
    assert first.state == "error"
    assert "ended before" in first.reason


def test_many_at_once_lose_nothing(asst: Asst, server: ResponsesServer) -> None:
    """Eight at once, forty in all: none fails, all are saved."""
    with ThreadPoolExecutor(8) as pool:
        codes = [ran.code for ran in pool.map(lambda n: asst("ask", "-q", "-p", "gpt", f"number {n}"), range(40))]
    assert codes == [0] * 40
    assert len({Store().summary(one).title for one in Store().ids()}) == 40


def test_python_m_is_the_command() -> None:
    """`python -m asstproxy` is `asst`."""
    done = subprocess.run([sys.executable, "-m", "asstproxy", "--version"], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("asst ")


def test_instructions_from_a_file(asst: Asst, server: ResponsesServer, tmp_path: Path) -> None:
    """`-s @file` reads it as `setup` does, `@@` is an @, and a file that is missing is one line."""
    (tmp_path / "pirate.txt").write_text("\ufeffTalk like a pirate.\n")
    for given, sent in ((f"@{tmp_path / 'pirate.txt'}", "Talk like a pirate."), ("@@home", "@home"), (" x ", " x ")):
        assert asst("ask", "-q", "-p", "gpt", "-s", given, "hi").code == 0
        assert server.requests[-1].json["instructions"] == sent
    assert "file is missing after @" in asst("ask", "-q", "-p", "gpt", "-s", "@", "hi").err
    ran = asst("ask", "-q", "-p", "gpt", "-s", f"@{tmp_path / 'missing'}", "hi")
    assert (ran.code, ran.out, len(ran.err.splitlines())) == (2, "", 1)
    assert "missing" in ran.err


@pytest.mark.parametrize("option", ["--session", "--template", "--save-template"])
def test_an_option_that_is_empty(option: str, server: ResponsesServer) -> None:
    """`--session "$ID"` where nothing has set ID: one line and exit 2, and not a message in a new session."""
    ran = asst_here("ask", "-p", "gpt", option, "", "hi")
    assert (ran.code, ran.out, len(ran.err.splitlines())) == (2, "", 1)
    assert option in ran.err
    assert "it is empty" in ran.err
    assert not server.requests

"""`asst chat`, in a terminal."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from asstproxy import Store
from asstproxy.config.paths import config_dir, private_dir
from asstproxy.store.short_ids import short_ids
from servers import Call, Cut, ResponsesServer, Say, Script, Wait
from tools.mcp_rig import listed, odd

from .conftest import ASST, Asst
from .terminal import Terminal


@contextmanager
def _chat(*arguments: str, columns: int = 80) -> Iterator[Terminal]:
    with Terminal([ASST, "chat", "-p", "gpt", *arguments], columns) as terminal:
        terminal.wait_for("›")
        yield terminal


@pytest.mark.parametrize("columns", [80, 120])
def test_exchange_shows_states_answer_and_usage(server: ResponsesServer, columns: int) -> None:
    """The states passed through while it runs, the answer as Markdown, then its tokens; nothing is wider than the screen."""
    server.brain = lambda _: [Wait(1), Say("The capital is **Paris**.\n\n- one\n- two\n")]
    with _chat(columns=columns) as terminal:
        terminal.enter("What is the capital of France?")
        assert "│ ready " in terminal.wait_for("▸ started ")
        text = terminal.wait_for("tokens")
        assert "The capital is Paris." in text
        assert "\ncompleted · " in text
        assert max(map(len, text.splitlines())) <= columns
        terminal.type("\x04")
        assert terminal.wait_end() == 0
        (short,) = short_ids(Store(), [Store().newest()]).values()
        assert f"Saved as {short} · 1 turn" in terminal.text
        assert f"continue: asst chat -c (or -r {short})" in terminal.text


def test_tool_calls_are_system_lines(server: ResponsesServer, tmp_path: Path) -> None:
    """A tool call is on the screen with its arguments and its result, after the user allowed it."""
    tools = tmp_path / "prices.py"
    tools.write_text('def price(symbol: str) -> float:\n    """The price of a share."""\n    return 187.25\n')
    server.brain = Script([Call("price", {"symbol": "AAPL"})], [Say("It is 187.25.")])
    with _chat("-t", f"{tools}:price") as terminal:
        terminal.enter("How much is AAPL?")
        terminal.wait_for("Run it? ›")
        terminal.type("y\r")
        text = terminal.wait_for("It is 187.25.")
        assert "System" in text
        assert "AAPL" in text
    assert "awaiting_approval" in {str(record.state) for record in Store().records(Store().newest())}


def test_three_rounds_of_calls_fit_eighty_columns(server: ResponsesServer, tmp_path: Path) -> None:
    """Three rounds, two calls in parallel: each call has its line, and after "always" nothing is asked."""
    tools = tmp_path / "prices.py"
    tools.write_text(
        'def price(symbol: str) -> dict[str, object]:\n    """A price."""\n    return {"symbol": symbol}\n'
    )
    server.brain = Script(
        [Call("price", {"symbol": "AAPL"}), Call("price", {"symbol": "MSFT"})],
        [Call("price", {"symbol": "A" * 200})],
        [Call("price", {"symbol": "IBM"})],
        [Say("That was all.")],
    )
    with _chat("-t", f"{tools}:price") as terminal:
        terminal.enter("All of them, please.")
        terminal.wait_for("Run them? ›")
        terminal.type("a\r")
        text = terminal.wait_for("That was all.", within=40)
    for symbol in ("AAPL", "MSFT", "AAAA", "IBM"):
        assert f'price(symbol="{symbol}' in text


def test_refused_tool_is_told_to_the_assistant(server: ResponsesServer, tmp_path: Path) -> None:
    """After no, with a reason, the call does not run and the assistant gets the reason."""
    ran = tmp_path / "ran"
    tools = tmp_path / "danger.py"
    tools.write_text(f'def delete() -> None:\n    """Delete all."""\n    open({str(ran)!r}, "w").close()\n')
    server.brain = Script([Call("delete")], [Say("As you wish.")])
    with _chat("-t", f"{tools}:delete") as terminal:
        terminal.enter("clean up")
        terminal.wait_for("Run it? ›")
        terminal.type("no, too dangerous\r")
        terminal.wait_for("As you wish.")
    assert not ran.exists()
    assert "too dangerous" in str(server.requests[-1].json["input"])


def test_ctrl_c_stops_the_answer_and_not_the_chat(server: ResponsesServer) -> None:
    """The partial answer is saved, the state is cancelled, and the next message is answered."""
    server.brain = Script([Say("one two three "), Say("four five", pace=30)], [Say("Still here.")])
    with _chat() as terminal:
        terminal.enter("count")
        terminal.wait_for("three")
        terminal.type("\x03")
        terminal.wait_for("cancelled")
        terminal.enter("hello?")
        terminal.wait_for("Still here.")
    assert Store().transcript(Store().newest()).exchanges[0].answer.startswith("one two three")


def test_typed_ahead_text_stands_at_the_next_prompt(server: ResponsesServer) -> None:
    """Text typed while an answer streams is neither mixed into it nor lost nor sent by itself: it is a draft, Enter or not."""
    server.brain = Script([Say("a b c d e f g h", pace=0.1)], [Say("second answer")])
    with _chat() as terminal:
        terminal.enter("first")
        terminal.wait_for("c d")
        terminal.type("typex\x7fd ahead\r")
        terminal.wait_for("tokens")
        terminal.wait_for("› typed ahead")
        assert terminal.text.count("typed ahead") == 1
        assert len(server.requests) == 1
        terminal.type(" and sent\r")
        terminal.wait_for("second answer")
    assert "typed ahead and sent" in str(server.requests[-1].json["input"])


def test_a_draft_survives_leaving(server: ResponsesServer) -> None:
    """Ctrl-C twice leaves, also from a draft; the draft is in the history of the next chat."""
    with _chat() as terminal:
        terminal.type("half a thought\x03")
        terminal.wait_for("Press Ctrl-C again")
        terminal.type("\x03")
        assert terminal.wait_end() == 0
    with _chat() as terminal:
        terminal.type("\x1b[A")
        terminal.wait_for("› half a thought")
    assert server.requests == []


def test_an_interrupt_at_the_prompt_is_ctrl_c(server: ResponsesServer) -> None:
    """SIGINT asks for a second Ctrl-C, as the key does: between two prompts, the terminal makes a signal of the key."""
    with _chat() as terminal:
        terminal.process.send_signal(signal.SIGINT)
        terminal.wait_for("Press Ctrl-C again")
        terminal.type("\x03")
        assert terminal.wait_end() == 0


def test_two_fast_ctrl_c_leave(server: ResponsesServer) -> None:
    """Both keys count, even if they arrive at once."""
    with _chat() as terminal:
        terminal.type("half a thought\x03\x03")
        assert terminal.wait_end() == 0
    with _chat() as terminal:
        terminal.type("\x1b[A")
        terminal.wait_for("› half a thought")


SHELL = ["bash", "--norc", "-i"]
"""With job control: nothing can suspend a process that has no shell."""


def test_ctrl_z_at_the_prompt_suspends(server: ResponsesServer) -> None:
    """The shell is there; after `fg` the draft is still there and the chat continues."""
    with Terminal(SHELL, env={"PS1": "shell$ "}) as terminal:
        terminal.type(f"{ASST} chat -p gpt\r")
        terminal.wait_for("›")
        terminal.type("a draft\x1a")
        terminal.wait_for("Stopped")
        terminal.type("echo $((41+1))\r")
        terminal.wait_for("\n42")
        terminal.type("fg\r")
        terminal.wait_until(lambda: "› a draft" in terminal.text.partition("Stopped")[2])
        terminal.type(" goes on\r")
        terminal.wait_for("completed")
    assert "a draft goes on" in str(server.requests[-1].json["input"])


@pytest.mark.parametrize("command", ["ask", "chat"])
def test_keys_and_ctrl_z_do_not_disturb_the_drawing(server: ResponsesServer, command: str) -> None:
    """What is typed is not echoed into it; after Ctrl-Z and `fg` it continues, and every line stands there once."""
    server.brain = Script([Say("one\n\ntwo\n\n"), Say("three\n\nfour\n\nfive", pace=0.4), Say(" six", pace=2)])
    with Terminal(SHELL, env={"PS1": "shell$ "}) as terminal:
        terminal.type(f"{ASST} {command} -p gpt count\r")
        terminal.wait_for("two")
        terminal.type("zzz")
        terminal.wait_for("three")
        terminal.type("\x1a")
        text = terminal.wait_for("Stopped")
        assert not terminal.cursor_hidden
        assert "╰" not in text.rpartition("Stopped")[0].rpartition("two")[2]
        terminal.type("\x15fg\r")
        terminal.wait_for("completed")
        text = terminal.text
    answer = text.partition("Stopped")[0].partition("count\n")[2] + text.partition("Stopped")[2]
    assert [sum(line.strip() == word for line in answer.splitlines()) for word in ("one", "two", "three", "four")] == [
        1
    ] * 4
    assert "five six" in answer


def test_a_slash_command_is_a_whole_line(server: ResponsesServer) -> None:
    """A sentence that begins with a command or a path is a message; two slashes send one; a near miss is not sent."""
    messages = [
        "/clear is what in bash?",
        "/etc/hosts explain this",
        "/model names, please",
        "/tmp is full",
        "/save the whales",
        "//undo",
    ]
    with _chat(columns=120) as terminal:
        for number, line in enumerate(messages, 1):
            terminal.enter(line)
            terminal.wait_until(lambda number=number: terminal.text.count("completed") == number)  # type: ignore[misc]
        for line, answer in (
            ("/udno", "Did you mean /undo?"),
            ("/profle gpt", "Did you mean /profile?"),
            ("/?", "/retry"),
        ):
            terminal.enter(line)
            terminal.wait_for(answer)
    assert len(server.requests) == len(messages)
    assert [request.json["input"][-1]["content"][0]["text"] for request in server.requests] == [*messages[:-1], "/undo"]


@pytest.mark.parametrize("word", ["/exit", "/q", "exit", "quit", ":q", "/quit"])
def test_words_that_leave(server: ResponsesServer, word: str) -> None:
    """Whatever a person is used to; nothing is sent."""
    with _chat() as terminal:
        terminal.enter(word)
        assert terminal.wait_end() == 0
    assert server.requests == []


def test_profile_takes_its_instructions_and_tools(server: ResponsesServer, asst: Asst, tmp_path: Path) -> None:
    """Those of the profile before are gone; the line says what there is now; /system clear removes instructions."""
    tools = tmp_path / "prices.py"
    tools.write_text('def price(symbol: str) -> float:\n    """A price."""\n    return 1.0\n')
    for name, more in (("one", ["--tool", str(tools)]), ("two", [])):
        made = asst("setup", "gpt", "--name", name, "--yes", "--no-check", "--instructions", f"I am {name}.", *more)
        assert made.code == 0, made.err
    with Terminal([ASST, "chat", "-p", "one"], 120) as terminal:
        terminal.enter("hi")
        terminal.wait_for("completed")
        terminal.enter("/profile two")
        terminal.wait_for('instructions: "I am two." · no tools')
        terminal.enter("again")
        terminal.wait_until(lambda: terminal.text.count("completed") == 2)
        terminal.enter("/profile one")
        terminal.wait_for('instructions: "I am one." · tools: price')
        terminal.enter("/system clear")
        terminal.wait_for("No instructions.")
        terminal.enter("once more")
        terminal.wait_until(lambda: terminal.text.count("completed") == 3)
    bodies = [request.json for request in server.requests]
    assert [(body.get("instructions"), bool(body.get("tools"))) for body in bodies] == [
        ("I am one.", True),
        ("I am two.", False),
        (None, True),
    ]


def test_profile_stops_the_mcp_servers_of_the_profile_before(server: ResponsesServer, tmp_path: Path) -> None:
    """Its processes end at once, not with the chat; those of the new profile run."""
    pytest.importorskip("mcp")
    ids = {name: tmp_path / f"{name}.pid" for name in ("one", "two")}
    config = private_dir(config_dir()) / "config.toml"
    for name, file in ids.items():
        odd_server = odd({"tools": [listed("f", {"type": "object"})], "pid": str(file)})
        command, arguments = map(json.dumps, odd_server.values())
        with config.open("a") as text:
            text.write(f'[profiles.{name}]\nprovider = "gpt"\n[profiles.{name}.mcp.{name}]\n')
            text.write(f"command = {command}\nargs = {arguments}\n")
    config.chmod(0o600)

    def runs(name: str) -> bool:
        state = Path(f"/proc/{ids[name].read_text()}/stat")
        return state.exists() and state.read_text().rpartition(")")[2].split()[0] != "Z"

    with Terminal([ASST, "chat", "-p", "one"], 120) as terminal:
        terminal.wait_for("›")
        terminal.wait_until(lambda: ids["one"].exists() and runs("one"))
        terminal.enter("/profile two")
        terminal.wait_for("tools: two starting…")
        terminal.wait_until(lambda: ids["two"].exists() and bool(ids["two"].read_text()))
        assert (runs("one"), runs("two")) == (False, True)
        terminal.enter("/quit")
        assert terminal.wait_end() == 0
    assert not runs("two")


def test_chat_begins_with_a_message(server: ResponsesServer) -> None:
    """`asst chat "hello"` sends it, and goes on."""
    with Terminal([ASST, "chat", "-p", "gpt", "hello", "there"]) as terminal:
        terminal.wait_for("completed")
        terminal.enter("and more")
        terminal.wait_until(lambda: terminal.text.count("completed") == 2)
    assert "hello there" in str(server.requests[0].json["input"])


def test_failure_is_shown_and_retried(server: ResponsesServer) -> None:
    """A broken stream leaves its text and an error on the screen; /retry sends the message again."""
    server.brain = lambda _: [Say("The whole answer.")]
    server.faults.add(Cut(event=6, how="reset", first=1))
    with _chat() as terminal:
        terminal.enter("hi")
        terminal.wait_for("error")
        terminal.enter("/retry")
        terminal.wait_for("The whole answer.")
    assert len(server.requests[-1].json["input"]) == 1


def test_slash_commands_answer(server: ResponsesServer, tmp_path: Path) -> None:
    """Each slash command works, and an unknown one gives an error."""
    with _chat() as terminal:
        terminal.enter("remember me")
        terminal.wait_for("tokens")
        for line, answer in (
            ("/help", "/retry"),
            ("/tools", "No tools"),
            ("/model gpt-6.2-sol", "gpt-6.2-sol"),
            ("/system Be brief.", "Be brief."),
            ("/session", Store().newest()),
            (f"/save {tmp_path / 'talk.json'}", "Saved"),
            (f"/save {tmp_path / 'my talk.md'}", "talk.md"),
            (f"/save {tmp_path / 'talk.html'}", "talk.html"),
            ("/undo", "no longer sees it; the session file does."),
            ("/nonsense", "No such command: /nonsense"),
            ("/events", "Steps as JSON: on"),
        ):
            terminal.enter(f"{line}")
            terminal.wait_for(answer)
        terminal.enter("what did I say?")
        terminal.wait_for('"state":"streaming"')
        terminal.enter("/quit")
        assert terminal.wait_end() == 0
    assert '"format": "asst-transcript"' in (tmp_path / "talk.json").read_text()
    assert "> remember me" in (tmp_path / "my talk.md").read_text()
    assert (tmp_path / "talk.html").read_text().startswith("<!doctype html>")
    body = server.requests[-1].json
    assert (body["model"], body["instructions"], len(body["input"])) == ("gpt-6.2-sol", "Be brief.", 1)


def test_interrupted_session_is_opened_and_said_so(server: ResponsesServer) -> None:
    """After `kill -9`, `asst chat -c` shows the session and that it was interrupted."""
    server.brain = Script([Say("seen on the screen "), Say("x y", pace=30)])
    with _chat() as terminal:
        terminal.enter("hello")
        terminal.wait_for("seen on the screen")
        os.kill(terminal.process.pid, 9)
        terminal.wait_end()
    with Terminal([ASST, "chat", "-c"]) as terminal:
        text = terminal.wait_for("The last turn was interrupted. Try again: /retry")
        assert "seen on the screen" in text


def test_resize_leaves_the_chat_alive(server: ResponsesServer) -> None:
    """Resizing the window during an answer breaks nothing."""
    server.brain = lambda _: [Say("word " * 60, pace=0.02)]
    with _chat() as terminal:
        terminal.enter("go")
        terminal.wait_for("word word")
        terminal.resize(50, 20)
        terminal.wait_for("tokens")  # not `completed`: its line may be longer than the window, and is broken anywhere
        terminal.enter("/help")
        terminal.wait_for("/quit")

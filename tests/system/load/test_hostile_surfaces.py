"""Hostile text from everywhere, on every surface: nothing of it acts on the terminal, and the journal has it as it came."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from asstproxy import Conversation, Store, UserProxy, tool
from asstproxy.core.errors import AssistantError
from asstproxy.core.events import (
    ActionRequired,
    AssistantMessageRetrieved,
    ChunkReceived,
    Configured,
    Heartbeat,
    MessageIncomplete,
    Notice,
    Reasoning,
    Titled,
    ToolCall,
)
from asstproxy.providers.scripted import Part, ScriptedProvider
from cli.conftest import ASST, Ran
from cli.terminal import Terminal
from servers import Call, ResponsesServer, Say, Script, Status, Think

from .hostile import HOSTILE, LINE, harmful
from .test_long_answers import on_a_terminal

Asst = Callable[..., Ran]


@tool(approval="never")
def speak() -> str:
    """Say something."""
    return HOSTILE


async def kept() -> str:
    """A session in which everybody says hostile things, in every field that there is."""
    session = Store().create()
    calls = (
        ToolCall("c0", "speak", "{}"),
        ToolCall("c1", LINE, json.dumps({LINE: HOSTILE})),
        ToolCall(LINE, "speak", LINE),
    )
    first: list[Part] = [
        Notice(LINE),
        Heartbeat(LINE),
        Reasoning(HOSTILE),
        ChunkReceived(HOSTILE, "commentary"),
        ActionRequired(calls, HOSTILE),
    ]
    second: list[Part] = [ChunkReceived(HOSTILE), AssistantMessageRetrieved(HOSTILE)]
    incomplete: list[Part] = [MessageIncomplete(HOSTILE, LINE)]
    assistant = ScriptedProvider(first, second, incomplete, [AssistantError("server", LINE, LINE)], model=LINE)
    asked = Configured(profile=LINE, provider=LINE, model=LINE, instructions=HOSTILE, settings={LINE: LINE})
    conversation = Conversation(assistant, UserProxy([speak]), configured=asked, past=session.past)
    conversation.subscribe(session, essential=True)
    for _ in range(3):
        await conversation.exchange(HOSTILE)
    conversation.publish(Titled(LINE))
    session.close()
    return session.id


COMMANDS = [
    ("sessions", "list"),
    ("sessions", "list", "--json"),
    ("sessions", "search", "start"),
    ("sessions", "search", "start", "--json"),
    ("sessions", "show"),
    ("sessions", "show", "--timeline"),
    ("sessions", "show", "--sequence"),
    ("sessions", "show", "--events"),
    ("sessions", "show", "--json"),
    ("sessions", "export", "-f", "md"),
    ("sessions", "export", "-f", "html"),
    ("sessions", "export", "-f", "mermaid"),
    ("sessions", "export", "-f", "json"),
    ("replay", "--speed", "max"),
    ("replay", "--events"),
    ("doctor", "--offline"),
]


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
async def test_what_was_kept_is_only_shown(command: tuple[str, ...], asst: Asst) -> None:
    """A session that holds hostile text in every field, by every command that shows sessions, on a terminal and in a pipe."""
    session = await kept()
    before = Store().path(session).read_bytes()
    shown = on_a_terminal(*command, any_code=command[0] == "doctor").decode()
    assert harmful(shown, terminal=True) == []
    piped = asst(*command)
    if command != ("replay", "--speed", "max"):  # which plays an answer into a pipe as `ask` does: as it came
        assert harmful(piped.out) == []
    assert harmful(piped.err) == []
    assert Store().path(session).read_bytes() == before


async def test_the_journal_has_it_as_it_came() -> None:
    """Whatever is left out on a screen is in the journal and in the transcript."""
    whole = Store().transcript(await kept())
    first, second, third = whole.exchanges
    assert (whole.title, first.user, first.answer, second.answer) == (LINE, HOSTILE, HOSTILE, HOSTILE)
    assert (first.tools[0].output, first.tools[1].name, second.reason) == (HOSTILE, LINE, LINE)
    assert third.reason == " ".join(LINE.split())
    assert harmful(Store().path(whole.id).read_text()) == []


@pytest.mark.parametrize("options", [(), ("--events",), ("--json",), ("--quiet",), ("--no-stream",)], ids=str)
def test_ask(options: tuple[str, ...], asst: Asst, server: ResponsesServer) -> None:
    """An answer, thoughts, a call and its name, from a server, while they come."""

    def say() -> None:
        server.brain = Script([Think(HOSTILE), Call(LINE, {LINE: HOSTILE}), Say(HOSTILE)], [Say(HOSTILE, [*HOSTILE])])

    say()
    shown = on_a_terminal("ask", "-p", "gpt", HOSTILE.replace("\0", ""), *options).decode()
    assert harmful(shown, terminal=True) == []
    say()
    piped = asst("ask", "-p", "gpt", "hi", *options)
    assert harmful(piped.err) == []
    if options in (("--events",), ("--json",)):
        assert harmful(piped.out) == []
    else:
        assert piped.out.endswith(f"{HOSTILE}\n")


def test_into_a_pipe_the_answer_is_the_answer(asst: Asst, server: ResponsesServer) -> None:
    """`asst ask | cat` leaves nothing out and changes nothing: not a control character, not a carriage return."""
    for text in (HOSTILE, "\x1b]0;t\x07", "a\rb\r\nc\x00d", "\u202e\x9b1m", "\ufeffmark"):
        server.brain = Script([Say(text, [*text])])
        assert asst("ask", "-p", "gpt", "-q", "hi").out == f"{text}\n"
        assert Store().transcript(Store().newest()).exchanges[0].answer == text


@pytest.mark.parametrize("more", [0, 10_000, 100_000])
@pytest.mark.parametrize("options", [(), ("--json",), ("--events",)], ids=str)
def test_a_server_s_error(options: tuple[str, ...], more: int, asst: Asst, server: ResponsesServer) -> None:
    """What a server says of its failure is one harmless line, and not a longer one than a person reads."""
    server.faults.add(Status(400, message=LINE + "x" * more))
    shown = on_a_terminal("ask", "-p", "gpt", "hi", *options, any_code=True).decode()
    assert harmful(shown, terminal=True) == []
    assert ("gnp.exe" in shown) == (more < 100_000)  # a body that is far too long isn't read to its end
    assert len(shown) < 10_000
    piped = asst("ask", "-p", "gpt", "hi", *options)
    assert (piped.code, harmful(piped.err)) == (1, [])
    assert len(piped.err) < 2_000


def test_a_traceback(asst: Asst, server: ResponsesServer) -> None:
    """With --debug Python tells all of an error: no less harmlessly."""
    server.faults.add(Status(400, message=HOSTILE))
    ran = asst("setup", "gpt", "--yes", "--debug")
    assert "Traceback" in ran.err
    assert harmful(ran.err) == []


def test_profiles_and_tools(asst: Asst, server: ResponsesServer, tmp_path: Path) -> None:
    """A profile's name, its model and its tools; what a tool says of itself, prints, returns, and raises."""
    config = Path(os.environ["ASST_CONFIG_DIR"]) / "config.toml"
    config.parent.mkdir(parents=True, exist_ok=True)
    name, words = json.dumps(LINE.replace("\x7f", "")), json.dumps(HOSTILE.replace("\x7f", ""))
    config.write_text(
        f'[profiles.{name}]\nprovider = "gpt"\nmodel = {name}\ninstructions = {words}\ntools = [{name}]\n'
    )
    file = tmp_path / "bad.py"
    file.write_text(
        f"from asstproxy import tool\n@tool(approval='never', description={HOSTILE!r})\ndef speak() -> str:\n"
        f"    print({HOSTILE!r})\n    raise ValueError({HOSTILE!r})\n",
        encoding="utf-8",
    )
    profile = LINE.replace("\x7f", "")
    for command in (
        ("setup", "list"),
        ("setup", "list", "--json"),
        ("setup", "show", profile.replace("\0", "")),
        ("doctor", "--offline"),
        ("doctor", "--offline", "--json"),
        ("tools", "list", "-t", str(file)),
        ("tools", "list", "-t", str(file), "--json"),
        ("tools", "show", "speak", "-t", str(file)),
        ("tools", "run", "speak", "-t", str(file)),
        ("ask", "-p", profile.replace("\0", ""), "hi"),
        ("sessions", "show", profile.replace("\0", "")),
    ):
        shown = on_a_terminal(*command, any_code=True).decode()
        assert (command, harmful(shown, terminal=True)) == (command, [])
        piped = asst(*command)
        assert (command, harmful(piped.out + piped.err)) == (command, [])


def test_a_person_approves_what_is_run(server: ResponsesServer, tmp_path: Path) -> None:
    """The question shows the arguments to the last character: what nobody would see stands there as an escape."""
    file = tmp_path / "danger.py"
    file.write_text('def remove(path: str) -> str:\n    """Remove a file."""\n    return path\n')
    server.brain = Script([Call("remove", {"path": "a\u202etxt.exe\u200b\x9b2J\x1b[2J\u00a0b"})], [Say("So be it.")])
    with Terminal([ASST, "chat", "-p", "gpt", "-t", f"{file}:remove"]) as terminal:
        terminal.enter("go")
        text = terminal.wait_for("Run it? ›")
        terminal.type("n\r")
        terminal.wait_for("So be it.")
    assert r'path  "a\u202etxt.exe\u200b\u009b2J\u001b[2J\u00a0b"' in text

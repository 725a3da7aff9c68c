"""MCP servers in the chat: they start behind the prompt, and a message waits for them. `/tools` says what runs when."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from asstproxy import Store
from asstproxy.config.paths import config_dir, private_dir
from servers import Call, ResponsesServer, Say, Script
from tools.mcp_rig import listed, odd

from .conftest import ASST
from .terminal import Terminal

pytest.importorskip("mcp")

TOOLS = '''
from asstproxy.tools import tool

@tool(approval="never")
def get_price(symbol: str) -> float:
    """Get the price of a share."""
    return 213.4

@tool
def write_note(text: str) -> str:
    """Write a note."""
    return "written"

@tool(approval="always-ask")
def pay(amount: float) -> str:
    """Pay."""
    return "paid"
'''


def _profile(**servers: dict[str, Any]) -> None:
    config = private_dir(config_dir()) / "config.toml"
    with config.open("w") as text:
        text.write('[profiles.work]\nprovider = "gpt"\n')
        for name, server in servers.items():
            text.write(f"[profiles.work.mcp.{name}]\n")
            text.writelines(f"{key} = {json.dumps(value)}\n" for key, value in server.items())
    config.chmod(0o600)


def _server(**spec: Any) -> dict[str, Any]:
    return odd({"tools": [listed("now", {"type": "object"}, description="Current time in a zone")], **spec})


@contextmanager
def _chat(*arguments: str, columns: int = 80) -> Iterator[Terminal]:
    with Terminal([ASST, "chat", "-p", "work", *arguments], columns) as terminal:
        terminal.wait_for("›")
        yield terminal


def _offered(server: ResponsesServer) -> list[str]:
    return [tool["name"] for tool in server.requests[-1].json.get("tools", [])]


def test_the_prompt_does_not_wait_for_a_server(server: ResponsesServer) -> None:
    """With a server that takes 60 s to start, the prompt is there and commands work; leaving doesn't wait for it either."""
    _profile(time=_server(slow=60))
    with _chat() as terminal:
        terminal.wait_for("starting time… · new session")
        terminal.enter("/tools")
        terminal.wait_for("MCP server time is starting.")
        began = time.monotonic()
        terminal.enter("/quit")
        assert terminal.wait_end() == 0
        assert time.monotonic() - began < 30


@pytest.mark.parametrize("columns", [60, 80, 120])
def test_a_message_waits_for_the_servers(server: ResponsesServer, columns: int) -> None:
    """It is told so, and is sent with the tools, which the session notes."""
    server.brain = lambda _: [Say("Noon.")]
    _profile(time=_server(slow=3))
    with _chat(columns=columns) as terminal:
        terminal.enter("What time is it?")
        terminal.wait_until(lambda: bool(re.search(r"Waiting for MCP server time · [1-9] s of 30 s", terminal.text)))
        terminal.wait_for("completed")
        assert "Waiting for" not in terminal.text
    assert _offered(server) == ["time_now"]
    configured = [r.event.tools for r in Store().records(Store().newest()) if r.event.type == "configured"]  # type: ignore[union-attr]
    assert configured == [("time_now",)]


def test_ctrl_c_ends_the_wait_and_keeps_the_message(server: ResponsesServer) -> None:
    """Nothing is sent; the message is the draft."""
    _profile(time=_server(slow=60))
    with _chat() as terminal:
        terminal.enter("What time is it?")
        terminal.wait_for("Waiting for MCP server time")
        terminal.type("\x03")
        terminal.wait_for("Your message was not sent.")
        terminal.wait_until(lambda: terminal.text.count("› What time is it?") == 2)
    assert server.requests == []


@pytest.mark.slow("waits as long as a message does: 30 s")
def test_after_30_seconds_a_message_goes_without_them(server: ResponsesServer) -> None:
    """It says so; the next message doesn't wait again."""
    server.brain = lambda _: [Say("Noon.")]
    _profile(time=_server(slow=100) | {"timeout": 100.0})
    with _chat() as terminal:
        terminal.enter("What time is it?")
        terminal.wait_until(lambda: "not ready after 30 s" in terminal.text, within=50)
        terminal.wait_for("completed")
        terminal.enter("And now?")
        terminal.wait_until(lambda: terminal.text.count("completed") == 2)
    assert _offered(server) == []


def test_a_server_that_fails_is_named_once(server: ResponsesServer) -> None:
    """With the first message, and in /tools; the other server's tools are there."""
    server.brain = lambda _: [Say("Noon.")]
    _profile(time=_server(), gone={"command": "/no/such/program"})
    with _chat(columns=120) as terminal:
        terminal.wait_for("gone failed · /tools · 1 tool · new session")
        terminal.enter("What time is it?")
        terminal.wait_for("completed")
        assert terminal.text.count("The MCP server 'gone' failed") == 1
        terminal.enter("And now?")
        terminal.wait_until(lambda: terminal.text.count("completed") == 2)
        assert terminal.text.count("The MCP server 'gone' failed") == 1
        terminal.enter("/tools")
        terminal.wait_until(lambda: terminal.text.count("The MCP server 'gone' failed") == 2)
    assert _offered(server) == ["time_now"]


def test_without_tools_no_server_starts(server: ResponsesServer, tmp_path: Path) -> None:
    """--no-tools offers none, so that no server is needed."""
    _profile(time=_server(pid=str(tmp_path / "pid")))
    with _chat("--no-tools") as terminal:
        terminal.enter("hi")
        terminal.wait_for("completed")
    assert not (tmp_path / "pid").exists()


@pytest.mark.parametrize("columns", [60, 80, 120])
def test_tools_are_listed_with_their_approval_in_words(server: ResponsesServer, tmp_path: Path, columns: int) -> None:
    """Name, source, when it runs, what it does; no line is wider than the screen."""
    (tmp_path / "mytools.py").write_text(TOOLS)
    _profile(time=_server())
    with _chat("-t", str(tmp_path / "mytools.py"), columns=columns) as terminal:
        terminal.enter("hi")
        terminal.wait_for("completed")
        terminal.enter("/tools")
        text = terminal.wait_for("Change one: /tools").partition("/tools\n")[2]
    rows = [line.split("  ") for line in text.splitlines()]
    cells = [[cell.strip() for cell in row if cell.strip()] for row in rows]
    assert cells[0][:3] == ["Tool", "From", "Runs"]
    assert cells[1][:3] == ["get_price", "mytools.py", "without asking"]
    assert cells[2][:3] == ["write_note", "mytools.py", "after asking"]
    assert cells[4][:3] == ["time_now", "MCP time", "after asking"]
    if columns >= 80:
        assert [row[3] for row in cells[:3]] == ["What it does", "Get the price of a share.", "Write a note."]


def test_tools_change_when_they_run(server: ResponsesServer, tmp_path: Path) -> None:
    """allow: no question; ask: a question, also for a tool that ran without; block: the assistant is not offered it."""
    (tmp_path / "mytools.py").write_text(TOOLS)
    _profile()
    server.brain = Script(
        [Call("write_note", {"text": "a"})],
        [Say("Noted.")],
        [Call("get_price", {"symbol": "AAPL"})],
        [Say("Without.")],
    )
    with _chat("-t", str(tmp_path / "mytools.py"), columns=120) as terminal:
        terminal.enter("/tools write_note allow")
        terminal.wait_for("write_note: runs without asking, in this session.")
        terminal.enter("note it")
        terminal.wait_for("Noted.")
        assert "Allow?" not in terminal.text
        terminal.enter("/tools get_price ask")
        terminal.wait_for("get_price: runs after asking, in this session.")
        terminal.enter("price?")
        terminal.wait_for("get_price wants to run")
        terminal.type("\x03")
        terminal.wait_for("cancelled")
        terminal.enter("/tools write_note block")
        terminal.wait_for("write_note: blocked, in this session.")
        terminal.enter("again")
        terminal.wait_for("Without.")
        assert sorted(_offered(server)) == ["get_price", "pay"]
        terminal.enter("/tools write_note ask")
        terminal.wait_for("write_note: runs after asking, in this session.")
        terminal.enter("/tools pay allow")
        terminal.wait_for("pay always asks")
        terminal.enter("/tools write_not ask")
        terminal.wait_for('Did you mean "write_note"?')
        terminal.enter("/tools pay perhaps")
        terminal.wait_for('Error: "perhaps" isn\'t ask, allow or block.\n  For example: /tools pay ask')
        terminal.enter("/tools pay blok")
        terminal.wait_for("Did you mean block? /tools pay block")
        terminal.enter("/tools write_note")
        terminal.wait_for("write_note: runs after asking · change that: /tools write_note ask · allow · block")

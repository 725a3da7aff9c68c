"""Outputs that can't be written: what each command of the app does then, run as a shell runs it."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.main import get_command

from asstproxy import Store
from asstproxy.batches.journal import open_journal
from asstproxy.cli.app import app
from asstproxy.config.atomic import write_atomically
from asstproxy.config.paths import config_dir
from asstproxy.config.profiles import config_file
from asstproxy.providers.scripted import say
from forked import asst_command
from servers import ResponsesServer, Say
from store.rig import held
from tools.mcp_rig import ODD, listed

from .conftest import ASST

TEXT = "Zürich → 東京 😀"
PRINTING: dict[str, list[str]] = {
    "ask": ["-q", "-p", "gpt", TEXT],
    "setup list": [],
    "setup show": ["gpt"],
    "setup check": ["gpt", "--json"],
    "sessions list": [],
    "sessions show": [],
    "sessions search": ["Zürich"],
    "sessions export": [],
    "sessions import": ["{session}"],
    "sessions fork": ["{id}"],
    "sessions prune": ["--older-than", "2099-01-01"],
    "sessions path": [],
    "replay": ["--speed", "max"],
    "models": ["gpt"],
    "usage": [],
    "tools list": ["-t", "{tool}"],
    "tools show": ["-t", "{tool}", "travel"],
    "tools run": ["{tool}:travel"],
    "batch status": ["{batch}"],
    "script": [],
    "schema": ["result"],
    "doctor": ["--offline"],
    "help": [],
    "version": [],
    "mcp add": ["--save-only", "new", "--", "{server}"],
    "mcp import": ["--save-only", "{servers}"],
    "mcp list": [],
    "mcp remove": ["--yes", "saved"],
    "mcp test": ["saved"],
    "templates import": ["{foreign}"],
    "templates list": [],
    "templates path": [],
    "templates show": ["saved"],
}
"""Arguments with which a command prints something to stdout."""
FORMS: dict[str, list[str]] = {
    "ask --json": ["ask", "-q", "-p", "gpt", "--json", TEXT],
    "ask --events": ["ask", "-q", "-p", "gpt", "--events", TEXT],
    "ask with a tool": ["ask", "-q", "-p", "gpt", "-t", "{tool}", TEXT],
    "ask --json --cost": ["ask", "-q", "-p", "gpt", "--json", "--cost", TEXT],
    "models --json": ["models", "gpt", "--json"],
    "usage --json": ["usage", "--json"],
    "sessions list --json": ["sessions", "list", "--json"],
    "sessions show --json": ["sessions", "show", "--json"],
    "sessions show --events": ["sessions", "show", "--events"],
    "sessions show --timeline": ["sessions", "show", "--timeline"],
    "sessions show --sequence": ["sessions", "show", "--sequence"],
    "sessions export -f md": ["sessions", "export", "-f", "md"],
    "replay --events": ["replay", "--events"],
    "replay --check": ["replay", "--check"],
    "tools show --json": ["tools", "show", "-t", "{tool}", "travel", "--json"],
    "doctor --json": ["doctor", "--offline", "--json"],
    "setup list --json": ["setup", "list", "--json"],
    "--version": ["--version"],
    "--help": ["--help"],
    "sessions --help": ["sessions", "--help"],
    "ask --help": ["ask", "--help"],
    "sessions alone": ["sessions"],
}
"""More of what goes to stdout."""
SILENT = {
    *("chat", "setup gpt", "setup gemini", "setup local", "setup anthropic", "setup chat-completions"),
    "setup assistants",
    *("batch run", "batch fetch", "batch cancel", "batch work", "templates edit"),
    *("setup use", "setup remove", "setup edit", "sessions rename", "sessions rm"),
}
"""Commands that print nothing to stdout."""
LASTING = {"web": ["web", "--no-open", "--port", "0"]}
"""Commands that print something to stdout, and then run until they are stopped."""
EVERYTHING = {**{name: [*name.split(), *arguments] for name, arguments in PRINTING.items()}, **FORMS}
EVER = pytest.mark.parametrize("name", [*EVERYTHING, *LASTING])


def _leaves(command: Any, context: Any, path: tuple[str, ...] = ()) -> Iterator[str]:
    if not hasattr(command, "list_commands"):
        yield " ".join(path)
        return
    for name in command.list_commands(context):
        part = command.get_command(context, name)
        yield from _leaves(part, typer.Context(part, info_name=name, parent=context), (*path, name))


@pytest.fixture
def command(server: ResponsesServer, tmp_path: Path) -> Any:
    """The command line for a name of `EVERYTHING`, in a place with a session, a profile and a tool."""
    server.brain = lambda _: [Say(TEXT)]
    held([TEXT], say(TEXT, pieces=3))
    tool = tmp_path / "tools.py"
    tool.write_text(f'def travel() -> str:\n    """{TEXT}"""\n    return "{TEXT}"\n', encoding="utf-8")
    copy = tmp_path / "copy.jsonl"
    copy.write_bytes(Store().path(Store().newest()).read_bytes())
    batch = tmp_path / "out.jsonl"
    open_journal(batch, "asst").close()
    foreign = tmp_path / "foreign.yaml"
    foreign.write_text(f"prompt: {TEXT} $input\n", encoding="utf-8")
    script, spec = tmp_path / "server", json.dumps({"tools": [listed("travel", {"type": "object"}, description=TEXT)]})
    script.write_text(f"#!/bin/sh\nexec {shlex.join([sys.executable, ODD, spec])}\n")
    script.chmod(0o700)
    servers = tmp_path / "servers.json"
    servers.write_text(json.dumps({"mcpServers": {"imported": {"command": str(script)}}}))
    values = {"batch": str(batch), "session": str(copy), "id": Store().newest(), "tool": str(tool)}
    values |= {"foreign": str(foreign), "server": str(script), "servers": str(servers)}

    def line(name: str) -> list[str]:
        # Anew each time: some commands add or remove what is saved.
        shutil.rmtree(config_dir() / "templates", ignore_errors=True)
        write_atomically(config_dir() / "templates" / "saved.md", f"{TEXT}\n".encode())
        write_atomically(config_file(), f'[mcp.saved]\ncommand = "{script}"\n'.encode())
        return [ASST, *(part.format(**values) for part in (EVERYTHING | LASTING)[name])]

    return line


def _run(command: list[str], redirect: str = "", **settings: Any) -> subprocess.CompletedProcess[bytes]:
    """Run a command as a shell does, with these redirections."""
    settings = {"stdin": subprocess.DEVNULL, "capture_output": True, "timeout": 60, **settings}
    if redirect:
        return subprocess.run(["bash", "-c", f'exec "$@" {redirect}', "bash", *command], check=False, **settings)
    return asst_command.run(command, **settings)


def _errors(done: subprocess.CompletedProcess[bytes]) -> list[str]:
    """The error lines on stderr, where a command may say as well what it did (`Imported 1 session.`)."""
    assert b"Traceback" not in done.stderr
    return [line.removeprefix("asst: ") for line in done.stderr.decode().splitlines() if line.startswith("asst: ")]


def test_every_command_is_here() -> None:
    """A new command is added to one of the lists above."""
    root = get_command(app)
    assert set(_leaves(root, typer.Context(root))) == SILENT | set(PRINTING) | set(LASTING)


@EVER
def test_a_full_device_is_a_failure(name: str, command: Any) -> None:
    """Exit 1 and one line on stderr, which says what could not be written."""
    with Path("/dev/full").open("wb") as full:
        done = _run(command(name), capture_output=False, stdout=full, stderr=subprocess.PIPE)
    assert (done.returncode, _errors(done)) == (1, ["Standard output can't be written: No space left on device."])


@EVER
def test_a_closed_pipe_is_141(name: str, command: Any) -> None:
    """Nobody reads: exit 141 and nothing on stderr."""
    reader, writer = os.pipe()
    os.close(reader)
    try:
        done = _run(command(name), capture_output=False, stdout=writer, stderr=subprocess.PIPE)
    finally:
        os.close(writer)
    assert (done.returncode, _errors(done)) == (141, [])


@EVER
def test_a_closed_stdout_is_a_failure(name: str, command: Any) -> None:
    """`>&-`: exit 1 and one line."""
    done = _run(command(name), ">&-")
    assert (done.returncode, _errors(done)) == (1, ["Standard output is closed. Redirect it: >/dev/null"])


@pytest.mark.parametrize(
    ("name", "encoding"), [*((name, "ascii") for name in EVERYTHING), ("ask", "latin-1"), ("ask --json", "latin-1")]
)
def test_an_encoding_that_lacks_characters_loses_nothing(name: str, encoding: str, command: Any) -> None:
    """Exit 0; text is escaped as in Python, JSON as in JSON."""
    plain = _run(command(name)).stdout.decode()
    done = _run(command(name), env={**os.environ, "PYTHONIOENCODING": encoding})
    assert (done.returncode, b"Traceback" in done.stderr) == (0, False), done.stderr
    if "東京" not in plain or name == "sessions export -f md":  # a file format, whatever the terminal is
        return
    out = done.stdout.decode(encoding)
    if plain.startswith(("{", "[")):
        first = out if plain.rstrip().endswith(("]", "}")) and "\n{" not in plain else out.splitlines()[0]
        assert json.loads(first) is not None
        assert out.isascii()
    assert "\\u6771\\u4eac" in out


@pytest.mark.parametrize("name", ["ask", "sessions show", "doctor"])
def test_the_c_locale_loses_nothing(name: str, command: Any) -> None:
    """`LC_ALL=C`, also where Python doesn't take UTF-8 instead."""
    for more in ({}, {"PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}):
        done = _run(command(name), env={**os.environ, "LC_ALL": "C", **more})
        assert (done.returncode, b"Traceback" in done.stderr) == (0, False), done.stderr
        assert name == "doctor" or any(one in done.stdout for one in ("東京".encode(), b"\\u6771\\u4eac"))


@pytest.mark.parametrize("name", ["ask", "ask with a tool", "sessions show", "replay", "doctor", "--help"])
@pytest.mark.parametrize("redirect", ["2>&-", "2>/dev/full"])
def test_messages_that_cannot_be_written_decide_nothing(name: str, redirect: str, command: Any) -> None:
    """Stderr is closed or full: the same output, exit 0."""
    done = _run(command(name), redirect)
    assert done.returncode == 0
    assert done.stdout


@pytest.mark.parametrize("name", ["ask", "replay", "sessions show", "doctor"])
def test_a_closed_stdin_is_an_empty_one(name: str, command: Any) -> None:
    """`<&-`: no message, no traceback."""
    done = _run(command(name), "<&-")
    assert (done.returncode, done.stderr) == (0, b"")


def test_a_closed_stdout_harms_nothing_silent(command: Any) -> None:
    """A command that prints nothing does its work."""
    session = Store().newest()
    assert _run([ASST, "sessions", "rename", session, "Other"], ">&-").returncode == 0
    assert Store().summary(session).title == "Other"


@pytest.mark.parametrize("redirect", [">&-", ">/dev/full"])
def test_nothing_is_asked_when_the_answer_could_go_nowhere(
    redirect: str, command: Any, server: ResponsesServer
) -> None:
    """No request, and no session."""
    before = list(Store().ids())
    assert _run(command("ask"), redirect).returncode == 1
    assert not server.requests
    assert list(Store().ids()) == before

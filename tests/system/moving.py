"""One session that moves from one API to the next with `asst ask -c -p …`; scripts/record_moving.py records it."""

from __future__ import annotations

import contextlib
import json
import os
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import tomlkit

from forked import asst_command
from forked.asst_command import ASST
from servers import (
    AnthropicServer,
    AssistantsServer,
    Call,
    GeminiServer,
    InteractionsServer,
    Json,
    Output,
    Request,
    ResponsesServer,
    Say,
    Server,
    Think,
)

__all__ = ["RECORDING", "TOUR", "Stop", "Tour", "touring"]

RECORDING = Path(__file__).parents[2] / "examples" / "moving.jsonl"
TOOL = '''
from asstproxy import tool


@tool(read_only=True)
def add(a: int, b: int) -> str:
    """Add two numbers."""
    return f"result: {a + b}"
'''
KEY = "sk-test-0123456789abcdef"
SIGNED = ("gpt", "claude")
"""Those whose model also thinks, in a form that must come back unchanged; Gemini signs by itself."""


@dataclass(frozen=True)
class Stop:
    """A profile, its server, and how much is added to the sum there."""

    profile: str
    server: type[Any]
    path: str
    table: dict[str, str]
    plus: int


TOUR = [
    Stop("gpt", ResponsesServer, "/v1", {"provider": "gpt", "model": "gpt-6-luna"}, 1),
    Stop("gemini", GeminiServer, "", {"provider": "gemini", "model": "gemini-3.8-flash"}, 20),
    Stop("chat", ResponsesServer, "/v1", {"provider": "chat-completions", "model": "gpt-6-luna"}, 300),
    Stop("claude", AnthropicServer, "", {"provider": "anthropic", "model": "claude-sonnet-5-5"}, 4_000),
    Stop(
        "assistants",
        AssistantsServer,
        "/api/v1",
        {"provider": "assistants", "model": "gpt-6-luna", "assistant_id": AssistantsServer.assistant},
        50_000,
    ),
    Stop(
        "interactions",
        InteractionsServer,
        "",
        {"provider": "gemini", "model": "gemini-3.8-flash", "api": "interactions"},
        600_000,
    ),
    Stop("local", ResponsesServer, "/v1", {"provider": "local", "model": "gpt-6-luna"}, 7_000_000),
]


@dataclass
class Tour:
    """The servers by profile, and what has been sent to each. `total` is the sum so far."""

    folder: Path
    servers: dict[str, Server]
    total: int = 0
    answers: list[str] = field(default_factory=list)

    def visit(self, stop: Stop) -> str:
        """Ask there for more, in the same session; the answer."""
        self.total += stop.plus
        go_on = ["-c"] if self.answers else []
        answer = self.asst("ask", *go_on, "-q", "-p", stop.profile, "-t", "add.py", f"Add {stop.plus}.").strip()
        self.answers.append(answer)
        return answer

    def asst(self, *words: str) -> str:
        """Run a command, which must succeed; its stdout."""
        done = asst_command.run(
            [ASST, *words],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
            cwd=self.folder,
            env={**self._environment(), "TEST_KEY": KEY},
        )
        assert done.returncode == 0, done.stderr
        return str(done.stdout)

    def _environment(self) -> dict[str, str]:
        own = {f"ASST_{kind.upper()}_DIR": str(self.folder / kind) for kind in ("config", "data", "cache")}
        return own | {"PATH": os.environ["PATH"], "HOME": str(self.folder)}

    def seen(self, stop: Stop) -> str:
        """What the model at this stop saw last."""
        server: Any = self.servers[stop.profile]
        return json.dumps(server.contexts[-1], ensure_ascii=False)

    def sent(self, stop: Stop, first: int = 0) -> str:
        """All that was sent to this stop, from a request on."""
        requests: list[Request] = self.servers[stop.profile].requests[first:]
        return "\n".join(request.body.decode() for request in requests)

    @property
    def journal(self) -> Path:
        """The session's journal."""
        (path,) = (self.folder / "data" / "sessions").rglob("*.jsonl")
        return path


@contextmanager
def touring(folder: Path) -> Iterator[Tour]:
    """All servers, and a profile for each."""
    with contextlib.ExitStack() as running:
        servers = {}
        for stop in TOUR:
            server = running.enter_context(stop.server(key=KEY))
            server.brain = _adder(server, stop.profile)
            servers[stop.profile] = server
        tables = {
            stop.profile: stop.table | {"base_url": servers[stop.profile].url + stop.path, "api_key_env": "TEST_KEY"}
            for stop in TOUR
        }
        (folder / "config").mkdir(parents=True)
        (folder / "config" / "config.toml").write_text(tomlkit.dumps({"profiles": tables}))
        (folder / "add.py").write_text(TOOL)
        yield Tour(folder, servers)


def _adder(server: Any, name: str) -> Any:
    """A model that adds to the sum that it sees in the history, with the tool; without history it starts at nothing."""

    def brain(_: Json) -> list[Output]:
        context = json.dumps(server.contexts[-1], ensure_ascii=False)
        last = json.dumps(server.contexts[-1][-1], ensure_ascii=False)
        thought: list[Output] = [Think("Adding.")] if name in SIGNED else []
        if results := re.findall(r"result: (\d+)", last.rpartition("Add ")[2] if "Add " in last else last):
            return [*thought, Say(f"The sum is {results[-1]}.")]
        sums = re.findall(r"The sum is (\d+)", context)
        asked = re.findall(r"Add (\d+)", last)
        arguments = {"a": int(sums[-1]) if sums else 0, "b": int(asked[-1])}
        return [*thought, Call("add", arguments, call_id=f"call_{name}_{len(sums)}")]  # unique, as at real servers

    return brain

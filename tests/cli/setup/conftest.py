"""`asst setup` and `asst doctor` on a machine of their own: no keys, no profiles, an empty home."""

from __future__ import annotations

import os
import subprocess
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from forked import asst_command
from servers import GeminiServer, ResponsesServer, refused_port

ASST = asst_command.ASST


@dataclass
class Ran:
    """What a run gave."""

    code: int
    out: str
    err: str

    @property
    def all(self) -> str:
        """Everything it printed."""
        return self.out + self.err

    @property
    def complaint(self) -> str:
        """The one line of an error."""
        lines = [line for line in self.err.splitlines() if line.startswith("asst: ")]
        assert len(lines) == 1, self.err
        assert "Traceback" not in self.all
        return lines[0]


Asst = Callable[..., Ran]
Complete = Callable[..., list[str]]


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty home, and no model server of this machine's."""
    folder = tmp_path / "home"
    folder.mkdir()
    monkeypatch.setenv("HOME", str(folder))
    for name in ("VISUAL", "EDITOR", "LLAMA_ARG_PORT", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    with refused_port() as nobody:
        monkeypatch.setenv("OLLAMA_HOST", f"127.0.0.1:{nobody}")
        monkeypatch.setenv("LLAMA_ARG_PORT", str(nobody))
        yield folder


@pytest.fixture
def asst() -> Asst:
    """Runs `asst` with these arguments; `env` adds variables, `stdin` is text."""

    def run(
        *arguments: str, stdin: str | None = None, env: dict[str, str] | None = None, cwd: Path | None = None
    ) -> Ran:
        done = asst_command.run(
            [ASST, *arguments],
            input=stdin,
            stdin=subprocess.DEVNULL if stdin is None else None,
            capture_output=True,
            timeout=90,
            check=False,
            text=True,
            cwd=cwd,
            env={**os.environ, **(env or {})},
        )
        return Ran(done.returncode, done.stdout, done.stderr)

    return run


@pytest.fixture
def complete() -> Complete:
    """What the shell is given for a line that ends where the cursor is."""

    def run(line: str, shell: str = "bash", *, by_python: bool = False, **env: str) -> list[str]:
        words = line.split(" ")
        given = {
            "_ASST_COMPLETE": f"complete_{shell}",
            "COMP_WORDS": line,
            "COMP_CWORD": str(len(words) - 1),
            "_TYPER_COMPLETE_ARGS": line,
            "_TYPER_COMPLETE_FISH_ACTION": "get-args",
        }
        done = asst_command.run(
            [ASST], env={**os.environ, **given, **env}, capture_output=True, text=True, check=True, by_python=by_python
        )
        assert done.stderr == ""
        return [line for line in done.stdout.splitlines() if line]

    return run


@pytest.fixture
def openai(monkeypatch: pytest.MonkeyPatch) -> Iterator[ResponsesServer]:
    """OpenAI's API, where the environment says; the key is not set."""
    with ResponsesServer() as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.base_url)
        yield server


@pytest.fixture
def google(monkeypatch: pytest.MonkeyPatch) -> Iterator[GeminiServer]:
    """Google's API, where the environment says; the key is not set."""
    with GeminiServer() as server:
        monkeypatch.setenv("GOOGLE_GEMINI_BASE_URL", server.url)
        yield server


@pytest.fixture
def config() -> Path:
    """The file with the profiles."""
    return Path(os.environ["ASST_CONFIG_DIR"]) / "config.toml"


@pytest.fixture
def credentials(config: Path) -> Path:
    """The file with the keys."""
    return config.with_name("credentials.toml")


def profiles(config: Path) -> dict[str, Any]:
    """The profiles as they stand in the file."""
    found: dict[str, Any] = tomllib.loads(config.read_text()).get("profiles", {})
    return found

"""A provider that a package registers is found by its entry point; the test of the worked example runs as its author runs it."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from asstproxy.config.profiles import Profile
from asstproxy.core.errors import NotSetUpError
from asstproxy.core.script import State
from asstproxy.providers import connect
from core.stage import Stage
from servers import Call, ResponsesServer, Say

ENTRY_POINT = "[asstproxy.providers]\nchat = asstproxy.providers.chat_completions:connect\n"


def profile(server: ResponsesServer) -> Profile:
    return Profile("mine", "chat", model="gpt-6-luna", options={"base_url": server.base_url, "api_key_env": "CHAT_KEY"})


@pytest.fixture(autouse=True)
def _installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As if a package had brought it."""
    package = tmp_path / "another_package-1.0.dist-info"
    package.mkdir()
    (package / "METADATA").write_text("Metadata-Version: 2.1\nName: another-package\nVersion: 1.0\n")
    (package / "entry_points.txt").write_text(ENTRY_POINT)
    monkeypatch.syspath_prepend(str(tmp_path))


async def test_it_is_found_and_holds_a_conversation(monkeypatch: pytest.MonkeyPatch) -> None:
    """By the name under which its package registers it."""
    with ResponsesServer([[Say("hello")], [Call("add", {"a": 1, "b": 2})], [Say("three")]]) as server:
        monkeypatch.setenv("CHAT_KEY", server.key)
        stage = Stage(assistant=connect(profile(server)), tools=[add])
        records = [await stage.conversation.exchange(text) for text in ("hi", "add")]
        await stage.conversation.aclose()
    stage.assert_conforms()
    assert [record.state for record in records] == [State.COMPLETED] * 2


def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


def test_one_that_is_not_installed() -> None:
    """The error lists the providers that are installed."""
    with pytest.raises(NotSetUpError, match="not installed") as caught:
        connect(Profile("mine", "nobody"))
    assert "chat" in caught.value.hint


def test_the_worked_example_s_test_runs_anywhere(tmp_path: Path) -> None:
    """The file that docs/providers.md says to copy runs in an empty folder, with nothing but what asstproxy brings."""
    shutil.copy(Path(__file__).with_name("test_worked_example.py"), tmp_path)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:randomly", str(tmp_path)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stdout
    assert re.search(r"\d+ passed, 6 skipped", done.stdout), done.stdout

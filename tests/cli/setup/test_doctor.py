"""`asst doctor`, on an empty machine and on a full one."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from asstproxy.providers.local.process import find_model
from servers import ResponsesServer, refused_port

from .conftest import Asst, Ran


def _findings(ran: Ran) -> dict[tuple[str, str], dict[str, Any]]:
    report = json.loads(ran.out)
    return {(one["group"], one["what"]): one for one in report["findings"]}


def test_on_an_empty_machine(asst: Asst, home: Path) -> None:
    """Nothing is broken, one line says what to run, and nothing was made by looking."""
    ran = asst("doctor")
    assert ran.code == 0, ran.all
    assert "0 broken" in ran.out
    assert "none is set up" in ran.out
    assert "→ Run: asst setup" in ran.out
    for group in ("versions", "extras", "folders", "profiles", "keys", "terminal", "sessions"):
        assert f"\n{group}\n" in ran.out
    assert not os.listdir(home)
    assert not Path(os.environ["ASST_CONFIG_DIR"]).exists()


def test_on_a_full_machine(asst: Asst, openai: ResponsesServer) -> None:
    """Profiles, keys, servers and sessions are all there and fine; the report as JSON says the same."""
    assert asst("setup", "gpt", "--key-stdin", "--yes", stdin=openai.key).code == 0
    if find_model():
        assert asst("setup", "local", "--yes").code == 0
    assert asst("ask", "-p", "gpt", "hi").code == 0
    assert asst("sessions", "search", "hi").code == 0
    ran = asst("doctor", "--json")
    assert ran.code == 0, ran.all
    report = json.loads(ran.out)
    assert report["ok"]
    assert report["broken_count"] == 0
    found = _findings(ran)
    assert found["profiles", "gpt"]["status"] == "ok"
    assert found["keys", "OPENAI_API_KEY"]["text"] == "present (credentials.toml)"
    assert "can be reached" in found["servers", "gpt"]["text"]
    assert found["sessions", "sessions"]["text"].startswith("1 in ")
    assert found["sessions", "index"]["text"].endswith("1 of 1 sessions)")
    assert {found["folders", name]["status"] for name in ("config", "data", "cache", "credentials.toml")} == {"ok"}
    assert len(openai.requests) == 2  # the check of setup, and the question: doctor sends no request


def test_offline_reaches_for_nobody(asst: Asst, openai: ResponsesServer) -> None:
    """With --offline there is no group of servers."""
    asst("setup", "gpt", "--yes", "--no-check")
    before = openai.connections
    assert "\nservers\n" not in asst("doctor", "--offline").out
    assert openai.connections == before


def test_what_is_broken(asst: Asst, config: Path, credentials: Path) -> None:
    """Each fault is a line with what to do, and the exit code is 1."""
    data, cache = Path(os.environ["ASST_DATA_DIR"]), Path(os.environ["ASST_CACHE_DIR"])
    for folder in (config.parent, data, cache):
        folder.mkdir(mode=0o700)
    with refused_port() as port:
        config.write_text(
            'default = "nobody"\n[profiles.a]\nprovider = "claude"\n[profiles.b]\nprovider = "gpt"\nmodel = 3\n'
            '[profiles.c]\nprovider = "local"\nmodel = "/no/such.gguf"\n[profiles.gpt]\n'
            f'base_url = "http://127.0.0.1:{port}/v1"\n'
        )
        data.chmod(0o755)
        (data / "sessions" / "2026-11").mkdir(parents=True)
        (data / "sessions" / "2026-11" / "01KAPW5Z000000000000000000.jsonl").write_text("nonsense\n{}\n")
        (cache / "index.sqlite").write_text("this is no database, but long enough to be looked at" * 9)
        ran = asst("doctor", "--json")
    assert ran.code == 1
    found = _findings(ran)
    assert "not installed" in found["profiles", "a"]["text"]
    assert "line 6: Expected `str`" in found["profiles", "b"]["text"]
    assert "-m FILE.gguf" in found["profiles", "c"]["hint"]
    assert found["profiles", "default"]["status"] == "broken"
    assert found["servers", "gpt"]["status"] == "warning"
    assert found["folders", "data"]["status"] == "warning"
    assert found["sessions", "index"]["status"] == "warning"
    assert "rm " in found["sessions", "index"]["hint"]
    assert found["keys", "OPENAI_API_KEY"]["status"] == "warning"
    config.write_text("[profiles\n")
    found = _findings(asst("doctor", "--json"))
    assert "line 1, column 10" in found["profiles", "config.toml"]["text"]


def test_a_vendor_without_a_model_is_a_warning(asst: Asst, config: Path) -> None:
    """It has no model of its own to fall back to, so each question must name one."""
    config.parent.mkdir(mode=0o700)
    config.write_text('[profiles.fast]\nprovider = "groq"\n[profiles.here]\nprovider = "ollama"\n')
    found = _findings(asst("doctor", "--offline", "--json"))
    assert (found["profiles", "fast"]["status"], found["profiles", "here"]["status"]) == ("warning", "ok")
    assert "asst setup groq --name fast" in found["profiles", "fast"]["hint"]


def test_is_safe_to_paste(asst: Asst, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The home folder is `~`, no key is there, nor the name of the user in a path."""
    for kind in ("CONFIG", "DATA", "CACHE"):
        monkeypatch.setenv(f"ASST_{kind}_DIR", str(home / f".{kind.lower()}" / "asst"))
    monkeypatch.setenv("OPENAI_API_KEY", "sk-very-secret-0123")
    asst("setup", "gpt", "--name", "sk-very-secret-0123", "--yes", "--no-check")
    for arguments in (["doctor", "--offline"], ["doctor", "--offline", "--json"]):
        ran = asst(*arguments)
        assert str(home) not in ran.all
        assert "~/.config/asst" in ran.out
        assert "sk-very-secret" not in ran.all


def test_imports_no_sdk(asst: Asst) -> None:
    """It looks at what is installed without importing it."""
    import subprocess
    import sys

    program = (
        "import atexit, sys; atexit.register(lambda: print('\\n' + ' '.join(sys.modules), file=sys.stderr));"
        "from asstproxy.__main__ import main; main()"
    )
    command = [sys.executable, "-c", program, "doctor", "--offline"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert not set(done.stderr.splitlines()[-1].split()) & {"openai", "google.genai", "pydantic", "rich", "xllamacpp"}

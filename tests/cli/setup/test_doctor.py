"""`asst doctor`, on an empty machine and on a full one."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from asstproxy.cli.doctor.brief import brief
from asstproxy.cli.doctor.finding import Finding
from asstproxy.providers.local.process import find_model
from cli.terminal import Terminal
from servers import ResponsesServer, refused_port

from .conftest import ASST, Asst, Ran


def _findings(ran: Ran) -> dict[tuple[str, str], dict[str, Any]]:
    report = json.loads(ran.out)
    return {(one["group"], one["what"]): one for one in report["findings"]}


def test_on_an_empty_machine(asst: Asst, home: Path) -> None:
    """Nothing is broken, one line says what to run, and nothing was made by looking."""
    short = asst("doctor")
    assert short.code == 0, short.all
    _, missing, hint, *_, last = short.out.splitlines()
    assert (missing, hint.strip()) == ("! profiles   none is set up", "Run: asst setup")
    assert last == "1 warning · to report a bug: asst doctor -v"
    ran = asst("doctor", "-v")
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
    assert "\nservers\n" not in asst("doctor", "--offline", "-v").out
    assert "answers" not in asst("doctor", "--offline").out
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
    assert "line 6: expected text" in found["profiles", "b"]["text"]
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


def test_all_is_well_in_a_few_rows(asst: Asst, openai: ResponsesServer) -> None:
    """A row for each profile, with its server and where its key is; what is optional and missing is one row, and no problem."""
    assert asst("setup", "gpt", "--key-stdin", "--yes", "--no-check", stdin=openai.key).code == 0
    shown = asst("doctor", env={"TERM": "xterm", "COLORTERM": "", "NO_COLOR": "1"}).out
    rows = [line for line in shown.splitlines() if not line.startswith("–")]
    host = openai.base_url.split("/")[2]
    assert rows[0].startswith("asst ")
    assert rows[1:] == [
        f"✓ gpt        {host} answers; OPENAI_API_KEY from credentials.toml",
        f"{'✓ folders    private and writable':<43}✓ terminal  no colours, UTF-8",
        "No problems · to report a bug: asst doctor -v",
    ]
    assert len(shown.splitlines()) <= 8


def test_a_long_name_has_its_own_row() -> None:
    """What is said of it stands below, whole."""
    name = "a-profile-whose-name-is-as-long-as-can-be"
    row = Finding("profiles", name, "ok", "", short="api.example.com:8443 answers", is_profile=True)
    rows = [line for _, line in brief([row], 60, words=False)]
    assert rows[1:3] == [f"✓ {name}", f"{'':<27}api.example.com:8443 answers"]
    assert [line for _, line in brief([row], 80, words=False)][1] == f"✓ {name} api.example.com:8443 answers"


def test_what_is_wrong_comes_first(config: Path) -> None:
    """Each with what to do, wrapped between words and never wider than the screen; words where marks can't be shown."""
    config.parent.mkdir(mode=0o700)
    config.write_text(
        'default = "b"\n[profiles.b]\nprovider = "gpt"\nmodel = 3\n[profiles.gemini]\nprovider = "gemini"\n'
    )
    config.chmod(0o600)
    for columns in (60, 80, 120):
        with Terminal([ASST, "doctor", "--offline"], columns, env={"TERM": "xterm-256color"}) as terminal:
            assert terminal.wait_end() == 1
            rows = terminal.text.splitlines()
        assert max(map(len, rows)) <= columns
        text = " ".join(" ".join(rows).split())
        assert text.index("✗ b") < text.index("! gemini GEMINI_API_KEY is not set; this profile needs it")
        assert "Run: export GEMINI_API_KEY=…, or asst setup gemini" in text
        assert "1 problem, 1 warning · to report a bug: asst doctor -v" in text
    with Terminal([ASST, "--plain-ui", "doctor", "--offline"]) as terminal:
        terminal.wait_end()
        assert "\nBROKEN  b " in terminal.text
        assert "✗" not in terminal.text


def test_a_package_that_a_profile_needs_is_missing(asst: Asst, config: Path, tmp_path: Path) -> None:
    """Then it is a problem with the command that installs it; otherwise it is one of those that are optional."""
    config.parent.mkdir(mode=0o700)
    config.write_text('[profiles.b]\nprovider = "gpt"\n[profiles.b.mcp.time]\ncommand = "x"\n')
    config.chmod(0o600)
    (tmp_path / "sitecustomize.py").write_text(
        "import importlib.util\nfind = importlib.util.find_spec\n"
        "importlib.util.find_spec = lambda name, package=None: None if name == 'mcp' else find(name, package)\n"
    )
    ran = asst("doctor", "--offline", env={"PYTHONPATH": str(tmp_path)})
    assert ran.code == 1
    assert "✗ b          Its MCP servers need the package mcp." in ran.out
    assert "pip install 'asstproxy[mcp]'" in ran.out
    config.write_text('[profiles.b]\nprovider = "gpt"\n')
    assert asst("doctor", "--offline").code == 0


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
    for arguments in (["doctor", "--offline", "-v"], ["doctor", "--offline", "--json"], ["doctor", "--offline"]):
        ran = asst(*arguments)
        assert str(home) not in ran.all
        assert len(arguments) == 2 or "~/.config/asst" in ran.out
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

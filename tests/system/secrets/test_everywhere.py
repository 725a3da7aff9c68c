"""A different key in every place where asst takes one from; then everything that it prints, sends and writes is searched."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from asstproxy import Store
from cli.setup.conftest import ASST, Asst
from cli.setup.tmux import Tmux
from servers import Call, GeminiServer, ResponsesServer, Say, Status

FAKE = Path(__file__).parents[2] / "tools" / "mcp_fake.py"
KEYS = {
    place: f"sk-PLANTED-{place}-0123456789"
    for place in ("environment", "credentials", "keyring", "file", "mcp", "literal", "unused")
}
PASSWORD = "PLANTED-password-0123456789"
PROFILES = """
default = "environment"
[profiles.environment]
provider = "gpt"
[profiles.environment.mcp.tell]
command = "{python}"
args = ["{fake}", "normal"]
env = {{ ONE = "${{MCP_ONE}}", A_TOKEN = "{literal}" }}
[profiles.credentials]
provider = "gemini"
base_url = "{google}"
api_key_env = "KEPT_ONE"
[profiles.keyring]
provider = "gpt"
transport = "sdk"
api_key_env = "RING_ONE"
[profiles.file]
provider = "local"
model = "gpt-6-luna"
base_url = "{openai}"
api_key_env = "FILE_ONE"
[profiles.password]
provider = "local"
model = "m"
base_url = "http://me:{password}@127.0.0.1:{port}/v1"
"""
KEYRING = "import os\ndef get_password(service, name):\n    return os.environ['RING'][::-1]\n"


@pytest.fixture
def planted(tmp_path: Path, config: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ResponsesServer]:
    """OpenAI's server (that takes whatever key), with all profiles set up."""
    package = tmp_path / "packages" / "keyring"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text(KEYRING)
    (package / "errors.py").write_text("class KeyringError(Exception): ...\n")
    (tmp_path / ".env").write_text(f"FILE_ONE='{KEYS['file']}'\n")
    config.parent.mkdir()
    with ResponsesServer(key="") as openai, GeminiServer(key=KEYS["credentials"]) as google:
        config.write_text(
            PROFILES.format(
                password=PASSWORD, port=openai.port, python=sys.executable, fake=FAKE, literal=KEYS["literal"],
                google=google.url, openai=openai.base_url,
            )
        )  # fmt: skip
        config.with_name("credentials.toml").write_text(
            f'KEPT_ONE = "{KEYS["credentials"]}"\nMCP_ONE = "{KEYS["mcp"]}"\nRING_ONE = {{ keyring = "asst" }}\n'
        )
        for name, value in {
            "PYTHONPATH": str(package.parent),
            "OPENAI_API_KEY": KEYS["environment"],
            "OPENAI_BASE_URL": openai.base_url,
            "ANTHROPIC_API_KEY": KEYS["unused"],
            "RING": KEYS["keyring"][::-1],  # so that the variable itself is none of the places
        }.items():
            monkeypatch.setenv(name, value)
        yield openai


def keys_sent(server: ResponsesServer) -> str:
    """Every key that the server was sent."""
    return " ".join(request.headers.get("authorization", "") for request in server.requests)


def no_file_has_one(folder: Path) -> None:
    """But for those in which the person has written them."""
    for file in folder.rglob("*"):
        if file.is_file() and file.name not in ("credentials.toml", "config.toml", ".env"):
            assert b"PLANTED" not in file.read_bytes(), file


@pytest.mark.slow("every command and every file, 14 s")
def test_no_output_and_no_file_has_one(asst: Asst, planted: ResponsesServer, tmp_path: Path) -> None:
    """Every profile, answered and refused; every look at what was kept; every way to take it away and bring it back."""
    planted.key = KEYS["environment"]
    told, kept = [], []
    for profile in ("environment", "credentials", "keyring", "file"):
        planted.key = KEYS[profile] if profile != "credentials" else ""
        planted.brain = lambda body: [Call("tell_env")] if "tools" in body and len(body["input"]) < 2 else [Say("ok")]
        for form in ([], ["--json"], ["--events", "--debug"]):
            told.append(asst("--env-file", str(tmp_path / ".env"), "ask", "-p", profile, "--yes", *form, "hi"))
            assert told[-1].code == 0, told[-1].all
        kept.append(Store().newest())  # the other two are alike, but for what was printed
        planted.key = "another"
        with_fault = Status(500, message=f"trouble with {KEYS[profile]}", first=1)
        planted.faults.add(with_fault)
        told.append(asst("--env-file", str(tmp_path / ".env"), "ask", "-p", profile, "--debug", "hi"))
        kept.append(Store().newest())
    assert len(set(kept)) == 8
    for place in ("environment", "keyring", "file"):
        assert f"Bearer {KEYS[place]}" in keys_sent(planted)
    for session in kept:
        for kind in ("json", "md", "html", "mermaid"):
            told.append(asst("sessions", "export", session, "-f", kind))
            asst("sessions", "export", session, "-f", kind, "-o", str(tmp_path / f"{session}.{kind}"))
        told.append(asst("sessions", "import", str(tmp_path / f"{session}.json")))
        ways = ("--timeline", "--sequence", "--events", "--json")
        told += [asst("sessions", "show", session, how) for how in ways]
    commands = (
        ["sessions", "list", "--json"],
        ["sessions", "search", "hi"],
        ["replay", "--speed", "max"],
        ["setup", "list"],
        ["setup", "show", "environment"],
        ["setup", "check", "--json"],
        ["tools", "list", "-p", "environment"],
        ["tools", "run", "tell_env", "-p", "environment"],
        ["doctor"],
        ["doctor", "--json"],
        ["ask", "-p", "password", "--debug", "--events", "hi"],
    )
    told += [asst(*command) for command in commands]
    assert len(told) > 50
    for ran in told:
        assert "PLANTED" not in ran.all, ran.all
    no_file_has_one(tmp_path)


def test_a_chat(planted: ResponsesServer, tmp_path: Path) -> None:
    """With an answer, a refusal, and a transcript that is saved."""
    planted.key = KEYS["keyring"]
    with Tmux([ASST, "chat", "-p", "keyring"], columns=160) as screen:
        screen.wait_for("Ctrl-D leaves")
        screen.enter("hello")
        screen.wait_for("You said: hello")
        planted.key = "another"
        screen.enter("again")
        screen.wait_for("Check the key")
        screen.enter("/events")
        screen.enter(f"/save {tmp_path / 'saved.json'}")
        screen.wait_for("Saved")
        screen.enter("/quit")
        assert "PLANTED" not in screen.wait_end(0)
    assert f"Bearer {KEYS['keyring']}" in keys_sent(planted)
    no_file_has_one(tmp_path)


def test_what_a_person_says_stays(asst: Asst, planted: ResponsesServer) -> None:
    """A key that is pasted as a message is a message: it is sent and kept as it was typed. In the answer it is hidden."""
    planted.key = KEYS["environment"]
    ran = asst("ask", "-p", "gpt", f"What is {KEYS['environment']} for?")
    assert ran.out == "You said: What is [key] for?\n"
    kept = Store().transcript(Store().newest()).exchanges[0]
    assert kept.user == f"What is {KEYS['environment']} for?"
    assert kept.answer == "You said: What is [key] for?"

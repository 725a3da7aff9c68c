"""Keys are planted everywhere they may stand, and found in no output and no file but `credentials.toml`."""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from servers import GeminiServer, ResponsesServer, refused_port

from .conftest import ASST, Asst, Ran
from .tmux import Tmux

PLANTED = {
    "OPENAI_API_KEY": "sk-proj-PLANTED-openai-0123456789",
    "GEMINI_API_KEY": "AIzaPLANTED-gemini-0123456789",
    "GOOGLE_API_KEY": "AIzaPLANTED-google-0123456789",
    "WORK_KEY": "sk-PLANTED-work-0123456789",
    "ANTHROPIC_API_KEY": "sk-ant-PLANTED-0123456789",
}
SETTING_UP = [
    ["setup", "gpt", "--yes"],
    ["setup", "gpt", "--yes", "--no-check", "--debug"],
    ["setup", "gpt", "--name", "work", "--api-key-env", "WORK_KEY", "--yes"],
    ["setup", "gemini", "--yes"],
    ["setup", "gemini", "--name", "g", "--api-key-env", "GEMINI_API_KEY", "--no-check", "--yes"],
    ["setup", "gpt", "--conversation", "--yes"],
    ["setup", "local", "--base-url", "{url}", "--api-key-env", "WORK_KEY", "--yes"],
    ["setup", "use", "g"],
]
LOOKING = [
    ["setup", "list"],
    ["setup", "list", "--json"],
    ["setup", "show", "gpt"],
    ["setup", "show", "work", "--json"],
    ["setup", "check"],
    ["setup", "check", "--json"],
    ["doctor"],
    ["doctor", "--json"],
    ["doctor", "--debug"],
    ["ask", "-p", "gpt", "hi"],
    ["ask", "-p", "gpt", "--json", "hi"],
    ["ask", "-p", "gpt", "--events", "--debug", "hi"],
    ["ask", "-p", "gemini", "--events", "hi"],
    ["ask", "-p", "work", "--background", "hi"],
]
ENDING = [
    ["sessions", "list", "--json"],
    ["sessions", "show", "--events"],
    ["replay", "--check"],
    ["setup", "remove", "work", "--yes"],
]
OFFLINE = [["setup", "gpt", "--yes"], ["ask", "-p", "gpt", "--debug", "hi"], ["setup", "check", "gpt"]]


def _clean(ran: Ran) -> None:
    for part in ("PLANTED", "0123456789"):
        assert part not in ran.all, ran.all


def _no_file_has_it(*folders: Path) -> None:
    for folder in folders:
        for path in folder.rglob("*"):
            if path.is_file() and path.name != "credentials.toml":
                assert b"PLANTED" not in path.read_bytes(), path


@pytest.mark.parametrize("good", [True, False], ids=["accepted", "refused"])
@pytest.mark.parametrize("kept", [False, True], ids=["environment", "credentials.toml"])
def test_no_key_anywhere(
    asst: Asst, tmp_path: Path, credentials: Path, monkeypatch: pytest.MonkeyPatch, good: bool, kept: bool
) -> None:
    """Every command, with keys that are accepted and with keys that are refused, from each place."""
    if kept:
        credentials.parent.mkdir()
        credentials.write_text("".join(f'{name} = "{key}"\n' for name, key in PLANTED.items()))
        credentials.chmod(0o600)
    else:
        for name, key in PLANTED.items():
            monkeypatch.setenv(name, key)
    openai_key = PLANTED["OPENAI_API_KEY"] if good else "sk-another"
    google_key = PLANTED["GOOGLE_API_KEY"] if good else "AIza-another"
    with ResponsesServer(key=openai_key) as openai, GeminiServer(key=google_key) as google:
        monkeypatch.setenv("OPENAI_BASE_URL", openai.base_url)
        monkeypatch.setenv("GOOGLE_GEMINI_BASE_URL", google.url)
        _run([[word.format(url=openai.base_url) for word in command] for command in SETTING_UP], asst)
        _run(LOOKING, asst, at_once=4)  # some of them try again, and wait seconds before they do
        _run(ENDING, asst)
    _run(OFFLINE, asst, at_once=3)  # nobody is there any more
    _no_file_has_it(tmp_path)


def _run(commands: Sequence[Sequence[str]], asst: Asst, at_once: int = 1) -> None:
    with ThreadPoolExecutor(at_once) as pool:
        for ran in pool.map(lambda command: asst(*command), commands):
            _clean(ran)


def test_key_that_is_typed_or_piped(
    asst: Asst, openai: ResponsesServer, tmp_path: Path, credentials: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A key from stdin or from the hidden question stands in credentials.toml alone, which is for the user alone."""
    openai.key = PLANTED["OPENAI_API_KEY"]
    ran = asst("setup", "gpt", "--name", "work", "--api-key-env", "WORK_KEY", "--key-stdin", "--yes", stdin=openai.key)
    assert ran.code == 0, ran.err
    _clean(ran)
    with Tmux([ASST, "setup", "gpt", "-m", "gpt-6-luna", "-s", "x", "--no-tools"]) as screen:
        screen.wait_for("Paste the key")
        screen.type(openai.key)
        screen.wait_for("Make gpt the default profile")
        screen.type("n")
        screen.wait_for("Save this?")
        screen.type("y")
        assert "PLANTED" not in screen.wait_end(0)
    assert credentials.read_text() == f'WORK_KEY = "{openai.key}"\nOPENAI_API_KEY = "{openai.key}"\n'
    assert credentials.stat().st_mode & 0o777 == 0o600
    assert asst("ask", "-p", "gpt", "hi").code == 0
    _no_file_has_it(tmp_path)


def test_credentials_with_an_error(asst: Asst, credentials: Path) -> None:
    """The line is named; what stands there is not."""
    credentials.parent.mkdir()
    for text in ('OPENAI_API_KEY = sk-PLANTED"\n', 'OPENAI_API_KEY = "sk-PLANTED\n', "sk-PLANTED\n"):
        credentials.write_text(text)
        for command in ["ask", "-p", "gpt", "hi"], ["setup", "gpt", "--yes"], ["setup", "list"]:
            ran = asst(*command)
            assert ran.code == 3
            assert "credentials.toml, line 1" in ran.complaint
            _clean(ran)
        _clean(asst("doctor", "--offline"))
        assert credentials.read_text() == text


def test_password_in_an_address(asst: Asst, config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever wrote one into a file or a variable does not see it again."""
    config.parent.mkdir()
    with refused_port() as port:
        url = f"http://me:PLANTED@127.0.0.1:{port}/v1"
        config.write_text(f'[profiles.gpt]\napi_key = "sk-PLANTED"\nbase_url = "{url}"\n')
        monkeypatch.setenv("OPENAI_API_KEY", "sk-x")
        monkeypatch.setenv("HTTPS_PROXY", "http://me:PLANTED@127.0.0.1:9")
        for command in (
            ["setup", "show", "gpt"],
            ["setup", "check", "gpt"],
            ["setup", "gpt", "--yes"],
            ["doctor"],
            ["ask", "-p", "gpt", "hi"],
        ):
            _clean(asst(*command))
        monkeypatch.setenv("OPENAI_BASE_URL", url)
        config.unlink()
        for command in ["setup", "gpt", "--yes"], ["doctor"], ["ask", "-p", "gpt", "hi"]:
            _clean(asst(*command))


@pytest.mark.parametrize(
    "line",
    [
        'api_key = "sk-PLANTED"',
        "api_key_2 = 'sk-PLANTED'",
        'token = """sk-PLANTED"""',
        'headers = { Authorization = "Bearer PLANTED" }',
        'base_url = "http://PLANTED@localhost:9/v1?v=1&key=PLANTED&x=1"',
    ],
)
def test_a_setting_that_is_named_like_a_secret(asst: Asst, config: Path, line: str) -> None:
    """Wherever a person wrote a secret into a profile, no command shows it again."""
    config.parent.mkdir()
    config.write_text(f'[profiles.gpt]\ntoken_limit = "shown"\n{line}\n')
    for command in (["setup", "show", "gpt"], ["setup", "show", "gpt", "--json"], ["doctor", "--offline"]):
        ran = asst(*command)
        _clean(ran)
        assert "show" not in command or "shown" in ran.out
    _clean(asst("setup", "gpt", "-m", "gpt-6-luna", "--no-check", "--yes"))


def test_credentials_that_others_can_read(asst: Asst, credentials: Path) -> None:
    """Doctor says so, and the next key that is kept mends it."""
    credentials.parent.mkdir(mode=0o700)
    credentials.write_text('A = "b"\n')
    credentials.chmod(0o644)
    ran = asst("doctor", "--offline")
    assert ran.code == 1
    assert "chmod 600" in ran.out
    assert asst("setup", "gpt", "--key-stdin", "--no-check", "--yes", stdin="sk-new").code == 0
    assert credentials.stat().st_mode & 0o777 == 0o600
    assert credentials.read_text() == 'A = "b"\nOPENAI_API_KEY = "sk-new"\n'
    assert os.environ.get("OPENAI_API_KEY") is None

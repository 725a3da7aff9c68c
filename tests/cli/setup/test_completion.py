"""Shell completion: what it offers, how fast, and that nothing of it can act on the shell."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from servers import ResponsesServer

from .conftest import Asst, Complete


def _session(title: str, number: int = 0) -> str:
    folder = Path(os.environ["ASST_DATA_DIR"], "sessions", "2026-11")
    folder.mkdir(parents=True, exist_ok=True)
    name = f"01KAPW5Z0000000000000000{number:02}"
    (folder / f"{name}.jsonl").write_text("")
    (folder / f"{name}.json").write_text(
        json.dumps({"format": "asst-transcript", "id": name, "title": title}, indent=2)
    )
    return name


def test_profiles_models_presets_and_tools(complete: Complete, config: Path) -> None:
    """Each place offers what fits there: the models of the provider that is meant, the profiles with theirs."""
    config.parent.mkdir()
    config.write_text('[profiles.work]\nprovider = "gpt"\nmodel = "gpt-7"\ntools = ["my.tools:add"]\n')
    assert complete("asst ask -p ") == ["gpt", "gemini", "anthropic", "local", "work"]
    assert complete("asst ask -p w", "fish") == ["work\tgpt gpt-7"]
    assert complete("asst ask -p gemini -m gemini-4") == ["gemini-4-hydrogen", "gemini-4-carbon"]
    assert "gpt-7" in complete("asst chat -p work -m ")
    assert complete("asst setup gpt -m gpt-6-")[0] == "gpt-6-luna"
    assert complete("asst setup gpt --preset ") == ["brief", "stocks"]
    assert complete("asst setup use wo") == ["work"]
    assert "my.tools:add" in complete("asst ask -t ")
    assert "stocks" in complete("asst ask -t ")


def test_models_are_those_that_setup_saw(complete: Complete, asst: Asst, openai: ResponsesServer) -> None:
    """What the provider listed last is offered."""
    openai.models = {"gpt-9": None, "gpt-8": None}
    assert asst("setup", "gpt", "-m", "gpt-9", "--yes", env={"OPENAI_API_KEY": openai.key}).code == 0
    assert complete("asst ask -p gpt -m ") == ["gpt-8", "gpt-9"]


@pytest.mark.parametrize("command", ["ask --session ", "chat --session ", "sessions show ", "replay "])
def test_sessions_with_their_titles(complete: Complete, command: str) -> None:
    """The newest sessions are offered, and in shells that show it, what they were about."""
    first, second = _session("The capital of France", 1), _session("Zwölf Monate", 2)
    assert complete(f"asst {command}") == [second, first]
    assert complete(f"asst {command}", "fish")[0] == f"{second}\tZwölf Monate"
    assert complete(f"asst {command}{first.lower()}") == [first.lower()]


def test_nothing_acts_on_the_shell(complete: Complete, config: Path) -> None:
    """Zsh evaluates what it is given, twice: titles and names lose every character that it would act on."""
    _session("\\$(touch x) \\`touch x` \"'; touch x & <x> {a,b} *\n\x1b]0;t\x07")
    config.parent.mkdir()
    config.write_text('[profiles."a$(touch x)"]\nprovider = "gpt"\n[profiles.b]\nprovider = "`touch x`"\n')
    for line in ("asst ask --session ", "asst ask -p "):
        for shell in ("zsh", "fish", "bash"):
            said = "\n".join(complete(line, shell)).removeprefix("_arguments '*: :((").removesuffix("))'")
            assert not set("$`\\';&<>{}*\x1b") & set(said)


def test_what_cannot_be_read_offers_nothing(complete: Complete, config: Path) -> None:
    """A file with an error, or none at all, is no reason to complain on somebody's prompt."""
    assert complete("asst ask --session ") == []
    config.parent.mkdir()
    for text in ("profiles = 3", "nonsense", "[profiles]\ngpt = 4\n"):
        config.write_text(text)
        assert "local" in complete("asst ask -p ")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_it_is_quick(complete: Complete, shell: str) -> None:
    """The best of five is under 150 ms of work (not of waiting for others on this machine), with a hundred sessions."""
    for number in range(99):
        _session(f"Session {number}", number)
    spent = []
    for _ in range(5):
        began = _work()
        assert len(complete("asst ask --session ", shell, by_python=True)) == 40
        spent.append(_work() - began)
    assert min(spent) < 0.15


def _work() -> float:
    """Seconds of the processor that ended children have had."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def test_it_imports_no_sdk() -> None:
    """Neither an SDK nor a provider, msgspec, pydantic, Rich or asyncio is loaded."""
    program = (
        "import atexit, sys; atexit.register(lambda: print('\\n' + ' '.join(n for n in sys.modules if sys.modules[n]),"
        " file=sys.stderr)); from asstproxy.__main__ import main; main()"
    )
    env = {**os.environ, "_ASST_COMPLETE": "complete_zsh", "_TYPER_COMPLETE_ARGS": "asst ask --session "}
    done = subprocess.run([sys.executable, "-c", program], env=env, capture_output=True, text=True, check=False)
    loaded = set(done.stderr.splitlines()[-1].split())
    assert "typer" in loaded
    assert not loaded & {"openai", "google.genai", "pydantic", "rich", "msgspec", "asyncio", "asstproxy.providers"}


def test_it_installs(asst: Asst, home: Path) -> None:
    """`--install-completion` writes the shell's own file in the home folder."""
    ran = asst("--install-completion", env={"SHELL": "/bin/bash", "_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION": "1"})
    ran = ran if ran.code == 0 else asst("--install-completion", "bash")
    assert ran.code == 0, ran.all
    assert (home / ".bash_completions" / "asst.sh").exists()

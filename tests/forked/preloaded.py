"""A process that has imported what `asst` imports, and becomes `asst` in a fork whenever it is asked to.

Run by `asst_command.py`, which says why. Each request is a JSON object and four file descriptors: the standard streams, and where
to write the process id and, at the end, the status that `waitpid` gives. Requests are told apart by their length.
"""

from __future__ import annotations

import atexit
import contextlib
import gc
import io
import json
import os
import selectors
import signal
import socket
import sys
import threading
import time
import warnings
from importlib import import_module
from pathlib import Path
from typing import Any, NoReturn

WITH_EVERY_QUESTION = (
    "anyio._backends._asyncio",
    "httpcore2",
    "httpx2",
    "typer.main",
    "asstproxy.__main__",
    "asstproxy.cli.commands.ask",
    "asstproxy.cli.conversation_setup",
    "asstproxy.cli.one_exchange",
    "asstproxy.cli.render.plain",
    "asstproxy.providers.openai.gpt",
    "asstproxy.providers.transport.http",
    "asstproxy.store.store",
)
"""What `asst ask` imports into a pipe, whatever it is asked."""
LIBRARIES = (
    "genai_prices",
    "griffe",
    "jsonschema",
    "markdown_it",
    "prompt_toolkit.shortcuts",
    "pydantic",
    "rich.console",
    "rich.live",
    "rich.table",
    "rich.text",
    "sqlite3",
    "tomlkit",
)
"""What other commands import of other people: `asst` itself is never further than `asst ask`, so that a forgotten import fails."""
OF_EXTRAS = ("mcp",)
"""The same of what may not be installed. Not `openai`, which reads `OPENAI_LOG` when it is imported."""


def serve(requests: socket.socket) -> dict[str, Any] | None:
    """Fork for each request, until nobody can ask any more: then None. In a fork: the request, with the streams in place."""
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})  # Ctrl-C is for the tests, and for who runs for them
    running: dict[int, int] = {}  # process ids, and where the exit code goes, by the descriptor of the process
    with selectors.DefaultSelector() as selector:
        selector.register(requests, selectors.EVENT_READ)
        while True:
            for key, _ in selector.select():
                if key.fileobj is not requests:
                    selector.unregister(key.fileobj)
                    _report_end(int(key.fd), *key.data)
                    continue
                request, descriptors = _receive(requests)
                if request is None:
                    return None
                *streams, result = descriptors
                pid = os.fork()
                if pid == 0:
                    selector.close()
                    requests.close()
                    for fd in (result, *running):
                        os.close(fd)
                    for number, fd in enumerate(streams):
                        os.dup2(fd, number)
                    for fd in set(streams) - {0, 1, 2}:
                        os.close(fd)
                    return request
                for fd in streams:
                    os.close(fd)
                os.write(result, b"%d\n" % pid)
                handle = os.pidfd_open(pid)
                selector.register(handle, selectors.EVENT_READ, (pid, result, running))
                running[handle] = running[result] = pid


def _report_end(handle: int, pid: int, result: int, running: dict[int, int]) -> None:
    _, status = os.waitpid(pid, 0)
    with contextlib.suppress(BrokenPipeError):  # nobody waits for it
        os.write(result, b"%d\n" % status)
    for fd in (handle, result):
        os.close(fd)
        del running[fd]


def _receive(requests: socket.socket) -> tuple[dict[str, Any] | None, list[int]]:
    head, descriptors, _, _ = socket.recv_fds(requests, 8, 4)
    if not head:
        return None, []
    size, data = int.from_bytes(head, "big"), b""
    while len(data) < size:
        data += requests.recv(size - len(data))
    return json.loads(data), descriptors


def become(request: dict[str, Any]) -> None:
    """Be a process that was started with these arguments, variables and streams."""
    if request["terminal"]:
        import fcntl
        import termios

        os.setsid()
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)  # so that Ctrl-C is a signal
    os.chdir(request["cwd"])
    os.umask(request["umask"])
    os.environ.clear()
    os.environ.update(request["env"])
    time.tzset()
    sys.path[1:1] = filter(None, request["env"].get("PYTHONPATH", "").split(os.pathsep))
    sys.argv = request["argv"]
    # As Python opens them when it starts.
    for fd, name in enumerate(("stdin", "stdout", "stderr")):
        stream = _stream(fd, "w" if fd else "r", getattr(sys, name))
        setattr(sys, name, stream)
        setattr(sys, f"__{name}__", stream)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})


def _stream(fd: int, mode: str, like: Any) -> Any:
    raw = open(fd, f"{mode}b", closefd=False)  # noqa: SIM115 - as long as the process
    return io.TextIOWrapper(raw, like.encoding, like.errors, line_buffering=mode == "w" and (fd == 2 or raw.isatty()))


def end(code: int) -> NoReturn:
    """End as Python does, but for taking all modules apart (30 ms): threads, what `atexit` knows, the streams."""
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except OSError:
        code = 120
    os._exit(code)


def preload() -> None:
    """Import it all, and keep it out of the garbage collection, which would copy every page."""
    sys.path[0] = str(Path(sys.executable).parent)  # where `asst` is, as when it is run
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for module in (*WITH_EVERY_QUESTION, *LIBRARIES):
            import_module(module)
        for module in OF_EXTRAS:
            with contextlib.suppress(ImportError):
                import_module(module)
    gc.collect()
    gc.freeze()


if __name__ == "__main__":
    preload()
    given = serve(socket.socket(fileno=int(sys.argv[1])))
    if given is not None:
        become(given)
        from asstproxy.__main__ import main

        try:
            main()
        except SystemExit as ended:
            if isinstance(ended.code, int):
                end(ended.code)
            raise
        end(0)

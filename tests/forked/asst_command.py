"""The command `asst`, started as a shell starts it, but in a fraction of the time.

The tests start the command 3,500 times. Each time, Python would start and import the same modules, for 0.2 s: half of the time
of all tests. So a process that has imported them forks. What runs then is `asst`'s own `main`, in a process of its own, with the
arguments, the variables, the folder and the streams that it was given. tests/test_startup.py tests what a command imports;
tests/test_docs.py, tests/test_every_day.py and whatever starts `ASST` from a shell or in tmux run the installed script.

Python itself makes a start that is about Python (`PYTHONIOENCODING`, another locale, modules in place of ours), every start with
an option of `Popen` that a fork doesn't know, every start where there is no `pidfd_open`, and all of them if the variable
`ASST_TESTS_START` is "python".
"""

from __future__ import annotations

import atexit
import contextlib
import fcntl
import json
import os
import select
import socket
import subprocess
import sys
import termios
import threading
from collections.abc import Mapping, Sequence
from importlib.machinery import PathFinder
from pathlib import Path
from typing import Any

__all__ = ["ASST", "run", "start"]

ASST = str(Path(sys.executable).with_name("asst"))
PRELOADED = Path(__file__).with_name("preloaded.py")
OF_PYTHON = ("PYTHON", "LC_", "LANG", "LD_")
"""Variables that Python reads before any of our code runs."""
OF_POPEN = frozenset(
    ("stdin", "stdout", "stderr", "cwd", "env", "text", "encoding", "errors", "universal_newlines", "bufsize")
)
"""The options that a fork knows."""
AT_START = dict(os.environ)
"""What the process that forks is given: tests change our variables."""
CAN_FORK = hasattr(os, "pidfd_open") and os.environ.get("ASST_TESTS_START") != "python"


def run(command: Sequence[str | bytes | Path], **how: Any) -> subprocess.CompletedProcess[Any]:
    """`subprocess.run` for `[ASST, …]`."""
    given, timeout, check = how.pop("input", None), how.pop("timeout", None), how.pop("check", False)
    if how.pop("capture_output", False):
        how |= {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    if given is not None:
        how["stdin"] = subprocess.PIPE
    with start(command, **how) as process:
        try:
            out, err = process.communicate(given, timeout)
        except BaseException:
            process.kill()
            raise
    done = subprocess.CompletedProcess(process.args, process.returncode, out, err)
    if check:
        done.check_returncode()
    return done


def start(
    command: Sequence[str | bytes | Path], *, on_terminal: bool = False, by_python: bool = False, **how: Any
) -> subprocess.Popen[Any]:
    """`subprocess.Popen` for `[ASST, …]`.

    `on_terminal`: stdin is a terminal, which becomes its own, so that Ctrl-C is a signal. `by_python`: no fork, because the test
    measures what a start costs, or a child of its own.
    """
    words = [os.fsdecode(word) for word in command]
    if (
        words[0] == ASST
        and CAN_FORK
        and not by_python
        and how.keys() <= OF_POPEN
        and _is_usual(how.get("env") or os.environ)
    ):
        return _Forked(words, on_terminal=on_terminal, **how)
    if on_terminal:
        how |= {"start_new_session": True, "preexec_fn": lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0)}
    return subprocess.Popen(words, **how)


def _is_usual(env: Mapping[str, str]) -> bool:
    folders = env.get("PYTHONPATH", "").split(os.pathsep)
    given = (name for name in env if name.startswith(OF_PYTHON) and name != "PYTHONPATH")
    return all(AT_START.get(name) == env[name] for name in given) and not any(map(_replaces, folders))


def _replaces(folder: str) -> bool:
    """Whether a folder of `PYTHONPATH` has modules in place of others, which the process that forks may have imported."""
    modules = {path.name.partition(".")[0] for path in Path(folder or ".").glob("*")} if folder else set[str]()
    return any(name in ("sitecustomize", "usercustomize") or PathFinder.find_spec(name) for name in modules)


class _Forked(subprocess.Popen[Any]):
    """A `Popen` whose process another one forks, and waits for."""

    def __init__(self, command: Sequence[str], *, on_terminal: bool, **how: Any) -> None:
        self._on_terminal, self._status = on_terminal, None
        super().__init__(command, **how)

    def _execute_child(self, args: Sequence[str], *rest: Any) -> None:
        _, _, _, _, cwd, env, _, _, _, *pipes = rest
        stdin, stdin_ours, stdout_ours, stdout, stderr_ours, stderr = pipes[:6]
        request = {
            "argv": args,
            "env": dict(os.environ if env is None else env),
            "cwd": os.fspath(cwd or Path.cwd()),
            "umask": int(Path("/proc/self/status").read_text().partition("Umask:")[2].split()[0], 8),
            "terminal": self._on_terminal,
        }
        streams = [given if given >= 0 else number for number, given in enumerate((stdin, stdout, stderr))]
        self._result, theirs = os.pipe()
        try:
            _Preloaded.get().request(request, [*streams, theirs])
        finally:
            os.close(theirs)
        self.pid, self._child_created = int(self._line()), True
        self._close_pipe_fds(stdin, stdin_ours, stdout_ours, stdout, stderr_ours, stderr)  # type: ignore[attr-defined]

    def _line(self) -> bytes:
        line = b""
        while not line.endswith(b"\n"):
            if not (more := os.read(self._result, 1)):
                raise RuntimeError("The process that forks has ended.")
            line += more
        return line

    def _try_wait(self, flags: int) -> tuple[int, int]:
        if flags & os.WNOHANG and not _can_be_read(self._result):
            return 0, 0
        status = int(self._line())
        os.close(self._result)
        return self.pid, status

    def _internal_poll(self, _deadstate: int | None = None, **_: Any) -> int | None:
        if self.returncode is None:
            with self._waitpid_lock:  # type: ignore[attr-defined]
                if self.returncode is None and (done := self._try_wait(os.WNOHANG))[0]:
                    self._handle_exitstatus(done[1])  # type: ignore[attr-defined]
        return self.returncode

    def send_signal(self, sig: int) -> None:
        """As of `Popen`, which knows that a process whose end it has not read is there still."""
        with contextlib.suppress(ProcessLookupError):
            super().send_signal(sig)


def _can_be_read(fd: int) -> bool:
    return bool(select.select([fd], [], [], 0)[0])


class _Preloaded:
    """The process that forks: one for each process of pytest."""

    _one: _Preloaded | None = None
    _making = threading.Lock()

    @classmethod
    def get(cls) -> _Preloaded:
        with cls._making:
            if cls._one is None:
                cls._one = cls()
                atexit.register(cls._one.close)
            return cls._one

    def __init__(self) -> None:
        self._requests, theirs = socket.socketpair()
        self._one_at_a_time = threading.Lock()
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, str(PRELOADED), str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                cwd="/",
                env=AT_START,
            )

    def request(self, request: Mapping[str, Any], descriptors: Sequence[int]) -> None:
        data = json.dumps(request).encode()
        with self._one_at_a_time:
            socket.send_fds(self._requests, [len(data).to_bytes(8, "big")], descriptors)
            self._requests.sendall(data)

    def close(self) -> None:
        self._requests.close()
        self._process.wait()

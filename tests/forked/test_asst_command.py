"""A fork is `asst` as a shell would start it, and the process that forks leaves nothing behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from servers import ResponsesServer, Say

from . import asst_command, preloaded
from .asst_command import ASST

pytestmark = pytest.mark.skipif(not asst_command.CAN_FORK, reason="Python makes every start here")
TOOL = '''
import json, os, resource, signal, sys, time

def here() -> str:
    """What a process has been given."""
    streams = [(s.encoding, s.errors, s.line_buffering, s.isatty()) for s in (sys.stdin, sys.stdout, sys.stderr)]
    signals = [signal.getsignal(signal.SIGINT).__qualname__, int(signal.getsignal(signal.SIGPIPE))]
    return json.dumps([
        os.getcwd(), os.umask(0), dict(os.environ), time.tzname, sys.path[0], sys.argv, streams, os.listdir("/proc/self/fd"),
        signals, [*map(int, signal.pthread_sigmask(0, []))], os.getpgid(0) == os.getpgid(os.getppid()),
        resource.getrlimit(resource.RLIMIT_NOFILE),
    ])
'''


def both(command: list[str], **how: Any) -> list[tuple[int, Any, Any]]:
    """Exit code, stdout and stderr of a fork, and of a start by Python."""
    done = [
        asst_command.run([ASST, *command], by_python=by_python, timeout=60, capture_output=True, **how)
        for by_python in (False, True)
    ]
    return [(one.returncode, one.stdout, one.stderr) for one in done]


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Behind `-p gpt`."""
    with ResponsesServer() as running:
        monkeypatch.setenv("OPENAI_BASE_URL", running.base_url)
        monkeypatch.setenv("OPENAI_API_KEY", running.key)
        yield running


@pytest.mark.parametrize(
    "command", [["--version"], ["script"], ["ask"], ["ask", "-q", "-p", "gpt", "-"], ["tools", "run", "none:such"]]
)
def test_the_outcome_is_the_same(command: list[str], server: ResponsesServer) -> None:
    """Exit code, stdout and stderr, of what succeeds and of what fails."""
    fork, python = both(command, input="Zürich → 東京".encode())
    assert fork == python


def test_a_process_is_given_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The folder, the umask, the variables, the time zone, the streams, the signals and the limits."""
    (tmp_path / "place.py").write_text(TOOL)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    monkeypatch.delenv("PYTHONUNBUFFERED", raising=False)
    os.umask(0o027)
    done = both(["tools", "run", "./place.py:here"], stdin=subprocess.DEVNULL, env=dict(os.environ))
    fork, python = (json.loads(out) for _, out, _ in done)
    assert (fork[0], fork[1], fork[3]) == (str(tmp_path), 0o027, ["JST", "JST"])
    assert fork == python


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_as_any_process(number: signal.Signals, server: ResponsesServer) -> None:
    """The code is that of `Popen`: asst's own, or the signal's that nothing can catch."""
    server.brain = lambda _: [Say("one two", pieces=["one ", "two"], pace=30)]
    command = [ASST, "ask", "-q", "-p", "gpt", "hi"]
    with asst_command.start(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.read(3) == b"one"
        assert process.poll() is None
        process.send_signal(number)
        expected = -number if number is signal.SIGKILL else 128 + number
        assert process.wait(10) == expected
    process.kill()  # it has ended: nothing happens


def test_what_is_about_python_is_started_by_python(tmp_path: Path) -> None:
    """Another encoding, modules in place of others, an option that a fork lacks; not a folder with modules of its own."""
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "module_of_a_test.py").touch()
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "rich.py").touch()
    how: dict[str, Any] = {"stdout": subprocess.DEVNULL}
    kinds = []
    for more in (
        {},
        {"env": {**os.environ, "PYTHONPATH": str(tmp_path / "own")}},
        {"env": {**os.environ, "PYTHONPATH": str(tmp_path / "other")}},
        {"env": {**os.environ, "PYTHONIOENCODING": "latin-1"}},
        {"start_new_session": True},
        {"by_python": True},
    ):
        with asst_command.start([ASST, "--version"], **how, **more) as process:
            kinds.append(type(process) is subprocess.Popen)
    assert kinds == [False, False, True, True, True, True]


def test_it_has_imported_no_more_of_ours_than_a_question_does() -> None:
    """Else a command whose own import is missing would work in the tests alone; what others have written may be there."""
    shown = "print(*sorted(name for name in sys.modules if name.startswith('asstproxy')))"
    imports = (
        f"import importlib, sys\nfor name in {preloaded.WITH_EVERY_QUESTION}: importlib.import_module(name)\n{shown}"
    )
    there = subprocess.run([sys.executable, "-c", imports], capture_output=True, text=True, check=True).stdout.split()
    with ResponsesServer() as server:
        env = {**os.environ, "OPENAI_BASE_URL": server.base_url, "OPENAI_API_KEY": server.key}
        asking = f"import atexit, sys\natexit.register(lambda: {shown})\nfrom asstproxy.__main__ import main\nmain()"
        command = [sys.executable, "-c", asking, "ask", "-q", "-p", "gpt", "hi"]
        done = subprocess.run(command, capture_output=True, text=True, check=True, env=env)
    assert set(there) <= set(done.stdout.splitlines()[-1].split())


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGINT], ids=["killed", "Ctrl-C"])
def test_nothing_stays_when_the_tests_end(end: signal.Signals) -> None:
    """The process that forks ends with the one that it forks for, however that ends."""
    program = (
        "import signal, sys\nsignal.signal(signal.SIGINT, signal.default_int_handler)\nfrom forked import asst_command\n"
        "asst_command.run([asst_command.ASST, '--version'], check=True)\n"
        "print(asst_command._Preloaded.get()._process.pid, flush=True)\nsys.stdin.read()\n"
    )
    tests = subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        cwd=Path(__file__).parents[1], start_new_session=True,
    )  # fmt: skip
    with tests:
        assert tests.stdout is not None
        tests.stdout.readline()
        pid = int(tests.stdout.readline())
        assert Path(f"/proc/{pid}").exists()
        if end is signal.SIGINT:
            os.killpg(tests.pid, end)
        else:
            tests.kill()
        tests.wait(20)
    until = time.monotonic() + 20
    while _runs(pid):
        assert time.monotonic() < until
        time.sleep(0.02)


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False

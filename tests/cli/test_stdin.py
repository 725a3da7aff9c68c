"""What `asst ask` reads from stdin, and what it does not wait for."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from forked import asst_command
from servers import ResponsesServer

from .conftest import ASST, Asst


def _sent(server: ResponsesServer) -> str:
    return str(server.requests[-1].json["input"][-1]["content"][0]["text"])


def _shell(script: str, **settings: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # type: ignore[call-overload,no-any-return]
        ["bash", "-c", script, "bash", ASST], capture_output=True, text=True, timeout=60, check=False, **settings
    )


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux knows who writes to a pipe")
@pytest.mark.parametrize(
    "script",
    [
        '(sleep 3; echo DATA) | "$1" ask -q -p gpt summarize',
        '(echo DATA; sleep 3; echo END) | "$1" ask -q -p gpt summarize',
        '(sleep 3; echo DATA) | cat | "$1" ask -q -p gpt summarize',
        '"$1" ask -q -p gpt summarize < <(sleep 3; echo DATA)',
        '(sleep 3; echo DATA) | sh -c "\\"$1\\" ask -q -p gpt summarize; true"',
    ],
)
def test_a_slow_pipeline_is_waited_for(script: str, server: ResponsesServer) -> None:
    """Data that comes after more than 2 s is part of the message."""
    done = _shell(script)
    assert (done.returncode, done.stderr) == (0, "")
    assert _sent(server).startswith("summarize\n\nDATA")
    assert "END" not in script or _sent(server).endswith("END")


def test_a_pipe_that_our_parent_leaves_open_is_not_waited_for(server: ResponsesServer) -> None:
    """An agent's open stdin: after 2 s the message goes out, and stderr says so even with -q."""
    began = time.monotonic()
    with subprocess.Popen(
        ["sh", "-c", '"$1" ask -q -p gpt hi; true', "sh", ASST], stdin=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stderr is not None
        assert "left out" in process.stderr.read().decode()
        assert process.wait() == 0
    assert time.monotonic() - began > 2
    assert _sent(server) == "hi"


def test_a_writer_elsewhere_is_waited_for_two_seconds(server: ResponsesServer) -> None:
    """Of a socket nobody knows the writer: what comes within 2 s counts."""
    import socket

    ours, theirs = socket.socketpair()
    with ours, theirs:
        process = asst_command.start([ASST, "ask", "-q", "-p", "gpt", "hi"], stdin=theirs.fileno())
        theirs.close()
        time.sleep(0.8)
        ours.sendall(b"DATA")
        ours.shutdown(socket.SHUT_WR)
        assert process.wait(timeout=60) == 0
    assert _sent(server) == "hi\n\nDATA"


def test_no_stdin_leaves_it_out(server: ResponsesServer) -> None:
    """`--no-stdin`: not read, not waited for, not mentioned."""
    done = _shell('echo DATA | "$1" ask -q -p gpt --no-stdin hi')
    assert (done.returncode, done.stderr) == (0, "")
    assert _sent(server) == "hi"


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-be", "utf-8-sig"])
def test_a_byte_order_mark_names_the_encoding(encoding: str, asst: Asst, server: ResponsesServer) -> None:
    """UTF-16 of both kinds, and UTF-8; the mark is not part of the message."""
    mark = b"\xfe\xff" if encoding == "utf-16-be" else b""
    assert asst("ask", "-q", "-p", "gpt", stdin=mark + "Zürich → 東京 😀".encode(encoding)).code == 0
    assert _sent(server) == "Zürich → 東京 😀"


@pytest.mark.parametrize(
    ("source", "words"), [("/dev/zero", "NUL"), ("/dev/urandom", "not"), ("<(yes)", "more than 64 MB")]
)
def test_input_without_an_end_is_refused(source: str, words: str, server: ResponsesServer) -> None:
    """Exit 2 and one line; nothing is sent."""
    done = _shell(f'"$1" ask -q -p gpt hi - < {source}')
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)
    assert words in done.stderr
    assert not server.requests


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_a_wait_for_stdin_can_be_interrupted(number: int, code: int, server: ResponsesServer) -> None:
    """While nothing comes: the signal's code, at once, and nothing is sent."""
    with asst_command.start([ASST, "ask", "-p", "gpt", "-"], stdin=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        status = Path(f"/proc/{process.pid}/wchan")
        deadline = time.monotonic() + 20
        while "pipe" not in status.read_text() and time.monotonic() < deadline:
            time.sleep(0.05)
        process.send_signal(number)
        assert process.wait(timeout=10) == code
        assert process.stderr is not None
        assert process.stderr.read() == b""
    assert not server.requests


# ---- arguments and surroundings ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "arguments",
    [
        ["ask", b"\xff"],
        ["ask", "-p", b"\xff", "hi"],
        ["ask", "--session", b"a\xff", "hi"],
        ["sessions", "import", b"\xff.json"],
        [b"\xff"],
        [b"--\xff"],
    ],
)
def test_arguments_that_are_not_text_are_refused(arguments: list[str | bytes]) -> None:
    """Bytes that are not UTF-8: exit 2, and one line with the argument's number."""
    done = asst_command.run([ASST, *arguments], capture_output=True, stdin=subprocess.DEVNULL, check=False)
    number = 1 + next(i for i, argument in enumerate(arguments) if isinstance(argument, bytes))
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)
    assert done.stderr.startswith(b"asst: Argument %d is not UTF-8 text." % number)


@pytest.mark.skipif(sys.platform == "win32", reason="has no passwd")
@pytest.mark.parametrize("arguments", [["ask", "hi"], ["sessions", "list"], ["setup", "list"], ["doctor", "--offline"]])
def test_no_home_is_one_line(arguments: list[str], tmp_path: Path) -> None:
    """No HOME and no passwd entry: the line names what to set, and no folder is created."""
    hide, empty = tmp_path / "hide", tmp_path / "empty"
    hide.mkdir()
    empty.mkdir()
    # As for a user of a container whose number is in no passwd.
    (hide / "sitecustomize.py").write_text(
        "import pwd\ndef unknown(number): raise KeyError(number)\npwd.getpwuid = unknown\n"
    )
    env = {name: value for name, value in os.environ.items() if name != "HOME" and not name.startswith("ASST_")}
    done = asst_command.run(
        [ASST, *arguments], env=env | {"PYTHONPATH": str(hide)}, cwd=empty,
        capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False,
    )  # fmt: skip
    assert done.returncode == 3
    assert done.stderr.splitlines()[-1].startswith("asst: Your home folder is unknown. Set HOME")
    assert "bug in asst" not in done.stderr
    assert not list(empty.iterdir())


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["ask", "-q", "-p", "gpt", "hi"], 0),
        (["sessions", "list"], 0),
        (["tools", "list"], 0),
        (["doctor", "--offline", "--json"], 0),
        (["ask", "-p", "gpt", "-t", "./x.py", "hi"], 2),
        (["replay", "./x.json"], 5),
        (["tools", "run", "nothing.here:function"], 2),
    ],
)
def test_a_deleted_folder_is_no_fault_of_asst(
    arguments: list[str], code: int, server: ResponsesServer, tmp_path: Path
) -> None:
    """The current folder was deleted: what does not need it works; what does says so in one line."""
    (tmp_path / "gone").mkdir()
    done = subprocess.run(
        ["bash", "-c", 'cd "$0" && rmdir "$0" && exec "$@"', str(tmp_path / "gone"), ASST, *arguments],
        capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False,
    )  # fmt: skip
    assert done.returncode == code, done.stderr
    assert "bug in asst" not in done.stderr
    assert code == 0 or len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    "arguments",
    [
        ["sessions", "import", "/dev/zero"],
        ["replay", "/dev/zero"],
        ["replay", "--check", "/dev/zero"],
        ["--env-file=/dev/zero", "script"],
        ["ask", "-p", "gpt", "-t", "/dev/zero", "hi"],
        ["sessions", "export", "-o", "/dev/zero"],
        ["setup", "gpt", "--yes", "--instructions", "@/dev/zero"],
    ],
)
def test_a_device_is_no_file(arguments: list[str], server: ResponsesServer, asst: Asst) -> None:
    """One line, soon, and it is not called a bug."""
    asst("ask", "-q", "-p", "gpt", "hi")
    ran = asst(*arguments, timeout=20)
    assert (ran.code, ran.out, len(ran.err.splitlines())) == (2, "", 1)
    assert "bug in asst" not in ran.err

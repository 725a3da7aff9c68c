"""`asst ask -o FILE` and `-x`: the answer, or its code, where a script wants it."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asstproxy.cli.render.code_view import code_block
from servers import Call, Cut, Incomplete, ResponsesServer, Say, Script, Status

from .conftest import ASST, Asst, Ran

ANSWER = "First:\n\n```python\nprint('a')\n\n    b\n```\n\nthen\n\n~~~~ sh\n```\nls\n```\n~~~~\n"
FIRST, LAST = "print('a')\n\n    b\n", "```\nls\n```\n"


@pytest.fixture(autouse=True)
def _answers(server: ResponsesServer) -> None:
    server.brain = lambda _: [Say(ANSWER)]


@pytest.mark.parametrize(("option", "code"), [("-x", FIRST), ("--extract", FIRST), ("--extract-last", LAST)])
def test_stdout_is_exactly_the_code(asst: Asst, option: str, code: str) -> None:
    """Not a character more than what stands between the fences."""
    assert asst("ask", "-p", "gpt", "-q", option, "hi") == Ran(0, code, "")


def test_an_answer_without_code_is_a_mismatch(asst: Asst, server: ResponsesServer, tmp_path: Path) -> None:
    """Exit 6, one line, nothing on stdout, no file; the answer is in the session."""
    server.brain = lambda _: [Say("No code.")]
    ran = asst("ask", "-p", "gpt", "-q", "-x", "-o", str(tmp_path / "out"), "hi")
    assert ran == Ran(6, "", "asst: The answer has no code block. Show it: asst sessions show\n")
    assert not (tmp_path / "out").exists()
    assert "No code." in asst("sessions", "show").out


@pytest.mark.parametrize("option", ["--json", "--events"])
def test_code_and_json_exclude_each_other(asst: Asst, server: ResponsesServer, option: str) -> None:
    """`-x` with a form that prints everything: exit 2, no request."""
    ran = asst("ask", "-p", "gpt", "-x", option, "hi")
    assert (ran.code, ran.out, len(ran.err.splitlines()), server.requests) == (2, "", 1, [])


def test_the_file_has_the_answer_and_stdout_too(asst: Asst, tmp_path: Path) -> None:
    """As `codex exec -o` does: the file is a copy, for its owner only; with `-x`, both are the code."""
    file = tmp_path / "answer.md"
    assert asst("ask", "-p", "gpt", "-q", "-o", str(file), "hi").out == ANSWER == file.read_text()
    assert file.stat().st_mode & 0o777 == 0o600
    assert asst("ask", "-p", "gpt", "-q", "-x", "-o", str(file), "hi").out == FIRST == file.read_text()


def test_the_folder_of_the_file_stays_as_it_is(asst: Asst, tmp_path: Path) -> None:
    """It is the user's own: its permissions, other files and those of the old file don't change; a link stays one."""
    folder = tmp_path / "shared"
    folder.mkdir()
    folder.chmod(0o755)
    (folder / "real").write_text("old")
    (folder / "real").chmod(0o644)
    (folder / "link").symlink_to("real")
    assert asst("ask", "-p", "gpt", "-q", "-o", str(folder / "link"), "hi").code == 0
    assert (folder / "link").is_symlink()
    assert (folder / "real").read_text() == ANSWER
    assert (folder.stat().st_mode & 0o777, (folder / "real").stat().st_mode & 0o777) == (0o755, 0o644)
    assert sorted(os.listdir(folder)) == ["link", "real"]


def test_the_file_is_the_last_answer_after_tools(asst: Asst, server: ResponsesServer, tmp_path: Path) -> None:
    """What was said before a tool call isn't in it."""
    tool = tmp_path / "tools.py"
    tool.write_text('def price() -> str:\n    """The price."""\n    return "4"\n')
    server.brain = Script([Say("Let me look."), Call("price", {})], [Say("It is 4.")])
    ran = asst("ask", "-p", "gpt", "-q", "-t", str(tool), "--yes", "-o", str(tmp_path / "out"), "hi")
    assert (ran.code, (tmp_path / "out").read_text()) == (0, "It is 4.\n")


@pytest.mark.parametrize("spoilt", ["incomplete", "cut", "refused"])
def test_only_a_complete_answer_is_saved(asst: Asst, server: ResponsesServer, tmp_path: Path, spoilt: str) -> None:
    """A partial answer leaves the old file as it was, and `-x` prints nothing of it."""
    file = tmp_path / "out"
    file.write_text("old")
    match spoilt:
        case "incomplete":
            server.brain = lambda _: [Say("```\na\n```\n"), Incomplete("max_output_tokens")]
        case "cut":
            server.faults.add(Cut(event=6))
        case _:
            server.faults.add(Status(400))
    ran = asst("ask", "-p", "gpt", "-q", "-x", "-o", str(file), "hi")
    assert (ran.code, ran.out, file.read_text()) == (4 if spoilt == "incomplete" else 1, "", "old")


@pytest.mark.parametrize("name", ["", "-"])
def test_the_file_has_a_name(asst: Asst, server: ResponsesServer, name: str) -> None:
    """An empty variable of a script, or `-`, is exit 2 and no request."""
    ran = asst("ask", "-p", "gpt", "-o", name, "hi")
    assert (ran.code, ran.out, ran.err.count("\n"), server.requests) == (2, "", 1, [])


@pytest.mark.parametrize("place", ["a folder", "no folder", "a pipe", "a device", "read-only", "a file as a folder"])
def test_a_file_that_cannot_be_written_is_known_before_the_question(
    asst: Asst, server: ResponsesServer, tmp_path: Path, place: str
) -> None:
    """Exit 2 and one line; nothing was sent, nothing hangs."""
    path = tmp_path / "out"
    match place:
        case "a folder":
            path.mkdir()
        case "no folder":
            path = tmp_path / "missing" / "out"
        case "a pipe":
            os.mkfifo(path)
        case "a device":
            path = Path("/dev/zero")
        case "read-only":
            if os.geteuid() == 0:
                pytest.skip("root may write everywhere")
            tmp_path.chmod(0o500)
        case _:
            path.write_text("")
            path /= "out"
    ran = asst("ask", "-p", "gpt", "-o", str(path), "hi")
    assert (ran.code, ran.out, len(ran.err.splitlines())) == (2, "", 1), ran.err
    assert str(path) in ran.err
    assert not server.requests


def test_a_full_disk_is_said_and_changes_nothing(server: ResponsesServer, tmp_path: Path) -> None:
    """The answer was printed; the file keeps what it had; exit 1 with one line that says where the answer is."""
    file = tmp_path / "out"
    file.write_text("old")
    done = subprocess.run(
        ["bash", "-c", f"ulimit -f 0; exec {ASST} ask -p gpt -q --no-save -o {file} hi"],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (done.returncode, done.stdout, file.read_text()) == (1, ANSWER, "old")
    assert done.stderr == f"asst: The answer isn't in {file}: File too large. It is on stdout only.\n"
    assert os.listdir(tmp_path) == ["out"]


@pytest.mark.parametrize(
    ("markdown", "first", "last"),
    [
        ("no code `x`", None, None),
        ("    indented is no fence", None, None),
        ("```\n```", "", ""),
        ("- list\n\n  ```js\n  a\n    b\n  ```\n", "a\n  b\n", "a\n  b\n"),
        ("````\n```\nx\n```\n````\n```\ny\n```", "```\nx\n```\n", "y\n"),
        ("```\nnot closed", "not closed", "not closed"),
        ("> ```\n> quoted\n> ```", "quoted\n", "quoted\n"),
    ],
)
def test_blocks_are_those_of_commonmark(markdown: str, first: str | None, last: str | None) -> None:
    """Nested fences, lists, quotes and blocks that aren't closed, as CommonMark reads them."""
    assert (code_block(markdown), code_block(markdown, "last")) == (first, last)


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=200))
def test_code_comes_out_as_it_went_in(line: str) -> None:
    """Whatever stands between two long fences is the code."""
    assert code_block(f"words\n\n{'`' * 300}\n{line}\n{'`' * 300}\n") == f"{line}\n"

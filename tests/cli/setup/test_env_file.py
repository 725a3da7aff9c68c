"""`--env-file`: a `.env` file, read only with the option."""

from __future__ import annotations

from pathlib import Path

import pytest

from asstproxy import UsageError
from asstproxy.cli.env_file import parse
from servers import ResponsesServer

from .conftest import Asst


@pytest.fixture
def folder(tmp_path: Path, openai: ResponsesServer) -> Path:
    """A project with a `.env`."""
    (tmp_path / ".env").write_text(f'# mine\nexport OPENAI_API_KEY="{openai.key}"  # do not commit\nASST_PROFILE=gpt\n')
    return tmp_path


@pytest.mark.parametrize(
    "arguments",
    [
        ["--env-file", ".env", "ask", "hi"],
        ["ask", "--env-file=.env", "hi"],
        ["ask", "hi", "--env-file"],
        ["ask", "--env-file", "--quiet", "hi"],
    ],
    ids=" ".join,
)
def test_is_read_where_it_is_said(asst: Asst, folder: Path, arguments: list[str]) -> None:
    """Before or after the command, with a name or without one (then `.env`)."""
    ran = asst(*arguments, cwd=folder)
    assert ran.code == 0, ran.err


def test_is_not_read_otherwise(asst: Asst, folder: Path) -> None:
    """A `.env` in the folder is not read without the option; after `--` the option is an ordinary word."""
    assert asst("ask", "-p", "gpt", "hi", cwd=folder).code == 3
    assert asst("ask", "-p", "gpt", "--", "--env-file", ".env", cwd=folder).code == 3


def test_what_is_set_goes_before(asst: Asst, folder: Path, openai: ResponsesServer) -> None:
    """The environment wins over the file."""
    assert asst("--env-file", ".env", "ask", "hi", cwd=folder, env={"OPENAI_API_KEY": "sk-other"}).code == 1
    assert openai.requests[-1].headers["authorization"] == "Bearer sk-other"


def test_setup_says_what_it_found_there(asst: Asst, folder: Path) -> None:
    """`asst setup` checks the key of the file, and saves it nowhere."""
    ran = asst("setup", "gpt", "--env-file", ".env", "--yes", cwd=folder)
    assert ran.code == 0, ran.err
    assert "Checked: OPENAI_API_KEY works" in ran.err
    assert "OPENAI_API_KEY (in .env; pass --env-file" in ran.err
    assert not (folder / "asst-config" / "credentials.toml").exists()


@pytest.mark.parametrize("text", ["nonsense sk-secret-1", 'A="sk-secret-1', "A B=sk-secret-1", b"\xff\xfe"])
def test_error_names_the_line_and_not_its_text(asst: Asst, tmp_path: Path, text: str | bytes) -> None:
    """The message has the line's number: its text may be a key."""
    data = text if isinstance(text, bytes) else f"X=1\n{text}\n".encode()
    (tmp_path / ".env").write_bytes(data)
    ran = asst("--env-file", ".env", "ask", "hi", cwd=tmp_path)
    assert ran.code == 2
    assert "sk-secret" not in ran.all
    assert isinstance(text, bytes) or "line 2" in ran.complaint


def test_missing_file(asst: Asst, tmp_path: Path) -> None:
    """A missing file is an error."""
    ran = asst("--env-file", "nothing.env", "ask", "hi", cwd=tmp_path)
    assert ran.code == 2
    assert "nothing.env" in ran.complaint


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("A=b", "b"),
        ("  export A = b c  # comment", "b c"),
        ("A='b # c'", "b # c"),
        ('A="b\\n\\"c\\""  # d', 'b\n"c"'),
        ("A=", ""),
        ("A=b#c", "b#c"),
        ("A=$HOME", "$HOME"),
        ("A=${HOME}", "${HOME}"),
        ('A="first\nsecond"', "first\nsecond"),
    ],
)
def test_lines(line: str, value: str) -> None:
    """Quotes, comments and `export` work as in other tools; nothing is expanded."""
    assert parse(f"\n# x\n{line}\n") == {"A": value}


def test_empty_lines_count() -> None:
    """The number in the message is that of the line as an editor shows it."""
    with pytest.raises(UsageError, match="line 4:"):
        parse("# a comment\n\n\nnonsense\n")


def test_no_line_is_guessed() -> None:
    """An invalid name raises."""
    with pytest.raises(UsageError):
        parse("1A=b")

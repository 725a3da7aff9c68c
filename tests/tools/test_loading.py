"""Finding tools by name: modules, files, names of installed packages, and clear words when there is nothing."""

from __future__ import annotations

import importlib.metadata
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from asstproxy import UsageError
from asstproxy.tools import run_tool
from asstproxy.tools.loading import find_tools, installed

DECLARED = """
from dataclasses import dataclass
from asstproxy import tool, Tool
from shutil import rmtree

print("imported")

@dataclass
class Pair:
    a: int
    b: int

@tool(read_only=True)
def add(pair: Pair) -> int:
    "Add two numbers."
    return pair.a + pair.b

@tool
async def sub(a: int) -> int:
    return a - 1

def helper(): ...

class Box:
    def open(self) -> str:
        return "opened"

box = Box()
made = Tool("made", "By hand.", {"type": "object"}, helper)
number = 3
"""
PLAIN = """
from shutil import rmtree

def double(x: int) -> int:
    return 2 * x

def _private(): ...
class Thing: ...
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder to be in, with tools in files; what is imported from it is forgotten afterwards."""
    (tmp_path / "declared.py").write_text(DECLARED)
    (tmp_path / "pack").mkdir()
    (tmp_path / "pack" / "__init__.py").write_text("from .plain import double\n__all__ = ['double']\n")
    (tmp_path / "pack" / "plain.py").write_text(PLAIN)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "meta_path", [*sys.meta_path])
    before = set(sys.modules)
    yield tmp_path
    for name in set(sys.modules) - before:
        if name.startswith(("declared", "pack", "broken", "asst_tools_")):
            del sys.modules[name]


def names(*wanted: str) -> list[str]:
    """The names of the tools that are found."""
    return [tool.name for tool in find_tools(wanted)]


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (["declared"], ["add", "sub", "made"]),
        (["declared:add"], ["add"]),
        (["declared:helper"], ["helper"]),
        (["declared:box.open"], ["open"]),
        (["./declared.py"], ["add", "sub", "made"]),
        (["declared.py:sub"], ["sub"]),
        (["./declared.py:sub", "./declared.py"], ["sub", "add", "made"]),
        (["pack.plain"], ["double"]),
        (["pack"], ["double"]),
        (["./pack/plain.py", "declared:add"], ["double", "add"]),
    ],
)
def test_a_name_stands_for_tools(wanted: list[str], found: list[str]) -> None:
    """What a module declares, else the public functions that it defines or shows; each once, in order."""
    assert names(*wanted) == found


async def test_what_is_found_runs(capsys: pytest.CaptureFixture[str]) -> None:
    """With the types of its own file; and what the file prints when it is imported is no answer."""
    add, sub, _ = find_tools(["./declared.py"])
    assert (await run_tool(add, '{"pair": {"a": 1, "b": 2}}')).output == "3"
    assert (await run_tool(sub, '{"a": 1}')).output == "0"
    assert capsys.readouterr().out == ""


def test_what_is_named_in_words_is_asked_about() -> None:
    """Unless it declares that it only reads; it runs apart, and tells where it comes from."""
    add, sub, made = find_tools(["declared"])
    assert (add.approval, sub.approval, made.approval) == ("never", "ask", "ask")
    (rmtree,) = find_tools(["shutil:rmtree"])
    assert (rmtree.approval, rmtree.apart, rmtree.source) == ("ask", True, "shutil:rmtree")
    assert find_tools(["./declared.py:sub"])[0].source == "./declared.py:sub"


def test_a_file_finds_what_lies_beside_it(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As when Python runs it; and it is executed once."""
    (folder / "user.py").write_text("from declared import add\n\ndef use() -> None: ...\n")
    monkeypatch.chdir("/")
    assert names(f"{folder}/user.py") == ["use"]


def test_profiles_find_nothing_in_the_current_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder that somebody else made must not slip code under a name in my profile."""
    monkeypatch.setattr(sys, "path", [entry for entry in sys.path if entry not in ("", str(Path.cwd()))])
    with pytest.raises(UsageError, match="No such module: 'declared'"):
        find_tools(["declared"], here=False)
    assert names("declared") == ["add", "sub", "made"]


def test_an_installed_module_goes_before_the_current_folder(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that happens to be called `json.py` replaces nothing."""
    (folder / "textwrap.py").write_text("raise AssertionError\n")
    monkeypatch.delitem(sys.modules, "textwrap", raising=False)
    assert "dedent" in names("textwrap:dedent")


def test_names_of_installed_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    """The entry-point group `asstproxy.tools` gives names to tools; `stocks` ships with asstproxy."""
    entry = importlib.metadata.EntryPoint("adder", "declared:add", "asstproxy.tools")
    monkeypatch.setattr(importlib.metadata, "entry_points", lambda group: [entry] if group == entry.group else [])
    assert installed() == {"adder": "declared:add", "stocks": "asstproxy.tools.stocks"}
    assert names("adder") == ["add"]
    assert names("stocks") == ["get_stock_price", "buy_or_sell"]
    assert names("stocks:buy_or_sell", "adder:sub") == ["buy_or_sell", "sub"]


@pytest.mark.parametrize(
    ("wanted", "content", "message", "hint"),
    [
        ("nothing_here", None, "No such module: 'nothing_here'.", "./file.py"),
        ("nothing.here", None, "No such module: 'nothing.here'.", "./file.py"),
        ("./nothing.py", None, "No such file: 'nothing.py'.", "path"),
        ("/dev/zero", None, "/dev/zero is a device, not a file.", "file"),
        ("/", None, "'/' is a folder.", "Python file"),
        ("declared:ad", None, "'declared' has no 'ad'.", "Did you mean 'add'?"),
        ("declared:other", None, "'declared' has no 'other'.", "It has: Box, Pair, add, box, helper, sub."),
        ("declared:number", None, "'number' in 'declared' isn't a function.", ""),
        ("declared:", None, "Invalid tool name: 'declared:'.", "package.module:function"),
        ("", None, "Invalid module name: ''.", ""),
        ("no-name", None, "Invalid module name: 'no-name'.", "./file.py"),
        ("./broken.py", "def f(:", "line 1: ", "Fix"),
        ("./broken.py", "import nothing_here", "'{path}' needs the module 'nothing_here'.", "Install"),
        ("./broken.py", "\n1 / 0", "can't be imported: ZeroDivisionError: division by zero ({path}, line 2).", ""),
        ("./broken.py", "import sys; sys.exit(1)", "can't be imported: SystemExit: 1", ""),
        ("./broken.py", "x = 1", "'./broken.py' has no functions of its own.", "package.module:function"),
        ("./broken.py", "def f(*a): ...", "The tool 'f' takes '*a', which can't be described to an assistant.", ""),
    ],
)
def test_what_cannot_be_found_is_said_in_one_line(
    folder: Path, wanted: str, content: str | None, message: str, hint: str
) -> None:
    """What is wrong, where, and what to do."""
    if content is not None:
        (folder / "broken.py").write_text(content)
    with pytest.raises(UsageError) as caught:
        find_tools([wanted])
    assert message.format(path=folder / "broken.py") in str(caught.value)
    assert hint in caught.value.hint


def test_a_file_that_was_mended_is_found() -> None:
    """A failed import leaves nothing behind that would be found instead."""
    broken = Path("broken.py")
    broken.write_text("1 / 0")
    with pytest.raises(UsageError):
        find_tools(["./broken.py"])
    broken.write_text("def mended() -> None: ...\n")
    assert names("./broken.py") == ["mended"]

"""ARCHITECTURE.md is true: its floors are those of the imports, and what it names is where it says."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

from asstproxy.core.script import SCRIPT, Do, State
from source_tree import FILES, PACKAGE, ROOT, circles, defined, imports, imports_when_loaded

MAP = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
ROOM = re.compile(r"^(?:floor (?P<floor>\d))? +(?P<room>\w+(?:/|\.py)) +→ (?P<below>[\w ]+?)(?:  .*)?$", re.MULTILINE)
ENTRANCES = {"", "__init__", "__main__", "_version"}
"""Modules outside of the rooms: the package itself, and the command's first lines."""
NOT_OURS = {"msgspec", "transitions", "jsonschema", *map(str, State), *map(str, Do), *(step.trigger for step in SCRIPT)}
"""What stands between backticks but is not a function or class: libraries, and the words of the script."""


def _drawn() -> tuple[dict[str, int], set[tuple[str, str]]]:
    """The floor of each room of the drawing, and its arrows."""
    floors: dict[str, int] = {}
    arrows: set[tuple[str, str]] = set()
    floor = 0
    for row in ROOM.finditer(MAP):
        floor = int(row["floor"] or floor)
        room = row["room"].removesuffix("/").removesuffix(".py")
        floors[room] = floor
        arrows |= {(room, below) for below in row["below"].split() if below != "nothing"}
    return floors, arrows


def _room(module: str) -> str:
    name = [*module.split("."), ""][1]
    return "providers" if name == "provider" else name


def _built() -> dict[tuple[str, str], str]:
    """The arrows between rooms as the code has them, each with one module that imports the other."""
    return {
        (_room(module), _room(name)): f"{module} imports {name}"
        for module in FILES
        for name in imports(module) & FILES.keys()
        if _room(module) != _room(name) and not {_room(module), _room(name)} & ENTRANCES
    }


def test_rooms_of_the_map_are_those_of_the_package() -> None:
    """The drawing has every folder and every file of the package's top, and no other."""
    rooms = {path.stem for path in PACKAGE.iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()}
    assert set(_drawn()[0]) == rooms - ENTRANCES - {"provider"}


def test_arrows_of_the_map_are_the_imports() -> None:
    """A room imports what its arrow names, all of it, and nothing else."""
    built = _built()
    drawn = _drawn()[1]
    assert not {why for arrow, why in built.items() if arrow not in drawn}
    assert not drawn - built.keys()


def test_no_arrow_runs_up() -> None:
    """Each room imports from lower floors only."""
    floors, _ = _drawn()
    assert not {why for (room, below), why in _built().items() if floors[room] <= floors[below]}


def test_no_import_circle() -> None:
    """No modules import each other in a circle, not even for type checkers."""
    assert circles() == []


def test_core_stands_on_its_own() -> None:
    """Core imports the standard library and msgspec; `transitions` only when a mediator is made, `jsonschema` for a schema."""
    core = [module for module in FILES if _room(module) == "core"]
    outside = {name.partition(".")[0] for module in core for name in imports(module) - FILES.keys()}
    assert outside - sys.stdlib_module_names == {"msgspec", "transitions", "jsonschema", "referencing"}
    late = {"transitions", "jsonschema", "referencing"}
    assert not [module for module in core if late & {name.partition(".")[0] for name in imports_when_loaded(module)}]


def _blocks() -> Iterator[str]:
    """The paragraphs, list items and table rows of the map, without its drawing."""
    text = re.sub(r"```.*?```", "", MAP, flags=re.DOTALL)
    yield from re.split(r"\n\n|\n(?=\d+\. |\| )", text)


def test_what_the_map_names_is_there() -> None:
    """Every file of the map exists; every function and class is defined in a file that its paragraph names."""
    named = 0
    for block in _blocks():
        tokens = [token for token in re.findall(r"`([^`]+)`", block) if " " not in token]
        files = [token for token in tokens if "/" in token or token.endswith(".py")]
        for file in files:
            assert (PACKAGE / file).exists() or (ROOT / file).exists(), file
        known = {name for file in files if file.endswith(".py") for name in defined(_path(file))}
        for token in tokens:
            if re.fullmatch(r"[A-Za-z_]\w*(\.\w+)?", token) and token not in {*files, *NOT_OURS}:
                assert token in known, f"`{token}` is in none of {files}"
                named += 1
    assert named > 60


def _path(file: str) -> Path:
    return PACKAGE / file if (PACKAGE / file).exists() else ROOT / file

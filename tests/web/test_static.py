"""The files of the page: small, typed, without circles, and in step with the records that Python writes."""

from __future__ import annotations

import re
from graphlib import TopologicalSorter
from pathlib import Path

import msgspec
import pytest

from asstproxy import web
from asstproxy.core import events
from asstproxy.core.script import SCRIPT, SETTLED, State

STATIC = Path(web.__file__).parent / "static"
SCRIPTS = sorted(STATIC.glob("*.js"))
MOST = 400
"""Lines of a file."""
TYPE = re.compile(r"@typedef \{\{type: \"(\w+)\"(.*?)\}\} (\w+)\n")


def _imports(script: Path) -> set[str]:
    return set(re.findall(r'^(?:import|export) .*from "\./([\w.]+)"', script.read_text(encoding="utf-8"), re.MULTILINE))


@pytest.mark.parametrize("file", [*SCRIPTS, *STATIC.glob("*.css")], ids=lambda file: file.name)
def test_a_file_is_short_and_loads_nothing(file: Path) -> None:
    """At most 400 lines; no address of another server; types instead of `any`."""
    text = file.read_text(encoding="utf-8")
    assert text.count("\n") <= MOST
    assert "//" not in re.sub(r"(?m)(^|\s)//\s.*$|/\^https.*?/\.test", "", text).replace('"https://"', "")
    assert not re.search(r"\{[^}]*\bany\b[^}]*\}", text) or file.suffix == ".css"


def test_no_module_needs_one_that_needs_it() -> None:
    """The imports of the modules have an order, and all of them are asked for at once."""
    imports = {script.name: _imports(script) for script in SCRIPTS}
    assert list(TopologicalSorter(imports).static_order())[-1] == "main.js"
    page = (STATIC / "index.html").read_text(encoding="utf-8")
    assert set(re.findall(r'modulepreload" href="([\w.]+)"', page)) == set(imports) - {"main.js"}


def test_the_map_has_the_script() -> None:
    """Each state has a place of its own; each edge that is drawn before it is taken is a transition of the script."""
    drawing = (STATIC / "draw.js").read_text(encoding="utf-8")
    places = re.findall(r"^  (\w+): (\[\d+, \d+\]),$", drawing, re.MULTILINE)
    assert {state for state, _ in places} == set(State)
    assert len(set(dict(places).values())) == len(State)
    edges = set(re.findall(r'^  \["(\w+)", "(\w+)"', drawing, re.MULTILINE))
    assert len(edges) > len(SETTLED)
    assert edges <= {(source, step.dest) for step in SCRIPT for source in step.sources}


def test_the_types_of_records_are_those_that_are_written() -> None:
    """Each event has its type in `fold.js`, whose fields are fields of the event."""
    written = {
        str(found.__struct_config__.tag): {field.name for field in msgspec.structs.fields(found)}
        for found in vars(events).values()
        if isinstance(found, type) and issubclass(found, events.Event) and found is not events.Event
    }
    declared = {
        name: set(re.findall(r"(\w+)\??: ", rest))
        for name, rest, _ in TYPE.findall((STATIC / "fold.js").read_text(encoding="utf-8"))
    }
    assert declared.keys() == written.keys()
    assert {name: fields - written[name] for name, fields in declared.items() if fields - written[name]} == {}

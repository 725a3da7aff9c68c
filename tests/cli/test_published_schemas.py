"""`asst schema`: what asst prints and saves is what its published schemas say, no less and no more."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from jsonschema import Draft202012Validator

from asstproxy import Store
from asstproxy.cli.published_schemas import SCHEMAS
from asstproxy.core.codec import EVENTS, encode
from asstproxy.core.events import Record
from core.strategies import events, records
from forked import asst_command
from servers import Call, Cut, Fail, Incomplete, ResponsesServer, Say, Script, Status, Think
from servers.brain import Output

from .conftest import ASST, Asst
from .in_process import asst_here

DOCS = Path(__file__).parents[2] / "docs"
JSON = dict[str, Any]


def _schema(name: str) -> JSON:
    done = asst_command.run([ASST, "schema", name], capture_output=True, text=True, check=True)
    schema: JSON = json.loads(done.stdout)
    return schema


def _assert_described(schema: JSON, data: Any) -> None:
    """The data is valid, and has no member that the schema does not describe."""
    problems = [
        f"{list(error.absolute_path)}: {error.message}" for error in Draft202012Validator(schema).iter_errors(data)
    ]
    assert not problems
    assert not list(_undescribed(data, [schema], schema, "$"))


def _undescribed(data: Any, nodes: Iterable[Any], root: JSON, path: str) -> Iterator[str]:
    found = [one for node in nodes for one in _flat(node, data, root)]
    if isinstance(data, dict):
        described: dict[str, list[Any]] = {}
        for node in found:
            for name, part in node.get("properties", {}).items():
                described.setdefault(name, []).append(part)
        free = not described or any(isinstance(node.get("additionalProperties"), dict) for node in found)
        for name, value in data.items():
            if name in described:
                yield from _undescribed(value, described[name], root, f"{path}.{name}")
            elif not free:
                yield f"{path}.{name}"
    elif isinstance(data, list):
        items = [node["items"] for node in found if isinstance(node.get("items"), dict)]
        for index, value in enumerate(data):
            yield from _undescribed(value, items, root, f"{path}[{index}]")


def _flat(node: Any, data: Any, root: JSON) -> Iterator[JSON]:
    """The node, and the parts of it that describe the same data."""
    if not isinstance(node, dict):
        return
    if ref := node.get("$ref"):
        yield from _flat(root["$defs"][ref.rpartition("/")[2]], data, root)
    for part in node.get("anyOf", ()):
        yield from _flat(part, data, root)
    for part in node.get("allOf", ()):
        if "if" not in part or part["if"]["properties"]["type"]["const"] == data.get("type"):
            yield from _flat(part.get("then", part), data, root)
    yield node


@pytest.mark.parametrize("name", SCHEMAS)
def test_docs_have_the_schemas(name: str) -> None:
    """docs/schemas/ is what `asst schema` prints: update it with `asst schema NAME > docs/schemas/NAME.json`."""
    schema = _schema(name)
    Draft202012Validator.check_schema(schema)
    assert json.loads((DOCS / f"schemas/{name}.json").read_text(encoding="utf-8")) == schema
    page = (DOCS / "schemas.md").read_text(encoding="utf-8")
    assert f"`{schema['$id']}`" in page


def test_unknown_schema_is_wrong_usage(asst: Asst) -> None:
    """The names are in the hint."""
    ran = asst("schema", "record")
    assert (ran.code, ran.out) == (2, "")
    assert ran.err == "asst: No such schema: 'record'. Choose one of: events, result, batch, transcript.\n"


@given(records(events()))
def test_every_event_is_described(record: Record) -> None:
    """Law: whatever value an event has, its line is valid, and has no member that the schema lacks."""
    line = json.loads(encode(record))
    if record.seq and line["at"]:
        _assert_described(_events(), line)


@cache
def _events() -> JSON:
    return SCHEMAS["events"]()


def test_every_type_of_event_is_in_the_schema() -> None:
    """And a line of an unknown type, as a newer asst may write it, is valid; one without a state is not."""
    schema = SCHEMAS["events"]()
    assert [part["if"]["properties"]["type"]["const"] for part in schema["allOf"]] == list(EVENTS)
    line = {"seq": 1, "at": "2026-11-28T12:00:00.000Z", "state": "new", "type": "hologram", "depth": 3}
    assert Draft202012Validator(schema).is_valid(line)
    assert not Draft202012Validator(schema).is_valid({key: value for key, value in line.items() if key != "state"})
    assert not Draft202012Validator(schema).is_valid(line | {"type": "chunk_received"})


def test_what_is_printed_and_saved_is_described(asst: Asst, server: ResponsesServer, tmp_path: Path) -> None:
    """Tools, reasoning, data, corrections, failures, retries and answers that were cut short: the output is valid."""
    tools = tmp_path / "dogs.py"
    tools.write_text('def age(name: str) -> int:\n    """The age of a dog."""\n    return 3\n')
    good, bad = Say('{"age": 3}'), Say('{"age": "three"}')
    call = Call("age", {"name": "Rex"})
    turns = [[Think("hm"), call], [bad], [good]], [[bad], [bad]], [[Say("half"), Incomplete()]], [[Say("fine")]]
    options = ["-p", "gpt", "-t", f"{tools}:age", "--yes"]
    events, result, _, transcript = (_schema(name) for name in SCHEMAS)
    for fault in (None, Status(500, first=1, on="POST"), Status(401, on="POST"), Cut(2, on="POST")):
        server.faults.clear()
        for script in turns:
            schema = ["--schema", "age int"] if len(script) > 1 else []
            server.brain = Script(*script, *script)
            if fault:
                server.faults.add(fault)
            _assert_described(result, json.loads(asst("ask", *options, *schema, "--json", "a dog").out))
            server.brain = Script(*script, *script)
            for line in asst("ask", *options, *schema, "--events", "a dog").out.splitlines():
                _assert_described(events, json.loads(line))
    sessions = list(Store().ids())
    assert len(sessions) == 32
    _assert_described(transcript, json.loads(asst("sessions", "export", sessions[0], "-f", "json").out))
    stored = [*(tmp_path / "asst-data").rglob("*.json")]
    assert len(stored) >= len(sessions)
    for path in stored:
        _assert_described(transcript, json.loads(path.read_text(encoding="utf-8")))


def test_what_a_batch_writes_is_described(server: ResponsesServer, tmp_path: Path) -> None:
    """Answers, data, what is incomplete and what failed, and lines of an unknown model: each is valid."""
    schema = SCHEMAS["batch"]()
    source, out = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    source.write_text("".join(f'{{"prompt": "n{n}"}}\n' for n in range(4)))
    turns: list[list[Output]] = [
        [Say('{"age": 3}')],
        [Say("half"), Incomplete()],
        [Say("fine")],
        [Fail("invalid_prompt", "No.")],
    ]
    states = list[str]()
    for more in ((), ("--schema", "age int"), ("-m", "o3"), ("--limit", "2")):
        server.brain = lambda body: turns[int(body["input"][0]["content"][0]["text"][1:])]
        asst_here("batch", str(source), "-o", str(out), "-p", "gpt", *more)
        lines = [json.loads(line) for line in out.read_text().splitlines()]
        states += [("data " if "data" in line else "answer ") + line["state"] for line in lines]
        for line in lines:
            _assert_described(schema, line)
            assert list(line) == [key for key in schema["$defs"]["BatchLine"]["properties"] if key in line]
        shutil.rmtree(f"{out}.asst")
        out.unlink()
    assert set(states) == {"answer completed", "data completed", "answer incomplete", "answer error"}

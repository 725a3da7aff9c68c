"""What `--schema` takes: files, JSON, classes and the short form; and everything that it refuses."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from asstproxy.core.answer_schema import AnswerSchema, MismatchError
from asstproxy.core.errors import UsageError
from asstproxy.tools.schema_source import choose_schema

PERSON = {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]}
SHAPES = '''
from dataclasses import dataclass
from typing import TypedDict
from pydantic import BaseModel, field_validator

class Dog(BaseModel):
    """A dog."""
    name: str
    age: int = 0
    @field_validator("age")
    @classmethod
    def young(cls, age: int) -> int:
        if age > 30:
            raise ValueError("no dog is that old")
        return age

@dataclass
class Cat:
    name: str

class Bird(TypedDict):
    name: str

class Tree(BaseModel):
    kids: list["Tree"] = []

def fish() -> None: ...
'''


@pytest.fixture
def shapes(tmp_path: Path) -> Path:
    path = tmp_path / "shapes.py"
    path.write_text(SHAPES)
    return path


def test_a_file_or_text_of_json_schema(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With any name, and with a byte order mark; JSON begins with a brace."""
    for name in ("person.json", "person"):
        path = tmp_path / name
        path.write_text("\ufeff" + json.dumps(PERSON), encoding="utf-8")
        assert choose_schema(str(path)).schema == PERSON
    monkeypatch.chdir(tmp_path)
    assert choose_schema("person").schema == PERSON
    assert choose_schema(f" \n{json.dumps(PERSON)}").schema == PERSON


@pytest.mark.parametrize("name", ["Dog", "Cat", "Bird"])
def test_a_class(shapes: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A pydantic model, a dataclass or a TypedDict, in a file or a module."""
    schema = choose_schema(f"{shapes}:{name}").schema
    assert schema["properties"]["name"]["type"] == "string"
    assert schema["title"] == name
    monkeypatch.chdir(shapes.parent)
    assert choose_schema(f"shapes:{name}").schema == schema


def test_a_validator_of_the_class_counts(shapes: Path) -> None:
    """The schema can't say it, so the answer is checked with the class, in a list too."""
    one, many = choose_schema(f"{shapes}:Dog"), choose_schema(f"{shapes}:Dog", many=True)
    for chosen, text in ((one, '{"name": "Rex", "age": 99}'), (many, '{"items": [{"name": "Rex", "age": 99}]}')):
        with pytest.raises(MismatchError, match="no dog is that old"):
            AnswerSchema(chosen.schema, chosen.check).read(text)
    assert AnswerSchema(many.schema, many.check).read('{"items": [{"name": "Rex"}]}') == {"items": [{"name": "Rex"}]}


def test_many_is_a_list_in_items(shapes: Path) -> None:
    """Definitions move to the root, and references to the root follow what they meant."""
    assert choose_schema("name", many=True).schema["properties"]["items"]["items"]["required"] == ["name"]
    tree = AnswerSchema(choose_schema(f"{shapes}:Tree", many=True).schema)
    assert tree.read('{"items": [{"kids": [{}]}]}')
    with pytest.raises(MismatchError):
        tree.read('{"items": [{"kids": [3]}]}')
    itself = {"type": "object", "properties": {"next": {"$ref": "#"}}, "additionalProperties": False}
    chain = AnswerSchema(choose_schema(json.dumps(itself), many=True).schema)
    assert chain.read('{"items": [{"next": {"next": {}}}]}')
    with pytest.raises(MismatchError):
        chain.read('{"items": [{"next": {"items": []}}]}')


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{folder}/missing.json", "Can't read the schema '{folder}/missing.json': No such file or directory."),
        ("{folder}", "'{folder}' isn't a file."),
        ("{folder}/pipe", "'{folder}/pipe' isn't a file."),
        ("{folder}/binary", "'{folder}/binary' isn't text in UTF-8."),
        ("{folder}/empty.json", "'{folder}/empty.json' isn't JSON: Expecting value (line 1, column 1)."),
        ("{folder}/list.json", "'{folder}/list.json' isn't a JSON object."),
        ("{folder}/huge", "'{folder}/huge' has 10000000000 bytes."),
        ('{"type": "object"', "The schema isn't JSON: Expecting ',' delimiter (line 1, column 18)."),
        ('{"a":' * 100_000, "The schema is nested too deeply."),
        ("{folder}/shapes.py:Fox", "'{folder}/shapes.py' has no 'Fox'."),
        ("{folder}/shapes.py:fish", "'fish' in '{folder}/shapes.py' isn't a class."),
        ("no_such_module_at_all:Dog", "No such module: 'no_such_module_at_all'."),
        ("name: " + "x" * 5000 + "\0" + ", 2", "Invalid field in the schema: '2'."),
    ],
)
def test_what_is_refused(text: str, words: str, shapes: Path) -> None:
    """One line that names it; a pipe is not waited for, and a huge file is not read."""
    folder = shapes.parent
    os.mkfifo(folder / "pipe")
    (folder / "binary").write_bytes(b"\xff\xfe\0")
    (folder / "empty.json").touch()
    (folder / "list.json").write_text("[]")
    with (folder / "huge").open("wb") as huge:
        huge.truncate(10_000_000_000)  # sparse
    with pytest.raises(UsageError) as caught:
        choose_schema(text.replace("{folder}", str(folder)))
    assert str(caught.value) == words.replace("{folder}", str(folder))
    assert "\n" not in caught.value.hint

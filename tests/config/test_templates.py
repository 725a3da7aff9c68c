"""Templates in a program: what is put in stays as it is, and what is written is read back."""

from __future__ import annotations

import contextlib
import tempfile
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asstproxy import Template, UsageError, load_template
from asstproxy.config.picoschema import json_schema
from asstproxy.config.template import Variable
from asstproxy.config.template_file import read_template
from asstproxy.config.template_text import escape, parse_text
from asstproxy.config.template_writer import template_text
from asstproxy.config.yaml_reader import read_yaml

TEXT = st.sampled_from(["no", "0E0", "1e3", ".5", "0o7", "~", "1.10", "---", "'", "- a", "a: b", "# c"]) | st.text(
    st.characters(exclude_categories=["Cs", "Cc"], include_characters="\n{}\\"), max_size=40
)
BRACED = st.lists(st.sampled_from(["{{", "}}", "{", "}", "\\", "name", "{{name}}", "$", "\n", "x"])).map("".join)
NAME = st.from_regex(r"[A-Za-z_][A-Za-z0-9_-]{0,8}", fullmatch=True).filter(lambda name: name != "input")


@given(BRACED)
def test_escaped_text_is_literal(text: str) -> None:
    """Whatever a text has in it, its escaped form has no variable and gives the same text."""
    parsed = parse_text(escape(text), "t")
    assert parsed.names == ()
    assert parsed.fill({}) == text


@given(BRACED, BRACED, BRACED)
def test_values_are_put_in_as_they_are(before: str, value: str, after: str) -> None:
    """A value stands between the texts around it, whatever braces and backslashes all of them have."""
    before = before.rstrip("\\{")  # a backslash before {{ escapes it, and {{{ is no variable
    parsed = parse_text(f"{escape(before)}{{{{name}}}}{escape(after)}", "t")
    assert parsed.names == ("name",)
    assert parsed.fill({"name": value}) == before + value + after


@given(
    body=BRACED,
    system=TEXT,
    description=TEXT,
    model=TEXT,
    config=st.dictionaries(
        TEXT.filter(bool), st.integers() | st.booleans() | TEXT | st.none() | st.lists(TEXT), max_size=3
    ),
    tools=st.lists(TEXT.filter(str.strip), max_size=2),
    default=TEXT,
)
def test_what_is_written_is_read(
    body: str, system: str, description: str, model: str, config: dict[str, object], tools: list[str], default: str
) -> None:
    """A template that was saved and is read again is the same, texts like `no`, `1.10` and `---` included."""
    template = Template(
        "t",
        body=parse_text(f"{escape(body)}\n{{{{name}}}} end".strip("\n"), "t"),
        system=parse_text(escape(system.strip()), "t"),
        description=description.strip(),
        model=model.strip(),
        config=config,
        tools=tuple(tool.strip() for tool in tools),
        variables={"name": Variable(default=default)} if default else {},
    )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "t.md"
        path.write_text(template_text(template), encoding="utf-8")
        read = read_template(path, "t", is_trusted=True)
    assert (read.body.source, read.system.source) == (template.body.source, template.system.source)
    assert (read.description, read.model, read.config, read.tools) == (
        template.description, template.model, template.config, template.tools,
    )  # fmt: skip
    assert read.variables == template.variables


@given(st.text(max_size=200))
def test_reading_yaml_ends_with_a_value_or_a_usage_error(text: str) -> None:
    """Any text is YAML, or is refused in one line."""
    refused = ""
    try:
        read_yaml(text, Path("t.yaml"))
    except UsageError as error:
        refused = str(error)
    assert not refused or refused.startswith("t.yaml")


@pytest.mark.parametrize(
    ("yaml", "plain"),
    [
        ("a: no", {"a": "no"}),
        ("a: 12:30", {"a": "12:30"}),
        ("a: 2026-11-29", {"a": "2026-11-29"}),
        ("a: 1_000", {"a": "1_000"}),
        ("a: [true, ~, 1, 0x1F, 1.5, 1e3, .5, '1']", {"a": [True, None, 1, 31, 1.5, 1000.0, 0.5, "1"]}),
        ("{no: 1, 2: b}", {"no": 1, "2": "b"}),
    ],
)
def test_scalars_are_those_of_yaml_1_2(yaml: str, plain: object) -> None:
    """`no`, times, dates and underscores stay text, as in the YAML that other tools write today."""
    assert read_yaml(yaml, Path("t")).plain == plain


@pytest.mark.parametrize(
    ("pico", "schema"),
    [
        ("string", {"type": "string"}),
        ("string,the city, or town", {"type": "string", "description": "the city, or town"}),
        ("any, whatever", {"description": "whatever"}),
        (
            "{a: integer, 'b?': string}",
            {
                "type": "object",
                "properties": {"a": {"type": "integer"}, "b": {"type": ["string", "null"]}},
                "additionalProperties": False,
                "required": ["a"],
            },
        ),
        (
            "{'a?(array, all)': number, 'b?(enum)': [x], 'c(object, it)': {d: any}}",
            {
                "type": "object",
                "properties": {
                    "a": {"type": ["array", "null"], "items": {"type": "number"}, "description": "all"},
                    "b": {"enum": ["x", None]},
                    "c": {
                        "type": "object",
                        "properties": {"d": {}},
                        "additionalProperties": False,
                        "required": ["d"],
                        "description": "it",
                    },
                },
                "additionalProperties": False,
                "required": ["c"],
            },
        ),
        ("{type: array, items: {type: string}}", {"type": "array", "items": {"type": "string"}}),
        ("{properties: {a: {type: string}}}", {"type": "object", "properties": {"a": {"type": "string"}}}),
    ],
)
def test_picoschema(pico: str, schema: object) -> None:
    """Picoschema becomes the JSON Schema that dotprompt makes of it; JSON Schema stays."""
    assert json_schema(read_yaml(pico, Path("t")), Path("t")) == schema


@pytest.mark.parametrize(
    ("yaml", "says"),
    [
        ("[" * 900_000, "nested too deeply"),
        ("a: [" + "x," * 450_000 + "]", "more than 10,000 values"),
        ("".join(f"k{number}: v\n" for number in range(90_000)), "more than 10,000 values"),
    ],
    ids=["brackets", "values", "keys"],
)
def test_a_megabyte_of_yaml_is_refused_early(yaml: str, says: str) -> None:
    """The parser stops at the limit, not at the end of the text (which took half a minute)."""
    began = time.thread_time()  # of the processor: the machine may be busy with other tests
    with pytest.raises(UsageError, match=says):
        read_yaml(yaml, Path("t"))
    assert time.thread_time() - began < 12


@pytest.mark.parametrize("text", ["\\" * 900_000, "{{!" * 300_000, "{ {" * 300_000, "{{a}}" * 180_000])
def test_a_megabyte_of_text_is_read_once(text: str, tmp_path: Path) -> None:
    """Braces and backslashes in any number take the time of reading them."""
    path = tmp_path / "t.prompt"
    path.write_text(text)
    began = time.thread_time()  # of the processor
    with contextlib.suppress(UsageError):
        load_template(str(path))
    assert time.thread_time() - began < 12


def test_template_in_a_program(tmp_path: Path) -> None:
    """`load_template` takes a name or a path, and `fill` gives the instructions and the message."""
    path = tmp_path / "review.md"
    path.write_text("---\nsystem: You review {{what}}.\n---\n{{input}}, in {{lang}}")
    filled = load_template(str(path)).fill({"what": "code", "lang": "de"}, "x = 1")
    assert (filled.system, filled.text) == ("You review code.", "x = 1, in de")
    with pytest.raises(UsageError, match="needs a value for what and lang"):
        load_template(str(path)).fill({}, "x")
    with pytest.raises(UsageError, match="No such template: 'reveiw'"):
        load_template("reveiw")

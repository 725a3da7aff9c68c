"""`asst ask --schema` and `/schema`: data out, as a shell and a person see it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from asstproxy import Store, conform
from servers import Call, Incomplete, Refuse, ResponsesServer, Say, Script

from .conftest import ASST, Asst, Ran
from .terminal import Terminal

FORM = "name, age int: in years"
GOOD, BAD = Say('{"name": "Rex", "age": 3}'), Say('{"name": "Rex", "age": "three"}')
DATA = '{"name":"Rex","age":3}\n'
PROBLEM = "age: 'three' is not of type 'integer'"


def test_stdout_is_one_line_of_json(asst: Asst, server: ResponsesServer) -> None:
    """Nothing else is on it, streamed, whole or in the background; the request has the schema."""
    server.brain = lambda _: [Say('{\n  "name": "Rex\\u2028",\n  "age": 3\n}')]
    for options in ([], ["--no-stream"], ["--background"], ["--raw"], ["--mediator", "basic"]):
        ran = asst("ask", "-p", "gpt", *options, "--schema", FORM, "a dog")
        assert ran == Ran(0, '{"name":"Rex\\u2028","age":3}\n', "gpt · gpt-6-luna\n")
        asked = [request.json for request in server.requests if request.method == "POST"][-1]["text"]["format"]
        assert asked["schema"]["properties"]["age"] == {"type": "integer", "description": "in years"}


def test_a_correction_is_a_line_on_stderr(asst: Asst, server: ResponsesServer) -> None:
    """The first answer never reaches stdout; the session conforms to the script, and `replay --check` agrees."""
    server.brain = Script([BAD], [GOOD])
    ran = asst("ask", "-p", "gpt", "--schema", FORM, "a dog")
    assert (ran.code, ran.out) == (0, DATA)
    assert ran.err.splitlines()[1:] == [f"asst: The answer doesn't fit the schema: {PROBLEM}. Asking again."]
    assert not list(conform(Store().records(Store().newest())))
    assert asst("replay", "--check").code == 0


def test_a_second_mismatch_ends_with_six(asst: Asst, server: ResponsesServer) -> None:
    """Stdout stays empty; stderr says why, and where the text is."""
    server.brain = lambda _: [BAD]
    ran = asst("ask", "-p", "gpt", "--schema", FORM, "a dog")
    session = Store().newest()
    assert (ran.code, ran.out) == (6, "")
    assert ran.err.splitlines()[-1] == (
        f"asst: Mismatch: the answer doesn't fit the schema: {PROBLEM}. Its text: asst sessions show {session}"
    )
    assert "three" in asst("sessions", "show", session).out
    ran = asst("ask", "-p", "gpt", "--no-save", "-q", "--schema", FORM, "a dog")
    assert (ran.code, ran.out) == (6, "")
    assert ran.err.endswith(f"{PROBLEM}. Its text: {BAD.text}\n")


@pytest.mark.parametrize(
    ("outputs", "code", "state"),
    [([Say('{"name": "Re'), Incomplete()], 4, "incomplete"), ([Refuse("I won't.")], 6, "incomplete")],
)
def test_half_of_the_data_or_none_is_not_printed(
    asst: Asst, server: ResponsesServer, outputs: list[Any], code: int, state: str
) -> None:
    """An answer that was cut short, and a refusal: stdout is empty, the text is kept."""
    server.brain = lambda _: outputs
    ran = asst("ask", "-p", "gpt", "--schema", FORM, "a dog")
    assert (ran.code, ran.out) == (code, "")
    assert "Its text: asst sessions show" in ran.err
    ran = asst("ask", "-p", "gpt", "--json", "--schema", FORM, "a dog")
    result = json.loads(ran.out)
    assert (ran.code, result["state"], result["data"], result["answer"]) == (code, state, None, outputs[0].text)


def test_the_data_in_a_file(asst: Asst, server: ResponsesServer, tmp_path: Path) -> None:
    """`-o` writes what stdout has, and nothing when the answer doesn't fit."""
    file = tmp_path / "dog.json"
    server.brain = Script([GOOD], [BAD], [BAD])
    assert asst("ask", "-p", "gpt", "-o", str(file), "--schema", FORM, "a dog").out == DATA
    assert file.read_text() == DATA
    assert asst("ask", "-p", "gpt", "-o", str(file), "--schema", FORM, "a dog").code == 6
    assert file.read_text() == DATA


def test_json_has_the_data(asst: Asst, server: ResponsesServer) -> None:
    """`data` is the answer as JSON, numbers as they came; null without a schema; `problems` say what did not fit."""
    server.brain = lambda _: [Say('{"name": "Rex", "age": 123456789012345678901234567890}')]
    result = asst("ask", "-p", "gpt", "--json", "--schema", FORM, "a dog").out
    assert '"data":{"name":"Rex","age":123456789012345678901234567890}' in result
    assert json.loads(asst("ask", "-p", "gpt", "--json", "a dog").out)["data"] is None
    server.brain = lambda _: [BAD]
    failed = json.loads(asst("ask", "-p", "gpt", "--json", "--schema", FORM, "a dog").out)
    assert (failed["data"], failed["reason"], failed["problems"]) == (None, "schema", [PROBLEM])


def test_many(asst: Asst, server: ResponsesServer) -> None:
    """`--schema-multi` asks for a list of them."""
    server.brain = lambda _: [Say('{"items": [{"name": "Rex"}, {"name": "Max"}]}')]
    assert asst("ask", "-p", "gpt", "--schema-multi", "name", "dogs").out == (
        '{"items":[{"name":"Rex"},{"name":"Max"}]}\n'
    )


def test_tools_run_before_the_data(asst: Asst, server: ResponsesServer, tmp_path: Path) -> None:
    """A tool round, then an answer that does not fit, then one that does."""
    tools = tmp_path / "dogs.py"
    tools.write_text('def age(name: str) -> int:\n    """The age of a dog."""\n    print("noise")\n    return 3\n')
    server.brain = Script([Call("age", {"name": "Rex"})], [BAD], [GOOD])
    ran = asst("ask", "-p", "gpt", "--yes", "-t", f"{tools}:age", "--schema", FORM, "a dog")
    assert (ran.code, ran.out) == (0, DATA)
    assert asst("replay", "--check").code == 0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--schema", "name strng"], "Invalid field in the schema: 'name strng'."),
        (["--schema", '{"type": "strng"}'], "Not a JSON Schema: type: 'strng' is not valid"),
        (["--schema", "/no/such/file.json"], "Can't read the schema '/no/such/file.json': No such file"),
        (["--schema", '{"type": "array"}'], "The schema doesn't describe an object"),
        (["--schema", "no_such_module_at_all:Dog"], "No such module: 'no_such_module_at_all'."),
        (["--schema", ""], "Invalid value for '--schema': it is empty."),
        (["--schema-multi", ""], "Invalid value for '--schema-multi': it is empty."),
        (["--schema", "asyncio:Event"], "Event'>. Use a pydantic model, a dataclass or a TypedDict."),
        (["--schema", "a", "-x"], "-x prints code, and with --schema the answer is JSON."),
        (["--schema", "a", "--schema-multi", "b"], "--schema and --schema-multi can't be combined."),
    ],
)
def test_bad_schemas(asst: Asst, server: ResponsesServer, arguments: list[str], words: str) -> None:
    """One line, exit 2, no request, no session."""
    ran = asst("ask", "-p", "gpt", *arguments, "a dog")
    assert (ran.code, ran.out, len(ran.err.splitlines())) == (2, "", 1)
    assert words in ran.err
    assert not server.requests
    assert not list(Store().ids())


def test_limits_of_a_vendor(asst: Asst, server: ResponsesServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """A recursive schema for Gemini, one that is too deep for OpenAI: one line with the name, exit 2, no request."""
    monkeypatch.setenv("GEMINI_API_KEY", "AIza-test-0123456789")
    tree = '{"type": "object", "properties": {"kids": {"type": "array", "items": {"$ref": "#"}}}}'
    deep: dict[str, Any] = {"type": "string"}
    for _ in range(11):
        deep = {"type": "object", "properties": {"a": deep}}
    for profile, schema, words in (
        ("gemini", tree, "The schema refers to itself ('#'), which gemini doesn't accept."),
        ("gpt", json.dumps(deep), "The schema is 11 levels deep; gpt accepts 10."),
    ):
        ran = asst("ask", "-p", profile, "--schema", schema, "a dog")
        assert (ran.code, ran.out) == (2, "")
        assert words in ran.err.splitlines()[-1]
    assert not server.requests
    assert not list(Store().ids())


def test_retry_keeps_the_schema(asst: Asst, server: ResponsesServer) -> None:
    """The message is asked again as it was, or with another schema."""
    server.brain = lambda _: [BAD]
    assert asst("ask", "-p", "gpt", "--schema", FORM, "a dog").code == 6
    server.brain = lambda _: [GOOD]
    assert asst("ask", "--retry").out == DATA
    server.brain = lambda _: [Say('{"name": "Rex"}')]
    assert asst("ask", "--retry", "--schema", "name").out == '{"name":"Rex"}\n'


def test_a_session_with_data_moves(asst: Asst, server: ResponsesServer, tmp_path: Path) -> None:
    """Forked, exported and imported, as a transcript and as a journal, it is the same, and Markdown has a block of JSON."""
    server.brain = Script([BAD], [GOOD], [Say("fine")], [Say("fine")])
    asst("ask", "-p", "gpt", "--schema", FORM, "a dog")
    session = Store().newest()
    markdown = asst("sessions", "export", session, "-f", "md").out
    assert '```json\n{\n  "name": "Rex",\n  "age": 3\n}\n```' in markdown
    assert "<code" in asst("sessions", "export", session, "-f", "html").out
    transcript = tmp_path / "session.json"
    transcript.write_text(asst("sessions", "export", session, "-f", "json").out)
    journal = tmp_path / "session.jsonl"
    journal.write_text(asst("sessions", "show", session, "--events").out)
    for file in (transcript, journal):
        assert asst("sessions", "import", str(file)).code == 0
        imported = json.loads(asst("sessions", "export", "-f", "json").out)["exchanges"][0]
        assert imported["schema"]["required"] == ["name", "age"]
        assert imported["answer"] == DATA.strip()
    assert asst("sessions", "fork", session).code == 0
    assert asst("ask", "-c", "and now?").out == "fine\n"
    assert asst("replay", "--check").code == 0


def test_a_template_may_have_a_schema(asst: Asst, server: ResponsesServer, tmp_path: Path) -> None:
    """Its `output.schema` is what `--schema` would be, which wins; it names no file and no code."""
    server.brain = lambda _: [GOOD]
    template = tmp_path / "dog.md"
    template.write_text("---\noutput:\n  schema:\n    name: string\n    age: integer, in years\n---\nInvent a dog.\n")
    assert asst("ask", "-p", "gpt", "-T", str(template)).out == DATA
    server.brain = lambda _: [Say('{"kind": "dog"}')]
    assert asst("ask", "-p", "gpt", "-T", str(template), "--schema", "kind").out == '{"kind":"dog"}\n'
    asked = len(server.requests)
    template.write_text("---\noutput:\n  schema: ./dogs.py:Dog\n---\nInvent a dog.\n")
    ran = asst("ask", "-p", "gpt", "-T", str(template))
    assert (ran.code, ran.out, len(ran.err.splitlines())) == (2, "", 1)
    assert f"{template}, output.schema: Invalid field in the schema: './dogs.py:Dog'." in ran.err
    assert len(server.requests) == asked


def test_chat_draws_coloured_json(server: ResponsesServer) -> None:
    """`/schema FIELDS` holds for the answers that follow: the data, `2nd try` for a mismatch, `fits the schema` at the end."""
    server.brain = Script([BAD], [GOOD], [Say('{"name": "Max", "age": 9}')], [Say("Hello, *you*.")])
    with Terminal([ASST, "chat", "-p", "gpt"], 80) as terminal:
        terminal.wait_for("›")
        terminal.enter(f"/schema {FORM}")
        terminal.wait_for("Answers are data: name, age")
        terminal.enter("a dog")
        text = terminal.wait_for("fits the schema")
        assert f"2nd try: {PROBLEM}" in text
        assert '"name": "Rex"' in text
        assert 'three"}' not in text
        terminal.enter("/schema off")  # as /states off; or clear
        terminal.wait_for("No schema.")
        terminal.enter("/retry")  # as it was asked
        terminal.wait_for('"name": "Max"')
        terminal.enter("hi")
        terminal.wait_for("Hello, you.")
        terminal.enter("/schema name strng")
        terminal.wait_for("Invalid field")
    assert "schema" not in json.dumps(server.requests[-1].json.get("text") or {})


def test_ask_in_a_terminal_draws_the_data(server: ResponsesServer) -> None:
    """Indented and coloured; a text that does not fit is shown as it is, with exit 6."""
    server.brain = Script([GOOD], [BAD], [BAD])
    with Terminal([ASST, "ask", "-p", "gpt", "--schema", FORM, "a dog"], 80) as terminal:
        assert terminal.wait_end() == 0
        assert '"age": 3' in terminal.text
        assert "fits the schema" in terminal.text
    with Terminal([ASST, "ask", "-p", "gpt", "--schema", FORM, "a dog"], 80) as terminal:
        assert terminal.wait_end() == 6
        assert '"three"' in terminal.text
        assert "Mismatch" in terminal.text

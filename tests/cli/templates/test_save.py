"""`--save-template`: the command line becomes a template."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from cli.conftest import Asst
from servers import ResponsesServer, Say

from .conftest import Write


def _file(name: str) -> Path:
    return Path(os.environ["ASST_CONFIG_DIR"]) / "templates" / f"{name}.md"


def test_command_line_is_saved_and_not_asked(asst: Asst, server: ResponsesServer, tmp_path: Path) -> None:
    """Profile, model, instructions, tools and message; nothing is sent, the file is private, and -T does the same again."""
    (tmp_path / "mine.py").write_text("def f() -> int:\n    'F.'\n    return 1\n")
    ran = asst(
        "ask", "-p", "gpt", "-m", "gpt-6-luna", "-s", "You say {{how}}:\nno.", "-t", f"{tmp_path}/mine.py:f", "-t", "stocks",
        "Say {{lang}}: {{input}}", "--timeout", "9", "--save-template", "say",
    )  # fmt: skip
    assert (ran.code, ran.out) == (0, "")
    assert f"Saved the template say: {_file('say')}\n" in ran.err
    assert "Not saved, since a template can't have them: --timeout.\n" in ran.err
    assert not server.requests
    assert stat.S_IMODE(_file("say").stat().st_mode) == 0o600
    assert stat.S_IMODE(_file("say").parent.stat().st_mode) == 0o700
    assert _file("say").read_text() == (
        "---\nprofile: gpt\nmodel: gpt-6-luna\nsystem: |-\n  You say {{how}}:\n  no.\n"
        f"tools:\n- {tmp_path}/mine.py:f\n- stocks\n---\n\nSay {{{{lang}}}}: {{{{input}}}}\n"
    )
    ran = asst("ask", "-q", "-T", "say", "-P", "lang=x", "-P", "how=no", "hi")
    assert ran.out == "You said: Say x: hi\n"
    assert server.requests[-1].json["instructions"] == "You say no:\nno."
    assert "f" in {tool["name"] for tool in server.requests[-1].json["tools"]}


def test_template_is_saved_with_what_the_command_line_changes(
    asst: Asst, server: ResponsesServer, write: Write
) -> None:
    """With -T: values become defaults, another model replaces the template's, words become the input by default."""
    write("say", "---\nprofile: gpt\nmodel: one\nconfig: {top_p: 0.5}\n---\nSay {{lang}}: {{input}}")
    assert asst("ask", "-T", "say", "-P", "lang=de", "-m", "gpt-6-luna", "--save-template", "sag").code == 0
    assert asst("ask", "-q", "-T", "sag", "hi").out == "You said: Say de: hi\n"
    assert (server.requests[-1].json["model"], server.requests[-1].json["top_p"]) == ("gpt-6-luna", 0.5)
    assert asst("ask", "-T", "sag", "moin", "--save-template", "moin").code == 0
    assert asst("ask", "-q", "-T", "moin").out == "You said: Say de: moin\n"


def test_settings_and_schema_are_saved(asst: Asst, server: ResponsesServer) -> None:
    """`-O` under `config`, typed, over those of the template; `--schema` as a JSON Schema: -T asks for the same again."""
    server.brain = lambda _: [Say('{"name": "Rex"}')]
    arguments = ("-p", "gpt", "-O", "temperature=0.2", "-O", "reasoning_effort=low", "--schema", "name", "{{input}}")
    ran = asst("ask", *arguments, "--save-template", "dog")
    assert (ran.code, "Not saved" in ran.err) == (0, False)
    assert asst("ask", "-T", "dog", "-O", "temperature=0.4", "--save-template", "warm").code == 0
    for name, temperature in (("dog", 0.2), ("warm", 0.4)):
        assert asst("ask", "-q", "-T", name, "A dog").out == '{"name":"Rex"}\n'
        sent = server.requests[-1].json
        assert (sent["temperature"], sent["reasoning"]["effort"]) == (temperature, "low")
        assert list(sent["text"]["format"]["schema"]["properties"]) == ["name"]


def test_nothing_is_replaced_and_nothing_bad_is_saved(asst: Asst, write: Write, tmp_path: Path) -> None:
    """A name in use, an invalid name, logic, a value without a variable, nothing to save: exit 2, no file."""
    path = write("say", "Say {{input}}")
    for arguments, says in (
        (
            ["x", "--save-template", "say"],
            "The template 'say' exists. Choose another name, or edit it: asst templates edit say",
        ),
        (["x", "--save-template", "../up"], "Invalid template name: '../up'."),
        (["x", "--save-template", "a.md"], "Invalid template name: 'a.md'."),
        (["{{#if}}", "--save-template", "new"], "the message, line 1, column 1: {{#if}} isn't a variable."),
        (["-T", "say", "-P", "lang=x", "--save-template", "new"], 'The template "new" has no variable "lang".'),
        (["--save-template", "new"], "Nothing to save. Give a message, or options"),
        (["-t", "nosuch:tool", "x", "--save-template", "new"], "nosuch"),
    ):
        ran = asst("ask", *arguments)
        assert (ran.code, ran.out, ran.err.count("\n")) == (2, "", 1)
        assert says in ran.err
    assert path.read_text() == "Say {{input}}"
    assert sorted(os.listdir(path.parent)) == ["say.md"]


def test_instructions_from_a_file_stay_literal(asst: Asst, server: ResponsesServer, tmp_path: Path) -> None:
    """`-s @file` is saved with its text, in which nothing becomes a variable."""
    (tmp_path / "how.txt").write_text("Use {{braces}} and {{#these}}.")
    assert asst("ask", "-p", "gpt", "-s", f"@{tmp_path}/how.txt", "--save-template", "how").code == 0
    asst("ask", "-T", "how", "hi")
    assert server.requests[-1].json["instructions"] == "Use {{braces}} and {{#these}}."

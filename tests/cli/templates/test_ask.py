"""`asst ask -T`: a template is filled, checked before any request, and loses against the command line."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from asstproxy.config.profiles import config_file
from cli.conftest import ASST, Asst
from forked import asst_command
from servers import ResponsesServer

from .conftest import Write

REVIEW = """\
---
description: Review a change
profile: gpt
model: gpt-6-luna
config: {max_output_tokens: 500}
system: You review {{language}} code.
input:
  schema:
    language: string, of the code
    tone?(enum): [kind, strict]
  default: {language: Python}
---
Review this in {{lang}}. Tone: {{tone}}.

{{input}}
"""


def _asked(server: ResponsesServer) -> str:
    """The last message that the server was sent."""
    return str(server.requests[-1].json["input"])


def test_template_is_filled_with_values_and_the_pipe(asst: Asst, server: ResponsesServer, write: Write) -> None:
    """Message, instructions, model and settings are the template's; `{{input}}` is what was typed and piped."""
    write("review", REVIEW)
    ran = asst("ask", "-q", "-T", "review", "-P", "lang=de", "-P", "tone=kind", "the diff:", stdin="+ x = 1\n")
    assert (ran.code, ran.out) == (0, "You said: Review this in de. Tone: kind.\n\nthe diff:\n\n+ x = 1\n")
    sent = server.requests[-1].json
    assert (sent["model"], sent["max_output_tokens"]) == ("gpt-6-luna", 500)
    assert sent["instructions"] == "You review Python code."


def test_command_line_wins_over_template_over_profile(
    asst: Asst, server: ResponsesServer, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`-m` and `-s` win; the template wins over the profile and over ASST_MODEL; with another profile its model isn't used."""
    write("review", REVIEW)
    config_file().write_text(
        '[profiles.gpt]\nprovider = "gpt"\nmodel = "of-the-profile"\ninstructions = "of the profile"\n'
        "settings = { max_output_tokens = 9, top_p = 0.5 }\n"
        '[profiles.other]\nprovider = "gpt"\nmodel = "of-other"\n'
    )
    monkeypatch.setenv("ASST_MODEL", "of-the-environment")
    monkeypatch.setenv("ASST_PROFILE", "other")
    asst("ask", "-T", "review", "-P", "lang=de", "hi")
    sent = server.requests[-1].json
    assert (sent["model"], sent["max_output_tokens"], sent["top_p"]) == ("gpt-6-luna", 500, 0.5)
    asst("ask", "-T", "review", "-P", "lang=de", "-m", "mine", "-s", "mine {{lang}}", "hi")
    sent = server.requests[-1].json
    assert (sent["model"], sent["instructions"]) == ("mine", "mine {{lang}}")
    monkeypatch.delenv("ASST_MODEL")
    asst("ask", "-p", "other", "-T", "review", "-P", "lang=de", "hi")
    sent = server.requests[-1].json
    assert (sent["model"], sent.get("max_output_tokens")) == ("of-other", None)


def test_values_are_never_interpreted(asst: Asst, server: ResponsesServer, write: Write) -> None:
    """Braces, backslashes and a leading @ in a value or in the input stay as they are."""
    write("echo", "---\nsystem: '{{who}}'\n---\n{{what}} {{input}} \\{{what}}")
    ran = asst(
        "ask", "-q", "-p", "gpt", "-T", "echo", "-P", "who=@/etc/passwd", "-P", "what={{input}} \\{{who}}", "{{what}}"
    )  # fmt: skip
    assert ran.out == "You said: {{input}} \\{{who}} {{what}} {{what}}\n"
    assert server.requests[-1].json["instructions"] == "@/etc/passwd"


def test_input_that_the_text_has_no_place_for_follows_it(asst: Asst, server: ResponsesServer, write: Write) -> None:
    """Nothing that was piped in is lost; and without an input, the text alone is sent."""
    write("joke", "Tell a joke.")
    assert (
        asst("ask", "-q", "-p", "gpt", "-T", "joke", stdin="about cats").out == "You said: Tell a joke.\n\nabout cats\n"
    )
    assert asst("ask", "-q", "-p", "gpt", "-T", "joke").out == "You said: Tell a joke.\n"
    write("role", "---\nsystem: You are a poet.\n---\n")
    assert asst("ask", "-q", "-p", "gpt", "-T", "role", "hi").out == "You said: hi\n"


@pytest.mark.parametrize(
    ("text", "arguments", "says"),
    [
        ("Hi {{lang}}", [], 'The template "t" needs a value for lang. Add -P lang=…'),
        ("{{a}} {{b}}", [], "needs a value for a and b. Add -P a=… -P b=…"),
        ("Hi {{lang}}", ["-P", "lag=de"], "needs a value for lang, and has no lag. Add"),
        ("---\ninput: {schema: {a: 'string, the city'}}\n---\n{{a}}", [], "needs a value for a (a: the city)"),
        ("Hi {{input}}", [], 'The template "t" needs an input. Give it after the options, -T t "…", or pipe it in.'),
        ("", [], 'The template "t" needs an input.'),
        ("{{input}}", ["-P", "input=x"], '"input" is what is typed or piped in, not a value. Give it as the message.'),
        ("x", ["-P", "lang"], '"lang" isn\'t a name and a value. Write -P name=value.'),
        ("---\nmodle: x\n---\n", [], 't.md, line 2, column 1: unknown key "modle". Did you mean "model"?'),
        ("---\nfoo: x\n---\n", [], 't.md, line 2, column 1: unknown key "foo". Known: description, profile,'),
        ("---\ninput:\n  defaults: {}\n---\n", [], 'line 3, column 3: unknown key "input.defaults". Did you mean "default"?'),
        ("---\ninput: {default: {lnag: de}}\n---\n{{lang}}", [], 'column 19: input.default has "lnag", but no {{lnag}} is'),
        ("---\ninput:\n  schema: {lnag: string}\n---\n{{lang}}", [], 'line 3, column 12: input.schema has "lnag"'),
        ("---\ninput: {schema: {a: strng}}\n---\n{{a}}", [], 'line 2, column 21: "strng" isn\'t a type.'),
        ("---\ninput: {schema: {'a(array)': string}}\n---\n{{a}}", [], "a can't be an array: values are texts."),
        ("---\ninput: {schema: {'a(list)': string}}\n---\n{{a}}", [], '"list" isn\'t a kind of value.'),
        ("---\nconfig: high\n---\nx", [], "line 2, column 9: config must be keys with values."),
        ("---\nmodel: [a]\n---\nx", [], "line 2, column 8: model must be text."),
        ("---\ntools: {a: b}\n---\nx", [], "line 2, column 8: tools must be a list of texts."),
        ("---\nmodel: a\nmodel: b\n---\nx", [], "line 3, column 1: model is there twice. Remove one of them."),
        ("---\nmodel: !!python/name:os.system x\n---\nx", [], "line 2, column 8: the tag"),
        ("---\nmodel: a: b\n---\nx", [], "line 2, column 9: mapping values are not allowed here."),
        ("---\nmodel: 'a\n---\nx", [], "line 3, column 1: found unexpected end of stream."),
        ("---\n- a\n---\nx", [], "line 2, column 1: the front matter must be keys with values."),
        ("---\nmodel: a\nx", [], "t.md, line 1: the front matter has no end. Put a line --- below it."),
        ("---\nmodel: \x07\n---\nx", [], "line 2, column 8: the character U+0007 can't stand in YAML."),
        ("---\nconfig: {temperature: hot}\n---\nx", [], 'config of the template: temperature: "hot" isn\'t a number.'),
        ("---\nconfig: {model: m}\n---\nx", [], 'config of the template: "model" is not a setting of the API'),
        ("---\nconfig: {a: .nan}\n---\nx", [], "line 2, column 13: .nan isn't a number that JSON has."),
        ("---\nconfig: {a: " + "9" * 5000 + "}\n---\nx", [], "isn't a number that JSON has."),
        ("---\nconfig: {a: " + "[" * 3000 + "}\n---\nx", [], "t.md is nested too deeply: more than 64 levels."),
        ("---\nmodel: m\n---\n\nHi\n {{#if a}}", [], "line 6, column 2: {{#if a}} isn't a variable."),
        ("a {{", [], "t.md, line 1, column 3: {{ isn't a variable."),
        ("{{a.b}}", [], "column 1: {{a.b}} isn't a variable. Write {{name}}; templates have no logic."),
        ("---\nsystem: You {{>are}}\n---\nx", [], "line 2, column 13: {{>are}} isn't a variable."),
        ("---\noutput: {format: xml}\n---\nx", [], "output.format can't be \"xml\". Use one of: json, text."),
        ("\0", [], "t.md, line 1: a template must be text, without NUL bytes."),
    ],
)  # fmt: skip
def test_bad_template_is_named_before_any_request(
    asst: Asst, server: ResponsesServer, write: Write, text: str, arguments: list[str], says: str
) -> None:
    """One line that says where and what, exit 2, and the API is never called."""
    write("t", text)
    ran = asst("ask", "-p", "gpt", "-T", "t", *arguments)
    assert (ran.code, ran.out, ran.err.count("\n")) == (2, "", 1)
    assert says in ran.err
    assert not server.requests


@pytest.mark.parametrize(
    ("values", "says"),
    [
        (["tone=kindd"], 'tone can\'t be "kindd" in the template "t". Did you mean "kind"?'),
        (["days=soon"], 'days must be a whole number in the template "t", not "soon".'),
        (["share=half"], 'share must be a number in the template "t"'),
        (["exact=maybe"], 'exact must be true or false in the template "t"'),
    ],
)
def test_declared_kinds_are_checked(asst: Asst, write: Write, values: list[str], says: str) -> None:
    """A value that `input.schema` doesn't allow is named."""
    write(
        "t",
        "---\ninput:\n  schema:\n    tone?(enum): [kind, strict]\n    days?: integer\n    share?: number\n"
        "    exact?: boolean\n---\n{{tone}} {{days}} {{share}} {{exact}}",
    )
    ran = asst("ask", "-p", "gpt", "-T", "t", *(part for value in values for part in ("-P", value)))
    assert (ran.code, ran.err.count("\n")) == (2, 1)
    assert says in ran.err


def test_value_that_the_template_has_not_is_told(asst: Asst, server: ResponsesServer, write: Write) -> None:
    """A notice names it, and what was probably meant; the request goes out."""
    write("t", "---\ninput: {default: {lang: en}}\n---\nHi in {{lang}}")
    ran = asst("ask", "-p", "gpt", "-T", "t", "-P", "lagn=de")
    assert (ran.code, ran.out) == (0, "You said: Hi in en\n")
    assert 'asst: The template "t" has no variable "lagn". Did you mean "lang"?\n' in ran.err


def test_unknown_template_is_named(asst: Asst, write: Write) -> None:
    """With the near name, or the command that lists them; a path that leads nowhere as a path."""
    write("review", REVIEW)
    assert "No such template: 'reviw'. Did you mean \"review\"?" in asst("ask", "-T", "reviw", "hi").err
    ran = asst("ask", "-T", "poem", "hi")
    assert (ran.code, ran.err) == (2, "asst: No such template: 'poem'. List them: asst templates list\n")
    assert asst("ask", "-T", "./none.md", "hi").err == (
        "asst: No such file: none.md. Name a template, or the path of a Markdown file.\n"
    )
    assert "-P gives a value to a template, and there is none." in asst("ask", "-P", "a=b", "hi").err
    assert "--retry takes no message and no template." in asst("ask", "--retry", "-T", "review", "-P", "lang=x").err


def test_mixed_up_options_are_told_apart(asst: Asst, write: Write, tmp_path: Path) -> None:
    """In llm, -t is a template and -T a tool: who names one as the other reads which option is meant."""
    write("review", REVIEW)
    (tmp_path / "tools.py").write_text("def f() -> int:\n    'F.'\n    return 1\n")
    for arguments, says in (
        (["-t", "review"], "No such tool: 'review'. It is a template: -T review"),
        (["-T", "stocks"], "stocks is a tool, not a template. Offer it: -t stocks"),
        (["-T", f"{tmp_path}/tools.py"], "tools.py is a Python file, not a template. Tools are named with -t."),
    ):
        ran = asst("ask", "-p", "gpt", *arguments, "hi")
        assert (ran.code, ran.out, ran.err.count("\n")) == (2, "", 1)
        assert says in ran.err


def test_alias_bomb_is_bounded(asst: Asst, write: Write) -> None:
    """What aliases repeat counts each time: nothing blows up."""
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 12)]
    write("t", "---\nconfig:\n" + "".join(f"  {line}\n" for line in lines) + "---\nx")
    ran = asst("ask", "-p", "gpt", "-T", "t", timeout=20)
    assert (ran.code, ran.err.count("\n")) == (2, 1)
    assert "t.md has more than 10,000 values. Use fewer, or fewer aliases." in ran.err
    write("t", "---\nconfig: &a {b: *a}\n---\nx")
    assert "nested too deeply" in asst("ask", "-p", "gpt", "-T", "t").err


def test_odd_files_are_refused_at_once(asst: Asst, tmp_path: Path) -> None:
    """A folder, a pipe that nobody writes to, a device, a file of 10 GB, Latin-1, no permission: one line, exit 2."""
    os.mkfifo(tmp_path / "pipe.md")
    with (tmp_path / "huge.md").open("wb") as file:
        file.truncate(10_000_000_000)
    (tmp_path / "latin.md").write_bytes("Grüße\n".encode("latin-1"))
    (tmp_path / "folder").mkdir()
    for path, says in (
        (tmp_path / "pipe.md", "isn't a file."),
        (Path("/dev/zero"), "isn't a file."),
        (tmp_path / "huge.md", "is too large for a template: more than 1 MB."),
        (tmp_path / "latin.md", "latin.md, line 1: a template must be UTF-8 text."),
        (tmp_path / "folder", "is a folder."),
    ):
        ran = asst("ask", "-p", "gpt", "-T", str(path), "hi", timeout=20)
        assert (ran.code, ran.out, ran.err.count("\n")) == (2, "", 1)
        assert says in ran.err


def test_template_from_elsewhere_runs_no_code(
    asst: Asst, server: ResponsesServer, tmp_path: Path, write: Write
) -> None:
    """A file with a template may not name code: it is refused before it is loaded. One of the user's own may."""
    ran_file = tmp_path / "ran"
    (tmp_path / "evil.py").write_text(f"open({str(ran_file)!r}, 'w')\n\ndef f() -> int:\n    'F.'\n    return 1\n")
    template = tmp_path / "t.md"
    template.write_text("---\ntools: [./evil.py]\n---\nhi")
    ran = asst("ask", "-p", "gpt", "-T", str(template))
    assert ran.code == 2
    assert 'offers the tool "./evil.py", and a template outside of your own must not load code.' in ran.err
    template.write_text("---\ntools: [evil:f]\n---\nhi")
    done = asst_command.run([ASST, "ask", "-p", "gpt", "-T", "./t.md"], cwd=tmp_path, capture_output=True, check=False)
    assert done.returncode == 2
    assert not ran_file.exists()
    assert not server.requests
    write("mine", f"---\ntools: ['{tmp_path}/evil.py:f', stocks]\n---\nhi")
    assert asst("ask", "-p", "gpt", "-T", "mine").code == 0
    assert {tool["name"] for tool in server.requests[-1].json["tools"]} >= {"f"}
    asst("ask", "-p", "gpt", "-T", "mine", "--no-tools")
    assert not server.requests[-1].json.get("tools")


def test_tool_that_is_missing_is_named_with_the_template(asst: Asst, write: Write) -> None:
    """A tool of a template that can't be loaded: the message has the template's file."""
    path = write("t", "---\ntools: [nosuch:thing]\n---\nhi")
    ran = asst("ask", "-p", "gpt", "-T", "t")
    assert ran.code == 2
    assert f"{path}, tools: " in ran.err


@pytest.mark.parametrize("option", ["-T", "-s"])
def test_skill_is_instructions(asst: Asst, server: ResponsesServer, tmp_path: Path, option: str) -> None:
    """A SKILL.md given with -T or -s: its text is the instructions, its front matter is not, and nothing is a variable."""
    skill = tmp_path / "pdf" / "SKILL.md"
    skill.parent.mkdir()
    skill.write_text("---\nname: pdf\ndescription: Use this: for PDF\n---\n\n# PDF\n\nWrite {{name}} and {{#if}}.\n")
    named = str(skill) if option == "-T" else f"@{skill}"
    assert asst("ask", "-q", "-p", "gpt", option, named, "hi").out == "You said: hi\n"
    assert server.requests[-1].json["instructions"] == "# PDF\n\nWrite {{name}} and {{#if}}."
    agents = tmp_path / "AGENTS.md"
    agents.write_text("Be {{brief}}.\n")
    asst("ask", "-p", "gpt", option, f"{'@' if option == '-s' else ''}{agents}", "hi")
    assert server.requests[-1].json["instructions"] == "Be {{brief}}."


def test_folder_of_a_skill_stands_for_it(asst: Asst, server: ResponsesServer, tmp_path: Path) -> None:
    """`-T folder/` takes the SKILL.md in it."""
    (tmp_path / "pdf").mkdir()
    (tmp_path / "pdf" / "SKILL.md").write_text("Write PDF.")
    assert asst("ask", "-p", "gpt", "-T", f"{tmp_path}/pdf", "hi").code == 0
    assert server.requests[-1].json["instructions"] == "Write PDF."


def test_plain_dotprompt_file_runs(asst: Asst, server: ResponsesServer, tmp_path: Path) -> None:
    """A `.prompt` file without logic: its model's prefix is the profile, its system part the instructions."""
    prompt = tmp_path / "translate.prompt"
    prompt.write_text(
        "---\nmodel: openai/gpt-6-luna\nconfig: {maxOutputTokens: 50}\nmaxTurns: 3\ninput:\n  schema: {text: string}\n---\n"
        '{{role "system"}}\nYou translate.\n{{role "user"}}\nTranslate {{{text}}}\n'
    )
    ran = asst("ask", "-T", str(prompt), "-P", "text=hi")
    assert ran.out == "You said: Translate hi\n"
    assert f"asst: {prompt}: not used: maxTurns (asst has no such setting).\n" in ran.err
    sent = server.requests[-1].json
    assert (sent["model"], sent["max_output_tokens"], sent["instructions"]) == ("gpt-6-luna", 50, "You translate.")

"""`asst templates import`: llm's YAML files, dotprompt files, Markdown; what can't be taken over is named."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from cli.conftest import Asst
from servers import ResponsesServer

LLM = """\
model: gpt-4o
system: You cost $$5, ${who}.
prompt: >
  Summarise {{this}} for $who:

  $input
defaults:
  who: "no"
  unused: x
options:
  max_tokens: 50
  temperature: 0.5
extract: true
tools:
- llm_time
functions: |
  def f(): pass
fragments:
- notes.txt
attachments:
- https://example.com/a.png
attachment_types:
- type: image/png
  value: pic.png
schema_object:
  type: object
  properties: {name: {type: string}}
"""


def _written(name: str) -> str:
    return (Path(os.environ["ASST_CONFIG_DIR"]) / "templates" / f"{name}.md").read_text()


def test_llm_template_is_taken_over(asst: Asst, server: ResponsesServer, tmp_path: Path) -> None:
    """`$name` becomes `{{name}}`, a literal brace stays one, `no` stays text; what has no place here is named with its reason."""
    (tmp_path / "sum.yaml").write_text(LLM)
    ran = asst("templates", "import", str(tmp_path / "sum.yaml"))
    assert (ran.code, ran.out) == (0, "sum\n")
    assert _written("sum") == (
        "---\nprofile: gpt\nmodel: gpt-4o\nconfig:\n  max_output_tokens: 50\n  temperature: 0.5\n"
        "system: You cost $5, {{who}}.\n"
        f"attachments:\n- https://example.com/a.png\n- {tmp_path}/pic.png\n"
        "input:\n  default:\n    who: 'no'\noutput:\n  schema:\n    type: object\n    properties:\n      name:\n"
        "        type: string\n---\n\nSummarise \\{{this}} for {{who}}:\n{{input}}\n"
    )
    assert ran.err.splitlines() == [
        "asst: sum: tools (they are plugins of llm)",
        "asst: sum: functions (a template holds no code: put it into a file of tools)",
        "asst: sum: fragments (attach the files instead)",
        "asst: sum: extract (an option of each request, not of a template)",
        "asst: sum: defaults.unused (the text doesn't use it)",
        f"asst: sum: attaches https://example.com/a.png, {tmp_path}/pic.png",
    ]


def test_llm_template_that_is_only_a_text(asst: Asst, server: ResponsesServer, tmp_path: Path) -> None:
    """A YAML file with one string is the prompt, as in llm."""
    (tmp_path / "joke.yaml").write_text("Tell a joke about $topic for $5\n")
    assert asst("templates", "import", str(tmp_path / "joke.yaml")).code == 0
    assert (
        asst("ask", "-q", "-p", "gpt", "-T", "joke", "-P", "topic=cats").out
        == "You said: Tell a joke about cats for $5\n"
    )


def test_dotprompt_is_taken_over(asst: Asst, server: ResponsesServer, tmp_path: Path) -> None:
    """Model, settings, roles, Picoschema, comments; tools and keys for others are named."""
    (tmp_path / "extract.prompt").write_text(
        "---\nname: extract\nmodel: googleai/gemini-3.8-flash\nconfig:\n  temperature: 0.1\ntools: [search]\nmaxTurns: 3\n"
        "myext.key: 1\ninput:\n  schema:\n    text: string, what to read\n    lang?: string\n  default:\n    lang: en\n"
        "output:\n  format: json\n  schema:\n    name: string, whose it is\n    age?: integer\n    mood(enum): [good, bad]\n"
        "    tags(array, of it): string\n    (*): any\n---\n"
        '{{!-- a comment --}}{{role "system"}}\nYou extract.\n{{role "user"}}\nIn {{lang}}, from {{{text}}}\n'
    )
    ran = asst("templates", "import", str(tmp_path / "extract.prompt"), "--name", "ex")
    assert (ran.code, ran.out) == (0, "ex\n")
    assert ran.err.splitlines() == [
        "asst: ex: maxTurns (asst has no such setting)",
        "asst: ex: myext.key (asst has no such setting)",
        "asst: ex: tools (name them with -t)",
    ]
    assert _written("ex") == (
        "---\nprofile: gemini\nmodel: gemini-3.8-flash\nconfig:\n  temperature: 0.1\nsystem: You extract.\n"
        "input:\n  schema:\n    type: object\n    properties:\n      text:\n        type: string\n"
        "        description: what to read\n    required:\n    - text\n  default:\n    lang: en\n"
        "output:\n  schema:\n    type: object\n    properties:\n      name:\n        type: string\n"
        "        description: whose it is\n      age:\n        type:\n        - integer\n        - 'null'\n      mood:\n"
        "        enum:\n        - good\n        - bad\n      tags:\n        type: array\n        items:\n"
        "          type: string\n        description: of it\n    additionalProperties: {}\n    required:\n    - name\n"
        "    - mood\n    - tags\n---\n\nIn {{lang}}, from {{text}}\n"
    )


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("a.prompt", "Hi {{#if x}}a{{/if}}", "a.prompt, line 1, column 4: {{#if x}} isn't a variable."),
        ("a.prompt", "---\nmodel: m\n---\nHi\n{{media url=x}}", "a.prompt, line 5, column 1: {{media url=x}} isn't"),
        (
            "a.prompt",
            'A\n{{role "model"}}\nB\n{{role "user"}}\nC',
            "line 3: a template is one message, and this text has",
        ),
        ("a.yaml", "prompt: x\nmodle: y\n", 'a.yaml, line 2, column 1: unknown key "modle". Did you mean "model"?'),
        ("a.yaml", "- a\n", "a.yaml, line 1, column 1: the front matter must be keys with values."),
        ("a.yaml", "prompt: !!python/object:os.x y\n", "a.yaml, line 1, column 9: the tag"),
        ("a.yaml", "attachment_types: [{type: x}]\n", "line 1, column 20: an attachment needs a value."),
        ("a.md", "---\nmodle: x\n---\n", 'a.md, line 2, column 1: unknown key "modle".'),
        ("a.toml", "x = 1\n", "a.toml can't be imported. Known: .md, .markdown, .prompt, .yaml, .yml."),
    ],
)
def test_what_is_no_template_is_refused(asst: Asst, tmp_path: Path, name: str, text: str, says: str) -> None:
    """A text with logic, or a file with an error: one line, exit 2, nothing written."""
    (tmp_path / name).write_text(text)
    ran = asst("templates", "import", str(tmp_path / name))
    assert (ran.code, ran.out, ran.err.count("\n")) == (2, "", 1)
    assert says in ran.err
    assert not (Path(os.environ["ASST_CONFIG_DIR"]) / "templates").exists()


def test_folder_is_imported_file_by_file(asst: Asst, tmp_path: Path) -> None:
    """What can be imported is; a file with an error and a name in use are named, and decide the exit code."""
    folder = tmp_path / "llm"
    folder.mkdir()
    (folder / "one.yaml").write_text("One.")
    (folder / "two.yaml").write_text("modle: x")
    (folder / "three.prompt").write_text("Three.")
    (folder / "notes.txt").write_text("not a template")
    ran = asst("templates", "import", str(folder))
    assert (ran.code, ran.out) == (2, "one\nthree\n")
    assert "two.yaml, line 1, column 1" in ran.err
    ran = asst("templates", "import", str(folder / "one.yaml"))
    assert ran.code == 2
    assert "The template 'one' exists." in ran.err
    assert "--name names one template." in asst("templates", "import", str(folder), "--name", "x").err
    (tmp_path / "none").mkdir()
    assert "has no templates." in asst("templates", "import", str(tmp_path / "none")).err
    assert "Can't read the template" in asst("templates", "import", str(tmp_path / "none.md")).err


def test_skill_is_imported_under_the_name_of_its_folder(asst: Asst, server: ResponsesServer, tmp_path: Path) -> None:
    """Its instructions stay as they are; its name and description are not part of them."""
    skill = tmp_path / "pdf-forms"
    skill.mkdir()
    (skill / "SKILL.md").write_text("---\nname: pdf-forms\ndescription: Fill forms\n---\nWrite {{name}}.\n")
    assert asst("templates", "import", str(skill)).out == "pdf-forms\n"
    assert asst("templates", "list").out == "pdf-forms\t\tFill forms\n"
    asst("ask", "-p", "gpt", "-T", "pdf-forms", "hi")
    assert server.requests[-1].json["instructions"] == "Write {{name}}."

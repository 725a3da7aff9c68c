"""`asst templates`: list, show, edit, path, completion."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cli.conftest import ASST, Asst
from cli.terminal import Terminal

from .conftest import Write

TRANSLATE = """\
---
description: "Translate a text"
input:
  schema: {lang: "string, a language code"}
  default: {tone: kind}
---
Translate to {{lang}}, in a {{tone}} tone: {{input}}
"""


def test_list_shows_names_variables_and_descriptions(asst: Asst, write: Write) -> None:
    """Tab-separated into a pipe, a table on a terminal, everything as JSON; a broken one is named and costs no other."""
    assert asst("templates", "list").err.startswith("No templates. Save one: asst ask ")
    path = write("translate", TRANSLATE)
    write("joke", "Tell a joke.\nNow.")
    broken = write("broken", "---\nmodle: x\n---\n")
    ran = asst("templates", "list")
    assert (ran.code, ran.out) == (0, "joke\t\tTell a joke.\ntranslate\tlang tone?\tTranslate a text\n")
    assert f"{broken}, line 2, column 1: unknown key" in ran.err
    found = json.loads(asst("templates", "list", "--json").out)
    assert found[1] == {
        "name": "translate",
        "description": "Translate a text",
        "profile": "",
        "model": "",
        "variables": [
            {"name": "lang", "description": "a language code", "default": None, "required": True},
            {"name": "tone", "description": "", "default": "kind", "required": False},
        ],
        "path": str(path),
    }
    with Terminal([ASST, "templates", "list"]) as terminal:
        assert terminal.wait_end() == 0
        assert "joke                   Tell a joke." in terminal.text
        assert "translate  lang tone?  Translate a text" in terminal.text


def test_show_and_path(asst: Asst, write: Write) -> None:
    """The file as it is, and where it is; for a name that is near to one, which was meant."""
    path = write("translate", TRANSLATE)
    assert asst("templates", "show", "translate").out == TRANSLATE
    assert asst("templates", "path").out == f"{path.parent}\n"
    assert asst("templates", "path", "translate").out == f"{path}\n"
    for verb in ("show", "path"):
        ran = asst("templates", verb, "transalte")
        assert (ran.code, ran.out) == (2, "")
        assert 'Did you mean "translate"?' in ran.err


def test_edit_replaces_a_template_only_by_a_valid_one(
    asst: Asst, write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The editor works on a copy; an error in it is named, and the template stays. A new name begins a template."""
    path = write("translate", TRANSLATE)
    editor = tmp_path / "editor"
    editor.write_text('#!/bin/sh\nsed -i "$EDIT" "$1"\n')
    editor.chmod(0o700)
    monkeypatch.setenv("EDITOR", str(editor))
    monkeypatch.setenv("EDIT", "s/description/descripton/")
    ran = asst("templates", "edit", "translate")
    assert ran.code == 3
    assert f'{path}, line 2, column 1: unknown key "descripton". Nothing was changed.' in ran.err
    assert path.read_text() == TRANSLATE
    monkeypatch.setenv("EDIT", "s/kind tone/{{manner}} tone/;s/tone: kind/manner: kind/;s/{{tone}}/{{manner}}/")
    assert asst("templates", "edit", "translate").code == 0
    assert "{{manner}} tone" in path.read_text()
    monkeypatch.setenv("EDIT", "s/^Answer/Reply/")
    ran = asst("templates", "edit", "translat")
    assert ran.code == 0
    assert 'translat is new. Did you mean "translate"?' in ran.err
    assert "Reply in {{lang}}." in path.with_stem("translat").read_text()
    monkeypatch.setenv("EDIT", "")
    assert asst("templates", "edit", "unchanged").err == "No changes.\n"
    assert not path.with_stem("unchanged").exists()


def test_linked_template_stays_a_link(
    asst: Asst, write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A template kept elsewhere (dotfiles) is edited there, and counts as the user's own."""
    elsewhere = tmp_path / "dotfiles" / "joke.md"
    elsewhere.parent.mkdir()
    elsewhere.write_text("Tell a joke.\n")
    link = write("x", "").with_stem("joke")
    link.symlink_to(elsewhere)
    monkeypatch.setenv("EDITOR", "sed -i s/joke/story/")
    assert asst("templates", "edit", "joke").code == 0
    assert link.is_symlink()
    assert elsewhere.read_text() == "Tell a story.\n"


@pytest.mark.parametrize("words", ["asst ask -T ", "asst templates show ", "asst chat -T tr"])
def test_names_are_completed(asst: Asst, write: Write, monkeypatch: pytest.MonkeyPatch, words: str) -> None:
    """Tab offers the templates with their descriptions, and no parser of YAML is loaded."""
    write("translate", TRANSLATE)
    monkeypatch.setenv("_ASST_COMPLETE", "complete_zsh")
    monkeypatch.setenv("_TYPER_COMPLETE_ARGS", words)
    ran = asst()
    assert "translate" in ran.out
    assert "Translate a text" in ran.out


def test_folder_is_closed_to_others(asst: Asst, write: Write) -> None:
    """Templates that others can read are closed when one is used, with a notice."""
    path = write("joke", "Tell a joke.")
    path.chmod(0o644)
    assert "Others could read files in" in asst("ask", "-p", "replay:none", "-T", "joke").err
    assert path.stat().st_mode & 0o077 == 0

"""What the documents say is true."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from asstproxy.core.script import State
from pictures import PDF, PNG
from servers import Output, ResponsesServer, Say, echo
from test_every_day import OURS

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
BIN = Path(sys.executable).parent


def test_script_page_is_the_table() -> None:
    """docs/script.md is what the table draws; `asst script` prints the same diagram."""
    written = (ROOT / "docs/script.md").read_text(encoding="utf-8")
    drawn = subprocess.run([BIN / "asst", "script"], capture_output=True, text=True, check=True).stdout
    assert drawn.strip() in written
    program = "import sys; sys.path.insert(0, 'scripts'); import script_doc; sys.stdout.write(script_doc.page())"
    page = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert page == written


def test_vendors_are_those_of_the_table() -> None:
    """docs/vendors.md is what scripts/vendors_doc.py writes."""
    program = "import sys; sys.path.insert(0, 'scripts'); import vendors_doc; sys.stdout.write(vendors_doc.page())"
    page = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert page == (ROOT / "docs/vendors.md").read_text(encoding="utf-8")


def test_every_dependency_has_its_reason() -> None:
    """docs/choices.md has a line for every dependency."""
    choices = (ROOT / "docs/choices.md").read_text(encoding="utf-8")
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = [one for name, listed in declared["optional-dependencies"].items() if name != "dev" for one in listed]
    names = {re.split(r"[<>=~\[ ]", one)[0] for one in [*declared["dependencies"], *extras]} - {"asstproxy"}
    assert not {name for name in names if f"`{name}`" not in choices}


def test_links_lead_somewhere() -> None:
    """Every relative link of a page names a file that is there."""
    for page in [
        *ROOT.glob("*.md"),
        *(ROOT / "docs").glob("*.md"),
        ROOT / "cassettes/README.md",
        ROOT / "bench/README.md",
    ]:
        for link in re.findall(r"\]\((?!https?:|#)([^)#]+)", page.read_text(encoding="utf-8")):
            assert (page.parent / link).exists(), f"{page.name}: {link}"


def test_every_promise_is_held_by_a_test() -> None:
    """Each row of docs/reliability.md names tests that are there, and a figure of theirs; none had failed."""
    rows = re.findall(
        r"^\| (.+?) \| (`tests/.+?) \| (.*) \|$", (ROOT / "docs/reliability.md").read_text(), re.MULTILINE
    )
    assert len(rows) > 20
    for promise, tests, figure in rows:
        assert all((ROOT / test).exists() for test in re.findall(r"`(.+?)`", tests)), tests
        assert re.search(r"\d+ tests?$", figure), promise


def test_glossary_has_every_state() -> None:
    """docs/glossary.md explains the states of the script, all of them in the table's order."""
    table = (ROOT / "docs/glossary.md").read_text(encoding="utf-8").partition("The states:")[2].partition("##")[0]
    assert re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE) == [str(state) for state in State]


def _shell_block(title: str) -> list[str]:
    block = re.search(rf"## {title}\n+```sh\n(.*?)```", README, re.DOTALL)
    assert block
    return [line.split(" #")[0].strip() for line in block[1].splitlines()]


DOG = {"name": "Rex", "age": 3}


def _model(request: dict[str, Any]) -> Iterable[Output]:
    """What a model answers to the commands of the README: data, where a schema asks for it, else an echo."""
    schema = request.get("text", {}).get("format", {}).get("schema")
    if schema is None:
        return echo(request)
    return [Say(json.dumps({"items": [DOG]} if "items" in schema["properties"] else DOG))]


def test_readme_commands_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every command of the README's shell blocks does what it says, against a server that answers."""
    (tmp_path / "screenshot.png").write_bytes(PNG)
    (tmp_path / "report.pdf").write_bytes(PDF)
    (tmp_path / "notes.md").write_text("# Notes\n")
    person = {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]}
    (tmp_path / "person.json").write_text(json.dumps(person))
    with ResponsesServer(_model) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.base_url)
        monkeypatch.setenv("OPENAI_API_KEY", server.key)
        monkeypatch.setenv("ASST_PROFILE", "gpt")
        monkeypatch.setenv("PATH", f"{BIN}:/usr/local/bin:/usr/bin:/bin")
        for line in [*_shell_block("In the shell"), *_shell_block("Every day")]:
            if line in ("asst chat", "asst web"):  # don't end by themselves: tests/cli/test_chat.py, tests/web
                continue
            if OURS.search(line):  # they need other answers: tests/test_every_day.py
                continue
            command = re.sub(r"jq (-r )?\.\w+", "cat", line.replace("git diff", "echo change"))
            done = subprocess.run(
                ["bash", "-o", "pipefail", "-c", command],
                capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=60, check=False, cwd=tmp_path,
            )  # fmt: skip
            assert done.returncode == 0, f"{line}: {done.stderr}"
            assert done.stdout.strip() or " > " in line or done.stderr.startswith("Saved the template "), line


def test_template_of_the_page_is_one(tmp_path: Path) -> None:
    """The example in docs/templates.md is a template, and the page's program gives its instructions and message."""
    page = (ROOT / "docs/templates.md").read_text(encoding="utf-8")
    example = re.search(r"```markdown\n(.*?)```", page, re.DOTALL)
    program = re.search(r"```python\n(.*?)```", page, re.DOTALL)
    assert example
    assert program
    folder = Path(os.environ["ASST_CONFIG_DIR"]) / "templates"
    folder.mkdir(parents=True)
    (folder / "review.md").write_text(example[1])
    names: dict[str, Any] = {}
    exec(compile(program[1].partition("user =")[0], "docs/templates.md", "exec"), names)  # noqa: S102 - our own page
    assert names["filled"].system == "You review Python code. Name each problem with its line."
    assert names["filled"].text == "Review this change. Answer in German.\n\nx = 1"


@pytest.mark.parametrize("number", range(README.count("```python\n")))
def test_readme_programs_are_python(number: int) -> None:
    """The README's programs run (those that would need a key are compiled and their imports resolved)."""
    program = re.findall(r"```python\n(.*?)```", README, re.DOTALL)[number]
    if "asyncio.run" in program:
        with ResponsesServer() as server:
            program = program.replace('"local"', '"gpt"')
            env = {"OPENAI_BASE_URL": server.base_url, "OPENAI_API_KEY": server.key, "PATH": str(BIN)}
            done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env=env, check=False)
        assert done.returncode == 0, done.stderr
        assert "completed assistant_message_retrieved" in done.stdout
    else:
        definitions = program.split("user = ")[0]
        assert "population" in definitions
        exec(compile(definitions, "README.md", "exec"), {"__name__": "readme"})  # noqa: S102 - our own page

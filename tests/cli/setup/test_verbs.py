"""`asst setup list|show|use|remove|edit|check`."""

from __future__ import annotations

import json
import os
import tomllib
from pathlib import Path

import pytest

from servers import Call, GeminiServer, ResponsesServer, Say, Status, refused_port
from servers.brain import Output

from .conftest import Asst

TWO = """\
# by hand
default = "gpt"

[profiles.gpt]
provider = "gpt"
model = "gpt-6-luna"  # cheap

[profiles.work]
provider = "gpt"
api_key_env = "WORK_KEY"
instructions = "One.\\nTwo."
settings = { max_output_tokens = 9 }
"""


@pytest.fixture(autouse=True)
def _two(config: Path) -> None:
    config.parent.mkdir()
    config.write_text(TWO)


def test_list(asst: Asst) -> None:
    """Every profile with its model and where its key is, the default one marked; --json is an array of objects."""
    ran = asst("setup", "list", env={"OPENAI_API_KEY": "sk-x"})
    assert ran.code == 0
    lines = ran.out.splitlines()
    assert lines[1].split() == ["*", "gpt", "gpt", "gpt-6-luna", "environment"]
    assert lines[-1].split() == ["work", "gpt", "-", "missing"]
    rows = json.loads(asst("setup", "list", "--json").out)
    assert [row["name"] for row in rows] == ["gpt", "gemini", "anthropic", "local", "work"]
    assert [row["default"] for row in rows] == [True, False, False, False, False]


def test_show(asst: Asst) -> None:
    """All of a profile but its key; without a name the default one."""
    ran = asst("setup", "show", "work", env={"WORK_KEY": "sk-secret-0123"})
    assert "One.\n" in ran.out
    assert "max_output_tokens" in ran.out
    assert "sk-secret" not in ran.all
    shown = json.loads(asst("setup", "show", "--json").out)
    assert (shown["name"], shown["model"]) == ("gpt", "gpt-6-luna")


def test_google_cloud_needs_no_key(asst: Asst, google: GeminiServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """A profile that asks Google Cloud is listed without a key, and doctor looks for the server of that place."""
    monkeypatch.setenv("GOOGLE_VERTEX_BASE_URL", google.url)
    monkeypatch.delenv("GOOGLE_GEMINI_BASE_URL")
    assert asst("setup", "gemini", "--project", "p", "--location", "eu", "--no-check", "--yes").code == 0
    shown = json.loads(asst("setup", "show", "gemini", "--json").out)
    assert (shown["key"], shown["key_variable"]) == ("not needed", "")
    assert shown["options"] == {"vertex": True, "project": "p", "location": "eu"}
    assert f"{google.url} can be reached" in asst("doctor", "-v").out
    assert asst("setup", "gemini", "--no-vertex", "--no-check", "--yes").code == 0
    shown = json.loads(asst("setup", "show", "gemini", "--json").out)
    assert (shown["key"], shown["key_variable"]) == ("missing", "GEMINI_API_KEY")


def test_list_survives_an_option_with_an_error(asst: Asst, config: Path) -> None:
    """A wrong value in one profile's own options does not keep the others from being listed."""
    config.write_text(TWO + '[profiles.gemini]\nvertex = "perhaps"\n')
    rows = {row["name"]: row["key"] for row in json.loads(asst("setup", "list", "--json").out)}
    keys = {"gpt": "missing", "gemini": "missing", "anthropic": "missing", "local": "not needed", "work": "missing"}
    assert rows == keys


def test_use(asst: Asst, config: Path) -> None:
    """Another profile answers from now on; the rest of the file stays."""
    assert asst("setup", "use", "work").code == 0
    assert config.read_text() == TWO.replace('default = "gpt"', 'default = "work"')


def test_remove(asst: Asst, config: Path, credentials: Path) -> None:
    """The profile goes, and its key if that is said; what was the default is none any more."""
    credentials.write_text('WORK_KEY = "sk-1"\nOTHER = "sk-2"\n')
    assert asst("setup", "remove", "work", "--key", "--yes").code == 0
    assert config.read_text() == TWO[: TWO.index("[profiles.work]")]
    assert tomllib.loads(credentials.read_text()) == {"OTHER": "sk-2"}
    assert asst("setup", "remove", "gpt", "--yes").code == 0
    assert tomllib.loads(config.read_text()) in ({}, {"profiles": {}})
    assert "# by hand" in config.read_text()


def _editor(tmp_path: Path, what: str) -> dict[str, str]:
    script = tmp_path / "editor"
    script.write_text(f"#!/bin/sh\n{what}\n")
    script.chmod(0o755)
    return {"EDITOR": str(script)}


def test_edit(asst: Asst, config: Path, tmp_path: Path) -> None:
    """What the editor leaves takes the file's place."""
    ran = asst("setup", "edit", env=_editor(tmp_path, """sed -i 's/gpt-6-luna/gpt-6.2-sol/' "$1" """))
    assert ran.code == 0, ran.err
    assert config.read_text() == TWO.replace("gpt-6-luna", "gpt-6.2-sol")


@pytest.mark.parametrize(
    ("what", "said"),
    [
        ("""echo 'model = 3' >> "$1" && sed -i 's/model = "gpt-6-luna"/model = 3/' "$1" """, "line 6: expected text"),
        ("""echo '[[[' >> "$1" """, "line 13"),
        ("""sed -i 's/default = "gpt"/default = "nobody"/' "$1" """, 'line 2: no such profile: "nobody"'),
        ("exit 1", "ended with exit code 1"),
    ],
)
def test_edit_keeps_no_error(asst: Asst, config: Path, tmp_path: Path, what: str, said: str) -> None:
    """A text with an error does not take the file's place; the line is named."""
    ran = asst("setup", "edit", env=_editor(tmp_path, what))
    assert ran.code == 3
    assert said in ran.complaint
    assert config.read_text() == TWO


def test_edit_without_an_editor(asst: Asst, config: Path) -> None:
    """An editor that is not there is named."""
    ran = asst("setup", "edit", env={"EDITOR": "no-such-editor"})
    assert ran.code == 3
    assert "no-such-editor" in ran.complaint


def _brain(body: dict[str, object]) -> list[Output]:
    """Says one word, or calls the function that it is shown."""
    items = body["input"]
    assert isinstance(items, list)
    if body.get("tools") and items[-1].get("type") != "function_call_output":
        return [Call("asst_check", {"word": "ready"})]
    return [Say("Paris.")]


def test_check(asst: Asst, openai: ResponsesServer, google: GeminiServer, config: Path) -> None:
    """Each profile is really asked: reachable, key, model, streaming, tools, seconds to the first chunk."""
    openai.brain = _brain
    env = {"OPENAI_API_KEY": openai.key, "GEMINI_API_KEY": google.key, "WORK_KEY": "sk-wrong"}
    ran = asst("setup", "check", env=env)
    assert ran.code == 1
    heads, gpt, gemini, work, *problems = ran.out.splitlines()
    assert heads.split("  ")[0] == "profile"
    assert gpt.split()[:6] == ["gpt", "yes", "environment", "gpt-6-luna", "yes", "yes"]
    assert gpt.endswith(" s")
    assert gemini.split()[:6] == ["gemini", "yes", "environment", "gemini-3.8-flash", "yes", "no"]
    assert work.split()[:6] == ["work", "yes", "refused", "gpt-6-luna", "-", "-"]
    assert len(problems) == 1
    assert "401" in problems[0]
    (row,) = json.loads(asst("setup", "check", "gpt", "--json", env=env).out)
    assert (row["streaming"], row["tools"], row["problem"]) == ("yes", "yes", "")
    assert row["seconds_to_first_chunk"] < 20


def test_check_of_what_cannot_be_reached(asst: Asst, openai: ResponsesServer, config: Path) -> None:
    """No connection, no such model, no key: the table says which, and the line below what to do."""
    with refused_port() as port:
        env = {"OPENAI_API_KEY": openai.key, "OPENAI_BASE_URL": f"http://127.0.0.1:{port}/v1"}
        (row,) = json.loads(asst("setup", "check", "gpt", "--json", env=env).out)
    assert row["reachable"] == "no"
    config.write_text('[profiles.gpt]\nmodel = "gone"\n')
    (row,) = json.loads(asst("setup", "check", "gpt", "--json", env={"OPENAI_API_KEY": openai.key}).out)
    assert (row["reachable"], row["model_answers"]) == ("yes", "no")
    assert "gone" in row["problem"]
    (row,) = json.loads(asst("setup", "check", "gpt", "--json").out)
    assert row["key"] == "missing"
    openai.faults.add(Status(429, "insufficient_quota"))
    ran = asst("setup", "check", "gpt", env={"OPENAI_API_KEY": openai.key})
    assert "billing" in ran.out


def test_check_leaves_the_profiles_conversation_alone(asst: Asst, openai: ResponsesServer, config: Path) -> None:
    """Its questions are no part of the Conversation that is kept at OpenAI."""
    env = {"OPENAI_API_KEY": openai.key}
    assert asst("setup", "gpt", "--conversation", "--yes", env=env).code == 0
    assert asst("setup", "check", "gpt", env=env).code == 0
    assert not any("conversation" in r.json for r in openai.requests if str(r) == "POST /v1/responses")


def test_list_and_show_import_no_provider(asst: Asst) -> None:
    """They read one file: no SDK, no pydantic, no Rich, no HTTP."""
    import subprocess
    import sys

    program = (
        "import atexit, sys; atexit.register(lambda: print('\\n' + ' '.join(sys.modules), file=sys.stderr));"
        "from asstproxy.__main__ import main; main()"
    )
    for verb in ("list", "show"):
        command = [sys.executable, "-c", program, "setup", verb]
        done = subprocess.run(command, env=os.environ, capture_output=True, text=True, check=False)
        loaded = set(done.stderr.splitlines()[-1].split())
        assert not loaded & {"openai", "google.genai", "pydantic", "rich", "httpx2", "prompt_toolkit", "asyncio"}

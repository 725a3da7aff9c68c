"""`asst mcp`: servers are saved where profiles can name them, imported from desktop clients, and tried."""

from __future__ import annotations

import json
import shlex
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

from asstproxy.config.credentials import credentials_file
from asstproxy.config.profiles import config_file, load_config
from servers import ResponsesServer, Say
from tools.mcp_rig import ODD, listed

from .conftest import Asst

pytest.importorskip("mcp")

KEY = "ghp_0123456789abcdefghij"


def _command(*tools: str) -> list[str]:
    return [sys.executable, ODD, json.dumps({"tools": [listed(tool, {"type": "object"}) for tool in tools]})]


def _saved() -> dict[str, Any]:
    return tomllib.loads(config_file().read_text())


def test_an_added_server_serves_the_default_profile(asst: Asst, server: ResponsesServer) -> None:
    """`add` saves it, `list` shows it, `test` starts it, and `ask` offers its tools; `remove` takes it away."""
    assert asst("setup", "gpt", "--yes", "--no-check").code == 0
    added = asst("mcp", "add", "time", "--", *_command("now", "zones"))
    assert (added.code, added.out.splitlines()[-1]) == (0, "Try it: asst mcp test time"), added.err
    assert _saved()["profiles"]["gpt"]["mcp"] == ["time"]
    assert asst("mcp", "list").out == f"time\tgpt\t{shlex.join(_command('now', 'zones'))}\n"
    (row,) = json.loads(asst("mcp", "list", "--json").out)
    assert (row["name"], row["profiles"]) == ("time", ["gpt"])
    tested = asst("mcp", "test")
    assert (tested.code, tested.out.split(" in ")[0]) == (0, "✓ time  2 tools"), tested.err
    assert tested.out.endswith(": time_now, time_zones\n")
    server.brain = lambda _: [Say("Noon.")]
    assert asst("ask", "hi").code == 0
    assert [tool["name"] for tool in server.requests[-1].json["tools"]] == ["time_now", "time_zones"]
    assert asst("mcp", "remove", "time").out == "Removed time.\n"
    assert asst("mcp", "list").out == ""
    assert "mcp" not in _saved()["profiles"]["gpt"]
    assert asst("ask", "hi").code == 0
    assert "tools" not in server.requests[-1].json


def test_which_profiles_have_it(asst: Asst) -> None:
    """-p names them, built-in ones too; --save-only none; a profile with servers of its own keeps them."""
    config_file().parent.mkdir(parents=True, exist_ok=True)
    config_file().write_text(
        '# mine\n[profiles.work]\nprovider = "gpt"\n[profiles.work.mcp.own]\nurl = "https://x.example/mcp"\n'
    )
    config_file().chmod(0o600)
    assert asst("mcp", "add", "a", "-p", "work", "-p", "gemini", "--", "run-a", "--fast").code == 0
    assert (
        asst("mcp", "add", "b", "--save-only", "--url", "https://b.example/mcp", "-t", "get_*", "--timeout", "5").code
        == 0
    )
    saved = _saved()
    assert saved["mcp"] == {
        "a": {"command": "run-a", "args": ["--fast"]},
        "b": {"url": "https://b.example/mcp", "tools": ["get_*"], "timeout": 5.0},
    }
    assert saved["profiles"]["gemini"]["mcp"] == ["a"]
    assert saved["profiles"]["work"]["mcp"] == {"own": {"url": "https://x.example/mcp"}, "a": True}
    assert load_config().profile("work").options["mcp"] == {
        "own": {"url": "https://x.example/mcp"},
        "a": {"command": "run-a", "args": ["--fast"]},
    }
    assert config_file().read_text().startswith("# mine\n")
    assert asst("mcp", "list").out.splitlines() == [
        "a\twork, gemini\trun-a --fast",
        "b\t–\thttps://b.example/mcp",
        "own\twork\thttps://x.example/mcp",
    ]
    assert asst("mcp", "remove", "a").code == 0
    assert _saved()["profiles"]["work"]["mcp"] == {"own": {"url": "https://x.example/mcp"}}


GITHUB = {"command": "npx", "args": ["-y", "gh"], "env": {"GH_TOKEN": KEY, "LOG": "1"}}
CLIENTS = {
    "Claude Desktop": {"mcpServers": {"git hub": GITHUB}},
    "VS Code": {"servers": {"git hub": {"type": "stdio", **GITHUB}}},
    "VS Code, settings": {"mcp": {"servers": {"git hub": GITHUB | {"env": {"GH_TOKEN": KEY, "LOG": 1}}}}},
}


@pytest.mark.parametrize("client", CLIENTS)
def test_servers_of_desktop_clients_are_imported(asst: Asst, client: str) -> None:
    """Command, arguments and environment; a key goes into credentials.toml and nowhere else."""
    done = asst("mcp", "import", "-", stdin=json.dumps(CLIENTS[client]))
    assert done.code == 0, done.err
    assert _saved()["mcp"] == {
        "git-hub": {"command": "npx", "args": ["-y", "gh"], "env": {"GH_TOKEN": "${GIT_HUB_GH_TOKEN}", "LOG": "1"}}
    }
    assert KEY not in config_file().read_text() + done.out + done.err
    assert tomllib.loads(credentials_file().read_text()) == {"GIT_HUB_GH_TOKEN": KEY}
    assert credentials_file().stat().st_mode & 0o777 == 0o600


def test_a_removed_server_takes_its_key_along(asst: Asst) -> None:
    """Its own key goes, and the output says so; keys that something else names, and others, stay."""
    assert asst("mcp", "import", "-", stdin=json.dumps(CLIENTS["VS Code"])).code == 0
    with credentials_file().open("a") as file:
        file.write('OTHER_KEY = "abcdefghij0123456789"\n')
    assert asst("mcp", "add", "second", "--save-only", "--url", "https://x.example/${GIT_HUB_GH_TOKEN}").code == 0
    assert asst("mcp", "remove", "git-hub").out == "Removed git-hub.\n"
    assert "GIT_HUB_GH_TOKEN" in tomllib.loads(credentials_file().read_text())
    assert asst("mcp", "remove", "second").code == 0
    assert asst("mcp", "import", "-", stdin=json.dumps(CLIENTS["VS Code"])).code == 0
    assert asst("mcp", "remove", "git-hub").out == "Removed git-hub, and GIT_HUB_GH_TOKEN from credentials.toml.\n"
    assert list(tomllib.loads(credentials_file().read_text())) == ["OTHER_KEY"]


def test_urls_headers_and_variables_of_clients(asst: Asst, tmp_path: Path) -> None:
    """A bearer token is a key; a variable stays one; what can't be used is named, the rest is saved."""
    file = tmp_path / "mcp.json"
    file.write_text(
        json.dumps(
            {
                "mcpServers": {
                    "wiki": {
                        "type": "http",
                        "url": "https://w.example/mcp",
                        "headers": {"Authorization": f"Bearer {KEY}"},
                    },
                    "gemini": {"httpUrl": "https://g.example/mcp", "headers": {"X-Api-Key": "${env:G_KEY}"}},
                    "old": {"type": "sse", "url": "https://o.example/sse"},
                    "off": {"command": "x", "disabled": True},
                    "there": {"command": "new"},
                }
            }
        )
    )
    assert asst("mcp", "add", "there", "--save-only", "--", "before").code == 0
    done = asst("mcp", "import", str(file))
    assert done.code == 0, done.err
    assert [line.split(":")[1].strip() for line in done.err.splitlines()] == ["old", "off", "there"]
    assert _saved()["mcp"] == {
        "there": {"command": "before"},
        "wiki": {"url": "https://w.example/mcp", "headers": {"Authorization": "Bearer ${WIKI_AUTHORIZATION}"}},
        "gemini": {"url": "https://g.example/mcp", "headers": {"X-Api-Key": "${G_KEY}"}},
    }


@pytest.mark.parametrize("text", ["", "no json", "[]", "{}", '{"mcpServers": {}}', '{"mcpServers": 3}', "[" * 10_000])
def test_a_file_without_servers_changes_nothing(asst: Asst, text: str) -> None:
    """One line says so."""
    done = asst("mcp", "import", "-", stdin=text)
    assert (done.code, done.out, done.err.count("\n")) == (2, "", 1)
    assert not config_file().exists()


def test_a_server_that_fails_its_test(asst: Asst) -> None:
    """The exit code is 1; the reason stands in its line, and the others are tested."""
    assert asst("mcp", "add", "good", "--save-only", "--", *_command("f")).code == 0
    assert asst("mcp", "add", "gone", "--save-only", "--", "/no/such/program").code == 0
    done = asst("mcp", "test")
    assert done.code == 1
    assert "✓ good  1 tool in " in done.out
    assert "✗ gone  The MCP server 'gone' failed" in done.out
    assert asst("mcp", "test", "good").code == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("add", "x"), "needs a command or a URL"),
        (("add", "x", "--url", "https://x.example", "--", "y"), "needs a command or a URL"),
        (("add", "a b", "--", "y"), "Invalid"),
        (("add", "x", "-e", "NOVALUE", "--", "y"), "isn't NAME=VALUE"),
        (("add", "x", "-p", "nobody", "--", "y"), "No such profile"),
        (("remove", "x"), 'No MCP server "x" is saved. None is saved.'),
        (("test", "x"), 'No MCP server "x". To add it: asst mcp add x -- COMMAND …'),
        (("test",), "No MCP servers to test."),
        (("import", "/no/such/file"), "can't be read"),
    ],
)
def test_wrong_usage_is_one_line(asst: Asst, arguments: tuple[str, ...], said: str) -> None:
    """Nothing is saved."""
    done = asst("mcp", *arguments)
    assert done.code in (2, 3)
    assert said in done.err
    assert done.err.count("\n") == 1
    assert not config_file().exists()


def test_a_profile_that_names_an_unknown_server(asst: Asst, server: ResponsesServer) -> None:
    """The error names the profile, the server, and those that are saved."""
    assert asst("mcp", "add", "time", "--save-only", "--", "x").code == 0
    with config_file().open("a") as file:
        file.write('\n[profiles.work]\nprovider = "gpt"\nmcp = ["tiem"]\n')
    done = asst("ask", "-p", "work", "hi")
    assert done.code == 3
    assert 'profiles.work.mcp names the MCP server "tiem", which isn\'t saved. Saved: time.' in done.err

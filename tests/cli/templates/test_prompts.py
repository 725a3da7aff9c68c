"""Prompts and resources of MCP servers: templates for `-T`, slash commands in a chat."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("mcp")

from asstproxy import ToolError
from asstproxy.config.profiles import config_file
from asstproxy.tools.mcp_resources import read_resource
from cli.conftest import ASST, Asst
from cli.terminal import Terminal
from servers import ResponsesServer
from tools.mcp_rig import odd, servers

from .conftest import with_mcp_server

PROMPTS = [
    {
        "name": "review",
        "description": "Review code",
        "arguments": [{"name": "lang", "description": "the language", "required": True}, {"name": "tone"}],
    },
    {"name": "few", "title": "Few shots"},
    {"name": "empty"},
    {"name": "sick"},
    {"name": 7},
    "rubbish",
]
GIVES: dict[str, Any] = {
    "few": {
        "messages": [
            {"role": "user", "content": {"type": "text", "text": "2+2"}},
            {"role": "assistant", "content": "4"},
            {"role": "user", "content": [{"type": "image", "data": "AA==", "mimeType": "image/png"}]},
        ]
    },
    "empty": {"messages": []},
    "sick": {"messages": "no list"},
}
SPEC = {"prompts": PROMPTS, "gives": GIVES}


def test_prompt_is_a_template(asst: Asst, server: ResponsesServer) -> None:
    """`-T server:prompt -P name=value`: the server makes the text, and what is piped in follows it."""
    with_mcp_server(SPEC)
    ran = asst("ask", "-q", "-p", "gpt", "-T", "s:review", "-P", "lang=de {{input}}", stdin="the diff")
    assert (ran.code, ran.out) == (0, 'You said: café review {"lang": "de {{input}}"}\n\nthe diff\n')
    ran = asst("ask", "-q", "-p", "gpt", "--no-tools", "-T", "s:few")
    assert ran.out == "You said: User: 2+2\n\nAssistant: 4\n\nUser: [image/png: not shown]\n"


@pytest.mark.parametrize(
    ("arguments", "says", "code"),
    [
        (["s:review"], "The prompt s:review needs a value for lang (lang: the language). Add -P lang=…", 2),
        (["s:review", "-P", "lagn=x"], "needs a value for lang (lang: the language), and has no lagn.", 2),
        (["s:reviw"], "The MCP server 's' has no prompt 'reviw'. Did you mean \"review\"?", 2),
        (["s:poem"], "has no prompt 'poem'. It has: empty, few, review, sick.", 2),
        (["wiki:review"], "The profile 'gpt' has no MCP server 'wiki'. It has: s.", 2),
        (["s:empty"], "The MCP server 's' gave no text for its prompt 'empty'.", 1),
        (["s:sick"], "The MCP server 's' gave no text for its prompt 'sick'.", 1),
    ],
)
def test_bad_prompt_is_named_before_any_request(
    asst: Asst, server: ResponsesServer, arguments: list[str], says: str, code: int
) -> None:
    """A missing value, an unknown prompt or server, a prompt without a text: one line, and the API is never called."""
    with_mcp_server(SPEC)
    ran = asst("ask", "-p", "gpt", "-T", *arguments)
    assert (ran.code, ran.out, ran.err.count("\n")) == (code, "", 1)
    assert says in ran.err
    assert not server.requests
    assert asst("sessions", "list").out == ""


def test_server_without_prompts_and_profile_without_servers(
    asst: Asst, server: ResponsesServer, tmp_path: Path
) -> None:
    """Each is named, and so is a value that the prompt has no argument for; its server, which would refuse it, doesn't get it."""
    with_mcp_server({})
    assert "The MCP server 's' has no prompts." in asst("ask", "-p", "gpt", "-T", "s:x").err
    with_mcp_server(SPEC)
    ran = asst("ask", "-p", "gpt", "-T", "s:review", "-P", "lang=x", "-P", "tonne=y")
    assert 'The prompt s:review has no argument "tonne". Did you mean "tone"?' in ran.err
    assert (ran.code, ran.out) == (0, 'You said: café review {"lang": "x"}\n')
    (tmp_path / "in.jsonl").write_text('{"prompt": "x"}\n')
    ran = asst(
        "batch", str(tmp_path / "in.jsonl"), "-o", str(tmp_path / "out"), "-p", "gpt", "-T", "s:review", "-P", "lang=x"
    )
    assert (ran.code, "Save its text as one of yours: asst templates edit NAME" in ran.err) == (2, True)
    config_file().unlink()
    assert "The profile 'gpt' has no MCP server 's'." in asst("ask", "-p", "gpt", "-T", "s:x").err


def test_hung_prompt_ends_in_time(asst: Asst, server: ResponsesServer) -> None:
    """A server that never answers is given its `timeout`."""
    with_mcp_server({"prompts": [{"name": "hang"}]}, timeout=1.0)
    ran = asst("ask", "-p", "gpt", "-T", "s:hang", timeout=30)
    assert ran.code == 1
    assert "The MCP server 's' did not answer within 1 s" in ran.err


def test_prompts_are_listed_and_shown_with_a_profile(asst: Asst) -> None:
    """`templates list -p` has the prompts of the profile's servers; `show` has their arguments."""
    with_mcp_server(SPEC)
    assert asst("templates", "list", "-p", "gpt").out.splitlines()[:2] == [
        "s:review\tlang tone?\tReview code",
        "s:few\t\tFew shots",
    ]
    assert asst("templates", "show", "s:review", "-p", "gpt").out == (
        "s:review   Review code\n  lang             the language\n  tone             (optional)\n"
    )


def test_prompt_is_a_slash_command_in_a_chat(server: ResponsesServer) -> None:
    """`/server:prompt name=value` sends the prompt; Tab completes its name; a wrong value is named and nothing is sent."""
    with_mcp_server(SPEC)
    with Terminal([ASST, "chat", "-p", "gpt"]) as terminal:
        terminal.wait_for("›")
        terminal.enter('/s:review lang="plain English"')
        terminal.wait_for('You said: café review {"lang": "plain English"}')
        terminal.wait_for("tokens")
        terminal.enter("/s:review what is it")
        terminal.wait_for("/s:review takes name=value.")
        terminal.enter("/s:reviw lang=x")
        terminal.wait_for('Did you mean "review"?')
        terminal.wait_for_prompt()
        terminal.type("/s:rev")
        terminal.wait_for("Review code")
        terminal.type("\t lang=de")
        terminal.wait_for("/s:review lang=de")
        terminal.type("\r")
        terminal.wait_for('{"lang": "de"}')
    assert len(server.requests) == 2


async def test_resource_is_read() -> None:
    """The bytes, the media type and a name; a text as UTF-8; what isn't one is named."""
    resources = {
        "file:///a%20b.txt": {"contents": [{"uri": "x", "mimeType": "text/plain", "text": "grün"}]},
        "db://x/pic": {"contents": [{"uri": "x", "mimeType": "image/png", "blob": "AAEC"}]},
        "db://bad": {"contents": [{"uri": "x", "blob": "?"}]},
        "db://none": {"contents": "nothing"},
    }
    async with servers(s=odd({"resources": resources})) as box:
        one = box.server("s")
        assert await read_resource(one, "file:///a%20b.txt") == ("grün".encode(), "text/plain", "a b.txt")
        assert await read_resource(one, "db://x/pic") == (b"\0\1\2", "image/png", "pic")
        for uri, says in (
            ("db://bad", "isn't base64"),
            ("db://none", "gave no content"),
            ("db://gone", "failed: unknown"),
        ):
            with pytest.raises(ToolError, match=says):
                await read_resource(one, uri)

"""MCP servers: their tools are tools like any other, and a server that fails harms nobody."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import socket
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("mcp")

from asstproxy import Profile
from asstproxy.core.events import ToolFinished
from asstproxy.providers.scripted import say
from asstproxy.tools import approve_all, run_tool
from asstproxy.tools.toolbox import Toolbox, open_toolbox
from core.stage import Stage, calling

FAKE = str(Path(__file__).with_name("mcp_fake.py"))
SLEEP = f"sleep 61.{os.getpid()}"


def fake(*arguments: str, **more: Any) -> dict[str, Any]:
    """A server that misbehaves, as a profile names it."""
    return {"command": sys.executable, "args": [FAKE, *arguments], **more}


@asynccontextmanager
async def servers(**configured: dict[str, Any]) -> AsyncIterator[Toolbox]:
    """A toolbox with these servers, which is closed in time and leaves no task behind."""
    box = await open_toolbox(Profile("work", "scripted", options={"mcp": configured}))
    try:
        yield box
    finally:
        began = time.monotonic()
        await box.aclose()
        assert time.monotonic() - began < 20
        assert asyncio.all_tasks() == {asyncio.current_task()}


async def ask(box: Toolbox, name: str, **arguments: Any) -> Any:
    """The outcome of a call."""
    return await run_tool(box.tool(name), json.dumps(arguments))


async def test_a_server_that_nobody_here_wrote() -> None:
    """mcp-server-time from PyPI: listed, described, called side by side, its errors told, closed."""
    pytest.importorskip("mcp_server_time")
    async with servers(time={"command": sys.executable, "args": ["-m", "mcp_server_time"]}) as box:
        assert [tool.name for tool in box.tools] == ["time_get_current_time", "time_convert_time"]
        assert box.notices == []
        convert = box.tool("time_convert_time")
        assert (convert.approval, convert.source) == ("ask", "mcp:time")
        assert set(convert.parameters["properties"]) == {"source_timezone", "time", "target_timezone"}
        zones = {"source_timezone": "Europe/Berlin", "time": "12:00", "target_timezone": "Asia/Tokyo"}
        outcomes = await asyncio.gather(*(ask(box, "time_convert_time", **zones) for _ in range(3)))
        assert [json.loads(outcome.output)["target"]["timezone"] for outcome in outcomes] == ["Asia/Tokyo"] * 3
        wrong = await ask(box, "time_get_current_time", timezone="Atlantis")
        assert "Atlantis" in wrong.error
        missing = await ask(box, "time_get_current_time")
        assert "timezone" in missing.error


async def test_a_conversation_with_a_server() -> None:
    """Asked about, called in parallel, journalled; the server lives as long as the conversation."""
    async with servers(s=fake("ok")) as box:
        replies = calling(("s_echo", '{"text": "a"}'), ("s_fail", "{}"), text="let me see")
        stage = Stage(replies, say("done"), tools=box.tools, approve=approve_all)
        stage.user.add_cleanup(box.aclose)
        await stage.conversation.exchange("go")
        first, second = stage.script.results[0]
        assert (first.output, second.error) == ('{"text": "a"}', "it is broken")
        assert [event.result.call_id for event in stage.published(ToolFinished)]
        stage.assert_conforms()
        await stage.conversation.aclose()
        assert (await ask(box, "s_echo")).error == "The MCP server 's' was closed."


async def test_names_and_schemas_are_made_to_fit() -> None:
    """What a provider would refuse is renamed and rewritten; all pages are read."""
    async with servers(s=fake("ok"), **{"my server": fake("ok")}) as box:
        names = [tool.name for tool in box.tools]
        assert len(names) == 2 * 16
        assert "s_with_dots_and_more" in names
        assert "my_server_echo" in names
        assert len(box.tool("s_with_dots_and_more").description) == 1024
        assert box.tool("s_echo").parameters["properties"]["text"]["description"] == "(at least 1 characters)"
        assert box.tool("s_no_object").parameters["properties"] == {"a": {}}
        assert len(box.notices) == 2
        assert box.notices[0].startswith("The MCP server 's' has names that are too long or used twice: 'nnn")


async def test_a_server_s_word_that_it_is_harmless_is_not_taken() -> None:
    """The protocol says itself that its hints are not to be trusted."""
    async with servers(s=fake("ok")) as box:
        assert {tool.approval for tool in box.tools} == {"ask"}
        assert not any(tool.read_only for tool in box.tools)


@pytest.mark.parametrize(
    ("name", "output"),
    [
        ("rubbish", "said"),
        ("picture", "said\n[image/png: not shown]\ncontent\n[resource_link file:///b: not shown]"),
        ("structured", '{"a":1}'),
    ],
)
async def test_results(name: str, output: str) -> None:
    """Text is told, what is no text is named, and rubbish between messages does no harm."""
    async with servers(s=fake("noisy")) as box:
        outcome = await ask(box, f"s_{name}")
        assert (outcome.output, outcome.error) == (output, None)


async def test_a_huge_result_is_cut() -> None:
    """As that of any tool."""
    async with servers(s=fake("ok")) as box:
        outcome = await ask(box, "s_huge")
        assert len(outcome.output) == 64 * 1024
        assert "[Cut: these are the first of 1,000,000 bytes" in outcome.output


async def test_a_result_of_another_form_goes_back() -> None:
    """The tool ran: what came back is for the assistant, whatever its form."""
    async with servers(s=fake("ok")) as box:
        outcome = await ask(box, "s_bad_result")
        assert (outcome.output, outcome.error) == ("not a list", None)
        assert (await ask(box, "s_echo", text="a")).output == '{"text": "a"}'


async def test_a_server_that_dies_is_an_error_and_is_started_again() -> None:
    """With its exit code and its last words; calls that wait for it end, and later ones work."""
    async with servers(s=fake("ok")) as box:
        waiting = asyncio.create_task(ask(box, "s_hang"))
        await asyncio.sleep(0.1)
        died = await ask(box, "s_die")
        assert died.error == (
            "The MCP server 's' failed: Connection closed (it ended with exit code 3: ValueError: out of order)."
        )
        assert "Connection closed" in (await waiting).error
        assert (await ask(box, "s_echo", text="a")).output == '{"text": "a"}'


async def test_a_server_that_does_not_start_again_is_an_error(tmp_path: Path) -> None:
    """Each call tries, and says why it failed."""
    async with servers(s=fake("once", str(tmp_path / "heard"))) as box:
        await ask(box, "s_die")
        again = await ask(box, "s_echo")
        assert again.error == "The MCP server 's' failed: Connection closed (it ended with exit code 1: not again)."


async def test_a_hung_call_is_cancelled_when_its_time_is_over(tmp_path: Path) -> None:
    """The server is told, and goes on serving."""
    heard = tmp_path / "heard"
    async with servers(s=fake("ok", str(heard), timeout=1)) as box:
        began = time.monotonic()
        outcome = await ask(box, "s_hang")
        assert outcome.error == "s_hang did not return within 1 s. It was stopped."
        assert not outcome.abandoned
        assert time.monotonic() - began < 20
        assert (await ask(box, "s_echo", text="a")).output == '{"text": "a"}'
        assert "notifications/cancelled" in heard.read_text()


async def test_cancelling_the_exchange_cancels_the_call(tmp_path: Path) -> None:
    """At once, and the server is told."""
    heard = tmp_path / "heard"
    async with servers(s=fake("ok", str(heard))) as box:
        running = asyncio.create_task(ask(box, "s_hang"))
        while "tools/call" not in heard.read_text():  # noqa: ASYNC110 - another process writes it
            await asyncio.sleep(0.01)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        await ask(box, "s_echo")
        assert "notifications/cancelled" in heard.read_text()


@pytest.mark.parametrize("mode", ["stubborn", "child", "ok"])
async def test_a_server_is_gone_within_two_seconds(mode: str) -> None:
    """Also one that takes no SIGTERM, and what it started."""
    async with servers(s=fake(mode)) as box:
        await ask(box, "s_echo")
        assert len(_children()) == (2 if mode == "child" else 1)
    for _ in range(50):
        if not _children():
            break
        await asyncio.sleep(0.01)
    assert not _children()


def _children() -> list[str]:
    """The servers of this process, and what they started, by their command."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            state = (entry / "stat").read_text().rpartition(")")[2].split()
            is_ours = FAKE in command and int(state[1]) == os.getpid()  # pytest may run on several workers
            if state[0] != "Z" and (is_ours or SLEEP in command):
                found.append(command)
    return found


async def test_a_cancelled_end_leaves_no_process() -> None:
    """A second Ctrl-C while it closes: the process is killed."""
    box = await open_toolbox(Profile("work", "scripted", options={"mcp": {"s": fake("stubborn")}}))
    closing = asyncio.create_task(box.aclose())
    await asyncio.sleep(0.1)
    for task in asyncio.all_tasks() - {asyncio.current_task()}:
        task.cancel()
    await asyncio.wait({closing})
    await asyncio.sleep(0.3)
    assert not _children()


async def test_servers_do_not_see_our_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """They see a few harmless variables and those that the profile gives them, filled from ours by name."""
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    monkeypatch.setenv("WEATHER_KEY", "w-key")
    async with servers(s=fake("ok", env={"TOKEN": "x-${WEATHER_KEY}"})) as box:
        seen = json.loads((await ask(box, "s_env")).output)
    assert seen["TOKEN"] == "x-w-key"
    assert "OPENAI_API_KEY" not in seen
    assert "PATH" in seen


@pytest.mark.parametrize(
    ("config", "reason"),
    [
        ({"command": "/nowhere/server"}, "failed: /nowhere/server: No such file or directory"),
        ({"command": sys.executable, "args": ["-c", "raise SystemExit(4)"]}, "it ended with exit code 4"),
        ({"command": sys.executable, "args": ["-c", "while True: print('rubbish ' * 100)"]}, "it does not speak MCP"),
        ({"command": sys.executable, "args": ["-c", "import time; time.sleep(60)"], "timeout": 0.5}, "did not answer within 0.5 s"),
        ({"url": "http://127.0.0.1:9/mcp"}, "failed: "),
        ({"url": "no address"}, "failed: "),
        (fake("no_list"), "failed: no tools here"),
    ],
    ids=lambda value: str(value)[:40],
)  # fmt: skip
async def test_a_server_that_does_not_start_is_a_notice(config: dict[str, Any], reason: str) -> None:
    """Its tools are missing, the others are there, and the conversation can begin."""
    async with servers(bad=config, good=fake("ok")) as box:
        (notice,) = [line for line in box.notices if "'bad'" in line]
        assert reason in notice
        assert notice.startswith("The MCP server 'bad' ")
        assert notice.endswith("Its tools are missing.")
        assert box.tool("good_echo")


async def test_a_list_without_end_is_read_once() -> None:
    """A page that comes again ends it; what is on several pages is one tool."""
    async with servers(s=fake("endless")) as box:
        assert [tool.name for tool in box.tools] == ["s_echo"]


HTTP = """
import sys, uvicorn
from mcp.server.mcpserver import MCPServer
server = MCPServer("http", version="1")

@server.tool()
def double(x: int) -> int:
    "Double it."
    return 2 * x

@server.tool()
async def hang() -> int:
    import asyncio
    await asyncio.sleep(60)
    return 1

app = server.streamable_http_app()

async def guarded(scope, receive, send):
    if scope["type"] == "http" and dict(scope["headers"]).get(b"authorization") != b"Bearer w-key":
        await send({"type": "http.response.start", "status": 401, "headers": []})
        await send({"type": "http.response.body", "body": b"who are you?"})
    else:
        await app(scope, receive, send)

uvicorn.run(guarded, port=int(sys.argv[1]), log_level="error")
"""


@pytest.fixture
async def url() -> AsyncIterator[str]:
    """A server that speaks streamable HTTP and wants a key."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port = sock.getsockname()[1]
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", HTTP, str(port))
    async with asyncio.timeout(30):
        while True:
            with contextlib.suppress(OSError):
                _, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.close()
                break
            await asyncio.sleep(0.05)
    yield f"http://127.0.0.1:{port}/mcp"
    with contextlib.suppress(ProcessLookupError):
        process.kill()
    await process.wait()


async def test_a_server_behind_a_url(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Listed, called, timed out, and refused without its key; one that goes away is an error."""
    monkeypatch.setenv("WEATHER_KEY", "w-key")
    key = {"Authorization": "Bearer ${WEATHER_KEY}"}
    async with servers(web={"url": url, "headers": key, "timeout": 1}, keyless={"url": url}) as box:
        assert [tool.name for tool in box.tools] == ["web_double", "web_hang"]
        assert (await ask(box, "web_double", x=4)).output == "8"
        assert "valid integer" in (await ask(box, "web_double", x="four")).error
        assert (await ask(box, "web_hang")).error.startswith("web_hang did not return within 1 s.")
        assert len(box.notices) == 1
        assert "'keyless' failed" in box.notices[0]
        assert "w-key" not in str(box.notices)

"""`asst tools`, and tools in `asst ask`."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from asstproxy import Store
from asstproxy.config.profiles import config_file
from servers import Call, ResponsesServer, Say, Script
from tools.mcp_rig import ODD

from .conftest import Asst

PRICES = '''
import sys
import time


def price(symbol: str, days: int = 1) -> dict[str, object]:
    """The price of a share.

    Args:
        symbol: The ticker symbol.
        days: How many days back.
    """
    print("looking it up")
    return {"symbol": symbol, "price": 187.25, "days": days}


def hang() -> None:
    """Never return."""
    time.sleep(600)


def leave() -> None:
    """End the process, as it believes."""
    sys.exit(7)
'''


@pytest.fixture
def prices(tmp_path: Path) -> str:
    """A file with tools."""
    file = tmp_path / "prices.py"
    file.write_text(PRICES)
    return str(file)


def test_list_show_and_run(asst: Asst, prices: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A tool is listed, shown as the assistant sees it, and run; printed text is not its output."""
    assert [tool["name"] for tool in json.loads(asst("tools", "list", "-t", prices, "--json").out)] == [
        "price",
        "hang",
        "leave",
    ]
    shown = asst("tools", "show", f"{prices}:price").out
    assert "The ticker symbol." in shown
    ran = asst("tools", "run", f"{prices}:price", "--arg", "symbol=AAPL", "--arg", "days=3")
    assert json.loads(ran.out) == {"symbol": "AAPL", "price": 187.25, "days": 3}
    assert "looking it up" in ran.err
    assert asst("tools", "run", f"{prices}:price", "--args", '{"symbol": "X"}').code == 0
    monkeypatch.chdir(Path(prices).parent)
    assert asst("tools", "run", "./prices.py:price", "--arg", "symbol=X").code == 0


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["tools", "run", "{prices}:price"], 1),
        (["tools", "run", "{prices}:leave"], 1),
        (["tools", "run", "{prices}:price", "--arg", "symbol"], 2),
        (["tools", "run", "{prices}:price", "--args", "[]"], 2),
        (["tools", "show", "{prices}:nothing"], 2),
        (["tools", "show", "nothing"], 2),
        (["tools", "list", "-t", "./missing.py"], 2),
    ],
)
def test_what_is_wrong_is_one_line(asst: Asst, prices: str, arguments: list[str], code: int) -> None:
    """Invalid arguments, a tool that exits, an unknown name: one line and an exit code."""
    ran = asst(*[argument.format(prices=prices) for argument in arguments])
    assert (ran.code, ran.out, len(ran.err.splitlines())) == (code, "", 1)


def test_ask_refuses_a_doubtful_tool_unless_told_otherwise(asst: Asst, server: ResponsesServer, prices: str) -> None:
    """A function from a file runs in a script only with `--yes`; the decision is in the journal."""
    for options, output in (([], "approval"), (["--yes"], "187.25")):
        server.brain = Script([Call("price", {"symbol": "AAPL"})], [Say("Done.")])
        ran = asst("ask", "-q", "-p", "gpt", "-t", prices, *options, "How much?")
        assert (ran.code, ran.out) == (0, "Done.\n")
        assert output in str(server.requests[-1].json["input"][-1])
    kinds = [record.event.type for record in Store().records(Store().newest())]
    assert "approval_requested" in kinds
    assert "approval_given" in kinds


def test_several_rounds_of_parallel_calls(asst: Asst, server: ResponsesServer, prices: str) -> None:
    """Three rounds, two calls in parallel: all results go back in the order of the calls."""
    server.brain = Script(
        [Call("price", {"symbol": "A"}), Call("price", {"symbol": "B"})],
        [Call("price", {"symbol": "C"})],
        [Say("All three.")],
    )
    result = json.loads(asst("ask", "-p", "gpt", "--yes", "--json", "-t", prices, "all").out)
    assert [json.loads(call["output"])["symbol"] for call in result["tool_calls"]] == ["A", "B", "C"]
    assert result["answer"] == "All three."


def test_no_tools_offers_none(asst: Asst, server: ResponsesServer, prices: str) -> None:
    """`--no-tools` overrides everything else."""
    asst("ask", "-p", "gpt", "-t", prices, "--no-tools", "hi")
    assert "tools" not in server.requests[-1].json


def test_hung_tool_does_not_hold_the_process(asst: Asst, server: ResponsesServer, tmp_path: Path) -> None:
    """A tool that exceeds its time limit is abandoned: the assistant gets an error, and asst ends right after the answer."""
    file = tmp_path / "slow.py"
    file.write_text(
        "import time\nfrom asstproxy import tool\n\n\n"
        "@tool(timeout=0.3)\ndef hang() -> None:\n    'Never return.'\n    time.sleep(600)\n"
    )
    server.brain = Script([Call("hang")], [Say("Never mind.")])
    result = json.loads(asst("ask", "-p", "gpt", "--yes", "--json", "-t", str(file), "go", timeout=20).out)
    assert "did not return" in result["tool_calls"][0]["error"]
    assert result["seconds"]["total"] < 10


def test_what_children_and_threads_of_a_tool_print_is_no_answer(
    asst: Asst, server: ResponsesServer, tmp_path: Path
) -> None:
    """Child processes and threads of a tool can only write to stderr; a thread pool does not keep asst running."""
    file = tmp_path / "loud.py"
    file.write_text(
        "import subprocess, threading, time\n"
        "from concurrent.futures import ThreadPoolExecutor\n"
        "from asstproxy import tool\n\n\n"
        "@tool(timeout=0.5)\ndef loud() -> str:\n    'Make noise.'\n"
        "    subprocess.run(['echo', 'child'])\n"
        "    threading.Thread(target=print, args=('thread',)).start()\n"
        "    ThreadPoolExecutor().submit(time.sleep, 600).result()\n    return 'done'\n"
    )
    server.brain = Script([Call("loud")], [Say("Quiet.")])
    ran = asst("ask", "-q", "-p", "gpt", "--yes", "-t", str(file), "go", timeout=30)
    assert (ran.code, ran.out) == (0, "Quiet.\n")


def test_what_an_mcp_server_lists_never_ends_ask(asst: Asst, server: ResponsesServer) -> None:
    """500 tools, two of one name, one that no provider takes: notices name server and tool, and the answer comes."""
    pytest.importorskip("mcp")
    tools = [{"name": name} for name in ["a.b", "a/b", *(f"t{n}" for n in range(500))]]
    bad = {"name": "bad", "inputSchema": {"type": "string"}}
    config_file().parent.mkdir(parents=True, exist_ok=True)
    config_file().write_text(
        f'[profiles.gpt]\nprovider = "gpt"\n[profiles.gpt.mcp.s]\ncommand = {json.dumps(sys.executable)}\n'
        f"args = {json.dumps([ODD, json.dumps({'tools': [bad, *tools]})])}\n"
    )
    ran = asst("ask", "-p", "gpt", "hi")
    assert (ran.code, ran.out) == (0, "You said: hi\n")
    assert len(server.requests[-1].json["tools"]) == 128
    for part in ("'s' has tools that can't be offered: 'bad'", "'a/b' is 's_a_b_2'", "'s' has 502 tools"):
        assert len([line for line in ran.err.splitlines() if part in line]) == 1

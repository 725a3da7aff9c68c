"""Two hundred tool calls in one round."""

from __future__ import annotations

import asyncio
import io
import json
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from asstproxy import State, Store, tool
from asstproxy.cli.render.layout import Layout
from asstproxy.core.events import (
    ActionRequired,
    Record,
    SetUserMessage,
    Started,
    ToolCall,
    ToolFinished,
    ToolResult,
    ToolsExecuted,
    ToolStarted,
)
from asstproxy.providers.scripted import say
from asstproxy.store.transcript import TranscriptBuilder
from cli.conftest import ASST
from cli.render.screen import Script, printed
from cli.terminal import Terminal
from core.stage import Stage, calling
from servers import Call, Json, Output, ResponsesServer, Say

MANY = 200
TOOLS = '''
from pathlib import Path
from asstproxy import tool

@tool(approval="ask")
def write(page: int) -> str:
    """Write a page.

    Args:
        page: which.
    """
    with Path(__file__).with_name("written").open("a") as file:
        file.write(f"{page}\\n")
    return f"wrote {page}"
'''


@pytest.mark.parametrize("kind", ["threads", "coroutines"])
async def test_all_run_side_by_side(kind: str, record_property: Callable[[str, object], None]) -> None:
    """None waits for another: they meet at a barrier; the results stand in the order of the calls, as in the transcript."""
    inside = threading.Barrier(MANY, timeout=30)
    arrived, everybody = 0, asyncio.Event()

    @tool(approval="never", name="meet")
    def thread(page: int) -> str:
        """Wait for the others.

        Args:
            page: which.
        """
        inside.wait()
        return f"page {page}"

    @tool(approval="never", name="meet")
    async def coroutine(page: int) -> str:
        """Wait for the others.

        Args:
            page: which.
        """
        nonlocal arrived
        arrived += 1
        if arrived == MANY:
            everybody.set()
        await asyncio.wait_for(everybody.wait(), 30)
        return f"page {page}"

    calls = calling(*(("meet", f'{{"page": {number}}}') for number in range(MANY)))
    stage = Stage(calls, say("Done."), tools=[thread if kind == "threads" else coroutine])
    settled = await stage.conversation.exchange("go")
    assert settled.state is State.COMPLETED
    (executed,) = stage.published(ToolsExecuted)
    assert [result.output for result in executed.results] == [f"page {number}" for number in range(MANY)]
    fold = TranscriptBuilder()
    for record in stage.records:
        fold.feed(record)
    told = fold.transcript.exchanges[0].tools
    assert [(one.call_id, one.output) for one in told] == [(f"c{n}", f"page {n}") for n in range(MANY)]
    stage.assert_conforms()
    record_property("figure", f"{MANY} tools of one round ran at the same time ({kind})")


def model(request: Json) -> list[Output]:
    last = request["input"][-1]
    if last["type"] == "function_call_output":
        return [Say(f"That was {last['output']}.")]
    return [Call("write", {"page": number}) for number in range(MANY)]


def chat(tmp_path: Path) -> Terminal:
    (tmp_path / "pages.py").write_text(TOOLS)
    return Terminal([ASST, "chat", "-p", "gpt", "-t", str(tmp_path / "pages.py")])


def written(tmp_path: Path) -> list[int]:
    file = tmp_path / "written"
    return sorted(int(line) for line in file.read_text().split()) if file.exists() else []


def test_always_is_asked_once(server: ResponsesServer, tmp_path: Path) -> None:
    """A person who says "always" is asked one question for two hundred calls; the screen stays readable at 80 columns."""
    server.brain = model
    with chat(tmp_path) as terminal:
        terminal.enter("go")
        assert "200 tools want to run" in terminal.wait_for("Run them? ›")
        terminal.type("a\r")
        text = terminal.wait_for("That was wrote 199.")
        terminal.type("\x04")
        terminal.wait_end()
    assert text.count("Run them? ›") == 1
    assert [f"System ▸ write(page={n}) → wrote {n} · " in text for n in range(MANY)] == [True] * MANY
    assert max(map(len, text.splitlines())) <= 80
    assert written(tmp_path) == list(range(MANY))


def test_ctrl_d_refuses_all_of_them(server: ResponsesServer, tmp_path: Path) -> None:
    """Ctrl-D at the question, also after a wrong answer, refuses every call; nobody has to say no two hundred times."""
    server.brain = model
    with chat(tmp_path) as terminal:
        terminal.enter("go")
        terminal.wait_for("Run them? ›")
        assert "│ 200  write  page  199 " in terminal.text
        terminal.type("only 201\r")
        terminal.wait_until(lambda: terminal.text.count("Run them? ›") == 2)
        terminal.type("\x04")
        text = terminal.wait_for("That was ")
        terminal.wait_for("completed")
        terminal.type("\x04")
        terminal.wait_end()
    assert text.count("Run them? ›") == 2
    assert written(tmp_path) == []
    tools = Store().transcript(Store().newest()).exchanges[0].tools
    assert [one.approved for one in tools] == [False] * MANY
    sent = [item for item in server.requests[-1].json["input"] if item["type"] == "function_call_output"]
    assert "refused this call" in json.loads(sent[-1]["output"])["error"]


def test_the_panel_shows_what_is_waited_for() -> None:
    """Of two hundred calls the panel shows six, those that have not ended; the rest is counted."""
    script, layout = Script(), Layout(echo=False)
    calls = tuple(ToolCall(f"c{n}", "fetch", f'{{"page": {n}}}') for n in range(MANY))
    events = [SetUserMessage("go"), Started("p", "m"), ActionRequired(calls)]
    events += [ToolStarted(call.call_id, call.name, call.arguments) for call in calls]
    late = {7, 90, 91}
    events += [ToolFinished(ToolResult(f"c{n}", "ok"), 0.1) for n in range(MANY) if n not in late]
    records: list[Record] = script.play(events)
    for record in records:
        layout.fold(record)
    console = printed(80)
    console.print(layout.panel(1.0))
    assert isinstance(console.file, io.StringIO)
    shown = console.file.getvalue()
    assert [n for n in range(MANY) if f"fetch(page={n})" in shown] == sorted(late)
    assert "… 197 more, 197 done" in shown
    assert len(shown.splitlines()) <= 12

"""What a model, a tool, a file or another page writes is text in the page, whatever it says; and the token is nowhere."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from asstproxy import Store
from asstproxy.core import events as e
from asstproxy.core.attachment import Attachment
from asstproxy.core.script import State
from servers import Call, ResponsesServer, Say, Script, Think

from .browser import Browser
from .served import Served, ServedPage

HOSTILE = "<img src=x onerror=window.hit=1><script>window.hit=2</script>[x](javascript:window.hit=3) `<b>`"
INTRUDERS = (
    "#log img, #log script, #log iframe, .panel img, .panel script, .sessions img, .sessions script, header img,"
    " a[href^=javascript], [onerror], [onload], [style]"
)


def _is_harmless(tab: Browser) -> bool:
    return tab.js("window.hit") is None and tab.js(f"document.querySelectorAll('{INTRUDERS}').length") == 0


def test_what_a_model_writes_does_nothing(driver: Any, provider: ResponsesServer, ran: Path) -> None:
    """In the message, the answer, reasoning, a tool's arguments and result: all of it stays text, also after a reload."""
    provider.brain = Script([Think(HOSTILE), Call("note", {"text": HOSTILE})], [Say(HOSTILE + "\n\n" + HOSTILE)])
    with ServedPage("work") as web:
        tab = Browser(driver, web.address)
        tab.send(HOSTILE)
        tab.click("[data-decide=yes]")
        tab.until(lambda: tab.all(".state.completed"))
        assert _is_harmless(tab)
        tab.driver.refresh()
        tab.until(lambda: tab.all(".state.completed"))
        assert _is_harmless(tab)
        assert tab.complaints() == []


def test_every_record_is_text(driver: Any, provider: ResponsesServer, web: Served) -> None:
    """Each type of record with hostile text in every field: in the conversation, the drawings, the records and the replay."""
    call = e.ToolCall("c1", HOSTILE, HOSTILE)
    picture = Attachment("0" * 64, "image/svg+xml", HOSTILE, 3)
    written: list[tuple[State, e.Event]] = [
        (State.NEW, e.Configured(HOSTILE, HOSTILE, HOSTILE, HOSTILE)),
        (State.READY, e.SetUserMessage(HOSTILE, (picture,))),
        (State.STARTED, e.Started(HOSTILE, HOSTILE)),
        (State.RUNNING, e.Heartbeat(HOSTILE)),
        (State.RUNNING, e.Reasoning(HOSTILE)),
        (State.RUNNING, e.RetryScheduled(1, 0.1, HOSTILE, HOSTILE)),
        (State.RUNNING, e.Notice(HOSTILE)),
        (State.RUNNING, e.Skipped(HOSTILE)),
        (State.RUNNING, e.SchemaMismatch(HOSTILE, (HOSTILE,), HOSTILE)),
        (State.RUNNING, e.TakenOver(HOSTILE, HOSTILE, HOSTILE)),
        (State.STREAMING, e.ChunkReceived(HOSTILE, "commentary")),
        (State.REQUIRES_ACTION, e.ActionRequired((call,))),
        (State.AWAITING_APPROVAL, e.ApprovalRequested((call,))),
        (State.REQUIRES_ACTION, e.ApprovalGiven((e.Decision("c1", True, HOSTILE, HOSTILE, by=HOSTILE),))),
        (State.REQUIRES_ACTION, e.ToolStarted("c1", HOSTILE, HOSTILE, HOSTILE)),
        (State.REQUIRES_ACTION, e.ToolFinished(e.ToolResult("c1", HOSTILE, HOSTILE), 0.1, printed=HOSTILE)),
        (State.TOOLS_EXECUTED, e.ToolsExecuted((e.ToolResult("c1", HOSTILE),))),
        (State.TOOL_OUTPUTS_SUBMITTED, e.ToolOutputsSubmitted()),
        (State.STREAMING, e.ChunkReceived(HOSTILE)),
        (State.STREAMING, e.Cited((e.Source("javascript:window.hit=4", HOSTILE), e.Source('https://x"onload=1', "")))),
        (State.STREAMING, e.Usage(1, 1)),
        (State.ERROR, e.ErrorOccurred(HOSTILE, HOSTILE, HOSTILE)),
        (State.ERROR, e.Titled(HOSTILE)),
    ]
    records = [
        e.Record(seq, f"2026-11-29T08:00:{seq:02}.000Z", state, event)
        for seq, (state, event) in enumerate(written, start=2)
    ]
    session = Store().copy(records, forked_from="")
    tab = Browser(driver, web.address)
    tab.js(f"location.hash = '{session}'")
    tab.until(lambda: tab.all("#log .state.error"))
    tab.driver.execute_script("document.querySelectorAll('details').forEach(d => d.open = true)")
    assert _is_harmless(tab)
    assert HOSTILE in tab.log
    tab.click("#t-rec")
    tab.click("[data-kind=chunk]")
    tab.driver.execute_script("document.querySelectorAll('.rec').forEach(d => d.open = true)")
    tab.until(lambda: len(tab.all(".rec pre")) == len(tab.all(".rec")) >= len(written))
    assert _is_harmless(tab)
    tab.click(".bar .tabs [data-view=replay]")
    for number in range(len(records) + 2):
        tab.driver.execute_script(
            "const s = document.getElementById('slider'); s.value = arguments[0]; s.dispatchEvent(new Event('input'));"
            "window.paintNow()",
            number,
        )
        assert _is_harmless(tab)
    assert tab.complaints() == []


def test_the_token_is_nowhere_to_be_found(tab: Browser, web: Served, provider: ResponsesServer) -> None:
    """Neither in the address, nor in the history, nor in a referrer, nor where scripts keep things."""
    tab.send("hi")
    tab.until(lambda: tab.all(".state.completed"))
    tab.driver.refresh()
    tab.until(lambda: tab.all(".state.completed"))
    assert web.token not in tab.driver.current_url
    entries = tab.driver.execute_cdp_cmd("Page.getNavigationHistory", {})["entries"]
    assert web.token not in str(entries)
    assert tab.js("document.referrer") == ""
    first, *others = [one for one in tab.sent() if one["url"].startswith(web.origin)]
    assert web.token in first["url"]
    assert others
    assert web.token not in str(others)
    assert not [one for one in others if one["headers"].get("Referer")]
    stored = (
        "JSON.stringify([document.cookie, {...localStorage}, {...sessionStorage}, document.documentElement.outerHTML])"
    )
    assert web.token not in tab.js(stored)

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


def _every_record(text: str) -> list[e.Record]:
    """Each type of record with this text in every field."""
    call = e.ToolCall("c1", text, text)
    picture = Attachment("0" * 64, "image/svg+xml", text, 3)
    written: list[tuple[State, e.Event]] = [
        (State.NEW, e.Configured(text, text, text, text)),
        (State.READY, e.SetUserMessage(text, (picture,))),
        (State.STARTED, e.Started(text, text)),
        (State.RUNNING, e.Heartbeat(text)),
        (State.RUNNING, e.Reasoning(text)),
        (State.RUNNING, e.RetryScheduled(1, 0.1, text, text)),
        (State.RUNNING, e.Notice(text)),
        (State.RUNNING, e.Skipped(text)),
        (State.RUNNING, e.SchemaMismatch(text, (text,), text)),
        (State.RUNNING, e.TakenOver(text, text, text)),
        (State.STREAMING, e.ChunkReceived(text, "commentary")),
        (State.REQUIRES_ACTION, e.ActionRequired((call,))),
        (State.AWAITING_APPROVAL, e.ApprovalRequested((call,))),
        (State.REQUIRES_ACTION, e.ApprovalGiven((e.Decision("c1", True, text, text, by=text),))),
        (State.REQUIRES_ACTION, e.ToolStarted("c1", text, text, text)),
        (State.REQUIRES_ACTION, e.ToolFinished(e.ToolResult("c1", text, text), 0.1, printed=text)),
        (State.TOOLS_EXECUTED, e.ToolsExecuted((e.ToolResult("c1", text),))),
        (State.TOOL_OUTPUTS_SUBMITTED, e.ToolOutputsSubmitted()),
        (State.STREAMING, e.ChunkReceived(text)),
        (State.STREAMING, e.Cited((e.Source("javascript:window.hit=4", text), e.Source('https://x"onload=1', "")))),
        (State.STREAMING, e.Usage(1, 1)),
        (State.ERROR, e.ErrorOccurred(text, text, text)),
        (State.ERROR, e.Titled(text)),
    ]
    return [
        e.Record(seq, f"2026-11-29T08:00:{seq:02}.000Z", state, event)
        for seq, (state, event) in enumerate(written, start=2)
    ]


def _open_records(tab: Browser) -> list[Any]:
    """Open those that are listed by now; they may be drawn a frame after the click."""
    tab.driver.execute_script("document.querySelectorAll('.rec').forEach(d => d.open = true)")
    return tab.all(".rec")


def test_every_record_is_text(driver: Any, provider: ResponsesServer, web: Served) -> None:
    """Each type of record with hostile text in every field: in the conversation, the drawings, the records and the replay."""
    records = _every_record(HOSTILE)
    session = Store().copy(records, forked_from="")
    tab = Browser(driver, web.address)
    tab.js(f"location.hash = '{session}'")
    tab.until(lambda: tab.all("#log .state.error"))
    tab.driver.execute_script("document.querySelectorAll('details').forEach(d => d.open = true)")
    assert _is_harmless(tab)
    assert HOSTILE in tab.log
    tab.click("#t-rec")
    tab.click("[data-kind=chunk]")
    tab.until(lambda: len(_open_records(tab)) == len(tab.all(".rec pre")) >= len(records))
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


def test_nothing_hides_in_a_text(driver: Any, provider: ResponsesServer, web: Served) -> None:
    """No control character and no turn of the direction reaches the page; in a call and in a record, what is invisible is seen."""
    text = "a\u202eb\x1bc\u2066d\u200be"
    session = Store().copy(_every_record(text), forked_from="")
    tab = Browser(driver, web.address)
    tab.js(f"location.hash = '{session}'")
    tab.until(lambda: tab.all("#log .state.error") and tab.one("#title").text != "New session")
    tab.until(lambda: tab.all("#sessions a"))
    tab.driver.execute_script("document.querySelectorAll('details').forEach(d => d.open = true)")
    call = tab.one("#log .part.call").get_attribute("textContent")
    assert call.count("a\\u202eb\\u001bc\\u2066d\\u200be") >= 2
    tab.click("#t-rec")
    tab.until(
        lambda: _open_records(tab) and "\\u202eb" in tab.one(".rec.set_user_message pre").get_attribute("textContent")
    )
    shown = tab.js("document.documentElement.outerHTML + document.title")
    assert not set(shown) & set("\u202e\x1b\u2066")


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

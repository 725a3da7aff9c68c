"""Questions whether a call may run, in a real browser: an answer counts for the call that was shown, and for no other."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from asstproxy import Store
from asstproxy.core.events import (
    ActionRequired,
    Event,
    Record,
    SetUserMessage,
    Started,
    ToolCall,
    ToolFinished,
    ToolResult,
    ToolStarted,
)
from asstproxy.core.script import State
from servers import Call, ResponsesServer, Say, Script

from .browser import Browser
from .served import ServedPage

pytestmark = pytest.mark.slow("a browser, for two to five seconds each")


@pytest.fixture
def tab(driver: Any, provider: ResponsesServer, ran: Path) -> Iterator[Browser]:
    """A page whose profile `work` has a tool that asks first."""
    with ServedPage("work", "other") as web:
        opened = Browser(driver, web.address)
        yield opened
        assert opened.complaints() == []


def test_calls_of_the_same_number_are_told_apart(tab: Browser, provider: ResponsesServer, ran: Path) -> None:
    """A server may number the calls of each reply from 0: the second one is asked about in a card of its own."""
    calls = [[Call("note", {"text": text}, call_id="call_0")] for text in ("milk ", "eggs ")]
    provider.brain = Script(*calls, [Say("Noted.")])
    tab.send("note milk, then eggs")
    for text, done in (("milk", 0), ("eggs", 1)):
        tab.until(lambda: tab.all("[data-decide=yes]"))
        tab.until_there_are(done, ".call-done")
        assert text in tab.one(".approval pre").text
        tab.click("[data-decide=yes]")
        tab.until_there_are(done + 1, ".call-done")
    tab.until(lambda: tab.all(".state.completed"))
    assert ran.read_text() == "milk eggs "


def test_an_answer_does_not_outlive_its_question(tab: Browser, provider: ResponsesServer, ran: Path) -> None:
    """A call was allowed, another was not yet, when the turn was stopped: calls of the same numbers are asked about anew."""

    def two(*texts: str) -> list[Call]:
        return [Call("note", {"text": text}, call_id=f"call_{n}") for n, text in enumerate(texts)]

    provider.brain = Script(two("a", "b"), two("c", "d"), [Say("Done.")])
    tab.send("first")
    tab.until_there_are(2, "[data-decide=yes]")
    tab.click("[data-decide=yes]")
    tab.until_there_are(1, "[data-decide=yes]")
    tab.click("#send.stop")
    tab.until(lambda: tab.all(".state.cancelled"))
    tab.send("second")
    tab.until_there_are(2, "[data-decide=yes]")
    assert not tab.all("[data-undecide]")
    tab.click("[data-decide=no]", 0)
    tab.click("[data-decide=yes]", 0)
    tab.until(lambda: tab.all(".state.completed"))
    assert ran.read_text() == "d"


def test_the_question_is_answered_in_another_tab(tab: Browser, provider: ResponsesServer, ran: Path) -> None:
    """What was chosen and written here is forgotten, and the next question can be answered here."""
    both = [Call("note", {"text": "a"}), Call("note", {"text": "b"})]
    provider.brain = Script(both, [Call("note", {"text": "c"})], [Say("Done.")])
    tab.send("first")
    tab.until_there_are(2, "[data-decide=yes]")
    tab.click("[data-decide=no]")
    tab.until_there_are(1, "[data-undecide]")
    tab.click("[data-edit]")
    tab.until_there_are(1, "[data-arguments]")
    first, address = tab.driver.current_window_handle, tab.driver.current_url
    tab.driver.switch_to.new_window("tab")
    tab.driver.get(address)
    tab.until_there_are(2, "[data-decide=yes]")
    tab.click("[data-decide=yes]", 0)
    tab.until_there_are(1, "[data-decide=yes]")
    tab.click("[data-decide=yes]", 0)
    tab.until(lambda: tab.one(".approval pre").text.count("c") == 1)
    tab.driver.close()
    tab.driver.switch_to.window(first)
    tab.until(lambda: '"c"' in tab.one(".approval pre").text and len(tab.all("[data-decide=yes]")) == 1)
    assert not tab.all("[data-arguments]")
    tab.click("[data-decide=yes]")
    tab.until(lambda: tab.all(".state.completed"))
    assert sorted(ran.read_text()) == ["a", "b", "c"]


def test_arguments_are_edited_in_two_lanes(driver: Any, provider: ResponsesServer, ran: Path) -> None:
    """Each call runs with what was written in its own card, and a problem is shown in it."""
    config = ran.parent / "asst-config" / "config.toml"
    tools = config.read_text().partition("tools = ")[2].partition("\n")[0]
    config.write_text(
        config.read_text().replace(
            '[profiles.other]\nprovider = "gpt"', f'[profiles.other]\nprovider = "gpt"\ntools = {tools}'
        )
    )

    def brain(request: dict[str, Any]) -> list[Any]:
        asked = "function_call_output" not in str(request["input"])
        return [Call("note", {"text": "?"})] if asked else [Say("Done.")]

    provider.brain = brain
    with ServedPage("work", "other") as web:
        tab = Browser(driver, web.address)
        tab.click("#both")
        tab.send("note it")
        tab.until_there_are(2, "[data-decide=yes]")
        tab.click("[data-edit]:not([data-edit=''])", 0)
        tab.until_there_are(1, "[data-arguments]")
        tab.click("[data-edit]:not([data-edit=''])", 0)
        tab.until_there_are(2, "[data-arguments]")
        for n, text in enumerate(("left", "right")):
            tab.all("[data-arguments]")[n].clear()
            tab.all("[data-arguments]")[n].send_keys(f'{{"text": "{text} "}}')
        tab.click("[data-decide=yes]", 1)
        tab.until_there_are(1, "[data-keep]")
        assert ran.read_text() == "right "
        tab.click("[data-decide=yes]", 0)
        tab.until_there_are(2, "[data-keep]")
        assert ran.read_text() == "right left "


def test_a_call_is_stopped_while_it_runs(tab: Browser, provider: ResponsesServer, ran: Path) -> None:
    """Its card says `stopped`, since it may have done something; the card of a call that never began says `not run`."""
    go = ran.parent / "go"
    (ran.parent / "notes.py").write_text(
        f"import pathlib, time\n\ndef note(text: str) -> str:\n    while not pathlib.Path({str(go)!r}).exists():\n"
        "        time.sleep(0.02)\n    return text\n"
    )
    provider.brain = Script([Call("note", {"text": "a"})], [Call("note", {"text": "b"})])
    tab.send("note a")
    tab.click("[data-decide=yes]")
    tab.until(lambda: tab.all(".call-running"))
    tab.click("#send.stop")
    tab.until(lambda: [one.text for one in tab.all(".call-stopped .meta")] == ["stopped"])
    tab.send("note b")
    tab.until(lambda: tab.all("[data-decide=yes]"))
    tab.click("#send.stop")
    tab.until(lambda: [one.text for one in tab.all(".call-stopped .meta")] == ["stopped", "not run"])
    go.touch()


def test_a_call_that_timed_out_may_still_run(tab: Browser) -> None:
    """Its card says so."""
    call = ToolCall("c", "note", "{}")
    events: list[tuple[State, Event]] = [
        (State.READY, SetUserMessage("note it")),
        (State.STARTED, Started("gpt")),
        (State.REQUIRES_ACTION, ActionRequired((call,))),
        (State.REQUIRES_ACTION, ToolStarted("c", "note", "{}")),
        (State.REQUIRES_ACTION, ToolFinished(ToolResult("c", error="too slow"), 2.0, abandoned=True)),
    ]
    records = [Record(n, f"2026-11-29T08:00:0{n}.000Z", state, event) for n, (state, event) in enumerate(events, 2)]
    tab.js(f"location.hash = '{Store().copy(records, forked_from='')}'")
    tab.until(lambda: tab.one(".call-failed .meta").text == "timed out after 2.0 s; it may still run")

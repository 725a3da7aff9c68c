"""The replay: how fast it plays."""

from __future__ import annotations

from typing import Any

from asstproxy import Store
from asstproxy.core.events import AssistantMessageRetrieved, ChunkReceived, Event, Record, SetUserMessage, Started
from asstproxy.core.script import State
from servers import ResponsesServer

from .browser import Browser
from .served import Served

FRAMES = """
window.requestAnimationFrame = work => { window.nextFrame = work; return 1 };
window.pass = frames => {
  for (; frames; frames -= 1) {
    window.frameTime = (window.frameTime ?? performance.now()) + 50;
    window.nextFrame(window.frameTime);
  }
  return Number(document.getElementById('when').textContent.match(/^\\d+/)[0]);
}
"""
"""The page's clock: `pass(n)` lets n frames of 50 ms pass, and returns how many records are shown then."""


def _session() -> str:
    """One turn of 60 s with a record each 100 ms."""
    events: list[tuple[State, Event]] = [
        (State.READY, SetUserMessage("count")),
        (State.STARTED, Started("gpt", "m")),
        *((State.STREAMING, ChunkReceived(f"w{n} ")) for n in range(600)),
        (State.COMPLETED, AssistantMessageRetrieved("".join(f"w{n} " for n in range(600)))),
    ]
    tenths = ((n // 10, n % 10) for n in range(len(events)))
    records = [
        Record(seq, f"2026-11-29T10:{second // 60:02}:{second % 60:02}.{tenth}00Z", state, event)
        for seq, (second, tenth), (state, event) in zip(range(2, 1000), tenths, events, strict=False)
    ]
    return Store().copy(records, forked_from="")


def test_each_speed_plays_as_fast_as_it_says(driver: Any, web: Served, provider: ResponsesServer) -> None:
    """In a second of the page, half a second of the recording passes, or one, two, eight, thirty-two; then it pauses."""
    session = _session()
    tab = Browser(driver, web.address)
    tab.js(f"location.hash = '{session}'")
    tab.until(lambda: tab.all(".state.completed"))
    tab.driver.execute_script(FRAMES)
    tab.click(".bar .tabs [data-view=replay]")
    tab.js("window.pass(2)")
    played: dict[str, int] = {}
    for speed in tab.all("#speed option"):
        tab.driver.execute_script(
            "const s = document.getElementById('slider'); s.value = arguments[0]; s.dispatchEvent(new Event('input'))",
            5,
        )
        speed.click()
        tab.click("#play")
        began = tab.js("window.pass(1)")
        played[speed.text] = tab.js("window.pass(20)") - began
    assert played == {"½×": 5, "1×": 10, "2×": 20, "8×": 80, "32×": 320}
    assert tab.one("#play").get_attribute("aria-label") == "Pause"
    tab.click("#play")
    assert tab.js("window.pass(20)") == tab.js("window.pass(20)")
    assert tab.one("#play").get_attribute("aria-label") == "Play"

"""Several assistants that answer the same message, side by side, in a real browser."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from asstproxy import Store
from servers import Call, Fail, ResponsesServer, Say

from .browser import Browser
from .served import ServedPage

WORDS = "one two three four five six"


@pytest.fixture
def three(driver: Any, provider: ResponsesServer, ran: Path) -> Iterator[Browser]:
    """A page whose next message goes to three profiles."""
    provider.brain = lambda _: [Say(WORDS, pace=0.05)]
    with ServedPage("work", "other", "third") as web:
        tab = Browser(driver, web.address)
        tab.click("#both")
        tab.click("#pick")
        tab.click("[data-also=third]")
        tab.driver.execute_script("document.getElementById('picker').hidePopover()")
        tab.until(lambda: tab.one("#hint").text == "Asks work, other and third")
        yield tab
        assert tab.complaints() == []


def _answers(tab: Browser) -> list[str]:
    """The text of each lane, shown or not."""
    found: list[str] = tab.js("[...document.querySelectorAll('.lane .answer .said')].map(e => e.textContent.trim())")
    return found


def test_three_answer_at_once(three: Browser) -> None:
    """They stream side by side, also after a reload; the next message goes to all of them, and each keeps its session."""
    tab = three
    tab.send("Who is better?")
    tab.until_there_are(3, ".lane .path .lit")
    tab.driver.refresh()
    tab.until_there_are(3, "[data-keep]")
    assert _answers(tab) == [WORDS] * 3
    assert [lane.get_attribute("aria-label") for lane in tab.all(".lane")] == ["work", "other", "third"]
    assert tab.one("#pick b").text == "work + other + third"
    tops = [lane.rect["y"] for lane in tab.all(".lane")]
    assert len(set(tops)) == 1
    tab.send("And why?")
    tab.until(lambda: tab.one("#duel-said").text == "And why?")
    tab.until_there_are(3, ".lane .state.completed")
    tab.click("[data-keep]", 1)
    tab.until(lambda: tab.log.count(WORDS) == 2)
    assert {len(Store().transcript(one).exchanges) for one in Store().ids()} == {2}
    assert len(list(Store().ids())) == 3


def test_on_a_phone_one_is_shown_at_a_time(three: Browser) -> None:
    """Tabs choose which; nothing is wider than the screen."""
    tab = three
    tab.send("Who is better?")
    with tab.phone():
        tab.until(lambda: len(tab.all("[data-keep]")) == 3 and tab.all(".tabbed"))
        assert [lane.is_displayed() for lane in tab.all(".lane")] == [True, False, False]
        tab.click(".race [data-lane]", 2)
        tab.until(lambda: [lane.is_displayed() for lane in tab.all(".lane")] == [False, False, True])
        assert tab.one(".lane.chosen .who").text.startswith("third")
        assert tab.js("document.documentElement.scrollWidth") <= 390
    tab.until(lambda: all(lane.is_displayed() for lane in tab.all(".lane")))


def test_a_tool_waits_in_its_lane(three: Browser, provider: ResponsesServer, ran: Path) -> None:
    """The others go on; a click on the card runs it, and its answer comes in the same lane."""

    def brain(request: dict[str, Any]) -> list[Any]:
        asked = bool(request.get("tools")) and "function_call_output" not in str(request["input"])
        return [Call("note", {"text": "milk"})] if asked else [Say("Done.")]

    provider.brain = brain
    tab = three
    tab.send("note milk")
    tab.until(lambda: len(tab.all("[data-keep]")) == 2 and tab.all(".lane [data-decide=yes]"))
    assert not ran.exists()
    assert "waits for you" in tab.one(".race").text
    tab.click(".lane [data-decide=yes]")
    tab.until_there_are(3, "[data-keep]")
    assert _answers(tab) == ["Done."] * 3
    assert ran.read_text() == "milk"


def test_one_of_them_fails(three: Browser, provider: ResponsesServer) -> None:
    """Its lane says why; the others answer, and the next message goes to all of them again."""

    def brain(request: dict[str, Any]) -> list[Any]:
        fails = request.get("tools") and "And now?" not in str(request["input"])
        return [Fail("invalid_prompt", "The model is ill.")] if fails else [Say("Fine.")]

    provider.brain = brain
    tab = three
    tab.send("Who is better?")
    tab.until_there_are(3, "[data-keep]")
    assert sorted(_answers(tab)) == ["Fine.", "Fine."]
    assert "The model is ill." in tab.one(".lane .fault").text
    tab.send("And now?")
    tab.until(lambda: _answers(tab) == ["Fine."] * 3)


def test_one_of_them_cannot_be_asked(three: Browser, provider: ResponsesServer, ran: Path) -> None:
    """One line says why; the others are asked, and nothing is left of the session that it would have had."""
    tab = three
    provider.brain = lambda _: [Say("Fine.")]
    tab.click("#pick")
    tab.click("[data-profile=other]")
    tab.until(lambda: tab.one("#hint").text == "Asks other and third")
    tab.send("Who is better?")
    tab.until_there_are(2, "[data-keep]")
    tab.click("[data-keep]")
    tab.until(lambda: tab.one("#log").is_displayed() and "Fine." in tab.log)
    for name in ("third", "work"):
        tab.click("#pick")
        tab.click(f"[data-also={name}]")
        tab.driver.execute_script("document.getElementById('picker').hidePopover()")
    (ran.parent / "notes.py").write_text("not Python")
    tab.send("And why?")
    tab.until(lambda: tab.one("#duel-said").text == "And why?" and len(tab.all(".lane [data-keep]")) == 2)
    assert _answers(tab) == ["Fine."] * 2
    assert "notes.py" in tab.one("#fault").text
    tab.until(lambda: len(list(Store().ids())) == 3)
    tab.driver.get_log("browser")  # it logs the refusal


@pytest.mark.slow("axe reads the page twice")
def test_nobody_is_kept_out_of_a_comparison(three: Browser) -> None:
    """axe-core finds nothing serious, in lanes and in tabs."""
    three.send("Who is better?")
    three.until_there_are(3, "[data-keep]")
    assert three.barriers() == []
    with three.phone():
        three.until(lambda: three.all(".tabbed"))
        assert three.barriers() == []

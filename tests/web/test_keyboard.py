"""The page without a mouse, and for those who hear it instead of seeing it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from servers import Call, ResponsesServer, Say, Script

from .browser import Browser, Keys
from .served import ServedPage


def _focused(tab: Browser) -> str:
    return str(tab.js("document.activeElement.id || document.activeElement.dataset.decide || ''"))


def _tab_to(tab: Browser, name: str) -> None:
    """Press Tab until this element has the focus: every stop on the way can be seen."""
    for _ in range(60):
        tab.driver.switch_to.active_element.send_keys(Keys.TAB)
        if _focused(tab) == name:
            return
        assert tab.js("document.activeElement.checkVisibility()")
    raise AssertionError(f"Tab doesn't lead to {name}")


def test_the_replay_is_played_with_keys(tab: Browser, provider: ResponsesServer) -> None:
    """One record, one turn, the beginning, the end, play and pause; the slider says where it is in words."""
    for number, text in enumerate(("first", "second"), start=1):
        tab.send(text)
        tab.until_there_are(number, ".state.completed")
    tab.one(".bar .tabs [data-view=replay]").send_keys(Keys.ENTER)
    slider = tab.one("#slider")
    tab.until(slider.is_displayed)
    slider.send_keys(Keys.SPACE)
    tab.until(lambda: tab.one("#play").get_attribute("aria-label") == "Play")
    last = int(slider.get_attribute("max"))

    def moved(key: str) -> int:
        slider.send_keys(key)
        tab.js("window.paintNow()")
        return int(tab.one("#when").text.split(" /")[0])

    assert moved(Keys.END) == last
    second = moved(Keys.PAGE_UP)
    assert tab.all(".exchange")[-1].text.split("\n")[-1] == "second"
    first = moved(Keys.PAGE_UP)
    assert 0 < first < second < last
    assert moved(Keys.PAGE_DOWN) == second
    assert moved(Keys.ARROW_RIGHT) == second + 1
    assert moved(Keys.HOME) == 0
    assert slider.get_attribute("aria-valuetext") == f"Record 0 of {last}, new"
    slider.send_keys(Keys.SPACE)
    tab.until(lambda: tab.one("#play").get_attribute("aria-label") == "Pause")


def test_a_tool_is_allowed_with_tab_and_enter(driver: Any, provider: ResponsesServer, ran: Path) -> None:
    """The card's buttons can be reached; Enter works on the button that has the focus, and nowhere else."""
    provider.brain = Script([Call("note", {"text": "milk"})], [Say("Noted.")])
    with ServedPage("work") as web:
        tab = Browser(driver, web.address)
        tab.send("note milk")
        tab.until(lambda: tab.all("[data-decide=yes]"))
        tab.one("#scroll").send_keys(Keys.ENTER)
        _tab_to(tab, "yes")
        assert not ran.exists()
        tab.driver.switch_to.active_element.send_keys(Keys.ENTER)
        tab.until(lambda: "Noted." in tab.log)
    assert ran.read_text() == "milk"


def test_details_and_menus_with_keys(tab: Browser, provider: ResponsesServer) -> None:
    """Arrows choose a tab of the details, Enter opens a record; a menu opens, is left with Escape, and gives the focus back."""
    tab.send("hi")
    tab.until(lambda: tab.all(".state.completed"))
    tab.one("#t-ex").send_keys(Keys.ARROW_RIGHT)
    assert _focused(tab) == "t-rec"
    assert tab.one("#p-rec").is_displayed()
    tab.one(".rec summary").send_keys(Keys.ENTER)
    tab.until(lambda: '"session_opened"' in tab.one(".rec[open] pre").text)
    tab.one("#more").send_keys(Keys.ENTER)
    tab.until(tab.one("#menu").is_displayed)
    tab.driver.switch_to.active_element.send_keys(Keys.ESCAPE)
    tab.until(lambda: not tab.one("#menu").is_displayed())
    assert _focused(tab) == "more"
    tab.one("#close-panel").send_keys(Keys.ENTER)
    assert _focused(tab) == "toggle-panel"


def test_a_screen_reader_gets_the_answer(tab: Browser, provider: ResponsesServer) -> None:
    """Landmarks have names; finished blocks are announced, one by one, and what still grows isn't; so are turning points."""
    provider.brain = Script([Say("One block.\n\nAnd a "), Say("second one", pace=30)])
    assert tab.js("[...document.querySelectorAll('nav, main, aside')].map(e => e.tagName + ' ' + e.ariaLabel)") == [
        "NAV Sessions",
        "MAIN null",
        "ASIDE Details",
    ]
    assert tab.js("document.documentElement.lang") == "en"
    log = tab.one("#log")
    assert [log.get_attribute(name) for name in ("role", "aria-live", "aria-relevant")] == [
        "log",
        "polite",
        "additions",
    ]
    tab.send("hi")
    tab.until(lambda: "second" in tab.log)
    assert log.get_attribute("aria-busy") == "true"
    blocks = tab.js(
        "[...document.querySelectorAll('.answer .said > div')].map(d => [d.textContent.trim(), d.ariaHidden])"
    )
    assert blocks == [["One block.", None], ["And a second", "true"]]
    assert tab.one("#status").get_attribute("textContent") == "Answering"
    tab.one("#say").send_keys(Keys.ESCAPE)
    tab.until(lambda: tab.one("#status").get_attribute("textContent") == "Stopped")
    assert log.get_attribute("aria-busy") == "false"
    assert not tab.all(".answer .said > [aria-hidden]")


def test_what_is_chosen_is_seen_in_forced_colours(tab: Browser, provider: ResponsesServer) -> None:
    """The view, the tab, the session and the box with the focus are marked by lines, since backgrounds are gone."""
    tab.send("hi")
    tab.until(lambda: tab.all(".state.completed") and tab.all(".sessions [aria-current]"))
    style = "getComputedStyle(document.querySelector(arguments[0])).outlineStyle"
    marked = (".bar [data-view=chat]", "#t-ex", ".sessions [aria-current]", "#composer", "[data-kind=message]")
    with tab.emulated("setEmulatedMedia", "setEmulatedMedia", features=[{"name": "forced-colors", "value": "active"}]):
        tab.one("#say").click()
        assert [tab.js(style, one) for one in marked] == ["solid"] * 5
        assert tab.js(style, ".bar [data-view=replay]") == "none"

"""Addresses of sessions, and sessions that change elsewhere, in a real browser."""

from __future__ import annotations

import pytest

from asstproxy import Store
from cli.in_process import asst_here
from servers import ResponsesServer

from .browser import Browser

pytestmark = pytest.mark.slow("a browser, for two seconds each")


def _released(tab: Browser) -> str:
    """A session that the page shows, and that a terminal may open."""
    tab.send("hello")
    tab.until(lambda: tab.all(".state.completed"))
    tab.click("#more")
    tab.click("[data-menu=release]")
    tab.until(lambda: "A terminal can open it now" in tab.one("#announced").text)
    return Store().newest()


def _shows(tab: Browser, words: str) -> None:
    """Wait until this answer is there; no words: a new session."""
    tab.until(lambda: words in tab.log if words else tab.one("#blank").is_displayed())


def test_an_address_that_names_no_session(tab: Browser) -> None:
    """One line says so, and a new session is offered."""
    for address in ("nothing", "../about", "../sessions?q=x", "%00", "01M8KVJQH99Z5DHYZ1WNZAC58D", "a+b", "<b>"):
        tab.driver.execute_script(
            "document.getElementById('fault').hidden = true; location.hash = arguments[0]", address
        )
        tab.until(lambda: "session" in tab.one("#fault").text and tab.one("#blank").is_displayed())
        assert tab.js("location.hash") == ""
    tab.driver.get_log("browser")  # it logs each answer of 404


def test_a_session_is_deleted_by_a_terminal(tab: Browser, provider: ResponsesServer) -> None:
    """The page that shows it says so, and offers a new session."""
    session = _released(tab)
    assert asst_here("sessions", "rm", session, "--yes").code == 0
    tab.until(lambda: "was deleted" in tab.one("#fault").text)
    tab.until(lambda: tab.one("#blank").is_displayed())
    tab.driver.get_log("browser")


def test_a_session_is_renamed_by_a_terminal(tab: Browser, provider: ResponsesServer) -> None:
    """The title follows, in the page and in the list."""
    session = _released(tab)
    assert asst_here("sessions", "rename", session, "A better title").code == 0
    tab.until(lambda: tab.one("#title").text == "A better title")
    tab.until(lambda: "A better title" in tab.one("#sessions").text)


def test_back_and_forward(tab: Browser, provider: ResponsesServer) -> None:
    """The browser's buttons lead through the sessions that were shown."""
    tab.send("one")
    tab.until(lambda: tab.all(".state.completed"))
    tab.click("#new")
    tab.until(lambda: tab.one("#blank").is_displayed())
    tab.send("two")
    tab.until(lambda: "You said: two" in tab.log)
    for words in ("", "You said: one", ""):
        tab.driver.back()
        _shows(tab, words)
    for words in ("You said: one", "", "You said: two"):
        tab.driver.forward()
        _shows(tab, words)


def test_a_search_for_no_word(tab: Browser, provider: ResponsesServer) -> None:
    """Signs are in no index: the list says that nothing was found, and all are shown again when they are gone."""
    tab.send("hello")
    tab.until(lambda: "hello" in tab.one("#sessions").text)
    tab.one("#find").send_keys("(")
    tab.until(lambda: tab.one("#nofind").is_displayed() and not tab.all("#sessions a"))
    tab.click("#clearfind")
    tab.until(lambda: "hello" in tab.one("#sessions").text)
    tab.driver.get_log("browser")  # it logs the refusal

"""Addresses of sessions, and sessions that change elsewhere, in a real browser."""

from __future__ import annotations

import pytest

from asstproxy import Store
from servers import ResponsesServer

from .browser import Browser
from cli.in_process import asst_here


def _session(tab: Browser, text: str) -> str:
    """A session of one turn, which the server has let go."""
    assert asst_here("ask", "-p", "gpt", text).returncode == 0
    return Store().newest()


@pytest.mark.parametrize("address", ["nothing", "../about", "../sessions?q=x", "%00", "01M8KVJQH99Z5DHYZ1WNZAC58D", "a+b", "<b>"])
def test_an_address_that_names_no_session(tab: Browser, address: str) -> None:
    """One line says so, and a new session is offered."""
    tab.driver.execute_script("location.hash = arguments[0]", address)
    tab.until(lambda: "session" in tab.one("#fault").text)
    assert "undefined" not in tab.one("#fault").text
    tab.until(lambda: tab.one("#blank").is_displayed())
    tab.send("hi")
    tab.until(lambda: tab.all(".state.completed"))
    tab.driver.get_log("browser")  # the browser logs each answer of 404


def test_a_session_is_deleted_by_a_terminal(tab: Browser, provider: ResponsesServer) -> None:
    """The page that shows it says so, and offers a new session."""
    session = _session(tab, "hello")
    tab.driver.execute_script("location.hash = arguments[0]", session)
    tab.until(lambda: "You said: hello" in tab.log)
    assert asst_here("sessions", "rm", session, "--yes").returncode == 0
    tab.until(lambda: "was deleted" in tab.one("#fault").text)
    tab.until(lambda: tab.one("#blank").is_displayed())
    tab.driver.get_log("browser")


def test_a_session_is_renamed_by_a_terminal(tab: Browser, provider: ResponsesServer) -> None:
    """The title follows, in the page and in the list."""
    session = _session(tab, "hello")
    tab.driver.execute_script("location.hash = arguments[0]", session)
    tab.until(lambda: "You said: hello" in tab.log)
    assert asst_here("sessions", "rename", session, "A better title").returncode == 0
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
        tab.until(lambda: words in tab.log if words else tab.one("#blank").is_displayed())
    for words in ("You said: one", "", "You said: two"):
        tab.driver.forward()
        tab.until(lambda: words in tab.log if words else tab.one("#blank").is_displayed())

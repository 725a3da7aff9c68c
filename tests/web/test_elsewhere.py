"""A session that another process has open: the page says so, follows it, and can write when it is released."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from asstproxy import Store
from asstproxy.core.events import (
    ActionRequired,
    ApprovalRequested,
    AssistantMessageRetrieved,
    Event,
    Notice,
    SetUserMessage,
    Started,
    ToolCall,
)
from asstproxy.store.session import Session
from servers import ResponsesServer, Say

from .browser import Browser


@pytest.fixture
def released(tab: Browser, provider: ResponsesServer) -> str:
    """A session of one turn, which the page has released and still shows."""
    tab.send("first")
    tab.until(lambda: tab.all(".state.completed"))
    tab.click("#more")
    tab.click("[data-menu=release]")
    tab.until(lambda: tab.one("#announced").text == "A terminal can open it now")
    assert tab.one("#status").get_attribute("textContent") == "A terminal can open it now"
    return str(tab.js("location.hash.slice(1)"))


@pytest.fixture
def elsewhere(released: str) -> Iterator[Session]:
    """The same session, opened as a terminal opens it."""
    session = Store().open(released)
    yield session
    session.close()


def _write(session: Session, *events: Event) -> None:
    for event in events:
        session.add(event)


def test_the_page_follows_what_a_terminal_writes(tab: Browser, elsewhere: Session) -> None:
    """It says who has the session open, at once, and shows the turn while it happens; nothing can be sent."""
    _write(elsewhere, SetUserMessage("from the terminal"), Started("gpt", "m"), Notice("one two"))
    tab.until(lambda: "one two" in tab.log)
    assert tab.one("#hint").text == f"Open in process {os.getpid()}: this page follows it"
    assert not tab.one("#say").is_enabled()
    assert not tab.one("#send").is_enabled()
    assert tab.all(".path .lit")
    with tab.phone():
        tab.until(lambda: tab.one("#hint").is_displayed())
        assert tab.js("document.documentElement.scrollWidth") <= 390
    tab.driver.refresh()  # the list is fetched each 5 s
    tab.until(lambda: "open in a terminal" in tab.one("#sessions").text and not tab.one("#say").is_enabled())
    call = ToolCall("c1", "note", "{}")
    _write(elsewhere, ActionRequired((call,)), ApprovalRequested((call,)))
    tab.until(lambda: f"Answer it in process {os.getpid()}." in tab.log)
    assert not tab.all("[data-decide]")


def test_the_page_can_write_when_the_terminal_has_let_go(
    tab: Browser, provider: ResponsesServer, elsewhere: Session
) -> None:
    """Without a reload: an idle terminal is shown as well, and then the box is open again."""
    tab.until(lambda: tab.one("#hint").text == f"Open in process {os.getpid()}: this page follows it")
    _write(elsewhere, SetUserMessage("second"), Started("gpt", "m"), AssistantMessageRetrieved("Done there."))
    elsewhere.close()
    tab.until(lambda: "Done there." in tab.log and tab.one("#say").is_enabled())
    provider.brain = lambda _: [Say("And here.")]
    tab.send("third")
    tab.until(lambda: "And here." in tab.log)
    assert "Done there." in str(provider.requests[-1].json["input"])


def test_what_a_killed_terminal_left_is_told(tab: Browser, elsewhere: Session) -> None:
    """The turn that nobody carries on any more ends as interrupted, in the page that follows it."""
    _write(elsewhere, SetUserMessage("second"), Started("gpt", "m"), Notice("half of it"))
    tab.until(lambda: "half of it" in tab.log)
    elsewhere.close()
    tab.until(lambda: tab.all("#log .fault"))
    assert "half of it" in tab.log
    tab.until(lambda: tab.one("#say").is_enabled())

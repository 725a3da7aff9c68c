"""A connection of the page that is cut, or that dies without an error: the page notices, and goes on from its last record."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from asstproxy.web.feed import Feed
from servers import ResponsesServer, Say, Think

from .browser import Browser
from .cable import Cable
from .conftest import Page
from .served import Served

WORDS = " ".join(f"w{n}" for n in range(50))
LAST = "w49"


@pytest.fixture
def cable(web: Served) -> Iterator[Cable]:
    """What connects the browser and the server."""
    with Cable(web.port) as carrying:
        yield carrying


def _connected(driver: Any, web: Served, cable: Cable) -> Browser:
    return Browser(driver, web.address.replace(str(web.port), str(cable.port)))


def _streams(tab: Browser) -> int:
    """How often the page has asked for the stream of records."""
    return sum("/events?" in one["url"] for one in tab.sent())


def test_a_cut_network_loses_nothing(driver: Any, web: Served, provider: ResponsesServer, cable: Cable) -> None:
    """The page says that the connection is lost; when it is back, the page goes on by itself."""
    provider.brain = lambda _: [Say(WORDS, pace=0.03)]
    tab = _connected(driver, web, cable)
    tab.send("count")
    tab.until(lambda: "w5" in tab.log)
    cable.pull()
    tab.until(lambda: tab.one("#notice").is_displayed())
    assert LAST not in tab.log
    end = "document.querySelector('#scroll').getBoundingClientRect().bottom"
    assert tab.js(
        f"document.querySelector('#log').lastElementChild.getBoundingClientRect().bottom <= {end}"
    )  # no line is covered
    cable.plug()
    tab.until(lambda: tab.all(".state.completed"))
    assert tab.one(".answer .said").text == WORDS
    assert not tab.one("#notice").is_displayed()


@pytest.mark.slow("signs of life have to be missed")
def test_a_connection_that_dies_in_silence_is_noticed(
    driver: Any, web: Served, provider: ResponsesServer, cable: Cable, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Signs of life are missing, so it connects anew, again if that connection is dead, too. While they come, it stays."""
    monkeypatch.setattr(Feed, "beat", 0.3)
    provider.brain = lambda _: [Think("Wait here.", pace=0.9), Say(WORDS, pace=0.02)]
    tab = _connected(driver, web, cable)
    tab.send("count")
    tab.until(lambda: "w2" in tab.log)
    assert _streams(tab) == 1
    cable.mute(next_ones=1)
    tab.until(lambda: tab.one("#notice").is_displayed())
    assert LAST not in tab.log
    tab.until(lambda: tab.all(".state.completed"))
    assert tab.one(".answer .said").text == WORDS
    assert not tab.one("#notice").is_displayed()
    assert _streams(tab) == 2


@pytest.mark.parametrize(
    "woken",
    ["(now => { Date.now = () => now() + 60_000; return 1 })(Date.now)", "dispatchEvent(new Event('online'))"],
    ids=["the clock jumped", "the network is back"],
)
def test_a_computer_that_slept_goes_on(
    driver: Any, web: Served, provider: ResponsesServer, cable: Cable, woken: str
) -> None:
    """Its timers stood still and its connection is dead; it connects anew when it wakes, and nothing is missing."""
    provider.brain = lambda _: [Say(WORDS, pace=0.02)]
    tab = _connected(driver, web, cable)
    tab.send("count")
    tab.until(lambda: "w2" in tab.log)
    cable.mute()
    assert LAST not in tab.log
    assert tab.js(woken)
    tab.until(lambda: tab.all(".state.completed"))
    assert tab.one(".answer .said").text == WORDS


def test_a_tab_that_nobody_sees_rests(tab: Browser, web: Served, provider: ResponsesServer) -> None:
    """It holds no connection; when it is looked at again, what came meanwhile is there."""
    tab.send("first")
    tab.until(lambda: tab.all(".state.completed"))
    session = tab.js("location.hash.slice(1)")
    hide = (
        "Object.defineProperty(document, 'hidden', {configurable: true, value: arguments[0]});"
        "document.dispatchEvent(new Event('visibilitychange'))"
    )
    tab.driver.execute_script(hide, True)
    page = Page(web)
    page.send("second", session)
    page.watch(session).until(
        lambda w: [r["state"] for r in w.records if r["type"] == "assistant_message_retrieved"][1:]
    )
    assert len(tab.all(".state.completed")) == 1
    tab.driver.execute_script(hide, False)
    tab.until_there_are(2, ".state.completed")
    assert _streams(tab) == 2


def test_the_stream_has_signs_of_life(page: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    """Events that a script can see, as often as the server says, and no records."""
    monkeypatch.setattr(Feed, "beat", 0.05)
    session = page.send("hi", profile="gpt")
    last = page.watch(session).until_state("completed").last_id
    found = page.get(f"/sessions/{session}").json()
    assert found["beat"] == 0.05
    with page.client.stream("GET", f"/api/sessions/{session}/events?after={last}&feed={found['feed']}") as stream:
        lines = (line for line in stream.iter_lines() if line.startswith("event: "))
        first = ["event: status", "event: blocks"]
        assert [next(lines) for _ in range(5)] == first + ["event: alive"] * 3

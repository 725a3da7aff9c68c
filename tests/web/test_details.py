"""The details next to a conversation, in a real browser, while it goes on."""

from __future__ import annotations

from servers import ResponsesServer, Say, Script

from .browser import Browser, Keys

COUNT = " ".join(f"w{n}" for n in range(100))


def _hold(provider: ResponsesServer) -> None:
    """An answer whose last word comes after minutes."""
    provider.brain = Script([Say("One paragraph.\n\n"), Say(COUNT, pace=0.05), Say("end", pace=60)], [Say("Again.")])


def test_an_open_record_stays_open(tab: Browser, provider: ResponsesServer) -> None:
    """A record that is read, or that has the focus, keeps both while others come."""
    _hold(provider)
    tab.send("count")
    tab.click("#t-rec")
    tab.until_there_are(1, ".rec.set_user_message")
    tab.one(".rec.set_user_message summary").send_keys(Keys.ENTER)
    tab.until(lambda: '"text": "count"' in tab.one(".rec.set_user_message pre").text)
    tab.until(lambda: "w20" in tab.log)
    assert '"text": "count"' in tab.one(".rec[open] pre").text
    assert tab.js("document.activeElement.closest('.rec')?.classList.contains('set_user_message')")


def test_a_turn_is_replayed_while_it_goes_on(tab: Browser, provider: ResponsesServer) -> None:
    """The slider and its track grow with the records; back in the chat, the turn can be stopped."""
    _hold(provider)
    tab.send("count")
    tab.until(lambda: "w5" in tab.log)
    tab.click(".bar [data-view=replay]")
    drawn = tab.one("#track").get_attribute("innerHTML")
    most = int(tab.one("#slider").get_attribute("max"))
    tab.one("#slider").send_keys(Keys.HOME)
    tab.until(lambda: int(tab.one("#slider").get_attribute("max")) > most + 5)
    assert tab.one("#slider").get_attribute("value") == "0"
    assert tab.one("#track").get_attribute("innerHTML") != drawn
    tab.click(".bar [data-view=chat]")
    tab.click("#send.stop")
    tab.until(lambda: tab.all(".state.cancelled"))
    assert "w5" in tab.log

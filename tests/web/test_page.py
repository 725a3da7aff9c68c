"""The page in a real browser."""

from __future__ import annotations

import re
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from asstproxy import Store
from servers import Call, ResponsesServer, Say, Script, Think

from .browser import Browser, Keys
from .conftest import WebProcess
from .served import Served, ServedPage
from .test_server import PNG

ANSWER = (
    "The export keeps **refunded** orders now.\n\n1. one\n2. two\n\n```python\ndef check() -> None:\n    pass\n```\n\n"
    "| a | b |\n|---|--:|\n| 1 | 2 |\n\nDone."
)


def test_an_answer_is_drawn_while_it_streams(tab: Browser, provider: ResponsesServer) -> None:
    """States, Markdown with code and table, usage; the finished answer has nothing raw left."""
    provider.brain = lambda _: [Say(ANSWER, pace=0.04)]
    tab.send("Fix it.")
    tab.until(lambda: tab.all(".path .lit"))
    tab.until(lambda: tab.all(".state.completed"))
    tab.until(lambda: tab.all(".md table"))
    assert tab.one(".md strong").text == "refunded"
    assert tab.one(".code header").text == "python"
    assert "def check()" in tab.one(".code pre").text
    assert [word.text for word in tab.all(".code pre [class^=c-k]")] == ["def", "None", "pass"]
    assert "```" not in tab.log
    tab.until(
        lambda: {"tokens", "$"} <= set(re.findall(r"tokens|[$]", tab.one(".end").text))
    )  # the cost comes a moment later
    assert [li.text.split("\n")[0] for li in tab.all(".path li")][-1] == "completed"
    assert "completed" in tab.one("#map").get_attribute("aria-label")
    assert len(tab.all("#timeline g")) >= 3
    assert "assistant_message_retrieved" in tab.one("#sequence").get_attribute("textContent")


def test_a_picture_is_dropped_and_shown(tab: Browser, provider: ResponsesServer, tmp_path: Path) -> None:
    """Chosen, dropped or pasted, it is listed above the message; it can be removed, goes to the API, and is shown."""
    picture = tmp_path / "dot.png"
    picture.write_bytes(PNG)
    tab.one("#choose").send_keys(str(picture))
    tab.until_there_are(1, "#files li")
    for kind, transfer in (("DragEvent('drop'", "dataTransfer"), ("ClipboardEvent('paste'", "clipboardData")):
        tab.driver.execute_script(
            "const given = new DataTransfer(); given.items.add(new File(['text'], 'notes <b>.txt', {type: 'text/plain'}));"
            f"document.getElementById('say').dispatchEvent(new {kind}, {{{transfer}: given, bubbles: true, cancelable: true}}))"
        )
    tab.until_there_are(3, "#files li")
    assert [row.text.split("\n")[0] for row in tab.all("#files li b")] == ["dot.png", "notes <b>.txt", "notes <b>.txt"]
    for left in (2, 1):
        tab.click("[data-unattach]", left)
        tab.until_there_are(left, "#files li")
    tab.send("What is it?")
    tab.until(lambda: tab.js("[...document.querySelectorAll('.picture img')].some(i => i.naturalWidth === 1)"))
    tab.until(lambda: tab.all(".state.completed"))
    assert str(provider.requests[-1].json["input"]).count("data:image/png;base64") == 1
    assert not tab.all("#files li")


def test_stop(tab: Browser, provider: ResponsesServer) -> None:
    """The button stops the answer; what came stays; the next message is answered."""
    provider.brain = Script([Say("one two three "), Say("four five", pace=30)], [Say("Still here.")])
    tab.send("count")
    tab.until(lambda: "four" in tab.log)
    tab.click("#send.stop")
    tab.until(lambda: tab.all(".state.cancelled"))
    assert "one two three four" in tab.log
    tab.send("hello?")
    tab.until(lambda: "Still here." in tab.log)


def test_reload_in_mid_stream_loses_nothing(tab: Browser, provider: ResponsesServer) -> None:
    """The exchange goes on in the server; the page goes on from what was there."""
    words = " ".join(f"w{n}" for n in range(40))
    provider.brain = lambda _: [Say(words, pace=0.03)]
    tab.send("count")
    tab.until(lambda: "w5" in tab.log)
    tab.driver.refresh()
    tab.until(lambda: "w5" in tab.log)
    tab.until(lambda: tab.all(".state.completed"))
    assert tab.one(".answer .said").text == words


def test_two_tabs_show_the_same(tab: Browser, provider: ResponsesServer) -> None:
    """What is sent in one is in the other."""
    provider.brain = lambda _: [Say("Hello to both.")]
    tab.send("hi")
    tab.until(lambda: tab.all(".state.completed"))
    first = tab.driver.current_window_handle
    address = tab.driver.current_url
    tab.driver.switch_to.new_window("tab")
    tab.driver.get(address)
    tab.until(lambda: "Hello to both." in tab.log)
    tab.send("again")
    tab.until_there_are(2, ".state.completed")
    tab.driver.close()
    tab.driver.switch_to.window(first)
    tab.until_there_are(2, ".state.completed")


def test_a_tool_waits_for_a_click(driver: Any, provider: ResponsesServer, ran: Path) -> None:
    """Neither Enter nor letters typed elsewhere allow it; edited arguments are what runs; the card says who allowed it."""
    provider.brain = Script([Think("Note it."), Call("note", {"text": "milk"})], [Say("Noted.")])
    with ServedPage("work") as web:
        tab = Browser(driver, web.address)
        tab.send("note milk")
        tab.until(lambda: tab.all("[data-decide=yes]"))
        assert "notes.py" in tab.one(".approval").text
        assert tab.one("#status").get_attribute("textContent") == "Your approval is needed"
        tab.one("#say").send_keys("y", Keys.ENTER, "yes", Keys.ENTER, Keys.SPACE)
        tab.click("[data-edit]")
        tab.until(lambda: tab.all("[data-arguments]"))
        area = tab.one("[data-arguments]")
        area.clear()
        area.send_keys('{"text": 7')
        tab.click("[data-decide=yes]")
        tab.until(lambda: "doesn't fit" in tab.one("[data-problem]").text)
        assert not ran.exists()
        area.clear()
        area.send_keys('{"text": "oat milk"}')
        tab.click("[data-decide=yes]")
        tab.until(lambda: "Noted." in tab.log)
        assert re.fullmatch(r"note\s+you said yes\s+\d+ ms", tab.one(".call summary").text)
        tab.click(".call summary")
        tab.until(lambda: tab.one(".call .io").is_displayed())
        rows = dict(
            zip((one.text for one in tab.all(".call dt")), (one.text for one in tab.all(".call dd")), strict=True)
        )
        assert rows.keys() == {"text", "ran with", "result"}
        assert rows["text"] == "milk"
        assert "oat milk" in rows["ran with"]
        assert rows["result"].endswith("done")
    assert ran.read_text() == "oat milk"


def test_several_calls_are_answered_one_by_one(driver: Any, provider: ResponsesServer, ran: Path) -> None:
    """Each card has its own buttons; the calls run when all are answered, and the refused one doesn't."""
    provider.brain = Script([Call("note", {"text": "a"}), Call("note", {"text": "b"})], [Say("Done.")])
    with ServedPage("work") as web:
        tab = Browser(driver, web.address)
        tab.send("both")
        tab.until_there_are(2, "[data-decide=yes]")
        tab.click("[data-decide=no]")
        tab.until_there_are(1, "[data-decide=no]")
        assert not ran.exists()
        tab.click("[data-decide=yes]")
        tab.until(lambda: "Done." in tab.log)
        assert "you said no" in tab.one(".call summary").text
    assert ran.read_text() == "b"


def test_the_slider_shows_any_record(tab: Browser, provider: ResponsesServer) -> None:
    """At each record the page is what it was then: text, state, drawings; without buttons that ask or send."""
    provider.brain = lambda _: [Say(ANSWER)]
    tab.send("Fix it.")
    tab.until(lambda: tab.all(".state.completed"))
    tab.click(".bar .tabs [data-view=replay]")
    tab.click("#play")
    tab.until(lambda: tab.one("#slider").get_attribute("max"))
    all_records = int(tab.one("#slider").get_attribute("max"))
    tab.js(
        "(() => { const s = document.getElementById('slider'); s.value = 4; s.dispatchEvent(new Event('input')) })()"
    )
    tab.until(lambda: tab.one("#when").text.startswith("4 /"))
    assert "completed" not in [li.text for li in tab.all(".path li")]
    assert "Done." not in tab.log
    assert tab.one("#map .at").get_attribute("data-s") == tab.one("#state-now").text != "completed"
    assert "assistant_message_retrieved" not in tab.one("#sequence").get_attribute("textContent")
    tab.one("#slider").send_keys(Keys.END)
    tab.until(lambda: tab.one("#when").text.startswith(f"{all_records} /"))
    tab.until(lambda: "Done." in tab.log)
    assert tab.one("#map .at").get_attribute("data-s") == tab.one("#state-now").text == "completed"
    assert "assistant_message_retrieved" in tab.one("#sequence").get_attribute("textContent")
    tab.one("#slider").send_keys(Keys.ARROW_LEFT)
    tab.until(lambda: tab.one("#when").text.startswith(f"{all_records - 1} /"))
    assert not tab.one("#composer").is_displayed()


def test_ten_thousand_records_are_scrubbed(driver: Any, provider: ResponsesServer, web: Served) -> None:
    """A step anywhere takes at most 100 ms of the page's time (the bench has the figures; here: the order of magnitude)."""
    from asstproxy.core.events import AssistantMessageRetrieved, ChunkReceived, Record, SetUserMessage, Started
    from asstproxy.core.script import State

    records, seq = [], 1
    for turn in range(100):
        for state, event in (
            (State.READY, SetUserMessage(f"Question {turn}")),
            (State.STARTED, Started("gpt", "m")),
            *[(State.STREAMING, ChunkReceived(f"word{n} ")) for n in range(97)],
            (State.COMPLETED, AssistantMessageRetrieved("".join(f"word{n} " for n in range(97)))),
        ):
            seq += 1
            records.append(Record(seq, f"2026-11-28T10:{turn // 60:02}:{turn % 60:02}.{seq % 1000:03}Z", state, event))
    session = Store().copy(records, forked_from="")
    tab = Browser(driver, f"{web.origin}/?token={web.token}")
    tab.js(f"location.hash = '{session}'")
    tab.until(lambda: "Question 99" in tab.log)
    tab.click(".bar .tabs [data-view=replay]")
    tab.click("#play")
    median = tab.js(
        """(() => { const s = document.getElementById('slider'); const took = [];
        for (const n of [5000, 5001, 9990, 10, 7777, 7776]) { const t = performance.now(); s.value = n;
          s.dispatchEvent(new Event('input')); window.paintNow(); took.push(performance.now() - t) }
        return took.slice(1).sort((a, b) => a - b)[2] })()"""
    )
    assert median < 1000


def test_a_turn_is_asked_again_at_its_place_after_compact(driver: Any, provider: ResponsesServer, web: Served) -> None:
    """The summary and the turns before it stay; what the summary has taken in can't be asked again, only forked."""
    from asstproxy.core.events import AssistantMessageRetrieved, HistoryCompacted, Record, SetUserMessage, Started
    from asstproxy.core.history import SUMMARY_REQUEST
    from asstproxy.core.script import State

    events: list[tuple[State, Any]] = []
    for message, compacts in (*((f"Question {turn}", False) for turn in range(4)), (SUMMARY_REQUEST, True)):
        events += [
            (State.READY, SetUserMessage(message, compacts=compacts)),
            (State.STARTED, Started("gpt", "m")),
            (State.COMPLETED, AssistantMessageRetrieved(f"Answer to {message[:10]}")),
        ]
    events.append((State.COMPLETED, HistoryCompacted("They greeted.", 2, 2)))
    records = [Record(seq, "2026-11-28T10:00:00.000Z", *event) for seq, event in enumerate(events, 2)]
    session = Store().copy(records, forked_from="")
    tab = Browser(driver, f"{web.origin}/?token={web.token}")
    tab.js(f"location.hash = '{session}'")
    tab.until(lambda: "asked for a summary" in tab.log)
    assert "Summarise our conversation" not in tab.log
    tab.send("Question 4")
    tab.until_there_are(6, ".end .completed")
    offered = "[...document.querySelectorAll('.end')].map((end) => end.querySelectorAll('[data-act=edit]').length)"
    tab.until(lambda: tab.js(offered) == [0, 0, 1, 1, 0, 1])
    for which, wanted in ((2, 4), (1, 3), (0, 2)):  # the last turn, and those that /compact left
        tab.click("[data-act=edit]", which)
        tab.until(lambda: "Replaces the turns from here on" in tab.one("#hint").text)
        before = len(provider.requests)
        tab.send(" again")
        tab.until(partial(_has_answered, tab, provider, before))
        sent = [
            m["content"] if isinstance(m["content"], str) else m["content"][0]["text"]
            for m in provider.requests[-1].json["input"]
            if m["role"] == "user"
        ]
        assert sent == [SUMMARY_REQUEST, *(f"Question {turn}" for turn in range(2, wanted)), f"Question {wanted} again"]


def _has_answered(tab: Browser, provider: ResponsesServer, before: int) -> bool:
    return len(provider.requests) > before and bool(tab.all(".exchange:last-child .end .completed"))


def test_the_keyboard_is_enough(tab: Browser, provider: ResponsesServer) -> None:
    """Search, send, stop, panel and tabs without a mouse; approval has no key."""
    body = tab.one("body")
    provider.brain = Script([Say("first answer")], [Say("a "), Say("b c", pace=30)])
    tab.send("hello there")
    tab.until(lambda: tab.all(".state.completed"))
    body.send_keys(Keys.CONTROL, "k")
    assert tab.js("document.activeElement.id") == "find"
    tab.one("#find").send_keys("hello")
    tab.until(lambda: tab.all(".sessions mark"))
    before = tab.one("#app").get_attribute("data-panel")
    tab.one("#find").send_keys(Keys.CONTROL, "i")
    assert tab.one("#app").get_attribute("data-panel") != before
    tab.send("more")
    tab.until(lambda: "b" in tab.all(".answer .said")[-1].text)
    tab.one("#say").send_keys(Keys.ESCAPE)
    tab.until(lambda: tab.all(".state.cancelled"))


@pytest.mark.slow("a process that is killed, and another one")
def test_a_killed_server_is_told_and_taken_up_again(driver: Any, provider: ResponsesServer) -> None:
    """The page says that the connection is lost; after the restart it goes on by itself, and says what was interrupted."""
    provider.brain = Script([Say("one two three "), Say("four five", pace=30)], [Say("Back again.")])
    with WebProcess("-p", "gpt") as web:
        tab = Browser(driver, web.address)
        tab.send("count")
        tab.until(lambda: "four" in tab.log)
        web.process.kill()
        web.process.wait()
        tab.until(lambda: tab.one("#notice").is_displayed())
        assert "one two three four" in tab.log
    with WebProcess("-p", "gpt", port=web.port):
        tab.until(lambda: not tab.one("#notice").is_displayed())
        tab.until(lambda: tab.all("#log .fault"))
        assert "one two three four" in tab.log
        assert not tab.one("#fault").is_displayed()
        tab.send("hello?")
        tab.until(lambda: "Back again." in tab.log)


@pytest.mark.parametrize(("width", "height"), [(390, 844), (820, 1000), (1400, 900)])
def test_nothing_is_wider_than_the_window(
    driver: Any, web: Served, provider: ResponsesServer, width: int, height: int
) -> None:
    """Phone, tablet, desktop: no sideways scrolling, and the message box is in reach."""
    provider.brain = lambda _: [Say(ANSWER + "\n\n```\n" + "x" * 300 + "\n```\n" + "y" * 300)]
    tab = Browser(driver, web.address)
    size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500}
    with tab.emulated("setDeviceMetricsOverride", "clearDeviceMetricsOverride", **size):
        tab.driver.refresh()
        tab.until(lambda: tab.one("#pick b").text == "gpt")
        tab.send("Fix it.")
        tab.until(lambda: tab.all(".state.completed"))
        assert tab.js("document.documentElement.scrollWidth") <= width
        assert tab.one("#say").is_displayed()


@pytest.mark.parametrize(
    "scheme", ["light", pytest.param("dark", marks=pytest.mark.slow("axe reads the page four times"))]
)
def test_axe_finds_nothing_serious(driver: Any, web: Served, provider: ResponsesServer, scheme: str) -> None:
    """axe-core (npm): no serious or critical finding, in the conversation, the records, the replay."""
    provider.brain = lambda _: [Say(ANSWER)]
    tab = Browser(driver, web.address)
    with tab.prefers(color_scheme=scheme):
        tab.send("Fix it.")
        tab.until(lambda: tab.all(".state.completed"))
        for step in ("#pick", "#t-ex", "#t-rec", ".bar .tabs [data-view=replay]"):
            tab.click(step)
            assert tab.barriers() == []


def test_who_wants_no_motion_gets_none(tab: Browser, provider: ResponsesServer) -> None:
    """The halo of the present state breathes; with `prefers-reduced-motion` nothing moves, and nothing fades."""
    provider.brain = lambda _: [Say("Hello.")]
    tab.send("hi")
    tab.until(lambda: tab.all(".state.completed") and tab.all(".halo"))
    count = "[...document.querySelectorAll('*')].filter(e => {}).length"
    moving = count.format("getComputedStyle(e).animationName !== 'none'")
    fading = count.format("getComputedStyle(e).transitionDuration.split(', ').some(d => d !== '0s')")
    assert tab.js(moving) == 1
    assert tab.js(fading) > 0
    with tab.prefers(reduced_motion="reduce"):
        assert tab.js(moving) == 0
        assert tab.js(fading) == 0
        assert tab.js("document.getAnimations().length") == 0

"""The message that is being written, in a real browser: nothing of it is lost, and nothing goes along that isn't shown."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from asstproxy import Store
from servers import ResponsesServer

from .browser import Browser
from .served import ServedPage
from .test_server import PNG

pytestmark = pytest.mark.slow("a browser, for two seconds each")

PASTE = (
    "const given = new DataTransfer(); {items};"
    "const paste = new ClipboardEvent('paste', {{clipboardData: given, bubbles: true, cancelable: true}});"
    "return document.getElementById('say').dispatchEvent(paste)"
)
HOLD = """
    const go = window.fetch, held = window.held = [];
    window.fetch = (...request) => request[1]?.method !== 'POST' ? go(...request) : new Promise((done, failed) =>
        held.push(fails => fails ? failed(new Error('no network')) : done(go(...request))))
"""
PICTURE = "given.items.add(new File(['x'], 'image.png', {type: 'image/png'}))"


def test_what_is_written_while_a_message_goes_out_stays(tab: Browser, provider: ResponsesServer) -> None:
    """The box is for the next message as soon as the first is on its way; below it, a word says that it is being sent."""
    tab.driver.execute_script(HOLD)
    tab.send("first")
    tab.until(lambda: tab.js("held.length") == 1)
    tab.until(lambda: tab.one("#hint").text == "Sending…")
    tab.one("#say").send_keys("second")
    tab.driver.execute_script("held[0](false)")
    tab.until(lambda: tab.all(".state.completed"))
    assert tab.one("#say").get_attribute("value") == "second"
    assert "You said: first" in tab.log


def test_a_message_that_does_not_go_out_comes_back(tab: Browser, provider: ResponsesServer, tmp_path: Path) -> None:
    """With its files; what was written meanwhile is kept after it."""
    picture = tmp_path / "dot.png"
    picture.write_bytes(PNG)
    tab.one("#choose").send_keys(str(picture))
    tab.until_there_are(1, "#files li")
    tab.driver.execute_script(HOLD)
    tab.send("first")
    tab.until(lambda: tab.js("held.length") == 1)
    tab.one("#say").send_keys("second")
    tab.driver.execute_script("held[0](true)")
    tab.until(lambda: "doesn't answer" in tab.one("#fault").text)
    assert tab.one("#say").get_attribute("value") == "first\nsecond"
    assert [row.text for row in tab.all("#files li b")] == ["dot.png"]


def test_another_session_is_opened_while_a_message_goes_out(tab: Browser, provider: ResponsesServer) -> None:
    """The page stays where the person went; the message is answered where it was sent."""
    for text in ("one", "two"):
        tab.send(text)
        tab.until(lambda: tab.all(".state.completed"))
        tab.click("#new")
        tab.until(lambda: tab.one("#blank").is_displayed())
    second, first = list(Store().ids())
    tab.driver.execute_script("location.hash = arguments[0]", first)
    tab.until(lambda: "You said: one" in tab.log)
    tab.driver.execute_script(HOLD)
    tab.send("more")
    tab.until(lambda: tab.js("held.length") == 1)
    tab.driver.execute_script("location.hash = arguments[0]", second)
    tab.until(lambda: "You said: two" in tab.log)
    tab.driver.execute_script("held[0](false)")
    tab.until(lambda: len(Store().transcript(first).exchanges) == 2)
    tab.one("#say").send_keys("x")
    tab.until(lambda: tab.one("#send").is_enabled())
    assert tab.js("location.hash.slice(1)") == second
    assert "You said: two" in tab.log


def test_what_cannot_be_read_stops_no_other_file(tab: Browser) -> None:
    """A folder among dropped files is named; the others are listed."""
    tab.driver.execute_script(
        "const read = FileReader.prototype.readAsDataURL;"
        "FileReader.prototype.readAsDataURL = function (file) {"
        "  if (file.name === 'folder') this.onerror(new Event('error')); else read.call(this, file) };"
        "const given = new DataTransfer();"
        "for (const name of ['a.txt', 'folder', 'b.txt']) given.items.add(new File(['x'], name));"
        "document.body.dispatchEvent(new DragEvent('drop', {dataTransfer: given, bubbles: true, cancelable: true}))"
    )
    tab.until(lambda: [row.text for row in tab.all("#files li b")] == ["a.txt", "b.txt"])
    assert "folder can't be read" in tab.one("#fault").text


def test_a_copied_table_is_pasted_as_text(tab: Browser) -> None:
    """Office programs add a picture of what was copied; a copied picture, and a copied file with its name, are attached."""
    office = f"given.setData('text/plain', 'a b'); given.setData('text/html', '<b>a b</b>'); {PICTURE}"
    assert tab.driver.execute_script(PASTE.format(items=office)) is True, "left to the browser"
    for number, more in enumerate(
        ("given.setData('text/html', '<img>')", "given.setData('text/plain', 'image.png')"), 1
    ):
        assert tab.driver.execute_script(PASTE.format(items=f"{more}; {PICTURE}")) is False
        tab.until_there_are(number, "#files li")


def test_the_files_of_an_edited_message_are_shown(tab: Browser, provider: ResponsesServer, tmp_path: Path) -> None:
    """They go along again unless they are removed, and they stay with the session in which they are."""
    picture = tmp_path / "dot.png"
    picture.write_bytes(PNG)
    tab.one("#choose").send_keys(str(picture))
    tab.until_there_are(1, "#files li")
    tab.send("What is it?")
    tab.until(lambda: tab.all(".state.completed"))
    tab.click("[data-act=edit]")
    tab.until(lambda: [row.text for row in tab.all("#files li b")] == ["dot.png"])
    tab.click("#new")
    tab.until_there_are(0, "#files li")
    tab.driver.back()
    tab.until(lambda: tab.all(".state.completed"))
    tab.click("[data-act=edit]")
    tab.until_there_are(1, "#files li")
    tab.click("[data-unattach]")
    tab.until_there_are(0, "#files li")
    tab.send(" And now?")
    tab.until_there_are(2, ".state.completed")
    assert "data:image" not in str(provider.requests[-1].json["input"])


def test_an_edited_message_goes_to_several(driver: Any, provider: ResponsesServer, ran: Path) -> None:
    """In each session it replaces the turns from there on."""
    with ServedPage("work", "other") as web:
        tab = Browser(driver, web.address)
        for number, text in enumerate(("first", "second"), 1):
            tab.send(text)
            tab.until_there_are(number, "#log .state.completed")
        tab.click("[data-act=edit]", 1)
        tab.click("#both")
        tab.send(" again")
        tab.until_there_are(2, "[data-keep]")
    for request in provider.requests[-2:]:
        sent = [item["content"][-1]["text"] for item in request.json["input"] if item.get("role") == "user"]
        assert sent == ["first", "second again"]

"""What a person does with a session in the page, in a real browser: buttons below an answer, the menu, the details."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

from asstproxy import Store
from servers import ResponsesServer, Say

from .browser import Browser, Keys
from .served import ServedPage

CODE = "Use this:\n\n```python\nprint(1)\n```\n"


def _asked(provider: ResponsesServer) -> list[str]:
    """The messages of the last request."""
    items = provider.requests[-1].json["input"]
    return [str(item["content"]) for item in items if item.get("role") == "user"]


def test_the_buttons_below_an_answer(tab: Browser, provider: ResponsesServer) -> None:
    """Copy, edit, ask again and fork do what they say, and code has a copy button of its own."""
    provider.brain = lambda _: [Say(CODE)]
    for number, text in enumerate(("first", "second"), start=1):
        tab.send(text)
        tab.until_there_are(number, "#log .state.completed")
    tab.driver.execute_cdp_cmd(
        "Browser.grantPermissions",
        {"permissions": ["clipboardReadWrite", "clipboardSanitizedWrite"], "origin": tab.origin},
    )
    read = "const done = arguments[0]; navigator.clipboard.readText().then(done, done)"
    tab.click("[data-copy]")
    tab.until(lambda: tab.driver.execute_async_script(read).strip() == "print(1)")
    tab.click("[data-act=copy]")
    tab.until(lambda: tab.driver.execute_async_script(read) == CODE)
    tab.click("[data-act=edit]", 1)
    tab.until(lambda: tab.one("#say").get_attribute("value") == "second")
    assert "Replaces the turns" in tab.one("#hint").text
    tab.one("#say").send_keys(" and more", Keys.ENTER)
    tab.until_there_are(3, "#log .state.completed")
    assert ["second" in text for text in _asked(provider)] == [False, True]
    assert tab.all(".exchange.withdrawn")
    tab.click("[data-act=retry]", 2)
    tab.until_there_are(4, "#log .state.completed")
    assert len(_asked(provider)) == 2
    before = tab.driver.current_url
    tab.click("[data-act=fork]", 0)
    tab.until(lambda: tab.driver.current_url != before and len(tab.all("#log .state.completed")) == 1)


def test_the_profile_and_the_model_are_switched(driver: Any, provider: ResponsesServer, ran: Path) -> None:
    """In mid-conversation: the next message goes to the other one, which is sent what was said so far."""
    provider.models = {**provider.models, "gpt-6-mini": None}
    with ServedPage("work", "other") as web:
        tab = Browser(driver, web.address)
        tab.send("first")
        tab.until(lambda: tab.all(".state.completed"))
        tab.click("#pick")
        tab.click("[data-profile=other]")
        tab.click("#pick")
        tab.one("#model").send_keys("gpt-6-mini", Keys.ENTER)
        tab.driver.execute_script("document.getElementById('picker').hidePopover()")
        tab.until(lambda: tab.one("#pick").text == "other\ngpt-6-mini")
        tab.send("second")
        tab.until_there_are(2, ".state.completed")
        assert "other gpt-6-mini from here on" in tab.log
        assert provider.requests[-1].json["model"] == "gpt-6-mini"
        assert len(_asked(provider)) == 2


def test_the_menu_of_a_session(tab: Browser, provider: ResponsesServer, tmp_path: Path) -> None:
    """Rename and delete ask in a dialog, which Escape closes without a change; the list follows. Exports are saved as files."""
    tab.send("hello there")
    tab.until(lambda: tab.all(".state.completed"))
    (session,) = Store().ids()

    def choose(what: str) -> None:
        tab.click("#more")
        tab.click(f"[data-menu={what}]")
        tab.until(lambda: tab.js("document.getElementById('dialog').open"))

    choose("rename")
    tab.one("#dialog-text").send_keys("A better title", Keys.ENTER)
    tab.until(lambda: tab.one("#title").text == "A better title")
    tab.until(lambda: "A better title" in tab.one("#sessions").text)
    assert Store().summary(session).title == "A better title"
    downloads = {"behavior": "allow", "downloadPath": str(tmp_path), "eventsEnabled": False}
    tab.driver.execute_cdp_cmd("Browser.setDownloadBehavior", downloads)
    for form, part in (("html", "hello there"), ("md", "hello there"), ("json", '"hello there"')):
        tab.click("#more")
        tab.click(f"[data-menu=export-{form}]")
        tab.until(partial(_has, tmp_path / f"asst-{session[-8:].lower()}.{form}", part))
    tab.click("#more")
    tab.click("[data-menu=fork]")
    tab.until(lambda: tab.js("location.hash.slice(1)") != session and tab.all(".state.completed"))
    (fork,) = set(Store().ids()) - {session}
    Store().remove(fork)
    tab.js(f"location.hash = '{session}'")
    tab.until(lambda: tab.one("#title").text == "A better title")
    choose("delete")
    tab.one("#dialog-go").send_keys(Keys.ESCAPE)
    tab.until(lambda: not tab.js("document.getElementById('dialog').open"))
    assert list(Store().ids()) == [session]
    choose("delete")
    tab.click("#dialog-go")
    tab.until(lambda: tab.one("#blank").is_displayed() and "A better title" not in tab.one("#sessions").text)
    assert list(Store().ids()) == []


def _has(file: Path, words: str) -> bool:
    return file.exists() and words in file.read_text()


def test_a_drawing_leads_to_its_record(tab: Browser, provider: ResponsesServer) -> None:
    """A click on an arrow opens the record; the records are filtered by kind and by words."""
    provider.brain = lambda _: [Say("Hello.")]
    tab.send("hi")
    tab.until(lambda: tab.all(".state.completed"))
    tab.driver.execute_script(
        "document.querySelector('#sequence .to[data-seq]').dispatchEvent(new MouseEvent('click', {bubbles: true}))"
    )
    tab.until(lambda: '"type": "set_user_message"' in tab.one(".rec[open] pre").text)
    kinds = [row.text for row in tab.all(".rec b")]
    assert {"set_user_message", "started", "usage"} <= set(kinds)
    tab.click("[data-kind=note]")
    tab.until(lambda: "usage" not in [row.text for row in tab.all(".rec b")])
    tab.one("#grep").send_keys("Hello.")
    tab.until(lambda: {row.text for row in tab.all(".rec b")} == {"chunk_received", "assistant_message_retrieved"})
    tab.one("#grep").send_keys(" nowhere")
    tab.click("#cleargrep")
    tab.until(lambda: "set_user_message" in [row.text for row in tab.all(".rec b")])

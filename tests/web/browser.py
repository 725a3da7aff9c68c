"""A real browser for the tests of the page: Debian's Chromium, without a window."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

webdriver = pytest.importorskip("selenium.webdriver", reason="selenium isn't installed")
from selenium.common.exceptions import WebDriverException  # noqa: E402 - after the check
from selenium.webdriver.common.by import By  # noqa: E402
from selenium.webdriver.common.keys import Keys  # noqa: E402

__all__ = ["Browser", "Keys", "start_browser"]


def start_browser(width: int = 1400, height: int = 900) -> Any:
    """A driver; the test is skipped where there is no Chromium."""
    chromium, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if not chromium or not driver:
        pytest.skip("Debian's chromium and chromium-driver aren't installed")
    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars"):
        options.add_argument(argument)
    options.add_argument(f"--window-size={width},{height}")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    return webdriver.Chrome(options=options, service=webdriver.ChromeService(driver))


class Browser:
    """One tab, driven as a person does."""

    def __init__(self, driver: Any, address: str) -> None:
        self.driver = driver
        self.requests: list[dict[str, Any]] = []
        self.origin = address.partition("/?")[0]
        driver.get("about:blank")  # the page of the test before has lost its server
        driver.get_log("browser")
        driver.get_log("performance")
        driver.get(address)
        self.until(lambda: self.one("#pick b").text not in ("", "no profile"))

    def one(self, selector: str) -> Any:
        """The first element of this kind."""
        return self.driver.find_element(By.CSS_SELECTOR, selector)

    def all(self, selector: str) -> list[Any]:
        """All elements of this kind."""
        return list(self.driver.find_elements(By.CSS_SELECTOR, selector))

    def click(self, selector: str, which: int = 0) -> None:
        """Click on the first of its kind, or another one; it may be painted anew while the mouse moves there."""

        def clicked() -> bool:
            self.all(selector)[which].click()
            return True

        self.until(clicked)

    def send(self, text: str) -> None:
        """Write a message and press Enter."""
        self.until(lambda: self.one("#say").is_enabled())
        self.one("#say").send_keys(text, Keys.ENTER)

    @property
    def log(self) -> str:
        """The text of the conversation."""
        return str(self.one("#log").get_attribute("textContent"))

    def js(self, code: str, *arguments: Any) -> Any:
        """The value of an expression in the page."""
        return self.driver.execute_script(f"return {code}", *arguments)

    def until(self, so: Callable[[], object], within: float = 30.0) -> None:
        """Wait until it holds."""
        deadline = time.monotonic() + within
        while True:
            with contextlib.suppress(WebDriverException, IndexError):
                if so():
                    return
            assert time.monotonic() < deadline, f"not within {within} s; the page says:\n{self.one('body').text}"
            time.sleep(0.03)

    def until_there_are(self, number: int, selector: str) -> None:
        """Wait until there are so many elements of this kind."""
        self.until(lambda: len(self.all(selector)) == number)

    @contextlib.contextmanager
    def emulated(self, command: str, off: str, **settings: Any) -> Iterator[None]:
        """With something that the browser pretends: a command of its DevTools, and that which ends it."""
        self.driver.execute_cdp_cmd(f"Emulation.{command}", settings)
        try:
            yield
        finally:
            self.driver.execute_cdp_cmd(f"Emulation.{off}", {"features": []} if off == "setEmulatedMedia" else {})

    def phone(self) -> contextlib.AbstractContextManager[None]:
        """A screen of 390 × 844."""
        size = {"width": 390, "height": 844, "deviceScaleFactor": 1, "mobile": True}
        return self.emulated("setDeviceMetricsOverride", "clearDeviceMetricsOverride", **size)

    def prefers(self, **features: str) -> contextlib.AbstractContextManager[None]:
        """A person's wishes: `color_scheme`, `reduced_motion`."""
        wishes = [{"name": f"prefers-{name.replace('_', '-')}", "value": value} for name, value in features.items()]
        return self.emulated("setEmulatedMedia", "setEmulatedMedia", features=wishes)

    def barriers(self) -> list[tuple[str, list[str]]]:
        """What axe-core finds that keeps people out: serious and critical findings, each with the elements."""
        axe = Path(os.environ.get("AXE_CORE", ""))
        if not axe.is_file():
            pytest.skip("AXE_CORE doesn't name axe.min.js (npm install axe-core)")
        self.driver.execute_script(axe.read_text(encoding="utf-8"))
        found = self.driver.execute_async_script("const done = arguments[0]; axe.run().then(r => done(r.violations))")
        serious = [one for one in found if one["impact"] in ("serious", "critical")]
        return [(one["id"], [node["html"][:120] for node in one["nodes"]]) for one in serious]

    def sent(self) -> list[dict[str, Any]]:
        """The requests that the browser has sent, with their headers."""
        events = (json.loads(entry["message"])["message"] for entry in self.driver.get_log("performance"))
        self.requests += [e["params"]["request"] for e in events if e["method"] == "Network.requestWillBeSent"]
        return self.requests

    @property
    def hosts(self) -> set[str]:
        """Where they went."""
        return {urlsplit(one["url"]).netloc for one in self.sent() if one["url"].startswith("http")}

    def complaints(self) -> list[str]:
        """What the browser complained about: errors of scripts, what its policy forbade, what couldn't be loaded.

        Without those about the server of the test before: its end may be reported late.
        """
        found = [entry["message"] for entry in self.driver.get_log("browser") if entry["level"] == "SEVERE"]
        return [message for message in found if self.origin in message or "127.0.0.1" not in message]

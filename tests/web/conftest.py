"""The page's server as a person starts it, and a client that does what the page does."""

from __future__ import annotations

import json
import os
import queue
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urlsplit

import pytest

from forked import asst_command
from servers import ResponsesServer

pytest.importorskip("uvicorn", reason="the extra web isn't installed")
import httpx2

from .served import Served, ServedPage

if TYPE_CHECKING:
    from .browser import Browser

ASST = asst_command.ASST


class WebProcess(Served):
    """`asst web` on a free port, as a process of its own."""

    def __init__(self, *arguments: str, port: int = 0, open_browser: bool = False) -> None:
        command = [ASST, "web", "--port", str(port), "--open" if open_browser else "--no-open", *arguments]
        self.process = asst_command.start(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        address = self.process.stdout.readline().strip()
        if not address:
            assert self.process.stderr is not None
            raise AssertionError(self.process.stderr.read())
        super().__init__(address, self.process.pid)

    def end(self) -> None:
        """Kill the process."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()


class Page:
    """What the page does, over HTTP."""

    def __init__(self, web: Served, cookies: Any = None) -> None:
        self.web = web
        self.client = web.client(cookies=cookies)
        if cookies is None:
            assert self.client.get("/", params={"token": web.token}).status_code == 200

    def post(self, path: str, body: Any = None, **headers: str) -> Any:
        """A request as the page sends it."""
        own = {"origin": self.web.origin, "x-asst": "1"} | headers
        return self.client.post(f"/api{path}", json=body or {}, headers=own)

    def get(self, path: str, **headers: str) -> Any:
        """A request as the page sends it."""
        return self.client.get(f"/api{path}", headers=headers)

    def send(self, text: str, session: str = "", **more: Any) -> str:
        """Send a message; returns the session's id."""
        answer = self.post("/messages", {"text": text, "session": session, **more})
        assert answer.status_code == 200, answer.text
        return str(answer.json()["session"])

    def watch(self, session: str, after: int = 0, feed: str = "") -> Watch:
        """The session's stream of records."""
        return Watch(self, session, f"after={after}{f'&feed={feed}' if feed else ''}", after)


class Watch:
    """An open stream of records, read in a thread; what came is in `records`, `blocks` and `status`."""

    def __init__(self, page: Page, session: str, query: str, after: int) -> None:
        self.records: list[dict[str, Any]] = []
        self.blocks: list[dict[str, Any]] = []
        self.status: dict[str, Any] = {}
        self.last_id = after
        self._leaving = False
        self._client = page.web.client(cookies=page.client.cookies)
        self._lines: queue.Queue[str | None] = queue.Queue()
        path = f"/api/sessions/{session}/events?{query}"
        self._reader = threading.Thread(target=self._read, args=(path,), daemon=True)
        self._reader.start()

    def _read(self, path: str) -> None:
        try:
            with self._client.stream("GET", path) as response:
                for line in response.iter_lines():
                    self._lines.put(line)
                    if self._leaving:
                        break
        except httpx2.HTTPError:
            pass
        self._lines.put(None)

    def until(self, so: Callable[[Watch], object], within: float = 20.0) -> Self:
        """Read until the condition holds."""
        deadline = time.monotonic() + within
        kind = ""
        while not so(self):
            try:
                line = self._lines.get(timeout=max(0.0, deadline - time.monotonic()))
            except queue.Empty:
                raise AssertionError(f"not within {within} s; so far: {self.records[-3:]} {self.status}") from None
            assert line is not None, "the stream has ended"
            name, _, value = line.partition(": ")
            if name == "event":
                kind = value
            elif name == "id":
                self.last_id = int(value)
            elif name == "data":
                found = json.loads(value)
                if kind == "records":
                    self.records += found
                elif kind == "blocks":
                    self.blocks += found
                elif kind == "status":
                    self.status = found
        return self

    def until_state(self, state: str) -> Self:
        """Read until the last record has this state."""
        return self.until(lambda watch: watch.records and watch.records[-1]["state"] == state)

    @property
    def text(self) -> str:
        """The chunks that came."""
        return "".join(record["text"] for record in self.records if record["type"] == "chunk_received")

    def close(self) -> None:
        """Leave, as a tab that is closed."""
        self._leaving = True
        self._reader.join(20)


@pytest.fixture
def provider(monkeypatch: pytest.MonkeyPatch) -> Iterator[ResponsesServer]:
    """An API that echoes, unless the test gives it a brain."""
    with ResponsesServer() as running:
        monkeypatch.setenv("OPENAI_BASE_URL", running.base_url)
        monkeypatch.setenv("OPENAI_API_KEY", running.key)
        yield running


@pytest.fixture
def web(provider: ResponsesServer) -> Iterator[Served]:
    """The server, which offers the profile `gpt`."""
    with ServedPage("gpt") as running:
        yield running


@pytest.fixture
def page(web: Served) -> Page:
    """A page that is let in."""
    return Page(web)


# ---- a browser -----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    """One browser for all tests."""
    from .browser import start_browser

    started = start_browser()
    yield started
    started.quit()


@pytest.fixture
def driver(chromium: Any) -> Iterator[Any]:
    """The browser, whose pages are left at the end: one that has lost its server asks its port, which another test may get."""
    yield chromium
    first, *others = chromium.window_handles
    for other in others:
        chromium.switch_to.window(other)
        chromium.close()
    chromium.switch_to.window(first)
    chromium.get("about:blank")


@pytest.fixture
def tab(driver: Any, web: Served) -> Iterator[Browser]:
    """The page, opened with the printed address. At the end: nothing was complained about, nothing was asked elsewhere."""
    from .browser import Browser

    opened = Browser(driver, web.address)
    yield opened
    assert opened.complaints() == []
    assert opened.hosts <= {urlsplit(web.origin).netloc}


@pytest.fixture
def ran(tmp_path: Path) -> Path:
    """Profiles `work`, with a tool `note` that asks first, `other` and `third`; the file into which the tool writes."""
    written = tmp_path / "ran"
    file = tmp_path / "notes.py"
    file.write_text(
        'def note(text: str) -> str:\n    """Write it down."""\n'
        f'    with open({str(written)!r}, "a") as file:\n        file.write(text)\n    return "done"\n'
    )
    folder = Path(os.environ["ASST_CONFIG_DIR"])
    folder.mkdir(parents=True, mode=0o700)
    others = "".join(f'[profiles.{name}]\nprovider = "gpt"\n' for name in ("other", "third"))
    (folder / "config.toml").write_text(f'[profiles.work]\nprovider = "gpt"\ntools = ["{file}:note"]\n{others}')
    (folder / "config.toml").chmod(0o600)
    return written

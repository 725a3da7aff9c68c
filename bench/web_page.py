"""Measures the page of `asst web` in Chromium: `python bench/web_page.py`; writes web.md.

One server, one headless Chromium, one local API that streams 400 characters a second. Times in the page are the browser's own
(`performance.now`, and the time of a frame for what is painted in it); the server's CPU is what the system counts for its process.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from statistics import median, quantiles
from typing import Any

import httpx2
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from servers import ResponsesServer, Say

ASST = str(Path(sys.executable).with_name("asst"))
PACE = 400
"""Characters a second."""
SECONDS = 20
WATCH = """
window.gaps = []; let last = 0, before = '';
(function frame(now) { const text = document.getElementById('log').textContent;
  if (text !== before) { if (last) window.gaps.push(now - last); last = now; before = text }
  requestAnimationFrame(frame) })(performance.now());
"""


def main() -> None:
    """Measure and write the page."""
    words = "".join(f"word{n % 1000:03} " + ("\n\n" if n % 25 == 24 else "") for n in range(PACE * SECONDS // 8))
    pieces = [words[at : at + 8] for at in range(0, len(words), 8)]
    with tempfile.TemporaryDirectory() as folder, ResponsesServer() as api:
        for kind in ("CONFIG", "DATA", "CACHE"):
            os.environ[f"ASST_{kind}_DIR"] = f"{folder}/{kind}"
        os.environ |= {"OPENAI_BASE_URL": api.base_url, "OPENAI_API_KEY": api.key}
        api.brain = lambda _: [Say(words, pieces=pieces, pace=8 / PACE)]
        rows: list[tuple[str, str, str]] = []
        rows += _start()
        with _server() as (process, address), _browser() as driver:
            driver.get(address)
            _until(lambda: driver.find_element(By.CSS_SELECTOR, "#pick b").text == "gpt")
            rows += _stream(driver, process)
            rows += _slider(driver)
            rows += _many(process, address)
    _write(rows)


def _start() -> list[tuple[str, str, str]]:
    addresses, usable, paints, whole = [], [], [], []
    with _browser() as driver:
        for _ in range(9):
            began = time.perf_counter()
            with _server() as (_, address):
                addresses.append(time.perf_counter() - began)
                driver.get(address)
                _until(lambda: driver.execute_script("return !!document.querySelector('#pick b')"))
                whole.append(time.perf_counter() - began)
                found = driver.execute_script(
                    "const n = performance.getEntriesByType('paint').find(p => p.name === 'first-contentful-paint');"
                    "return [n ? n.startTime : 0, performance.now()]"
                )
                paints.append(found[0])
                usable.append(found[1])
    return [
        ("from the command to the address", f"{1000 * median(addresses):.0f} ms", ""),
        ("from the command to a page that can be written in", f"{1000 * median(whole):.0f} ms", "≤ 500 ms"),
        ("first contentful paint, after the page was asked for", f"{median(paints):.0f} ms", "≤ 200 ms"),
    ]


def _stream(driver: Any, process: subprocess.Popen[str]) -> list[tuple[str, str, str]]:
    driver.execute_script(WATCH)
    driver.find_element(By.ID, "say").send_keys("Go on.", Keys.ENTER)
    _until(lambda: "word003" in driver.execute_script("return document.getElementById('log').textContent"))
    cpu, began = _cpu(process.pid), time.perf_counter()
    driver.execute_script("window.gaps = []")
    time.sleep(SECONDS * 0.7)
    share = (_cpu(process.pid) - cpu) / (time.perf_counter() - began)
    gaps = driver.execute_script("return window.gaps")
    _until(lambda: driver.find_elements(By.CSS_SELECTOR, ".state.completed"))
    return [
        (f"server, while an answer comes at {PACE} characters a second, of a core", f"{100 * share:.1f} %", "≤ 3 %"),
        ("gap between two changes on the screen, p95", f"{quantiles(gaps, n=20)[18]:.0f} ms", "≤ 50 ms"),
        ("the same, longest", f"{max(gaps):.0f} ms", ""),
    ]


def _slider(driver: Any) -> list[tuple[str, str, str]]:
    from asstproxy import Store
    from asstproxy.core.events import AssistantMessageRetrieved, ChunkReceived, Record, SetUserMessage, Started
    from asstproxy.core.script import State

    records: list[Record] = []
    for turn in range(100):
        answer = "".join(f"word{n} " for n in range(97))
        for state, event in (
            (State.READY, SetUserMessage(f"Question {turn}")),
            (State.STARTED, Started("gpt", "m")),
            *[(State.STREAMING, ChunkReceived(f"word{n} ")) for n in range(97)],
            (State.COMPLETED, AssistantMessageRetrieved(answer)),
        ):
            number = len(records) + 2
            records.append(Record(number, f"2026-11-28T10:{turn:02}:{number % 60:02}.000Z", state, event))
    session = Store().copy(records, forked_from="")
    driver.execute_script(f"location.hash = '{session}'")
    _until(lambda: "Question 99" in driver.execute_script("return document.getElementById('log').textContent"))
    driver.find_element(By.CSS_SELECTOR, ".bar .tabs [data-view=replay]").click()
    driver.find_element(By.ID, "play").click()
    took = driver.execute_script(
        """const s = document.getElementById('slider'), took = [];
        for (let i = 0; i < 60; i++) { const n = i % 3 ? 5000 + i : (i * 397) % 10000; const t = performance.now(); s.value = n;
          s.dispatchEvent(new Event('input')); window.paintNow(); document.body.offsetHeight; took.push(performance.now() - t) }
        return took"""
    )
    return [
        ("a step of the slider over 10,000 records, median", f"{median(took):.0f} ms", ""),
        ("the same, longest of 60, far jumps among them", f"{max(took):.0f} ms", "≤ 100 ms"),
    ]


def _many(process: subprocess.Popen[str], address: str) -> list[tuple[str, str, str]]:
    origin, _, token = address.partition("/?token=")
    with httpx2.Client(base_url=origin, timeout=60) as client:
        client.get("/", params={"token": token})
        headers = {"origin": origin, "x-asst": "1"}
        sent = client.post("/api/messages", json={"text": "Go on.", "profile": "gpt"}, headers=headers)
        session = sent.json()["session"]
        cookies = client.cookies
        ends: list[float] = []

        def watch() -> None:
            with (
                httpx2.Client(base_url=origin, cookies=cookies, timeout=60) as tab,
                tab.stream("GET", f"/api/sessions/{session}/events") as response,
            ):
                for line in response.iter_lines():
                    if '"state":"completed"' in line:
                        ends.append(time.perf_counter())
                        return

        cpu, began = _cpu(process.pid), time.perf_counter()
        tabs = [threading.Thread(target=watch) for _ in range(50)]
        for tab in tabs:
            tab.start()
        for tab in tabs:
            tab.join()
        share = (_cpu(process.pid) - cpu) / (time.perf_counter() - began)
    return [
        ("server with 50 tabs that watch this answer, of a core", f"{100 * share:.0f} %", ""),
        ("the same: from the first tab that has all of it to the last", f"{1000 * (max(ends) - min(ends)):.0f} ms", ""),
        ("memory of the server at the end", f"{_memory(process.pid):.0f} MiB", ""),
    ]


@contextmanager
def _server() -> Iterator[tuple[subprocess.Popen[str], str]]:
    command = [ASST, "web", "--port", "0", "--no-open", "-p", "gpt"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield process, process.stdout.readline().strip()
        finally:
            process.terminate()


@contextmanager
def _browser() -> Iterator[Any]:
    options = webdriver.ChromeOptions()
    for argument in (
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--window-size=1400,900",
    ):
        options.add_argument(argument)
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(shutil.which("chromedriver")))
    try:
        yield driver
    finally:
        driver.quit()


def _until(so: Any, within: float = 60) -> None:
    deadline = time.monotonic() + within
    while True:
        try:
            if so():
                return
        except Exception as error:
            if time.monotonic() > deadline:
                raise TimeoutError from error
        if time.monotonic() > deadline:
            raise TimeoutError
        time.sleep(0.005)


def _cpu(process: int) -> float:
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _memory(process: int) -> float:
    line = next(line for line in Path(f"/proc/{process}/status").read_text().splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) / 1024


def _write(rows: list[tuple[str, str, str]]) -> None:
    when = datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
    lines = [
        "# How fast the page of `asst web` is",
        "",
        f"`python bench/web_page.py` on {when}; {os.cpu_count()} cores that also run the browser; Python {sys.version.split()[0]}.",
        "The start is the median of 9. See README.md for what is measured.",
        "",
        "| what | result | bar |",
        "|---|--:|--:|",
        *(f"| {what} | {result} | {bar} |" for what, result, bar in rows),
    ]
    Path(__file__).with_name("web.md").write_text("\n".join(lines) + "\n", encoding="utf-8")
    print("\n".join(lines))
    print(json.dumps({"load": os.getloadavg()}))


if __name__ == "__main__":
    main()

"""Items of a batch in tests: writing them, and what became of them."""

from __future__ import annotations

import contextlib
import json
import signal
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from servers import Output, ResponsesServer
from servers.wire import Json

from ..conftest import Asst, Ran

__all__ = ["arrivals", "asked", "lines", "prompt", "run", "signals_when", "wait_for", "write", "write_prompts"]


def write(path: Path, *items: Any) -> None:
    """An input of these items."""
    path.write_text("".join(f"{json.dumps(item)}\n" for item in items))


def write_prompts(path: Path, count: int) -> list[str]:
    """An input of so many items; their prompts: `n0`, `n1`, …"""
    prompts = [f"n{number}" for number in range(count)]
    write(path, *({"prompt": one} for one in prompts))
    return prompts


def run(asst: Asst, *more: str) -> Ran:
    """`asst batch` over `in.jsonl`."""
    return asst("batch", "in.jsonl", "-o", "out.jsonl", "-p", "gpt", *more)


def lines(path: Path) -> list[Json]:
    """The lines of an output."""
    return [json.loads(line) for line in path.read_text().splitlines()]


def prompt(body: Json) -> str:
    """The last message of a request."""
    said = body["input"]
    return str(said if isinstance(said, str) else said[-1]["content"][0]["text"])


def asked(server: ResponsesServer) -> list[str]:
    """What was asked, in order."""
    return [prompt(request.json) for request in server.requests if request.method == "POST"]


def arrivals(server: ResponsesServer) -> list[float]:
    """When requests arrive, by the monotonic clock: a list that grows."""
    times: list[float] = []
    brain = server.brain

    def noted(request: Json) -> Iterable[Output]:
        times.append(time.monotonic())
        return brain(request)

    server.brain = noted
    return times


def wait_for(so: Callable[[], bool], seconds: float = 20) -> None:
    """Wait until something is so."""
    until = time.monotonic() + seconds
    while not so():
        assert time.monotonic() < until
        time.sleep(0.02)


@contextlib.contextmanager
def signals_when(so: Callable[[], bool], *numbers: int) -> Iterator[None]:
    """Send this process these signals, one after the other, as soon as something is so."""
    main, ended = threading.main_thread().ident, threading.Event()
    assert main is not None

    def send() -> None:
        with contextlib.suppress(AssertionError):  # then the test says what came instead
            wait_for(lambda: so() or ended.is_set())
        for number in numbers:
            signal.pthread_kill(main, number)
            ended.wait(0.2)

    before = {
        number: signal.signal(number, lambda *_: None) for number in set(numbers)
    }  # one too late ends no test run
    thread = threading.Thread(target=send)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
        for number, handler in before.items():
            signal.signal(number, handler)

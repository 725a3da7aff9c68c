"""Batches in tests: the command within this process, a real Postgres, and workers in threads or as processes."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from forked import asst_command
from servers import ResponsesServer
from servers.postgres import PostgresServer, postgres_binaries

from ..conftest import ASST, Asst
from ..in_process import asst_here

WorkHere = Callable[[int], "WorkerHere"]
Work = Callable[..., subprocess.Popen[bytes]]


@pytest.fixture
def asst() -> Asst:
    """Runs `asst` within this process."""
    return asst_here


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder."""
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """One server for all tests."""
    pytest.importorskip("procrastinate", reason="the extra batch-postgres is missing")
    if postgres_binaries() is None:
        pytest.skip("Postgres is missing: apt install postgresql")
    with PostgresServer() as running:
        yield running


@pytest.fixture
def queue(postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch) -> str:
    """The address of an empty database, which `asst` has in its environment; who collects looks often."""
    from asstproxy.cli.batch import queue

    address = postgres.new_database()
    monkeypatch.setenv("ASST_QUEUE", address)
    monkeypatch.setattr(queue, "EVERY", 0.05)
    return address


class WorkerHere:
    """A worker in a thread of this process, which runs until `stop`."""

    def __init__(self, address: str, slots: int) -> None:
        self._address, self._slots = address, slots
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: Callable[[], None] = lambda: None
        self._started = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()))
        self._thread.start()
        self._started.wait(20)

    async def _run(self) -> None:
        from asstproxy.batches.postgres.address import address_of
        from asstproxy.batches.postgres.database import pooled
        from asstproxy.batches.postgres.serving import profiles_here
        from asstproxy.batches.postgres.worker import Worker

        async with pooled(address_of(self._address), 4) as database:
            worker = Worker(database, await profiles_here(["gpt"]), self._slots)
            self._loop, self._stop = asyncio.get_running_loop(), lambda: worker.stop(now=True)
            self._started.set()
            await worker.run()

    def join(self) -> None:
        """Wait until it leaves by itself."""
        self._thread.join(60)
        assert not self._thread.is_alive()

    def stop(self) -> None:
        """End it at once."""
        if self._thread.is_alive() and self._loop is not None:
            self._loop.call_soon_threadsafe(self._stop)
        self._thread.join(20)
        assert not self._thread.is_alive()


@pytest.fixture
def work_here(queue: str, server: ResponsesServer) -> Iterator[WorkHere]:
    """Starts a worker with so many slots in this process."""
    running: list[WorkerHere] = []

    def start(slots: int) -> WorkerHere:
        running.append(WorkerHere(queue, slots))
        return running[-1]

    yield start
    for one in running:
        one.stop()


@pytest.fixture
def work(queue: str) -> Iterator[Work]:
    """Starts a worker as a process, which ends with the test."""
    running: list[subprocess.Popen[bytes]] = []

    def start(*more: str) -> subprocess.Popen[bytes]:
        process = asst_command.start(
            [ASST, "batch", "work", "-p", "gpt", *more],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        running.append(process)
        return process

    yield start
    for process in running:
        if process.poll() is None:
            process.send_signal(signal.SIGCONT)
            process.kill()
        process.communicate()

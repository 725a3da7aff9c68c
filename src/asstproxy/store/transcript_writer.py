"""The scribe: keeps the transcript up to date on a thread of its own, so that no answer waits for a file that grows."""

from __future__ import annotations

import threading
import time
from collections import deque
from pathlib import Path

from ..core.events import HistoryCut, Record
from .recovery import repaired
from .transcript import Fold
from .transcript_file import assemble, render, save_transcript

__all__ = ["TranscriptWriter"]

REST = 20
"""After a write, the scribe rests so many times as long: the file grows with the session, its share of the time does not."""


class TranscriptWriter:
    """Takes records, which costs nearly nothing; `write` replaces the file, in the background.

    A transcript that cannot be written is no loss: the journal has everything, and it is folded again when it is wanted.
    """

    def __init__(self, path: Path, past: list[Record], *, stale: bool) -> None:
        self._path = path
        self._waiting: deque[Record] = deque(repaired(past))
        self._fold = Fold(path.stem)
        self._rendered: list[bytes] = []  # the exchanges that will not change any more
        self._stale, self._ours = stale, False
        self._size = 0
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._saving = False
        self._closing = threading.Event()

    def feed(self, record: Record) -> None:
        """Take a record."""
        self._waiting.append(record)
        self._stale = True
        with self._lock:
            if not self._saving:  # folded at once, it leaves its text only, which is a fifth of it
                self._take()

    def write(self, journal_bytes: int) -> None:
        """Bring the file up to date soon; `journal_bytes` is the length of the journal now."""
        with self._lock:
            self._size = journal_bytes
            if self._thread is None:
                # A daemon: a program that never closes the session need not wait until the scribe has rested.
                self._thread = threading.Thread(target=self._work, name="transcript", daemon=True)
                self._thread.start()

    def close(self, journal_bytes: int) -> None:
        """Bring the file up to date now, if it is not."""
        thread = self._thread
        self._closing.set()
        if thread is not None:
            thread.join()
        if self._stale:
            self._size = journal_bytes
            self._save()

    def _work(self) -> None:
        while True:
            with self._lock:
                self._saving = True
                size, began = self._size, time.perf_counter()
            self._save()
            with self._lock:
                self._saving = False
            self._closing.wait(REST * (time.perf_counter() - began))
            with self._lock:
                if size == self._size:
                    self._thread = None
                    return

    def _save(self) -> None:
        self._stale, size = False, self._size
        self._take()
        whole = self._fold.transcript
        while len(self._rendered) < len(whole.exchanges) - 1:
            self._rendered.append(render(whole.exchanges[len(self._rendered)]))
        last = [render(whole.exchanges[-1])] if whole.exchanges else []
        try:
            save_transcript(self._path, assemble(whole, [*self._rendered, *last], size), ours=self._ours)
            self._ours = True
        except OSError:
            self._ours = False

    def _take(self) -> None:
        while self._waiting:
            record = self._waiting.popleft()
            if isinstance(record.event, HistoryCut):
                self._rendered.clear()  # some of them are marked as withdrawn now
            self._fold.feed(record)

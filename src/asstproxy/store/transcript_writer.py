"""Writes the transcript on a thread of its own, so that no answer waits for a file that grows with the session."""

from __future__ import annotations

import threading
import time
from collections import deque
from pathlib import Path

from ..core.events import HistoryCompacted, HistoryCut, Record
from .transcript import TranscriptBuilder
from .transcript_file import assemble, render, save_transcript

__all__ = ["TranscriptWriter"]

REST = 20
"""After a write, the thread waits this many times as long as it took: the file grows, its share of the time doesn't."""


class TranscriptWriter:
    """Takes records, at hardly any cost; `write` replaces the file in the background.

    Nothing is lost if a transcript can't be written: the journal has everything, and the next reader rebuilds it.
    """

    def __init__(self, path: Path, past: list[Record], *, stale: bool) -> None:
        self._path = path
        self._waiting: deque[Record] = deque(past)  # repaired, as `Session.past` is
        self._builder = TranscriptBuilder(path.stem)
        self._rendered: list[bytes] = []  # the exchanges that no longer change
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
            if not self._saving:  # taken at once, only its text stays in memory, which is a fifth of it
                self._take()

    def write(self, journal_bytes: int) -> None:
        """Update the file soon; `journal_bytes` is the current length of the journal."""
        with self._lock:
            self._size = journal_bytes
            if self._thread is None:
                # A daemon thread: a program that never closes the session needn't wait for it to end.
                self._thread = threading.Thread(target=self._work, name="transcript", daemon=True)
                self._thread.start()

    def close(self, journal_bytes: int) -> None:
        """Update the file now, if it is out of date."""
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
        transcript = self._builder.transcript
        while len(self._rendered) < len(transcript.exchanges) - 1:
            self._rendered.append(render(transcript.exchanges[len(self._rendered)]))
        last = [render(transcript.exchanges[-1])] if transcript.exchanges else []
        try:
            save_transcript(self._path, assemble(transcript, [*self._rendered, *last], size), ours=self._ours)
            self._ours = True
        except OSError:
            self._ours = False

    def _take(self) -> None:
        while self._waiting:
            record = self._waiting.popleft()
            if isinstance(record.event, HistoryCompacted | HistoryCut):
                self._rendered.clear()  # some of them have changed now
            self._builder.feed(record)

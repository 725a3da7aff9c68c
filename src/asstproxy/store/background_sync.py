"""Syncing a growing file to the disk about once a second, without holding up its writer."""

from __future__ import annotations

import os
import threading

__all__ = ["BackgroundSync"]

EVERY = 1.0
"""Seconds between two syncs of a file that keeps growing: what a power cut may cost. A sync takes some milliseconds."""


class BackgroundSync:
    """Syncs one file descriptor. The thread starts with the first write that waits for it, and rests while nothing is written.

    A sync that fails (a broken disk) raises `OSError` from the next call, where the exchange notices.
    """

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._changed = threading.Event()
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None
        self._failure: OSError | None = None

    def now(self) -> None:
        """Sync what was written.

        Raises:
            OSError: this sync, or one before it, failed.
        """
        self._raise_failure()
        self._changed.clear()
        os.fsync(self._fd)

    def soon(self) -> None:
        """Have what was written synced within `EVERY` seconds.

        Raises:
            OSError: a sync before failed.
        """
        self._raise_failure()
        self._changed.set()
        if self._thread is None:
            # A daemon: a program that never closes its session need not wait for the disk.
            self._thread = threading.Thread(target=self._work, name="journal sync", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """End the thread; the file may be closed then."""
        self._stopped.set()
        self._changed.set()
        if self._thread is not None:
            self._thread.join()

    def _raise_failure(self) -> None:
        if self._failure is not None:
            failure, self._failure = self._failure, None
            raise failure

    def _work(self) -> None:
        while not self._stopped.wait(EVERY):
            self._changed.wait()
            if self._stopped.is_set() or not self._changed.is_set():
                continue
            self._changed.clear()
            try:
                os.fsync(self._fd)
            except OSError as error:
                self._failure = error

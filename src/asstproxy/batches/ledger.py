"""The ledger: what is known of each item of a batch, in some 50 bytes, so that a million items fit into memory."""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from enum import IntEnum

from ..core.errors import UsageError
from .item import Item, fingerprint

__all__ = ["Ledger", "Status", "end_of"]


class Status(IntEnum):
    """Where an item stands."""

    WAITING = 0
    DONE = 1
    FAILED = 2
    SENT = 3
    """In a batch at its provider."""


class Ledger:
    """The items by their numbers, from 0, in the order of the input."""

    def __init__(self) -> None:
        self._numbers = _Numbers()
        self._lines, self._bodies = array("I"), array("Q")
        self._status, self._written = bytearray(), bytearray()
        self._begins = array("Q")  # where its records are in the journal

    def __len__(self) -> int:
        return len(self._status)

    def accept(self, item: Item) -> int:
        """Take an item in; returns its number.

        Raises:
            UsageError: its id is taken.
        """
        number = len(self._status)
        taken = self.add(item.id, item.body, item.line)
        if taken != number:
            raise UsageError(
                f'line {item.line}: the id "{item.id}" is that of line {self._lines[taken]}, too.',
                "Give each item an id of its own.",
            )
        return number

    def add(self, item: str, body: int, line: int = 0) -> int:
        """Take an item in that is known by its id and its fingerprint; returns its number, which it may have already."""
        number = len(self._status)
        taken = self._numbers.add(fingerprint(item.encode()), number)
        if taken == number:
            self._lines.append(line)
            self._bodies.append(body)
            self._status.append(Status.WAITING)
            self._written.append(0)
            self._begins.append(0)
        return taken

    def find(self, item: str) -> int | None:
        """The number of the item with this id."""
        return self._numbers.get(fingerprint(item.encode()))

    def body(self, number: int) -> int:
        """The fingerprint of what the item asks."""
        return self._bodies[number]

    def status(self, number: int) -> Status:
        """Where the item stands."""
        return Status(self._status[number])

    def settle(self, number: int, status: Status, begin: int) -> None:
        """The item has settled; its records begin at this byte of the journal."""
        self._status[number], self._begins[number] = status, begin

    def begin_of(self, number: int) -> int:
        """Where the records of the item begin in the journal."""
        return self._begins[number]

    def is_written(self, number: int) -> bool:
        """Whether the line of the item is in the output."""
        return bool(self._written[number])

    def mark_written(self, number: int, *, written: bool = True) -> None:
        """Note that the line of the item is in the output, or is not any more."""
        self._written[number] = written

    def reopen(self, number: int) -> None:
        """Let an item wait again: it was begun once more."""
        self._status[number] = Status.WAITING

    def reopen_failed(self, end: int | None = None) -> None:
        """Let every item that failed wait again, up to (without) the number `end`."""
        failed, waiting = bytes([Status.FAILED]), bytes([Status.WAITING])
        self._status[:end] = self._status[:end].replace(failed, waiting)

    def count(self, status: Status) -> int:
        """How many items stand there."""
        return self._status.count(status)

    def not_written(self) -> Iterator[int]:
        """The items that have settled, and whose lines are not in the output."""
        for number, status in enumerate(self._status):
            if status in (Status.DONE, Status.FAILED) and not self._written[number]:
                yield number


def end_of(ledger: Ledger, most: int | None) -> int:
    """The number behind the first `most` items that wait or have failed; behind all of them without it."""
    if most is not None:
        for number in range(len(ledger)):
            if ledger.status(number) in (Status.WAITING, Status.FAILED):
                most -= 1
                if not most:
                    return number + 1
    return len(ledger)


class _Numbers:
    """Fingerprints and their numbers: a hash table of 12 bytes a place, where a dict takes 150."""

    def __init__(self) -> None:
        self._keys, self._values, self._count = array("Q", bytes(8 * 1024)), array("I", bytes(4 * 1024)), 0

    def add(self, key: int, value: int) -> int:
        """The value of this key: the one that it has, else `value`, which it has from now on."""
        if self._count * 5 > len(self._keys) * 3:
            self._grow()
        place = self._place(key)
        if self._keys[place]:
            return self._values[place]
        self._keys[place], self._values[place] = key, value
        self._count += 1
        return value

    def get(self, key: int) -> int | None:
        """The value of this key."""
        place = self._place(key)
        return self._values[place] if self._keys[place] else None

    def _place(self, key: int) -> int:
        keys, mask = self._keys, len(self._keys) - 1
        place = key & mask
        while keys[place] and keys[place] != key:
            place = (place + 1) & mask
        return place

    def _grow(self) -> None:
        keys, values = self._keys, self._values
        self._keys, self._values = array("Q", bytes(16 * len(keys))), array("I", bytes(8 * len(keys)))
        for key, value in zip(keys, values, strict=True):
            if key:
                place = self._place(key)
                self._keys[place], self._values[place] = key, value

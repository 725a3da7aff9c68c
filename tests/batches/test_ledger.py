"""The ledger: what is known of each item."""

from __future__ import annotations

import tracemalloc

import pytest

from asstproxy import UsageError
from asstproxy.batches.item import Item
from asstproxy.batches.ledger import Ledger, Status


def test_a_hundred_thousand_items_are_found_again_in_little_memory() -> None:
    """Each item is found by its id, and takes less than 80 bytes."""
    tracemalloc.start()
    ledger = Ledger()
    for number in range(100_000):
        ledger.accept(Item(f"id-{number}", "x", number + 1))
    used = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert used < 80 * 100_000
    assert all(ledger.find(f"id-{number}") == number for number in range(0, 100_000, 97))
    assert ledger.find("other") is None


def test_an_id_is_taken_once() -> None:
    """The second one is refused, with the lines of both."""
    ledger = Ledger()
    ledger.accept(Item("a", "x", 3))
    with pytest.raises(UsageError, match='line 9: the id "a" is that of line 3, too'):
        ledger.accept(Item("a", "x", 9))


def test_the_body_is_all_that_is_asked_and_not_the_id() -> None:
    """Another text, model or setting is another body; another id or line is not."""
    item = Item("a", "x", 1)
    assert item.body == Item("b", "x", 2).body
    others = [Item("a", "y"), Item("a", "x", model="m"), Item("a", "x", settings={"t": 1}), Item("a", "x", system="")]
    assert len({item.body, *(other.body for other in others)}) == 5


def test_failed_items_are_reopened() -> None:
    """Those that failed wait again; the others stay."""
    ledger = Ledger()
    for number, status in enumerate((Status.DONE, Status.FAILED, Status.WAITING)):
        ledger.settle(ledger.accept(Item(str(number), "x", number)), status, 0)
    ledger.reopen_failed()
    assert (ledger.count(Status.DONE), ledger.count(Status.WAITING)) == (1, 2)

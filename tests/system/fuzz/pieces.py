"""Cutting data into pieces, as the data itself says: so that a fuzzer can learn how to."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeVar

__all__ = ["pieces"]

T = TypeVar("T", str, bytes)


def pieces(data: bytes, of: T) -> Iterator[T]:
    """`of` in pieces of 1, 2, 3, 5, … characters; one in four times it stays whole. The first byte of `data` decides."""
    sizes = (len(of) or 1, 1, 2, 3, 5, 7, 16, 64)
    size = sizes[data[0] % len(sizes)] if data else 1
    size = max(size, len(of) // 200)  # long data is not cut into thousands
    for at in range(0, len(of), size):
        yield of[at : at + size]

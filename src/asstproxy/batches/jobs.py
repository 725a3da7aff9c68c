"""Batches at a provider, as the journal of ours knows them: what was sent, and by which id it is found again.

A job has a line for each thing that happens to it; its last line counts. A job that has none yet was never sent.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import msgspec

__all__ = ["OPEN", "Job", "Packed", "each_job", "job_line"]

OPEN = ("sending", "sent")
"""The states of a job that may be at its provider."""


class Job(msgspec.Struct, frozen=True, omit_defaults=True):
    """One batch at the provider of a profile.

    `state`: `sending`: the request that makes it is about to go out, or went out, with what is known by then in `token`; `sent`:
    the provider has it, and `token` names it; `collected`: every result is in the journal; `dropped`: the provider doesn't have
    it. `name` is ours, `count` its requests, `at` when it was begun, `model` the one that the profile was
    connected with, `ordered` whether the output has the order of the input.
    """

    job: int
    name: str
    state: Literal["sending", "sent", "collected", "dropped"]
    profile: str
    count: int
    at: str
    token: dict[str, Any] = {}
    model: str = ""
    ordered: bool = False

    @property
    def is_open(self) -> bool:
        """Whether the provider may have results that aren't here."""
        return self.state in OPEN

    @staticmethod
    def named(name: str, attempt: int) -> str:
        """How the provider knows the request of an attempt; the name is unique among all batches."""
        return f"{name}-{attempt}"

    def attempt_of(self, request: str) -> int | None:
        """The attempt whose request has this name; None if it isn't of this job."""
        name, _, number = request.rpartition("-")
        return (
            int(number) if name == self.name and number.isascii() and number.isdecimal() and len(number) < 16 else None
        )


@dataclass(slots=True)
class Packed:
    """The attempts of a job, in growing order, with their items and where their records begin: 16 bytes each."""

    attempts: array[int] = field(default_factory=lambda: array("I"))
    numbers: array[int] = field(default_factory=lambda: array("I"))
    begins: array[int] = field(default_factory=lambda: array("Q"))

    def __len__(self) -> int:
        return len(self.attempts)

    def add(self, attempt: int, number: int, begin: int) -> None:
        """Add an attempt, which is newer than all others."""
        self.attempts.append(attempt)
        self.numbers.append(number)
        self.begins.append(begin)

    def place(self, attempt: int | None) -> int | None:
        """Where an attempt is in it; None if it isn't."""
        if attempt is None or attempt >= 1 << 32:
            return None
        place = bisect_left(self.attempts, attempt)
        return place if place < len(self.attempts) and self.attempts[place] == attempt else None


_job = msgspec.json.Decoder(Job)


def job_line(job: Job) -> bytes:
    """The line of the journal that says how a job stands."""
    return msgspec.json.encode(job) + b"\n"


def each_job(path: Path) -> Iterator[Job]:
    """The lines about jobs, in the order of the journal. What is damaged is left out.

    Raises:
        OSError: it can't be read.
    """
    with path.open("rb") as file:
        for line in file:
            if line.startswith(b'{"job":'):
                try:
                    yield _job.decode(line)
                except ValueError:
                    continue

"""Which faults hit which request."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field, fields

from .vendors import Vendor
from .wire import Reply, Request


@dataclass(frozen=True)
class Fault:
    """Base: which requests it hits. Every fault takes these three as keywords."""

    first: int | None = field(default=None, kw_only=True)
    """Only the first K requests that match, so that a retry succeeds."""
    skip: int = field(default=0, kw_only=True)
    """Spare that many matching requests before."""
    on: str = field(default="", kw_only=True)
    """A regular expression searched in `POST /v1/responses`."""

    @property
    def level(self) -> int:
        """Events are changed (0), then dressed (1), then packed (2), torn (3) and counted (4) as bytes."""
        return 0

    def __str__(self) -> str:
        """What is not as usual, short enough to name a test."""
        given = {
            part.name: getattr(self, part.name) for part in fields(self) if getattr(self, part.name) != part.default
        }
        return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in given.items())})"

    def answer(self, vendor: Vendor) -> Reply | None:
        """An answer instead of the server's, which then does not see the request."""

    def change(self, reply: Reply, vendor: Vendor) -> Reply:
        """The server's answer, spoiled."""
        return reply


class FaultPlan:
    """The faults of one server; counts for each how many requests matched."""

    def __init__(self, faults: Sequence[Fault], vendor: Vendor) -> None:
        self._faults = [*faults]
        self._seen = [0 for _ in faults]
        self._vendor = vendor

    def add(self, *faults: Fault) -> None:
        """More faults, from the next request on."""
        self._faults += faults
        self._seen += [0 for _ in faults]

    def clear(self) -> None:
        """From now on all is well."""
        self._faults, self._seen = [], []

    async def reply(self, request: Request, answer: Callable[[Request], Awaitable[Reply]]) -> Reply:
        """The answer to a request with all faults that hit it."""
        hits = sorted(self._hits(request), key=lambda fault: fault.level)
        reply = next((spoiled for fault in hits if (spoiled := fault.answer(self._vendor))), None)
        reply = reply or await answer(request)
        for fault in hits:
            reply = fault.change(reply, self._vendor)
        return reply

    def _hits(self, request: Request) -> Iterator[Fault]:
        for index, fault in enumerate(self._faults):
            if re.search(fault.on, str(request)):
                self._seen[index] += 1
                age = self._seen[index] - fault.skip
                if age > 0 and (fault.first is None or age <= fault.first):
                    yield fault

"""The table of the requests around the one that asks the model: making a Conversation, polling, resuming a stream.

`counts` says how often each of them is sent, exactly. They may be sent again where the request that asks may not: they cost
nothing, and making a Conversation twice only leaves an empty one behind.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from servers import BrokenJson, Cut, Document, Fault, Html, Stall, Status

from .outcomes import AGAIN, PART, Outcome, fails, works
from .ways import Way, way

__all__ = ["CANCEL", "ENDLESS", "LOOK", "ROWS", "Between"]

MAKE = r"^POST /v1/conversations$"
THREAD = r"^POST /api/v1/threads$"
READ = r"^GET /api/v1/threads/\w+/messages$"
LOOK = r"^GET (/api)?/v1(beta)?/(responses|interactions|threads/\w+/runs)/\w+$"
CANCEL = r"^POST (/api)?/v1(beta)?/(responses|interactions|threads/\w+/runs)/\w+/cancel$"


@dataclass(frozen=True)
class Between:
    """In a way of asking, faults at requests around the one that asks; how often those are sent."""

    way: Way
    faults: tuple[Fault, ...]
    outcome: Outcome
    counts: Mapping[str, int] = field(default_factory=dict)

    def __str__(self) -> str:
        where = {MAKE: "make", THREAD: "thread", READ: "read", LOOK: "look", CANCEL: "cancel"}
        told = "+".join(f"{replace(fault, on=where.get(fault.on, 'ask'))}" for fault in self.faults)
        return told.replace(" on=", "")


def _make(outcome: Outcome, made: int, *faults: Fault) -> Between:
    return Between(way("gpt-conversation"), faults, outcome, {MAKE: made})


OPEN = "No tool output found for function call call_1."
"""What OpenAI says of a Conversation that waits for a tool: another one is begun."""
ASKS = way("gpt-conversation").asks
MAKING = [
    _make(works(), 2, Status(500, first=1, on=MAKE)),
    _make(fails("server", posts=0), AGAIN, Status(500, on=MAKE)),
    _make(fails("authentication", posts=0), 1, Status(401, on=MAKE)),
    _make(fails("rate_limit", posts=0), 1, Status(429, retry_after=300, on=MAKE)),
    _make(fails("connection", posts=0), 1, Cut(on=MAKE)),
    _make(fails("connection", posts=0), 1, Cut(byte=20, how="reset", on=MAKE)),
    _make(fails("timeout", posts=0), 1, Stall(on=MAKE)),
    _make(fails("protocol", posts=0), 1, Html(on=MAKE)),
    _make(fails("protocol", posts=0), 1, Document("{}", on=MAKE)),
    _make(fails("protocol", posts=0), 1, BrokenJson(0, on=MAKE)),
    # The question is asked again in the Conversation that is there.
    _make(works(posts=3), 1, Status(500, first=2, on=ASKS)),
    _make(fails("server", AGAIN), 1, Status(500, on=ASKS)),
    _make(works(posts=3), 2, Status(400, message=OPEN, first=1, on=ASKS), Status(500, skip=1, first=1, on=ASKS)),
    _make(works(posts=2), 1, Status(400, code="conversation_locked", first=1, on=ASKS)),
]


def _thread(outcome: Outcome, made: int, *faults: Fault) -> Between:
    return Between(way("assistants"), faults, outcome, {THREAD: made})


RUNS = way("assistants").asks
MAKING += [
    _thread(works(), 2, Status(500, first=1, on=THREAD)),
    _thread(fails("server", posts=0), AGAIN, Status(500, on=THREAD)),
    _thread(fails("authentication", posts=0), 1, Status(401, on=THREAD)),
    _thread(fails("connection", posts=0), 1, Cut(on=THREAD)),
    _thread(fails("timeout", posts=0), 1, Stall(on=THREAD)),
    _thread(fails("protocol", posts=0), 1, Document("{}", on=THREAD)),
    # Nobody knows whether the thread has the question, so that another one is made.
    _thread(works(posts=3), 3, Status(500, first=2, on=RUNS)),
    _thread(fails("server", AGAIN), AGAIN, Status(500, on=RUNS)),
]


def _poll(name: str, outcome: Outcome, looks: int, *faults: Fault, cancels: int = 0) -> Between:
    return Between(way(name), faults, outcome, {LOOK: looks, CANCEL: cancels})


POLLING = [  # three polls without a fault: queued, in progress, done
    row
    for name in ("gpt-polled", "interactions-polled", "assistants-polled")
    for row in (
        _poll(name, works(), 6, Status(503, first=3, on=LOOK)),
        _poll(name, works(), 4, Status(429, first=1, retry_after=0.02, on=LOOK)),
        _poll(name, works(), 3, Cut(first=1, on=LOOK)),  # it was a poll, though nobody heard what it said
        _poll(name, works(), 3, Cut(byte=20, how="reset", first=1, on=LOOK)),
        _poll(name, works(), 3, Stall(first=1, on=LOOK)),
        _poll(name, works(), 4, Html(first=1, on=LOOK)),
        _poll(name, works(), 3, BrokenJson(0, first=1, on=LOOK)),
        # What nobody waits for any more is stopped, once.
        _poll(name, fails("not_found"), 1, Status(404, on=LOOK), cancels=1),
        _poll(name, fails("authentication"), 1, Status(401, on=LOOK), cancels=1),
    )
]
READING = [  # what a run that was polled has written
    Between(way("assistants-polled"), faults, outcome, {READ: reads, LOOK: 3, CANCEL: cancels})
    for faults, outcome, reads, cancels in (
        ((Status(503, first=3, on=READ),), works(), 4, 0),
        ((Cut(byte=20, how="reset", first=1, on=READ),), works(), 2, 0),
        ((Stall(first=1, on=READ),), works(), 2, 0),
        ((Status(404, on=READ),), fails("not_found"), 1, 1),
    )
]
OLD = "This response can no longer be streamed because it is more than 5 minutes old."


def _resume(name: str, outcome: Outcome, looks: int, *faults: Fault, cancels: int = 0, begun: bool = False) -> Between:
    one = way(name)
    broken = Cut(one.begun if begun else one.middle, on=one.asks)
    return Between(one, (broken, *faults), outcome, {LOOK: looks, CANCEL: cancels})


RESUMING = [  # a stream that was cut, and then
    *(
        row
        for name in ("gpt-background", "gpt-sdk-background")
        for row in (
            _resume(name, works(), 1),
            _resume(name, works(), 2, Status(503, first=1, on=LOOK)),
            _resume(name, works(), 2, Status(400, message=OLD, first=1, on=LOOK)),  # then it is polled
            _resume(name, works(), 3, Cut(first=2, on=LOOK)),
            _resume(name, works(), 2, Stall(first=1, on=LOOK)),
            _resume(name, works(), 2, Html(first=1, on=LOOK)),
            _resume(name, fails("not_found", text=PART), 2, Status(404, on=LOOK), cancels=1),
        )
    ),
    *(
        row
        for name in ("assistants", "assistants-oaa")
        for row in (
            _resume(name, works(), 1),
            _resume(name, works(), 2, Status(503, first=1, on=LOOK)),
            _resume(name, works(), 2, Cut(byte=20, how="reset", first=1, on=LOOK)),
            _resume(name, fails("not_found", text=PART), 1, Status(404, on=LOOK), cancels=1),
        )
    ),
    *(
        row
        for name in ("interactions", "interactions-sdk")
        for row in (
            _resume(name, works(), 1),
            _resume(name, works(), 2, Status(503, first=1, on=LOOK)),
            _resume(name, works(), 3, Cut(first=2, on=LOOK)),
            _resume(name, works(), 2, Stall(first=1, on=LOOK)),
            _resume(name, fails("connection", text=PART), 3, Cut(on=LOOK)),
            _resume(name, fails("server"), 3, Status(503, on=LOOK), begun=True),  # not asked again: it was heard
            _resume(name, fails("not_found", text=PART), 1, Status(404, on=LOOK)),
        )
    ),
]
ENDLESS = [  # every look fails in a way that may pass: only the deadline of the exchange ends it
    *(
        _poll(name, works(), 0, fault)
        for name in ("gpt-polled", "interactions-polled", "assistants-polled")
        for fault in (Status(503, on=LOOK), Cut(on=LOOK), Stall(on=LOOK), Html(on=LOOK))
    ),
    *(
        _resume(name, works(), 0, fault, begun=begun)
        for name in ("gpt-background", "gpt-sdk-background")
        for fault, begun in ((Cut(on=LOOK), False), (Status(503, on=LOOK), True))
    ),
]
ROWS = [*MAKING, *POLLING, *READING, *RESUMING]

"""The table: what a server may do to the answer of the request that asks the model, and what must come of it.

Every row holds for every way of asking (`ways.py`), but where it says otherwise. Faults of the requests around it (making a
conversation, polling, resuming, cancelling) are in `between.py`; Retry-After in `test_retry_after.py`.

When is a request sent again? Only when the server itself has said, before the first piece of an answer, that it did not
answer and may do so later: 408, 409, 429, 5xx, `conversation_locked`, and an error event with such a code. Never when it is
not known whether the request was heard: a cut, a stall, an answer that cannot be read. And what goes on at the provider is
taken up again, not asked again: a stream in the background, an interaction that is stored.
"""

from __future__ import annotations

from servers import (
    BROKEN_FRAMINGS,
    LEGAL_FRAMINGS,
    BrokenJson,
    BrokenUtf8,
    Cut,
    Delay,
    Document,
    Drop,
    Duplicate,
    ErrorEvent,
    Framing,
    Gzip,
    Html,
    Redirect,
    Split,
    Stall,
    Status,
    Swap,
    UnknownEvent,
    Vanish,
)

from .outcomes import AGAIN, BEGUN, MIDDLE, PART, TEXT, Case, Outcome, fails, works

__all__ = ["CASES"]

PAGE = fails("protocol")
JUNK = "\N{REPLACEMENT CHARACTER}(\N{REPLACEMENT CHARACTER}"  # what `BrokenUtf8` puts into a text
TAKEN_UP = {"gpt*-background": works(), "assistants*": works(), "interactions": works(), "interactions-sdk": works()}
"""The ways that follow an answer which goes on at the provider."""

BEFORE = [  # instead of an answer, or all over it
    Case(Delay(0.1), works()),
    Case(Vanish(), works()),
    Case(Gzip(), works()),
    Case(Split(1), works()),
    Case(Split(7), works()),
    Case(Stall(), fails("timeout")),
    Case(Cut(), fails("connection")),
    Case(Cut(how="reset"), fails("connection")),
    Case(Html(), PAGE),
    Case(Html(502), fails("server", AGAIN)),
    Case(Redirect("/elsewhere"), PAGE),
    Case(Redirect("/elsewhere", 302), PAGE),
    Case(Status(400), fails("invalid_request")),
    Case(Status(401), fails("authentication")),
    Case(Status(403), fails("authentication")),
    Case(Status(404), fails("not_found")),
    Case(Status(408), fails("timeout", AGAIN)),
    Case(Status(409), fails("server", AGAIN)),
    Case(Status(413), fails("context_length")),
    Case(Status(422), fails("invalid_request")),
    Case(Status(429), fails("rate_limit", AGAIN)),
    Case(Status(429, retry_after=0.01), fails("rate_limit", AGAIN)),
    Case(Status(429, retry_after=300.0), fails("rate_limit")),
    Case(Status(429, retry_after=300.0, as_date=True), fails("rate_limit")),
    # Google has no such code; its words for the same are "limit: 0".
    Case(Status(429, code="insufficient_quota"), fails("quota"), {"gemini*": fails("rate_limit", AGAIN)}),
    Case(Status(429, message="limit: 0"), fails("rate_limit", AGAIN), {"gemini*": fails("quota")}),
    Case(Status(500), fails("server", AGAIN)),
    Case(Status(503), fails("server", AGAIN)),
    Case(Status(529), fails("server", AGAIN)),
    Case(Status(500, first=1), works(posts=2)),
    Case(
        Document('{"error": {"message": "Überlastet"}}', 503, "latin-1"),
        fails("server", AGAIN),
        dict.fromkeys(("gemini-sdk", "interactions-sdk"), fails("protocol")),  # google-genai loses the status
    ),
    Case(Stall(byte=40), fails("timeout")),
    Case(Cut(byte=40), fails("connection")),
    Case(Cut(byte=40, how="reset"), fails("connection")),
]


def _break(fault: Stall | Cut, kind: str) -> list[Case]:
    """The same break, before the first piece and before the third."""
    return [
        Case(fault_at, fails(kind, text=text), TAKEN_UP, "stream")
        for fault_at, text in ((_at(fault, BEGUN), ""), (_at(fault, MIDDLE), PART))
    ]


def _at(fault: Stall | Cut, place: int) -> Stall | Cut:
    return Stall(place) if isinstance(fault, Stall) else Cut(place, how=fault.how)


# What the API itself reports in a stream: of its own run, so that one in the background is cancelled, too.
LOST = works(pieces="one two four five six")
ERRORS = [
    Case(
        ErrorEvent(BEGUN),
        fails("server"),
        {
            "gemini*": fails("server", AGAIN),
            "inter*": fails("server", AGAIN),
            "anthropic": fails("server", AGAIN),
            "assistants*": fails("server", AGAIN),
        },
        "stream",
    ),
    Case(ErrorEvent(BEGUN, shape="nested"), fails("server", AGAIN), of="stream"),
    Case(ErrorEvent(BEGUN, status=429), fails("rate_limit", AGAIN), of="stream"),
    Case(ErrorEvent(BEGUN, status=400, shape="nested"), fails("invalid_request"), of="stream"),
    Case(ErrorEvent(MIDDLE), fails("server", text=PART), of="stream"),
    Case(ErrorEvent(MIDDLE, shape="nested"), fails("server", text=PART), of="stream"),
]
POLLED = dict.fromkeys(("gpt*-background", "assistants*"), works())
SPOILED = [  # events that are not what the server meant to say; only the Responses API repeats the whole text at the end
    Case(UnknownEvent(BEGUN), works(), of="stream"),
    Case(UnknownEvent(MIDDLE), works(), of="stream"),
    Case(
        Duplicate(MIDDLE),
        works(pieces="one two three three four five six"),
        {"inter*": works()}  # it numbers its events
        | dict.fromkeys(("gemini*", "chat-*", "anthropic"), works("one two three three four five six")),
        "stream",
    ),
    Case(
        Swap(MIDDLE),
        works(pieces="one two four three five six"),
        dict.fromkeys(("inter*", "gemini*", "chat-*", "anthropic"), works("one two four three five six")),
        "stream",
    ),
    Case(
        Drop(MIDDLE),
        LOST,
        dict.fromkeys(("inter*", "gemini*", "chat-*", "anthropic"), works("one two four five six")),
        "stream",
    ),
    Case(
        BrokenUtf8(MIDDLE),  # it is read on; what breaks is the event's type, with Gemini its text, in a chunk its id
        LOST,
        {
            "chat-*": works(),
            "anthropic": works(),
            "assistants*": works(pieces="one two\n\n three four five six"),  # as if it came from another message
            "inter*": works("one two four five six"),
            "gemini*": works(f"one two{JUNK} three four five six"),
        },
        "stream",
    ),
    Case(BrokenJson(BEGUN), fails("protocol"), POLLED, "stream"),
    Case(BrokenJson(MIDDLE), fails("protocol", text=PART), POLLED, "stream"),
]
FRAMINGS = [
    *(Case(Framing(kind), works(), of="stream") for kind in LEGAL_FRAMINGS),
    Case(  # where no line names the event, what is left is lines of JSON
        Framing("no_data_prefix"),
        fails("connection"),
        {"gemini*": works(), "chat-completions": works()},
        "stream",
    ),
    Case(Framing("no_last_blank"), works(), of="stream"),
]
assert {case.fault for case in FRAMINGS} == {Framing(kind) for kind in (*LEGAL_FRAMINGS, *BROKEN_FRAMINGS)}

# An answer in one document: a reply, or the first word of a run that is polled.
NO_ID: dict[str, Outcome] = {"*-polled": fails("not_found")}  # the junk is in the id by which it is polled
DOCUMENTS = [
    Case(BrokenJson(0), fails("protocol"), of="document"),
    Case(
        BrokenUtf8(0),
        works(),
        NO_ID | {"gemini-unary": works(f"{JUNK}{TEXT}")},
        "document",
    ),
    Case(Duplicate(0), fails("protocol"), of="document"),
    Case(Drop(0), fails("protocol"), of="document"),
    Case(Document("{}"), fails("protocol"), of="document"),
    Case(Document("[]"), fails("protocol"), of="document"),
    Case(Document('{"error": {"code": "server_error", "message": "Boom"}}'), fails("server", AGAIN), of="document"),
]
CASES = [
    *BEFORE,
    Case(Delay(0.1, event=MIDDLE), works(), of="stream"),
    *_break(Stall(0), "timeout"),
    *_break(Cut(0), "connection"),
    *_break(Cut(0, how="end"), "connection"),
    *_break(Cut(0, how="reset"), "connection"),
    *ERRORS,
    *SPOILED,
    *FRAMINGS,
    *DOCUMENTS,
]

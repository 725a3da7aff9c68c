"""Each fault does to the bytes what its name says, and nothing to the requests it spares."""

import email.utils
import time
from collections.abc import Sequence
from typing import Any

import httpx2
import pytest

from . import sse
from .faults import (
    BrokenJson,
    BrokenUtf8,
    Cut,
    Delay,
    Drop,
    Duplicate,
    ErrorEvent,
    Framing,
    Gzip,
    Insert,
    Split,
    Stall,
    Swap,
    UnknownEvent,
    Vanish,
)
from .framing import BROKEN_FRAMINGS, LEGAL_FRAMINGS, Framings
from .http import Server
from .plan import Fault
from .refusals import Html, Redirect, Status
from .vendors import GEMINI, INTERACTIONS, OPENAI, Vendor
from .wire import Reply, Request

FRAMES = [sse.frame({"type": f"t{i}", "text": f"né {i}"}, f"t{i}") for i in range(4)]
WHOLE = b"".join(FRAMES)
A, B, C, D = FRAMES


async def stream(request: Request) -> Reply:
    if request.path == "/json":
        return Reply.json({"text": "né"})
    return Reply(200, sse.HEADERS, FRAMES)


def read(*faults: Fault, path: str = "/", times: int = 1, vendor: Vendor = OPENAI) -> tuple[bytes, Exception | None]:
    """What a client gets of the last of so many requests, and how it ends."""
    got, ended = b"", None
    patience = 0.3 if any(isinstance(fault, Stall) for fault in faults) else 10
    with Server(stream, faults=faults, vendor=vendor) as server, httpx2.Client(timeout=patience) as client:
        for _ in range(times):
            got, ended = b"", None
            try:
                with client.stream("GET", server.url + path) as answer:
                    for piece in answer.iter_bytes():
                        got += piece
            except httpx2.TransportError as error:
                ended = error
    return got, ended


def name(value: object) -> str:
    """The faults name the tests."""
    return str(value) if isinstance(value, Fault) else ""


CHANGES: list[tuple[Fault, bytes]] = [
    (Duplicate(1), A + B + B + C + D),
    (Duplicate("t1"), A + B + B + C + D),
    (Drop("t3"), A + B + C),
    (Swap(1), A + C + B + D),
    (Swap(3), WHOLE),
    (Insert(2, b": hello\n\n"), A + B + b": hello\n\n" + C + D),
    (Cut(2, how="end"), A + B),
    (Cut("t2", how="end"), A + B),
    (Cut(byte=10, how="end"), WHOLE[:10]),
    (Gzip(), WHOLE),
    (Split(1), WHOLE),
    (Split(7), WHOLE),
    (Delay(0.05), WHOLE),
    (Delay(0.05, event=2), WHOLE),
    (Vanish(), WHOLE),
]


@pytest.mark.parametrize(("fault", "expected"), CHANGES, ids=name)
def test_a_changed_stream_still_ends_well(fault: Fault, expected: bytes) -> None:
    """HTTP has nothing to complain of: only the events are not what they should be."""
    assert read(fault) == (expected, None)


@pytest.mark.parametrize(
    ("fault", "expected", "error"),
    [
        (Cut(2), A + B, httpx2.RemoteProtocolError),
        (Cut(2, how="reset"), A + B, httpx2.ReadError),
        (Cut(byte=5), WHOLE[:5], httpx2.RemoteProtocolError),
        (Cut(), b"", httpx2.RemoteProtocolError),
        (Cut(how="reset"), b"", httpx2.ReadError),
        (Stall(2), A + B, httpx2.ReadTimeout),
        (Stall(byte=5), WHOLE[:5], httpx2.ReadTimeout),
        (Stall(9), WHOLE, httpx2.ReadTimeout),
        (Stall(), b"", httpx2.ReadTimeout),
    ],
    ids=name,
)
def test_a_broken_connection_delivers_what_came_before(fault: Fault, expected: bytes, error: type[Exception]) -> None:
    """The bytes before the break arrive, and the break is of its kind."""
    got, ended = read(fault)
    assert got == expected
    assert type(ended) is error


def test_a_json_answer_that_is_cut_lacks_announced_bytes() -> None:
    """Or, cut to an end, it is well-formed HTTP around half a document."""
    assert isinstance(read(Cut(byte=5), path="/json")[1], httpx2.RemoteProtocolError)
    assert read(Cut(byte=5, how="end"), path="/json") == (b'{"tex', None)


def test_broken_events_keep_their_framing() -> None:
    """Broken UTF-8 and broken JSON stay inside their event."""
    assert read(BrokenUtf8(1))[0] == A + B.replace(b'"type":"', b'"type":"\xc3\x28\xff') + C + D
    spoiled = read(BrokenJson("t1"))[0].removeprefix(A).removesuffix(C + D)
    assert spoiled.startswith(b"event: t1\ndata: {")
    assert spoiled.endswith(b"\n\n")
    assert sse.payload(spoiled) is None
    assert read(BrokenJson(0), path="/json")[0] == b'{"text"'


@pytest.mark.parametrize("kind", [*LEGAL_FRAMINGS, *BROKEN_FRAMINGS])
def test_framings_carry_the_same_data(kind: Framings) -> None:
    """A legal framing loses nothing; a broken one is broken."""
    text = read(Framing(kind))[0].removeprefix(b"\xef\xbb\xbf").replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    events = [sse.payload(part) for part in text.split(b"\n\n")[:-1]]
    whole = [sse.payload(frame) for frame in FRAMES]
    assert (events == whole) is (kind in LEGAL_FRAMINGS)


@pytest.mark.parametrize("vendor", [OPENAI, GEMINI, INTERACTIONS], ids=lambda vendor: vendor.name)
def test_error_and_unknown_events_speak_the_dialect(vendor: Vendor) -> None:
    """They are inserted; after an error the stream ends, unless it is told to go on."""
    nested: Any = sse.payload(read(ErrorEvent(1, "nested"), vendor=vendor)[0].removeprefix(A))
    assert nested["error"]["message"]
    flat, rest = _first(read(ErrorEvent(1, "flat", ends=False), vendor=vendor)[0].removeprefix(A))
    assert flat["message"]
    assert rest == B + C + D
    unknown, rest = _first(read(UnknownEvent(1), vendor=vendor)[0].removeprefix(A))
    assert unknown
    assert rest == B + C + D


def _first(data: bytes) -> tuple[Any, bytes]:
    head, _, rest = data.partition(b"\n\n")
    return sse.payload(head), rest


def test_a_fault_hits_only_the_requests_it_is_for() -> None:
    """`first`, `skip` and `on` count matching requests."""
    assert read(Cut(1, first=1), times=1)[0] == A
    assert read(Cut(1, first=1), times=2) == (WHOLE, None)
    assert read(Cut(1, skip=1), times=1) == (WHOLE, None)
    assert read(Cut(1, skip=1, first=1), times=2)[0] == A
    assert read(Cut(1, on="^POST")) == (WHOLE, None)


def test_faults_combine() -> None:
    """Events are changed first, then the bytes, whatever the order in the list."""
    assert read(Split(1), Cut(2, how="reset"))[0] == A + B
    assert read(Split(3), Gzip(), Duplicate(0), Framing("crlf"))[0] == (A + WHOLE).replace(b"\n", b"\r\n")


STATUSES = [400, 401, 403, 404, 408, 409, 413, 422, 429, 500, 503, 529]


@pytest.mark.parametrize("status", STATUSES)
def test_refusals_have_the_vendors_shape(status: int) -> None:
    """The members that a client reads are there."""
    shapes: Sequence[tuple[Vendor, set[str]]] = [
        (OPENAI, {"message", "type", "param", "code"}),
        (GEMINI, {"code", "message", "status"}),
        (INTERACTIONS, {"message", "code"}),
    ]
    for vendor, members in shapes:
        with Server(stream, faults=[Status(status, retry_after=300)], vendor=vendor) as server:
            answer = httpx2.get(server.url)
        assert answer.status_code == status
        assert set(answer.json()["error"]) - {"details"} == members
        assert answer.headers["retry-after"] == "300"


def test_quota_and_dates() -> None:
    """Special codes carry their own words; Retry-After may be a date; Gemini repeats it in the details."""
    problem = Status(429, code="insufficient_quota", retry_after=20, as_date=True)
    with Server(stream, faults=[problem]) as server:
        answer = httpx2.get(server.url)
    assert answer.json()["error"]["type"] == "insufficient_quota"
    wait = email.utils.parsedate_to_datetime(answer.headers["retry-after"]).timestamp() - time.time()
    assert 17 < wait <= 20
    with Server(stream, faults=[Status(429, retry_after=20)], vendor=GEMINI) as server:
        details = httpx2.get(server.url).json()["error"]["details"]
    assert details[-1] == {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "20s"}


def test_strangers_answer() -> None:
    """A redirect and a captive portal's page."""
    with Server(stream, faults=[Redirect("/elsewhere", first=1), Html()]) as server:
        moved = httpx2.get(server.url)
        page = httpx2.get(server.url)
    assert (moved.status_code, moved.headers["location"]) == (307, "/elsewhere")
    assert (page.status_code, page.text[:9]) == (200, "<!doctype")

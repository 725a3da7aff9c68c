"""Our reader of server-sent events gives what the HTTP library's gives, however the bytes are torn apart."""

from __future__ import annotations

from itertools import pairwise

import httpx2
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from asstproxy.providers.transport.sse import EventReader, TooLargeError

ENDS = ("\n", "\r", "\r\n")
DATA = ("data: a", "data:b", "data:  c", "data", "data:", "data: ü€😀", "data: [DONE]", "data: \u2028\u0085\x0b\x0c")
OTHER = (": a comment", ":", "event: x", "id: 7", "retry: 1", "colour: blue", "dataa: no", " data: no", "DATA: no")
LINES = st.sampled_from([*DATA, *OTHER, "", "", "", ""])
STREAMS = st.lists(st.tuples(LINES, st.sampled_from(ENDS)), max_size=20).map(
    lambda lines: "".join(line + end for line, end in lines).encode()
)


def ours(body: bytes, cuts: list[int]) -> list[bytes]:
    reader = EventReader(limit=10_000)
    places = [0, *sorted(cut for cut in cuts if cut <= len(body)), len(body)]
    return [data for start, end in pairwise(places) for _, data in reader.feed(body[start:end])]


def theirs(body: bytes) -> list[bytes]:
    response = httpx2.Response(
        200, headers={"content-type": "text/event-stream"}, content=body, request=httpx2.Request("GET", "http://x")
    )
    return [event.data.encode() for event in httpx2.EventSource(response)]


def with_data(body: bytes) -> bytes:
    """The stream, with a blank line at its end: the library gives an event there that the standard does not."""
    return body + b"\n\n"


@given(body=STREAMS.map(with_data), cuts=st.lists(st.integers(0, 400), max_size=10))
@example(body=b"data: a\r\r\ndata: b\r\n\r\n", cuts=[8, 9])
@example(body=b"data: a\r\n\r\n\n", cuts=list(range(12)))
def test_same_events_as_the_library(body: bytes, cuts: list[int]) -> None:
    """Every legal line ending, every field, every place to cut; events without data are not told."""
    assert [data for data in ours(body, cuts) if data] == [data for data in theirs(body) if data]


@given(body=STREAMS, cuts=st.lists(st.integers(0, 400), max_size=10))
def test_where_it_is_cut_does_not_matter(body: bytes, cuts: list[int]) -> None:
    """Piece by piece, byte by byte or at once: the same events."""
    assert ours(body, cuts) == ours(body, []) == ours(body, list(range(len(body))))


def test_byte_order_mark() -> None:
    """One at the start of the stream is no part of it; anywhere else it is text."""
    assert ours(b"\xef\xbb\xbfdata: a\n\ndata: \xef\xbb\xbf\n\n", [1, 2, 3]) == [b"a", b"\xef\xbb\xbf"]


def test_an_event_that_did_not_end_is_none() -> None:
    """What stands after the last blank line was cut off."""
    assert ours(b"data: a\n\ndata: b\n", []) == [b"a"]


def test_an_event_without_an_end() -> None:
    """Whoever sends more than any answer has is not kept in memory for ever; many events of that size in all are."""
    reader = EventReader(limit=1000)
    for _ in range(10):
        reader.feed(b"data: " + b"x" * 900 + b"\n\n")
    for _ in range(10):
        reader.feed(b"x" * 100)
    with pytest.raises(TooLargeError):
        reader.feed(b"x")
    with pytest.raises(TooLargeError):
        EventReader(limit=10).feed(b"data: 123\ndata: 123\n")

"""Server-sent events: the `data` of each, from the bytes of a stream (https://html.spec.whatwg.org/#server-sent-events).

Our own, because it keeps together what arrives in one piece of the body: a stream that is faster than we are then costs less
for each event, not more. The HTTP library's reader gives one event at a time and takes five times as long.
"""

from __future__ import annotations

__all__ = ["EventReader", "TooLargeError"]

BOM = b"\xef\xbb\xbf"


class TooLargeError(Exception):
    """An event is larger than the limit."""


class EventReader:
    """Feed it every piece of the body; a piece may end anywhere. `limit` is in bytes of one event."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._rest: list[bytes] = []  # of a line that has not ended
        self._size = 0  # of the event so far
        self._data: list[bytes] = []
        self._began = self._after_return = False

    def feed(self, body: bytes) -> list[bytes]:
        """The data of every event that this piece completes; an event without data, such as a comment, has none.

        Raises:
            TooLargeError: an event has more than `limit` bytes.
        """
        if not body:
            return []
        self._size += len(body)
        if b"\r" in body or self._after_return:
            body = self._with_line_feeds(body)
        if b"\n" not in body:
            self._rest.append(body)
            lines = []
        else:
            lines = b"".join((*self._rest, body)).split(b"\n")
            self._rest = [lines.pop()]
            if not self._began:
                self._began = True
                lines[0] = lines[0].removeprefix(BOM)
        events: list[bytes] = []
        for line in lines:
            if line.startswith(b"data:"):
                self._data.append(line[6:] if line.startswith(b" ", 5) else line[5:])
            elif not line:
                self._size = 0
                if self._data:
                    events.append(b"\n".join(self._data))
                    self._data.clear()
            elif line == b"data":
                self._data.append(b"")
        if self._size > self._limit:
            raise TooLargeError
        return events

    def _with_line_feeds(self, body: bytes) -> bytes:
        """A line ends with LF, CR LF or CR; CR and LF may arrive in two pieces."""
        if self._after_return:
            body = body.removeprefix(b"\n")
        self._after_return = body.endswith(b"\r")
        return body.replace(b"\r\n", b"\n").replace(b"\r", b"\n")

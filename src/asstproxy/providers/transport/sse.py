"""Server-sent events: name and `data` of each, from the bytes of a stream (https://html.spec.whatwg.org/#server-sent-events).

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
        self._name = b""
        self._began = self._after_return = False

    def feed(self, body: bytes) -> list[tuple[bytes, bytes]]:
        """Name (empty if it has none) and data of every event that this piece completes; one without data is left out.

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
        events: list[tuple[bytes, bytes]] = []
        for line in lines:
            if line.startswith(b"data:"):
                self._data.append(line[6:] if line.startswith(b" ", 5) else line[5:])
            elif not line:
                self._size = 0
                if self._data:
                    events.append((self._name, b"\n".join(self._data)))
                    self._data.clear()
                self._name = b""
            elif line.startswith(b"event:"):
                self._name = line[6:].strip()
            elif line == b"data":
                self._data.append(b"")
        if self._size > self._limit:
            raise TooLargeError
        return events

    def end(self) -> list[tuple[bytes, bytes]]:
        """The last event, if the stream ended without the blank line after it. It may be cut off anywhere.

        The standard drops it; but servers forget the line, and then the end of the answer would be lost.
        """
        return self.feed(b"\n\n") if any(self._rest) or self._data else []

    def _with_line_feeds(self, body: bytes) -> bytes:
        """A line ends with LF, CR LF or CR; CR and LF may arrive in two pieces."""
        if self._after_return:
            body = body.removeprefix(b"\n")
        self._after_return = body.endswith(b"\r")
        return body.replace(b"\r\n", b"\n").replace(b"\r", b"\n")

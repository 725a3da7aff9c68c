r"""Records as JSON lines: the line on disk is the line of `--events`.

ASCII only (U+2028 has broken other tools' JSON Lines), one object a line. Unknown fields of a known event are dropped; an
event of an unknown type is kept as it is (`Unknown`) and written back unchanged, so that an old asst reads a new journal.
"""

from __future__ import annotations

import codecs
import json
import re
from datetime import UTC, datetime
from typing import Any

import msgspec

from . import events
from .events import Event, Record, Unknown
from .script import State

__all__ = [
    "EVENTS",
    "ascii_json",
    "decode",
    "encode",
    "escape_controls",
    "from_unix_time",
    "indented",
    "now",
    "pretty",
    "repair_json",
    "repair_surrogates",
    "to_builtins",
    "to_unix_time",
]

EVENTS: dict[str, type[Event]] = {
    str(kind.__struct_config__.tag): kind
    for kind in vars(events).values()
    if isinstance(kind, type) and issubclass(kind, Event) and kind is not Event
}
"""Every event by its type."""


class _Stamp(msgspec.Struct):
    seq: int
    at: str
    state: State
    type: str


_STAMP = ("seq", "at", "state")
_SURROGATE = re.compile("[\ud800-\udfff]")
_CONTROLS = re.compile(rb"\x7f|\xc2[\x80-\x9f]|\xe2\x80[\xaa-\xae]|\xe2\x81[\xa6-\xa9]")
_encoder = msgspec.json.Encoder()
_stamp = msgspec.json.Decoder(_Stamp)
_event: dict[str, msgspec.json.Decoder[Any]] = {tag: msgspec.json.Decoder(kind) for tag, kind in EVENTS.items()}


def _escape(error: UnicodeError) -> tuple[str, int]:
    assert isinstance(error, UnicodeEncodeError)  # noqa: S101 - the handler serves encoding only
    units = error.object[error.start : error.end].encode("utf-16-be")
    escaped = "".join(f"\\u{units[i]:02x}{units[i + 1]:02x}" for i in range(0, len(units), 2))
    return escaped, error.end


codecs.register_error("asstproxy.json", _escape)


def encode(record: Record) -> bytes:
    """One record as one line of ASCII JSON, without the line end."""
    # `at` may come from a file that another program wrote.
    head = b'{"seq":%d,"at":%b,"state":"%s",' % (record.seq, _encoder.encode(record.at), record.state.value.encode())
    line = head + _body(record.event)[1:]
    # Outside of JSON strings everything is ASCII, so escaping the line escapes the strings.
    return ascii_json(line)


def _body(event: Event | Unknown) -> bytes:
    value = event.data if isinstance(event, Unknown) else event
    try:
        return _encoder.encode(value)
    except UnicodeEncodeError:  # a lone surrogate, which cannot be encoded
        return _encoder.encode(repair_json(msgspec.to_builtins(value)))


def repair_surrogates(text: str) -> str:
    """The text with the halves of surrogate pairs joined, and without lone ones, which no file and no request can carry."""
    if not _SURROGATE.search(text):
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def repair_json(value: Any) -> Any:
    """The same JSON value with `repair_surrogates` applied to every string in it."""
    if isinstance(value, str):
        return repair_surrogates(value)
    if isinstance(value, dict):
        return {repair_json(key): repair_json(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [repair_json(item) for item in value]
    return value


def ascii_json(json: bytes) -> bytes:
    """The same JSON in ASCII: every other character is in a string, and is escaped there."""
    return json if json.isascii() else json.decode().encode("ascii", "asstproxy.json")


def escape_controls(json: bytes) -> bytes:
    """The same JSON, harmless on a terminal: C1 controls and bidirectional overrides are escaped."""
    if json.isascii() and b"\x7f" not in json:
        return json
    return _CONTROLS.sub(lambda found: b"\\u%04x" % ord(found[0].decode()), json)


def pretty(value: Any) -> bytes:
    """A value as indented JSON for a person; control characters are escaped, so that a terminal may show it."""
    return msgspec.json.format(escape_controls(msgspec.json.encode(value)), indent=2)


def indented(text: str) -> str:
    """A text of JSON as `pretty` writes it; empty if it is not JSON. Numbers stay as they are."""
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return ""
    return msgspec.json.format(escape_controls(repair_surrogates(text).encode()), indent=2).decode()


def decode(line: bytes | str) -> Record:
    """The record of one line.

    Raises:
        msgspec.DecodeError: the line is not JSON, or not a record (`msgspec.ValidationError`, with the path).
    """
    stamp = _stamp.decode(line)
    decoder = _event.get(stamp.type)
    if decoder is None:
        data = {key: value for key, value in msgspec.json.decode(line).items() if key not in _STAMP}
        return Record(stamp.seq, stamp.at, stamp.state, Unknown(data))
    return Record(stamp.seq, stamp.at, stamp.state, decoder.decode(line))


def to_builtins(record: Record) -> dict[str, Any]:
    """The same object as `encode` writes, as a dict."""
    return dict(msgspec.json.decode(encode(record)))


# ---- time stamps -------------------------------------------------------------------------------------------------------


def now() -> str:
    """The present time as records carry it: UTC, ISO 8601, milliseconds."""
    return _time_stamp(datetime.now(UTC))


def to_unix_time(at: str) -> float:
    """The seconds since 1970 of a record's time stamp; 0 if it can't be parsed."""
    try:
        return datetime.fromisoformat(at).timestamp()
    except (ValueError, OverflowError):
        return 0.0


def from_unix_time(seconds: float) -> str:
    """The time stamp for seconds since 1970."""
    return _time_stamp(datetime.fromtimestamp(seconds, UTC))


def _time_stamp(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")

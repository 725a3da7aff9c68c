"""One line: it is a record, or it is refused; a record that was read is written so that it is read as the same."""

from __future__ import annotations

import msgspec

from asstproxy.core.codec import EVENTS, decode, encode

SEEDS = [
    b'{"seq":1,"at":"2026-11-22T19:45:00.123Z","state":"new","type":"session_opened","session":"01JD","version":1}',
    b'{"seq":2,"at":"","state":"ready","type":"set_user_message","text":"h\\u2028i \\ud83d\\ude00"}',
    b'{"seq":3,"at":"x","state":"streaming","type":"chunk_received","text":"Hel","phase":"answer"}',
    b'{"seq":4,"at":"x","state":"requires_action","type":"action_required","calls":[{"call_id":"a","name":"b","arguments":""}]}',
    b'{"seq":4,"at":"x","state":"completed","type":"assistant_message_retrieved","text":"","raw":[[1,2.5e300]],"resume":{"id":"r"}}',
    b'{"seq":5,"at":"x","state":"error","type":"error","kind":"server","message":"m","hint":"h"}',
    b'{"seq":6,"at":"x","state":"running","type":"from_the_future","deep":{"a":[{"b":[]}]},"n":12345678901234567890}',
    *(f'{{"seq":7,"at":"x","state":"new","type":"{name}"}}'.encode() for name in sorted(EVENTS)),
]
FOUND = [
    b'{"seq":2,"at":"\\\\","state":"ready","type":"set_user_message","text":"a moment that ends in a backslash"}',
    b'{"seq":2,"at":"\\",\\"x\\":\\"","state":"ready","type":"set_user_message","text":"a moment that ends in a quote"}',
]


def target(data: bytes) -> None:
    """Decode a line, and write it again."""
    try:
        record = decode(data)
    except (msgspec.DecodeError, ValueError, RecursionError):  # what every reader of lines expects
        return
    line = encode(record)
    assert line.isascii()
    assert b"\n" not in line
    again = decode(line)
    assert again == record
    assert encode(again) == line

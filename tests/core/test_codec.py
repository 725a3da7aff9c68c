"""Records as JSON lines: what is written is read back the same, by this asst and by an older or newer one."""

from __future__ import annotations

import json
import re
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from asstproxy.core.codec import EVENTS, decode, encode, to_builtins
from asstproxy.core.events import ActionRequired, ChunkReceived, Record, ToolCall, Unknown
from asstproxy.core.script import State

from .strategies import any_text, clean_text, events, json_values, records, structs

STAMP = {"seq", "at", "state"}


def a_record(event: Any) -> Record:
    return Record(7, "2026-11-22T19:45:00.123Z", State.STREAMING, event)


def a_line(**fields: Any) -> str:
    return json.dumps({"seq": 7, "at": "2026-11-22T19:45:00.123Z", "state": "streaming", **fields})


@pytest.mark.parametrize("tag", sorted(EVENTS))
@settings(max_examples=12)
@given(data=st.data())
def test_round_trip(tag: str, data: st.DataObject) -> None:
    """Any event of any type comes back as it was."""
    record = data.draw(records(structs(EVENTS[tag], clean_text)))
    assert decode(encode(record)) == record


@given(record=records(events(any_text)))
def test_every_record_is_one_line_of_ascii_json(record: Record) -> None:
    """Whatever a text holds (U+2028, NUL, lone surrogates), the line is ASCII, unbroken, and JSON to any reader."""
    line = encode(record)
    assert line.isascii()
    assert len(line.decode().splitlines()) == 1
    read = json.loads(line)
    assert (
        read.items() >= {"seq": record.seq, "at": record.at, "state": record.state, "type": record.event.type}.items()
    )
    assert read == to_builtins(record)


@given(record=records(events(any_text)))
def test_only_lone_surrogates_are_replaced(record: Record) -> None:
    """What is no text is written as U+FFFD, and everything else as it is."""
    tidy = msgspec.convert(_without_surrogates(msgspec.to_builtins(record.event)), type(record.event))
    assert decode(encode(record)) == msgspec.structs.replace(record, event=tidy)


def _without_surrogates(value: Any) -> Any:
    if isinstance(value, dict):
        return {_without_surrogates(key): _without_surrogates(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_without_surrogates(item) for item in value]
    return re.sub("[\ud800-\udfff]", "\ufffd", value) if isinstance(value, str) else value


def test_the_line_is_the_one_in_the_contract() -> None:
    """The line on disk is the line of `--events`, byte for byte."""
    line = b'{"seq":7,"at":"2026-11-22T19:45:00.123Z","state":"streaming","type":"chunk_received","text":"Hel"}'
    assert encode(a_record(ChunkReceived("Hel"))) == line
    assert encode(a_record(ChunkReceived("\u2028\N{PILE OF POO}\x00"))).endswith(b'"\\u2028\\ud83d\\udca9\\u0000"}')


@given(record=records(events()), extra=st.dictionaries(clean_text.map("new_{}".format), json_values(clean_text)))
def test_unknown_fields_are_dropped(record: Record, extra: dict[str, Any]) -> None:
    """An old asst reads what a newer one added to an event that it knows."""
    assert decode(json.dumps(extra | to_builtins(record))) == record


FUTURE = clean_text.filter(lambda tag: tag not in EVENTS)


@given(
    tag=FUTURE, fields=st.dictionaries(clean_text.filter(lambda k: k not in {*STAMP, "type"}), json_values(clean_text))
)
def test_unknown_types_are_kept(tag: str, fields: dict[str, Any]) -> None:
    """An event of a newer asst is written back as it stood there, its fields in their order."""
    line = a_line(type=tag, **fields)
    record = decode(line)
    assert isinstance(record.event, Unknown)
    assert (record.event.type, record.state) == (tag, State.STREAMING)
    assert json.loads(encode(record), object_pairs_hook=list) == json.loads(line, object_pairs_hook=list)


@pytest.mark.parametrize("number", [2**63, 2**64, -(2**63) - 1, 10**40, 1e300, 5e-324, -0.0])
def test_unknown_numbers_are_kept(number: float) -> None:
    """Numbers of a newer asst survive, however large."""
    written = json.loads(encode(decode(a_line(type="new_fangled", number=number))))
    assert repr(written["number"]) == repr(number)


@pytest.mark.parametrize(
    ("line", "path"),
    [
        (
            a_line(type="action_required", calls=[{"call_id": "c", "name": "f", "arguments": {}}]),
            "$.calls[0].arguments",
        ),
        (a_line(type="tool_finished", result={"call_id": "c", "output": 1}, seconds=1), "$.result.output"),
        (a_line(type="chunk_received", text=None), "$.text"),
        (a_line(type="notice", text="hm").replace("streaming", "levitating"), "$.state"),
        (a_line(type="notice", text="hm").replace("7", '"7"', 1), "$.seq"),
    ],
)
def test_a_wrong_value_is_named_by_its_path(line: str, path: str) -> None:
    """Who mends a journal by hand is told where."""
    with pytest.raises(msgspec.ValidationError, match=re.escape(f"`{path}`")):
        decode(line)


@pytest.mark.parametrize(
    "line", ["", "{", "null", "[]", '"text"', "{}", a_line(), a_line(text="no type"), a_line(type=1)]
)
def test_what_is_no_record_is_refused(line: str) -> None:
    """Half a line, or JSON that is no record, is a decode error and nothing else."""
    with pytest.raises(msgspec.DecodeError):
        decode(line)


def test_no_field_hides_behind_the_stamp() -> None:
    """An event's fields and the stamp share one object, so no event may have a field of the stamp's names."""
    assert {tag: STAMP & {*kind.__struct_fields__} for tag, kind in EVENTS.items()} == {tag: set() for tag in EVENTS}


def test_arguments_stay_text() -> None:
    """A call's arguments are journalled as the JSON text that came, broken or not."""
    call = ToolCall("c", "f", '{"a": 1,, }')
    line = a_line(type="action_required", calls=[msgspec.to_builtins(call)])
    assert decode(line).event == ActionRequired((call,))

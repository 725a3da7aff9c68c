"""The Responses protocol as llama.cpp and OGX speak it: recorded on 2026-11-22, with what they leave out."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asstproxy.core.errors import AssistantError
from asstproxy.core.events import (
    ActionRequired,
    AssistantMessageRetrieved,
    ChunkReceived,
    Event,
    MessageIncomplete,
    Usage,
)
from asstproxy.providers.background import is_unfinished
from asstproxy.providers.openai.reader import Reader

FIXTURES = Path(__file__).parents[2] / "fixtures" / "responses"
JSON = dict[str, Any]


def lines(name: str) -> list[JSON]:
    return [json.loads(line) for line in (FIXTURES / f"{name}.jsonl").read_text().splitlines()]


WHOLE: dict[str, JSON] = {line["name"]: line["response"] for line in lines("whole")}


def read_all(events: Iterable[JSON]) -> list[Event]:
    """What the reader makes of a stream."""
    reader = Reader()
    said = [said for event in events for said in reader.feed(event)]
    return said + list(reader.end() if reader.done else ())


@pytest.mark.parametrize("server", ["llama", "ogx"])
def test_a_real_text_stream(server: str) -> None:
    """llama.cpp leaves out every index, OGX the event names and `output_text.done`: the text is whole with both."""
    *said, usage, last = read_all(lines(f"{server}_text_stream"))
    assert isinstance(last, AssistantMessageRetrieved)
    assert last.text == "".join(event.text for event in said if isinstance(event, ChunkReceived)) != ""
    assert {type(event) for event in said} == {ChunkReceived}
    assert isinstance(usage, Usage)
    assert usage.input_tokens > 0
    assert last.raw is None


@pytest.mark.parametrize("server", ["llama", "ogx"])
def test_a_real_tool_call(server: str) -> None:
    """llama.cpp never says `function_call_arguments.done`: the call is taken from the finished item."""
    *_, last = read_all(lines(f"{server}_tool_stream"))
    assert isinstance(last, ActionRequired)
    (call,) = last.calls
    assert (call.name, json.loads(call.arguments)) == ("get_stock_price", {"symbol": "AAPL"})
    assert call.call_id
    *_, whole = Reader().reply(WHOLE[f"{server}_tool"])
    assert isinstance(whole, ActionRequired)
    assert (whole.calls[0].name, json.loads(whole.calls[0].arguments)) == (call.name, json.loads(call.arguments))


@pytest.mark.parametrize("server", ["llama", "ogx"])
def test_a_real_reply_in_one(server: str) -> None:
    """Asked without streaming, both say the same as in the stream."""
    *_, last = Reader().reply(WHOLE[f"{server}_text"])
    *_, streamed = read_all(lines(f"{server}_text_stream"))
    assert last == streamed


def test_a_real_background_response() -> None:
    """OGX's states; its reason `length` is OpenAI's `max_output_tokens`; a cancelled one is an error."""
    assert is_unfinished(WHOLE["ogx_bg_done_poll1"])
    assert not is_unfinished(WHOLE["ogx_bg_done_poll4"])
    *_, last = Reader().reply(WHOLE["ogx_bg_done_poll4"])
    assert isinstance(last, AssistantMessageRetrieved | MessageIncomplete)
    assert last.text
    with pytest.raises(AssistantError) as caught:
        list(Reader().reply(WHOLE["ogx_bg_cancelled_poll0"]))
    assert (caught.value.kind, caught.value.retryable) == ("interrupted", False)


STREAMS = ["llama_text_stream", "llama_tool_stream", "ogx_text_stream", "ogx_tool_stream"]
STRANGE: list[JSON] = [{"type": "response.brand_new", "delta": 7}, {"type": None}, {}, {"error": None, "type": "x"}]


@given(name=st.sampled_from(STREAMS), data=st.data())
def test_only_the_last_event_is_needed(name: str, data: st.DataObject) -> None:
    """Whatever else a server leaves out, repeats or adds: the closing message is the same."""
    *events, last = lines(name)
    kept = data.draw(st.lists(st.sampled_from([*events, *STRANGE]), max_size=8))
    assert read_all([*kept, last])[-1] == read_all([*events, last])[-1]


@pytest.mark.parametrize("name", STREAMS)
def test_finished_items_will_do(name: str) -> None:
    """A last event without the output is completed from what was heard before."""
    *events, last = lines(name)
    bare = last | {"response": last["response"] | {"output": []}}
    assert read_all([*events, bare])[-1] == read_all([*events, last])[-1]
    none = last | {"response": {"status": "completed"}}
    assert type(read_all([*events, none])[-1]) is type(read_all([*events, last])[-1])

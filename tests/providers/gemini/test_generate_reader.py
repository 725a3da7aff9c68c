"""generateContent, from Google to us: whatever the chunks look like, nothing that was said is lost."""

from __future__ import annotations

import contextlib
import json
from itertools import pairwise
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
    Notice,
    Reasoning,
    Usage,
)
from asstproxy.providers.gemini.finish_reasons import FAILED, FILTERED
from asstproxy.providers.gemini.generate_reader import Reader
from asstproxy.providers.gemini.interactions_reader import Reader as InteractionsReader

from .gemini_stage import captured


def chunk(*parts: Any, reason: str | None = None, **more: Any) -> Any:
    return {"candidates": [{"content": {"role": "model", "parts": [*parts]}, "finishReason": reason, **more}]}


def read(*chunks: Any) -> list[Event]:
    reader = Reader()
    return [event for one in chunks for event in reader.feed(one)] + list(reader.end())


def failure(*chunks: Any) -> AssistantError:
    with pytest.raises(AssistantError) as caught:
        read(*chunks)
    return caught.value


@pytest.mark.parametrize(
    "last",
    [
        chunk({"text": ""}, reason="STOP"),
        chunk(reason="STOP"),
        {"candidates": [{"content": {"role": "model"}, "finishReason": "STOP"}]},
        {"candidates": [{"finishReason": "STOP", "index": 0}]},
        {"candidates": [{"content": None, "finishReason": "STOP"}], "usageMetadata": None},
    ],
)
@pytest.mark.parametrize("after", [[], [{"usageMetadata": {"promptTokenCount": 1}}], [{}], [{"candidates": []}]])
def test_an_empty_end_loses_nothing(last: Any, after: list[Any]) -> None:
    """The SDK's chats forget the whole turn here; we do not."""
    *_, closing = read(chunk({"text": "a"}), chunk({"text": "b"}), last, *after)
    assert closing == AssistantMessageRetrieved("ab")


def test_captured_answers_of_a_real_server() -> None:
    """LiteLLM in front of llama.cpp: text and calls, streamed or not, give the same; it sends no ids and no usage."""
    for name in ("text", "tool_output"):
        *_, unary = read(*captured(name))
        assert isinstance(unary, AssistantMessageRetrieved)
    assert read(*captured("text_stream"))[-1] == AssistantMessageRetrieved("The capital of France is Paris.")
    for name in ("tool", "tool_stream"):
        *_, closing = read(*captured(name))
        assert isinstance(closing, ActionRequired)
        (call,) = closing.calls
        assert (call.name, json.loads(call.arguments)) == ("get_stock_price", {"symbol": "AAPL"})
        assert call.call_id.startswith("call_")
        assert closing.raw is None
    assert not any(isinstance(event, Usage) for event in read(*captured("text_stream")))


def test_parallel_calls_have_distinct_ids() -> None:
    """An id that is missing, or given twice, is made up here; the server's own parts are kept as they are."""
    calls = [{"functionCall": {"name": "f", "args": {"n": n}} | ({"id": "x"} if n else {})} for n in range(3)]
    *_, closing = read(chunk(calls[0], calls[1]), chunk(calls[2], reason="STOP"))
    assert isinstance(closing, ActionRequired)
    assert len({call.call_id for call in closing.calls}) == 3
    assert [json.loads(call.arguments) for call in closing.calls] == [{"n": 0}, {"n": 1}, {"n": 2}]
    assert closing.raw == {"parts": calls}


def test_signed_parts_stand_alone() -> None:
    """Texts are joined, but never across a part with a signature; an empty part that has one is kept."""
    signed: Any = {"text": "c", "thoughtSignature": "eA=="}
    end: Any = {"text": "", "thoughtSignature": "eQ=="}
    thoughts: Any = [{"text": "h", "thought": True}, {"text": "m", "thought": True}]
    events = read(
        chunk(*thoughts), chunk({"text": "a"}), chunk({"text": "b"}), chunk(signed), chunk(end, reason="STOP")
    )
    closing = events[-1]
    assert isinstance(closing, AssistantMessageRetrieved)
    assert closing.text == "abc"
    assert closing.raw == {"parts": [{"text": "hm", "thought": True}, {"text": "ab"}, signed, end]}
    assert [event for event in events if isinstance(event, Reasoning)] == [Reasoning("h"), Reasoning("m")]


@pytest.mark.parametrize("thought", ["true", "True"])
def test_a_thought_whose_mark_is_a_text(thought: str) -> None:
    """Some servers write the mark so; such a part is no part of the answer."""
    *_, closing = read(chunk({"text": "hm", "thought": thought}, {"text": "a"}, reason="STOP"))
    assert isinstance(closing, AssistantMessageRetrieved)
    assert closing.text == "a"


def test_usage_is_the_last_one_and_counts_thoughts_as_output() -> None:
    """Each chunk carries the sum so far."""
    usage = {
        "promptTokenCount": 7,
        "candidatesTokenCount": 3,
        "thoughtsTokenCount": 2,
        "cachedContentTokenCount": 4,
        "toolUsePromptTokenCount": 1,
        "totalTokenCount": "odd",
    }
    events = read(
        chunk({"text": "a"}) | {"usageMetadata": {"promptTokenCount": 7}},
        chunk(reason="STOP") | {"usageMetadata": usage},
    )
    assert [event for event in events if isinstance(event, Usage)] == [Usage(8, 5, 4, 2)]


@pytest.mark.parametrize("reason", ["MAX_TOKENS", "CONTINUATION"])
def test_an_answer_that_is_too_long_is_kept(reason: str) -> None:
    """What was said is an incomplete message; if all went into thinking, a notice says so."""
    assert read(chunk({"text": "a"}, reason=reason))[-1] == MessageIncomplete("a", "max_output_tokens")
    notice, closing = read(chunk({"text": "hm", "thought": True}, reason=reason))[1:]
    assert isinstance(notice, Notice)
    assert closing == MessageIncomplete("", "max_output_tokens")


@pytest.mark.parametrize("reason", FILTERED)
def test_an_answer_that_was_filtered(reason: str) -> None:
    """Said in words, with what to do: an error when nothing was said, else a part that is kept."""
    error = failure(chunk(reason=reason, finishMessage="It is about X."))
    assert error.kind == "content"
    assert reason not in str(error)
    assert "It is about X" in str(error)
    assert error.hint
    _, notice, closing = read(chunk({"text": "a"}), chunk(reason=reason))
    assert isinstance(notice, Notice)
    assert "stopped by" in notice.text
    assert closing == MessageIncomplete("a", "content_filter")


@pytest.mark.parametrize("reason", FAILED)
def test_an_answer_that_went_wrong(reason: str) -> None:
    """A fault of the model is worth another try; what was said is no answer."""
    error = failure(chunk({"text": "a"}, reason=reason))
    assert error.kind in ("server", "invalid_request", "authentication")
    assert error.retryable == ("MALFORMED" in reason or "UNEXPECTED" in reason)
    assert reason not in str(error)


def test_a_reason_from_the_future() -> None:
    """It is told by its name."""
    assert "BRAND_NEW" in str(failure(chunk(reason="BRAND_NEW")))
    assert read(chunk({"text": "a"}, reason="BRAND_NEW"))[-1] == MessageIncomplete("a", "brand_new")


@pytest.mark.parametrize("reason", [*FILTERED, "OTHER", "BRAND_NEW"])
def test_a_prompt_that_was_blocked(reason: str) -> None:
    """There are no candidates, only the reason; what it cost is told."""
    reader = Reader()
    feedback = {"blockReason": reason, "blockReasonMessage": "No."}
    assert list(reader.feed({"promptFeedback": feedback, "usageMetadata": {"promptTokenCount": 5}})) == []
    assert reader.done
    ending = reader.end()
    assert next(ending) == Usage(input_tokens=5)
    with pytest.raises(AssistantError, match="The prompt was refused") as caught:
        next(ending)
    assert caught.value.kind == "content"


def test_a_call_that_was_cut_off_does_not_go_back() -> None:
    """Nobody will answer it, and Google refuses a call without its answer for ever."""
    call = {"functionCall": {"name": "f", "args": {}, "id": "c"}, "thoughtSignature": "eA=="}
    assert read(chunk({"text": "a"}, call, reason="MAX_TOKENS"))[-1] == MessageIncomplete("a", "max_output_tokens")


def test_errors_within_a_stream() -> None:
    """The status counts as if it were HTTP's; how long to wait is heard, too."""
    retry = {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "1.5s"}
    error = failure({"error": {"code": 429, "message": "slow", "status": "RESOURCE_EXHAUSTED", "details": [retry]}})
    assert (error.kind, error.retryable, error.retry_after) == ("rate_limit", True, 1.5)
    assert failure({"error": {"message": "odd"}}).kind == "server"


def test_no_reason_at_all_is_not_an_answer() -> None:
    """A reply that does not say why it ended may be half of one."""
    assert failure(chunk({"text": "a"})).kind == "protocol"


def test_silent_parts_and_silent_answers_are_told() -> None:
    """A picture is not shown, and a turn without a word is no riddle."""
    *_, notice, closing = read(chunk({"inlineData": {"mimeType": "image/png", "data": ""}}), chunk(reason="STOP"))
    assert isinstance(notice, Notice)
    assert isinstance(closing, AssistantMessageRetrieved)
    assert closing.raw is not None


@given(st.text(min_size=1), st.lists(st.integers(0, 50)), st.booleans())
def test_however_a_text_is_cut_up(text: str, cuts: list[int], signed: bool) -> None:
    """The pieces are the text."""
    places = sorted({0, *(min(cut, len(text)) for cut in cuts), len(text)})
    pieces = [text[a:b] for a, b in pairwise(places)] + [""]
    last = {"text": "", "thoughtSignature": "eA=="} if signed else {"text": ""}
    events = read(*(chunk({"text": piece}) for piece in pieces), chunk(last, reason="STOP"))
    assert "".join(event.text for event in events if isinstance(event, ChunkReceived)) == text
    closing = events[-1]
    assert isinstance(closing, AssistantMessageRetrieved)
    assert closing.text == text
    assert closing.raw == ({"parts": [{"text": text}, last]} if signed else None)


NAMES = """
    candidates content parts text thought functionCall name args id finishReason promptFeedback blockReason error code
    message details usageMetadata promptTokenCount index event_type step delta type summary signature arguments event_id
    interaction status steps errors usage total_input_tokens thoughtSignature inlineData
""".split()  # noqa: SIM905 - a list of fifty lines would not be read
VALUES = ("STOP", "step.start", "step.delta", "interaction.completed", "error", "text", "thought_summary", "completed")
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.sampled_from(VALUES) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=4),
    max_leaves=12,
)
OBJECTS = st.lists(st.dictionaries(st.sampled_from(NAMES), JSON, max_size=4), max_size=4)


@given(OBJECTS)
def test_nonsense_is_an_error_of_ours_or_nothing(objects: list[Any]) -> None:
    """Whatever a server sends, a person is told of it in a line, and nothing breaks."""
    for reader in (Reader(), InteractionsReader()):
        with contextlib.suppress(AssistantError):
            for one in objects:
                list(reader.feed(one))
            if reader.done or isinstance(reader, Reader):
                list(reader.end())

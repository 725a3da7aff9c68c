"""What Hypothesis draws from: text, JSON, every event, and exchanges as the script allows them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, get_type_hints

import msgspec
from hypothesis import strategies as st

from asstproxy.core.attachment import Attachment
from asstproxy.core.codec import EVENTS
from asstproxy.core.events import (
    ActionRequired,
    AssistantMessageRetrieved,
    Cancelled,
    ChunkReceived,
    Decision,
    ErrorOccurred,
    Event,
    Heartbeat,
    MessageIncomplete,
    Notice,
    Reasoning,
    Record,
    SetUserMessage,
    Source,
    Started,
    ToolCall,
    ToolFinished,
    ToolOutputsSubmitted,
    ToolResult,
    ToolsExecuted,
    Usage,
)
from asstproxy.core.script import State

NASTY = ("\u2028", "\u2029", "\x00", "\x1e", "\x85", "\N{PILE OF POO}", "é", '"', "\\", "\r", "\n", "\ufeff")
clean_text = st.text(st.one_of(st.characters(codec="utf-8"), st.sampled_from(NASTY)), max_size=12)
"""Text that UTF-8 can say."""
any_text = st.text(st.characters(exclude_categories=()), max_size=12)
"""Any `str`, lone surrogates included."""


def json_values(text: st.SearchStrategy[str]) -> st.SearchStrategy[Any]:
    """Any JSON; integers beyond 64 bits are not for every reader."""
    leaves = (
        st.none()
        | st.booleans()
        | st.integers(-(2**63), 2**63 - 1)
        | st.floats(allow_nan=False, allow_infinity=False)
        | text
    )
    return st.recursive(
        leaves, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(text, inner, max_size=3), max_leaves=5
    )


def structs(kind: type[msgspec.Struct], text: st.SearchStrategy[str]) -> st.SearchStrategy[Any]:
    """Any value of a struct, field by field, from its annotations."""
    hints = get_type_hints(kind)
    return st.builds(kind, **{name: _values(hints[name], text) for name in kind.__struct_fields__})


def _values(hint: Any, text: st.SearchStrategy[str]) -> st.SearchStrategy[Any]:
    if hint is str:
        return text
    if hint is int:
        return st.integers(0, 2**53)
    if hint is float:
        return st.floats(0, 1e6)
    if hint is bool:
        return st.booleans()
    if hint is Any:
        return json_values(text)
    if hint == dict[str, Any]:
        return st.dictionaries(text, json_values(text), max_size=3)
    if hint == tuple[str, str]:
        return st.tuples(text, text)
    if getattr(hint, "__origin__", None) is Literal:
        return st.sampled_from(hint.__args__)
    if hint in (str | None, float | None, dict[str, Any] | None):
        return st.none() | _values(hint.__args__[0], text)
    if getattr(hint, "__origin__", None) is tuple:
        return st.lists(_values(hint.__args__[0], text), max_size=3).map(tuple)
    assert issubclass(hint, Attachment | ToolCall | ToolResult | Decision | Source), hint
    return structs(hint, text)


def events(text: st.SearchStrategy[str] = clean_text) -> st.SearchStrategy[Event]:
    """Any event of any type."""
    return st.one_of([structs(kind, text) for kind in EVENTS.values()])


def records(of: st.SearchStrategy[Any]) -> st.SearchStrategy[Record]:
    """Stamped, with no regard for the script."""
    moment = st.datetimes().map(lambda at: at.isoformat(timespec="milliseconds") + "Z")
    return st.builds(Record, st.integers(0, 2**53), moment, st.sampled_from(State), of)


SPEAKERS = (("gpt", "luna"), ("gpt", "astra"), ("gemini", "flash"))
notes = st.sampled_from([Notice("hm"), Usage(1, 2), Reasoning("so")])
pieces = st.lists(
    st.builds(ChunkReceived, st.text("ab", min_size=1), st.sampled_from(["answer", "commentary"])) | notes
)
raws = st.none() | st.builds(lambda text: [{"opaque": text}], st.text("xyz", max_size=3))
resumes = st.none() | st.builds(lambda text: {"id": text}, st.text("xyz", max_size=3))
partings = st.sampled_from([Cancelled(), Cancelled("timeout"), ErrorOccurred("server", "no")])


@st.composite
def exchanges(draw: st.DrawFn) -> Sequence[Event]:
    """The events of one exchange, from a person's message to the settling one; it may be broken off anywhere."""
    said: list[Event] = [SetUserMessage(draw(st.text("uv", min_size=1, max_size=4)))]
    if draw(st.integers(0, 9)) == 0:
        return [*said, draw(partings)]
    said += [Started(*draw(st.sampled_from(SPEAKERS))), *draw(pieces)]
    for turn in range(draw(st.integers(0, 2))):
        # Some providers number the calls of each reply afresh.
        names = draw(st.lists(st.sampled_from("pqr"), min_size=1, max_size=3, unique=True))
        calls = tuple(ToolCall(name, "add", "{}") for name in names)
        said.append(ActionRequired(calls, draw(st.text("cd", max_size=3)), draw(raws), draw(resumes)))
        results = tuple(ToolResult(call.call_id, f"{turn}{call.call_id}") for call in calls)
        said += [ToolFinished(result, 0.1) for result in results[: draw(st.integers(0, len(results)))]]
        if draw(st.booleans()):
            return [*said, draw(partings)]
        said += [ToolsExecuted(results), ToolOutputsSubmitted(), *draw(pieces)]
    if draw(st.booleans()):
        said.append(Heartbeat("queued", draw(resumes)))
    text, raw, resume = draw(st.text("ef", max_size=3)), draw(raws), draw(resumes)
    whole = AssistantMessageRetrieved(text, raw, resume)
    cut_short = MessageIncomplete(text, "expired", raw, resume)
    return [*said, draw(st.sampled_from([whole, cut_short]) | partings)]

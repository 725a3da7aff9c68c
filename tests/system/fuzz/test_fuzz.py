"""Hypothesis drives every target: with noise, and with data that is nearly right."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from .targets import TARGETS

EXAMPLES = 300
SLOWER = {"responses": 150, "generate": 150, "interactions": 150, "llm_logs": 100}
FEWER = {"view": 100}
"""Those of which the rest are for the slow tests."""
NASTY = [
    *(
        b"",
        b"\0",
        b"\n",
        b"\r\n",
        b"\r",
        b'"',
        b"\\",
        b"\\ud800",
        b"\xff",
        b"\xed\xa0\x80",
        b"\xef\xbb\xbf",
        b"\xe2\x80\xa8",
    ),
    *(b"null", b"true", b"-1", b"1e999", b"9" * 40, b"[]", b"{}", b"[" * 1200, b'{"a":' * 600, b'""', b"NaN", b"1.5"),
    *(
        b"data: ",
        b"event: x\n",
        b"\n\n",
        b"[DONE]",
        b"id: 1\n",
        b"retry: 0\n",
        b": c\n",
        b"</pre>",
        b"<script>",
        b"`" * 3,
    ),
]
VALUE = re.compile(rb'"(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*|true|false|null|\[\]|\{\}')


@st.composite
def nearly(draw: st.DrawFn, seeds: list[bytes]) -> bytes:
    """A seed, with some of its bytes, lines and JSON values taken away, exchanged, doubled or replaced."""
    data = draw(st.sampled_from(seeds))
    for _ in range(draw(st.integers(0, 5))):
        start = draw(st.integers(0, len(data)))
        end = min(len(data), start + draw(st.integers(0, 12)))
        match draw(st.sampled_from(["put", "cut", "end", "double", "line", "value", "value", "flip"])):
            case "put":
                data = data[:start] + draw(st.sampled_from(NASTY) | st.binary(max_size=6)) + data[end:]
            case "cut":
                data = data[:start] + data[end:]
            case "end":
                data = data[:start]
            case "double":
                data = data[:end] + data[start:end] + data[end:]
            case "line":
                lines = data.split(b"\n")
                one, other = draw(st.integers(0, len(lines) - 1)), draw(st.integers(0, len(lines) - 1))
                lines[one : one + 1] = [lines[other]] * draw(st.integers(0, 2))
                data = b"\n".join(lines)
            case "value" if found := [*VALUE.finditer(data)]:
                old = draw(st.sampled_from(found))
                new = draw(st.sampled_from([*NASTY, *(value[0] for value in found)]))
                data = data[: old.start()] + new + data[old.end() :]
            case "flip" if data:
                at = min(start, len(data) - 1)
                data = data[:at] + bytes([data[at] ^ 1 << draw(st.integers(0, 7))]) + data[at + 1 :]
    return data


@pytest.mark.parametrize(
    ("name", "examples"),
    [
        *((name, FEWER.get(name, SLOWER.get(name, EXAMPLES))) for name in TARGETS),
        *(pytest.param(name, EXAMPLES, marks=pytest.mark.slow(reason="300 inputs are drawn")) for name in FEWER),
    ],
)
def test_whatever_the_data(name: str, examples: int, record_property: Callable[[str, object], None]) -> None:
    """No target raises anything but what its readers expect, and its law holds."""
    target, count = TARGETS[name], 0

    @settings(max_examples=examples, suppress_health_check=list(HealthCheck), database=None)
    @given(nearly(list(target.seeds)) | st.binary(max_size=200))
    @example(b"")
    def drive(data: bytes) -> None:
        nonlocal count
        count += 1
        target.call(data)

    drive()
    record_property("figure", f"{name}: {count} inputs by Hypothesis")


@pytest.mark.parametrize("name", TARGETS)
def test_seeds_and_findings(name: str) -> None:
    """What is right, and what went wrong once."""
    for data in (*TARGETS[name].seeds, *TARGETS[name].found):
        TARGETS[name].call(data)

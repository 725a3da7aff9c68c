"""The forms in which MCP servers write: what can be read is read; anything else is an error at once, and never a lost result."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("mcp")

from asstproxy.tools.mcp_messages import MessageReader, UnreadableAnswerError
from asstproxy.tools.mcp_results import result_text

from .mcp_rig import ask, listed, names, odd, servers

STYLES = [
    "bom",
    "latin1",
    "mixed",
    "pretty",
    "pretty_crlf",
    "batch",
    "pretty_batch",
    "listed",
    "log",
    "glued",
    "trailing",
    "null_error",
    "no_version",
    "text_id",
    "float_id",
    "nan",
]


@pytest.mark.parametrize("style", STYLES)
async def test_an_answer_in_a_form_of_its_own_is_read(style: str) -> None:
    """The greeting, the list and the result of a call; text arrives as it was meant."""
    async with servers(s=odd({"tools": [listed("echo")], "style": style}, timeout=10)) as box:
        assert (names(box), box.notices) == (["s_echo"], [])
        outcome = await ask(box, "s_echo", a="x")
        assert (outcome.output, outcome.error) == ('café echo {"a": "x"}', None)


async def test_half_a_surrogate_pair_in_a_result_is_replaced() -> None:
    """The rest of the text is there."""
    async with servers(s=odd({"tools": [listed("echo")], "style": "surrogate"}, timeout=10)) as box:
        assert (await ask(box, "s_echo")).output.endswith("café echo {}")


async def test_control_characters_in_a_text_are_read() -> None:
    """A tab or a line feed that a server forgot to escape; the message is read with its last line, not when its time is over."""
    answer = '{"jsonrpc": "2.0", "id": ID, "result": {"content": [{"type": "text", "text": "a\tb\nc {\nd"}]}}'
    async with servers(s=odd({"tools": [listed("t"), listed("good")], "raw": {"t": answer}})) as box:
        began = time.monotonic()
        assert (await ask(box, "s_t")).output == "a\tb\nc {\nd"
        assert time.monotonic() - began < 25  # its limit is 30 s
        assert (await ask(box, "s_good")).output == "café good {}"


@pytest.mark.parametrize(
    ("line", "quoted"),
    [
        ('{"jsonrpc": "2.0", "id": ID, "result": {"content": [],}}', '"content": [],}}'),
        ("{'jsonrpc': '2.0', 'id': ID, 'result': {'content': []}}", "{'jsonrpc': '2.0'"),
        ('{"jsonrpc": "2.0", "result": {"content": [tru]}}', '"content": [tru]'),
        ('{\n  "jsonrpc": "2.0",\n  "id": ID,\n  "result": {\n    oops\n  }\n}', '"result": { oops } }'),
    ],
    ids=["comma", "python", "without id", "several lines"],
)
async def test_an_answer_that_cannot_be_read_fails_at_once(line: str, quoted: str) -> None:
    """The failure quotes the line and its number, and the next call works."""
    async with servers(s=odd({"tools": [listed("bad"), listed("good")], "raw": {"bad": line}})) as box:
        began = time.monotonic()
        outcome = await ask(box, "s_bad")
        assert time.monotonic() - began < 25  # its limit is 30 s
        assert outcome.error is not None
        assert outcome.error.startswith("The MCP server 's' failed: line 4 of its output isn't a JSON-RPC message: {")
        assert quoted in outcome.error
        assert (await ask(box, "s_good")).output == "café good {}"


async def test_a_server_that_only_logs_is_quoted() -> None:
    """When its time is over, the failure says what it wrote instead."""
    async with servers(s=odd({"tools": [listed("bad")], "raw": {"bad": "Traceback: oh no"}}, timeout=1)) as box:
        outcome = await ask(box, "s_bad")
        assert outcome.error == "s_bad did not return within 1 s. It was stopped."
    talks = {"command": "sh", "args": ["-c", "echo 'Please log in first.'; sleep 60"]}
    for limit in (0.5, 10):  # on a busy machine a shell may need more than half a second to speak
        async with servers(s={**talks, "timeout": limit}) as box:
            (notice,) = box.notices
        if "log in" in notice:
            break
    assert notice == (
        f"The MCP server 's' did not answer within {limit} s "
        "(line 1 of its output isn't a JSON-RPC message: Please log in first.). Its tools are missing."
    )


@pytest.mark.parametrize(
    ("error", "said"),
    [
        ({"code": -32000, "message": "No.", "data": "The disk is full."}, "No: The disk is full."),
        (
            {"code": -32000, "message": "No", "data": {"path": "/a", "why": "gone"}},
            'No: {"path": "/a", "why": "gone"}.',
        ),
        ({"code": "E1", "message": "No"}, "No."),
        ({"message": "No"}, "No."),
        ("No", "No."),
        ({"reason": "No"}, 'an error without a message: {"reason": "No"}.'),
        ({"code": -1, "message": "No", "data": "x" * 5000}, f"No: {'x' * 299}…."),
    ],
    ids=lambda value: str(value)[:40],
)
async def test_the_data_of_an_error_is_told(error: Any, said: str) -> None:
    """Next to its message, in one line that is not too long; an error in another form is told, too."""
    async with servers(s=odd({"tools": [listed("fail")], "errors": {"fail": error}})) as box:
        assert (await ask(box, "s_fail")).error == f"The MCP server 's' failed: {said}"


TEXT = {"type": "text", "text": "said"}
NUMBER = {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]}


@pytest.mark.parametrize(
    ("result", "schema", "output"),
    [
        ({"content": [TEXT]}, None, "said"),
        ({"content": []}, None, ""),
        ({}, None, "[The result has no content.]"),
        (None, None, "[The result has no content.]"),
        ({"content": None}, None, "[The result has no content.]"),
        ({"content": "said"}, None, "said"),
        ({"content": TEXT}, None, "said"),
        ({"content": ["a", TEXT, 5]}, None, "a\nsaid\n5"),
        ({"content": [{"text": "said"}, {"type": "text", "text": {"a": 1}}]}, None, 'said\n{"a":1}'),
        ({"content": [{"type": "new", "x": 1}]}, None, "[new: not shown]"),
        ({"content": [{"x": 1}]}, None, '{"x":1}'),
        ([TEXT, TEXT], None, "said\nsaid"),
        ("said", None, "said"),
        ({"structuredContent": {"a": 1}}, NUMBER, '{"a":1}'),
        ({"structuredContent": [1]}, None, "[1]"),
        ({"toolResult": "said"}, None, "said"),
        ({"toolResult": {"a": 1}, "_meta": {}, "content": None}, None, '{"a":1}'),
        ({"status": "ok", "rows": [1]}, None, '{"status":"ok","rows":[1]}'),
        ({"error": None}, None, "[The result has no content.]"),
        ({"content": [TEXT], "structuredContent": {"a": 1}}, NUMBER, 'said\n{"a":1}'),
        ({"content": [{"type": "text", "text": '{"a": 1}'}], "structuredContent": {"a": 1}}, NUMBER, '{"a": 1}'),
        ({"content": [TEXT], "structuredContent": {"result": "said"}}, None, "said"),
        ({"content": [TEXT], "structuredContent": {"a": "x"}}, NUMBER, (
            'said\n{"a":"x"}\n[Remark: the structured result doesn\'t match the tool\'s output schema: '
            "['a'] 'x' is not of type 'integer'.]"
        )),
        ({"content": [TEXT]}, NUMBER, (
            "said\n[Remark: the result has no structured part, although the tool declares an output schema.]"
        )),
        ({"structuredContent": {"a": 1}}, {"type": "nonsense"}, '{"a":1}'),
        ({"structuredContent": {"a": 1}}, {"$ref": "https://example.com/schema"}, '{"a":1}'),
    ],
    ids=lambda value: str(value)[:60],
)  # fmt: skip
def test_a_tool_ran_so_its_result_goes_back(result: Any, schema: Any, output: str) -> None:
    """Whatever its form; what doesn't fit the tool's output schema gets a remark."""
    assert result_text(result, schema) == (output, False)


async def test_results_that_the_sdk_refuses_go_back() -> None:
    """From a server: a result that isn't an object, one without content, one that misses its schema."""
    results = {"bare": 5, "list": [TEXT], "null": None, "empty": {}, "typed": {"structuredContent": {"a": "x"}}}
    tools = [listed(name, outputSchema=NUMBER if name == "typed" else None) for name in results]
    async with servers(s=odd({"tools": tools, "results": results})) as box:
        assert {name: (await ask(box, f"s_{name}")).output for name in results} == {
            "bare": "5",
            "list": "said",
            "null": "[The result has no content.]",
            "empty": "[The result has no content.]",
            "typed": '{"a":"x"}\n[Remark: the structured result doesn\'t match the tool\'s output schema: '
            "['a'] 'x' is not of type 'integer'.]",
        }


@pytest.mark.parametrize(
    ("result", "said"),
    [
        ({"error": "gone"}, "gone"),
        ({"error": {"message": "gone"}}, '{"message":"gone"}'),
        ({"content": [TEXT], "is_error": True}, "said"),
    ],
)
def test_a_failure_in_another_form_is_one(result: Any, said: str) -> None:
    """An error in place of the content, or the flag in another spelling."""
    assert result_text(result, None) == (said, True)


@pytest.mark.parametrize("flag", [True, "true", 1])
async def test_a_failed_result_is_an_error(flag: Any) -> None:
    """Also with the flag in another type; a structured part says why, and gets no remark."""
    failed = {"structuredContent": {"why": "gone"}, "isError": flag}
    async with servers(s=odd({"tools": [listed("fail", outputSchema=NUMBER)], "results": {"fail": failed}})) as box:
        assert (await ask(box, "s_fail")).error == '{"why":"gone"}'


pieces = st.one_of(
    st.binary(max_size=40),
    st.sampled_from(
        [
            b"{",
            b"}",
            b"[",
            b"]",
            b'{"jsonrpc":"2.0","id":1,"result":{}}',
            b'"result":',
            b'{"id":1,',
            b"[]",
            b"\xff",
            b",",
        ]
    ),
)


@given(st.lists(pieces, max_size=12))
def test_any_bytes_are_read_or_counted(lines: list[bytes]) -> None:
    """A server may write anything; a message after it is read, unless an open message swallows it to its end."""
    reader = MessageReader()
    for line in b"\n".join(lines).splitlines():
        reader.read(line)
    found = reader.read(b'{"jsonrpc": "2.0", "id": 7, "result": {"a": 1}}')
    assert [message.id for message in found if not isinstance(message, UnreadableAnswerError)] == [7]  # type: ignore[union-attr]
    reader.close()


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


def some_of(**members: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Objects with any of these members."""
    return st.fixed_dictionaries({}, optional=members)


blocks = st.lists(some_of(type=json_values, text=json_values, resource=json_values))
results = some_of(content=json_values | blocks, structuredContent=json_values, isError=json_values)


@given(json_values | results, json_values | st.just(NUMBER))
def test_any_result_is_text(result: Any, schema: Any) -> None:
    """Whatever JSON the server sends, and whatever it declared."""
    text, _ = result_text(result, schema)
    assert isinstance(text, str)
    assert json.dumps(text)


def test_a_hostile_line_costs_no_more_than_its_length() -> None:
    """A string without an end, full of escaped quotes, within an open message."""
    reader = MessageReader()
    began = time.monotonic()
    reader.read(b"{")
    reader.read(b'"' + b'\\"' * 200_000)
    assert reader.read(b'{"jsonrpc": "2.0", "id": 7, "result": {}}')
    assert time.monotonic() - began < 30  # it took minutes with a pattern that goes back

"""The tools that MCP servers list: each is judged by itself, and none of them costs the others."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("mcp")

from asstproxy import UserProxy

from .mcp_rig import ask, listed, names, odd, only, servers
from .schemas import assert_portable

GOOD = listed("good", {"type": "object", "properties": {"a": {"type": "string"}}})
A = {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]}
B = {"type": "object", "properties": {"b": {"type": "integer"}}, "required": ["b"]}


STRANGE: list[tuple[Any, list[str]]] = [
    (..., []),
    (None, []),
    ({}, []),
    ([], []),
    (True, []),
    ({"type": None}, []),
    ({"type": "object", "properties": [], "required": []}, []),
    ({"type": "object", "properties": None, "required": None}, []),
    ({"properties": {"a": []}}, ["a"]),
    ({"type": "OBJECT", "properties": {"a": {"type": "str"}, "b": {"type": "any"}}}, ["a", "b"]),
    ({"type": ["object", "null"], "properties": {"a": None}}, ["a"]),
    ({"properties": {"a": {"type": "array", "minItems": "1", "enum": []}}}, ["a"]),
    ({"properties": {"a": {"type": "number", "default": float("inf")}}}, ["a"]),
    ({"allOf": [A, {"$ref": "#/$defs/B"}], "$defs": {"B": B}}, ["a", "b"]),
    ({"oneOf": [A, B]}, ["a", "b"]),
    ({"anyOf": [A, B, {"type": "null"}]}, ["a", "b"]),
    ({"type": "object", "oneOf": [{"required": ["a"]}, {"required": ["b"]}]}, ["a", "b"]),
    ({"$ref": "#/definitions/A", "definitions": {"A": A}}, ["a"]),
    ({"$ref": "#/gone"}, []),
    ({"properties": {"a": {"$ref": "https://example.com/schema.json"}}}, ["a"]),
]
"""Schemas of servers, and the members that are left of them."""


async def test_a_schema_is_made_portable_where_it_can_be() -> None:
    """An absent, empty or wrong part of it costs neither the tool nor its neighbours, and the server gets the arguments."""
    tools = [listed(f"t{index}", schema) for index, (schema, _) in enumerate(STRANGE)]
    async with servers(s=odd({"tools": [*tools, GOOD]})) as box:
        assert names(box) == [*(f"s_t{index}" for index in range(len(STRANGE))), "s_good"]
        assert box.notices == []
        for tool, (schema, members) in zip(box.tools, STRANGE, strict=False):
            assert_portable(tool.parameters)
            assert sorted(tool.parameters["properties"]) == members, schema
        assert (await ask(box, "s_t0", a="x")).output == 'café t0 {"a": "x"}'


@pytest.mark.parametrize("declared", [{"input_schema": A}, {"parameters": A}, {"inputSchema": json.dumps(A)}], ids=str)
async def test_a_schema_in_another_place_is_found(declared: dict[str, Any]) -> None:
    """Under the name that it has in the vendors' APIs, or as text: a tool without its parameters is of no use."""
    async with servers(s=odd({"tools": [listed("t", **declared)]})) as box:
        assert only(box).parameters == A


async def test_alternatives_on_top_are_told_in_words() -> None:
    """What all of them need is required; the rest is in the description, where the assistant reads it."""
    both = {"type": "object", "properties": {"a": {"type": "integer"}, "b": {}}, "required": ["a", "b"]}
    async with servers(s=odd({"tools": [listed("t", {"oneOf": [A, both]})]})) as box:
        assert only(box).parameters == {
            "type": "object",
            "properties": {"a": {"anyOf": [{"type": "string"}, {"type": "integer"}]}, "b": {}},
            "required": ["a"],
            "description": "(give one of these: a; a and b)",
        }


async def test_what_cannot_be_made_portable_is_left_out() -> None:
    """With one notice that names the server and the tools; the others are there."""
    bad = [
        listed("text", {"type": "string"}),
        listed("list", {"type": "array", "items": {}}),
        listed("huge", {"properties": {f"p{n}": {} for n in range(6000)}}),
    ]
    async with servers(s=odd({"tools": [*bad, GOOD]})) as box:
        assert names(box) == ["s_good"]
        (notice,) = box.notices
        assert notice == (
            "The MCP server 's' has tools that can't be offered: "
            "'text' (The parameters of the tool 'text' aren't a JSON object, and providers accept nothing else), "
            "'list' (The parameters of the tool 'list' aren't a JSON object, and providers accept nothing else), "
            "'huge' (The schema of the tool 'huge' is too large or too deep for the providers)."
        )


async def test_an_entry_that_is_no_tool_costs_only_itself() -> None:
    """The list is read on."""
    entries: list[Any] = [None, "tool", [], {}, listed(None), listed(""), listed(5)]
    async with servers(s=odd({"tools": [*entries, GOOD]})) as box:
        assert names(box) == ["s_good"]
        (notice,) = box.notices
        assert notice.startswith("The MCP server 's' has tools that can't be offered: '?' (it has no name), '?' (")
        assert notice.endswith(" and 2 more.")


async def test_other_fields_of_a_tool_may_be_anything() -> None:
    """Only its name is needed; a description that isn't text is none."""
    fields = ("description", "title", "annotations", "outputSchema", "icons", "_meta", "execution")
    values: list[Any] = [None, [], {}, 5, True, [1]]
    tools = [
        listed(f"t{index}", {"type": "object"}, **dict.fromkeys(fields, value)) for index, value in enumerate(values)
    ]
    async with servers(s=odd({"tools": tools})) as box:
        assert names(box) == [f"s_t{index}" for index in range(6)]
        assert {tool.description for tool in box.tools} == {""}
        assert (await ask(box, "s_t2")).error is None


async def test_a_tool_that_cannot_be_called_is_left_out() -> None:
    """One that runs as a task only would refuse each call."""
    tools = [
        listed("slow", {}, execution={"taskSupport": "required"}),
        listed("b", {}, execution={"taskSupport": "optional"}),
    ]
    async with servers(s=odd({"tools": tools})) as box:
        assert names(box) == ["s_b"]
        (notice,) = box.notices
        assert notice == (
            "The MCP server 's' has tools that can't be offered: "
            "'slow' (it runs as a task of the server only, which asst doesn't support)."
        )


async def test_a_list_as_an_object_is_read() -> None:
    """PHP writes a list with gaps as an object, and some servers list tools by name."""
    async with servers(s=odd({"tools": {"good": {"inputSchema": A}, "3": listed("other")}})) as box:
        assert names(box) == ["s_good", "s_other"]


@pytest.mark.parametrize("version", [{"protocolVersion": "2025-06-18"}, {"protocolVersion": None}, {}], ids=str)
@pytest.mark.parametrize("rest", [{}, {"capabilities": [], "serverInfo": None, "instructions": 5}])
async def test_a_greeting_may_lack_everything(rest: dict[str, Any], version: dict[str, Any]) -> None:
    """Without a version it is the first one of the protocol; nothing else of it is used."""
    async with servers(s=odd({"tools": [GOOD], "greeting": version | rest})) as box:
        assert (names(box), box.notices) == (["s_good"], [])


async def test_names_that_collide_after_cleaning_are_numbered() -> None:
    """Each calls its own tool; one notice says what was renamed."""
    async with servers(s=odd({"tools": [listed(name) for name in ("a.b", "a/b", "a b", "a_b_2")]})) as box:
        assert names(box) == ["s_a_b", "s_a_b_2", "s_a_b_3", "s_a_b_2_2"]
        assert (await ask(box, "s_a_b_2")).output == "café a/b {}"
        assert (await ask(box, "s_a_b_2_2")).output == "café a_b_2 {}"
        (notice,) = box.notices
        assert notice == (
            "The MCP server 's' has names that are too long or used twice: "
            "'a/b' is 's_a_b_2', 'a b' is 's_a_b_3', 'a_b_2' is 's_a_b_2_2'."
        )


async def test_long_and_foreign_names_are_made_to_fit() -> None:
    """At most 64 characters, the same ones each time, and no two alike."""
    tools = [listed("n" * 70), listed("n" * 71), listed("Ünïcode"), listed("-x")]
    async with servers((), **{"7z": odd({"tools": tools})}) as box:
        long, longer, foreign, dash = names(box)
        assert len(long) == len(longer) == 64
        assert long != longer
        assert (foreign, dash) == ("_7z__n_code", "_7z_-x")
        assert (await ask(box, longer)).output.startswith(f"café {'n' * 71} ")
    async with servers((), **{"7z": odd({"tools": tools})}) as box:
        assert names(box)[:2] == [long, longer]


async def test_names_of_two_servers_and_of_functions_may_collide(tmp_path: Path) -> None:
    """The function that the person named keeps its name."""
    file = tmp_path / "mine.py"
    file.write_text("def a_b_c() -> str:\n    'Mine.'\n    return 'mine'\n")
    box_of = servers((str(file),), a=odd({"tools": [listed("b_c")]}), a_b=odd({"tools": [listed("c")]}))
    async with box_of as box:
        assert names(box) == ["a_b_c", "a_b_c_2", "a_b_c_3"]
        assert [notice.split(" has ")[0] for notice in box.notices] == ["The MCP server 'a'", "The MCP server 'a_b'"]
        UserProxy(box.tools)


@pytest.mark.parametrize("page", [2, 5])
async def test_a_tool_that_is_listed_twice_is_one_tool(page: int) -> None:
    """On one page, on two, or on pages that come again and again."""
    tools = [listed("a"), listed("a"), listed("b"), listed("a"), listed("b")]
    async with servers(s=odd({"tools": tools, "page": page, "cycle": True})) as box:
        assert (names(box), box.notices) == (["s_a", "s_b"], [])


async def test_more_tools_than_a_provider_takes() -> None:
    """The servers with the most tools lose some; one notice for each of them names server and tool, and how to choose."""
    big, small = [listed(f"t{n}") for n in range(500)], [listed(f"u{n}") for n in range(3)]
    async with servers(big=odd({"tools": big, "page": 100}), small=odd({"tools": small})) as box:
        assert names(box) == [f"big_t{n}" for n in range(125)] + ["small_u0", "small_u1", "small_u2"]
        (notice,) = box.notices
        assert notice == (
            "The MCP server 'big' has 500 tools, and providers take 128 in all. Left out: 't125', 't126', 't127', 't128', "
            "'t129' and 370 more. To choose, list the ones you need in the profile: mcp.big.tools = [\"…\"]."
        )
        UserProxy(box.tools)


async def test_the_profile_chooses_among_the_tools() -> None:
    """By name or with wildcards; a name that the server doesn't have is a notice."""
    tools = [listed(f"t{n}") for n in range(500)] + [listed("read_a"), listed("read_b")]
    async with servers(s=odd({"tools": tools, "page": 100}, tools=["t7", "read_*", "gone"])) as box:
        assert names(box) == ["s_t7", "s_read_a", "s_read_b"]
        assert box.notices == [
            "The MCP server 's' has tools that can't be offered: 'gone' (the server has no such tool)."
        ]


async def test_a_list_that_breaks_off_is_used_and_said() -> None:
    """The server ends on the second page, or has more pages than are read: the tools that it listed are there, and a notice."""
    tools = [listed(f"t{n}") for n in range(300)]
    async with servers(s=odd({"tools": tools, "page": 2, "pages_fail": True})) as box:
        assert names(box) == ["s_t0", "s_t1"]
        (notice,) = box.notices
        assert notice == (
            "Only a part of the tools of the MCP server 's' is known. "
            "The MCP server 's' failed: Connection closed (it ended with exit code 1: no more pages)."
        )
    async with servers(s=odd({"tools": tools, "page": 1}, tools=["t9*"])) as box:
        assert names(box) == ["s_t9", *(f"s_t9{n}" for n in range(10))]
        assert box.notices == ["Only a part of the tools of the MCP server 's' is known. It has more than 100 pages."]

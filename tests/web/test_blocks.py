"""Blocks of an answer that streams: each is laid out once, as soon as nothing can continue it."""

from __future__ import annotations

import pytest

from asstproxy.core.events import AssistantMessageRetrieved, ChunkReceived, Record, SetUserMessage
from asstproxy.core.script import State
from asstproxy.export.markdown_html import markdown_html
from asstproxy.web.blocks import AnswerBlocks


def _blocks(text: str) -> list[str]:
    """The texts of the blocks that are finished when an answer has come so far, one character at a time."""
    found = AnswerBlocks(lambda markdown, _: markdown)
    found.feed(Record(1, "", State.READY, SetUserMessage("hi")))
    for seq, character in enumerate(text, 2):
        found.feed(Record(seq, "", State.STREAMING, ChunkReceived(character)))
    return [block["html"] for block in found.all]


@pytest.mark.parametrize(
    ("text", "finished"),
    [
        ("One.\nStill one.\n", []),
        ("One.\n\n", ["One.\n\n"]),
        ("# Title\n\nTe", ["# Title\n\n"]),
        ("One.\n\n---\n\n", ["One.\n\n", "---\n\n"]),
        ("```py\na\n\nb\n", []),
        ("```py\na[0]\n\nb\n```\n\n", ["```py\na[0]\n\nb\n```\n\n"]),
        ("|a|\n|-|\n|1|\n\n", ["|a|\n|-|\n|1|\n\n"]),
        ("- one\n\n", []),  # `- two` or an indented paragraph may come
        ("- one\n\nText.\n", ["- one\n\n"]),
        ("> one\n\n", []),
        ("    code\n\n", []),
        ("See [the docs][d].\n\n", []),  # the address may come
        ("See [the docs](https://example.com).\n\n", ["See [the docs](https://example.com).\n\n"]),
        ("One.\r\n\r\nTwo.", []),
    ],
)
def test_a_block_is_finished_when_nothing_can_continue_it(text: str, finished: list[str]) -> None:
    """By an empty line, or, where that can be part of it, by the next block."""
    assert _blocks(text) == finished


def test_a_last_line_is_a_block_of_its_own() -> None:
    """The end of the answer finishes the list that might have gone on, and the line after it."""
    found = AnswerBlocks(lambda markdown, _: markdown)
    found.feed(Record(1, "", State.READY, SetUserMessage("hi")))
    found.feed(Record(2, "", State.STREAMING, ChunkReceived("- one\n\nText.")))
    assert found.all == []
    found.feed(Record(3, "", State.COMPLETED, AssistantMessageRetrieved("- one\n\nText.")))
    assert [block["html"] for block in found.all] == ["- one\n\n", "Text."]


def test_the_blocks_are_the_answer() -> None:
    """However it is cut, the HTML of the blocks is that of the whole."""
    text = (
        "# A\n\n\n\nOne\n**two**\n\n1. a\n\n   b\n2. c\n\n- d\n\n\n> e\n\n```\nf\n\n\ng\n```\n\n|h|\n|-|\n|i|\n\n"
        "j [k][l].\n\n[l]: https://example.com\n\nm\n===\n\n***\n\n    n\n\n    o\n\np\n\n\n\n"
    )
    found = AnswerBlocks(markdown_html)
    found.feed(Record(1, "", State.READY, SetUserMessage("hi")))
    for seq, character in enumerate(text, 2):
        found.feed(Record(seq, "", State.STREAMING, ChunkReceived(character)))
    found.feed(Record(1, "", State.READY, SetUserMessage("next")))
    assert "".join(block["html"] for block in found.all) == markdown_html(text)
    assert found.all[-1]["end"] == len(text)

"""The parts that we make of attachments are what the vendors' SDKs would send: their own types are the oracle."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from openai.types.chat import ChatCompletionContentPartParam
from openai.types.responses import ResponseInputContentParam
from pydantic import TypeAdapter

from asstproxy.core.attachment import Attachment
from asstproxy.providers.attachments import SentFile
from asstproxy.providers.file_parts import chat_part, claude_part
from asstproxy.providers.openai.wire import responses_part
from pictures import PDF, PNG, WAV

FILES = {"image/png": PNG, "application/pdf": PDF, "audio/wav": WAV}


def _file(media_type: str, reference: str = "") -> SentFile:
    data = FILES[media_type]
    return SentFile(Attachment("0" * 64, media_type, "a.bin", len(data)), reference, lambda: data)


def _assert_typed(kind: Any, part: Mapping[str, Any]) -> None:
    """The part has the type, and nothing that the type does not have."""
    assert TypeAdapter(kind).validate_python(part) == part


@pytest.mark.parametrize("reference", ["", "file_1"])
@pytest.mark.parametrize("media_type", ["image/png", "application/pdf"])
def test_parts_of_the_responses_protocol_are_openai_s(media_type: str, reference: str) -> None:
    """OpenAI's types of the content of a message take our images and files, inline and by id."""
    _assert_typed(ResponseInputContentParam, responses_part(_file(media_type, reference)))


@pytest.mark.parametrize("media_type", FILES)
def test_parts_of_chat_completions_are_openai_s(media_type: str) -> None:
    """OpenAI's types of Chat Completions take our images, files and sounds."""
    _assert_typed(ChatCompletionContentPartParam, chat_part(_file(media_type)))


@pytest.mark.parametrize("reference", ["", "file_1"])
@pytest.mark.parametrize("media_type", ["image/png", "application/pdf"])
def test_blocks_are_anthropic_s(media_type: str, reference: str) -> None:
    """Anthropic's types of blocks take our images and documents, inline and by id."""
    types = pytest.importorskip("anthropic.types")
    kind = types.ImageBlockParam if media_type == "image/png" else types.DocumentBlockParam
    _assert_typed(kind, claude_part(_file(media_type, reference)))

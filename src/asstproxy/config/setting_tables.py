"""The parameters of each API that `-O` and templates set: their types, and their places in a request.

A third party's provider has such a table in its `INFO.settings`. Nothing is imported here, because shell completion reads it.
Sources: the APIs' references, as of November 2026; a parameter that is missing here still passes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, NamedTuple

__all__ = ["ANTHROPIC", "CHAT_COMPLETIONS", "GEMINI", "LOCAL", "RESPONSES", "Kind", "Setting"]

Kind = Literal["text", "bool", "int", "float", "list", "json", "any"]


class Setting(NamedTuple):
    """A parameter. `path`: its place in the settings, if not under its own name: `reasoning.effort`.

    A `list` is written as a JSON array, or as words with commas between them; `any` is JSON, or else a text.
    """

    kind: Kind
    path: str = ""


def _table(kinds: Mapping[Kind, str], paths: Mapping[str, str]) -> dict[str, Setting]:
    """`kinds` names the parameters of each kind; `paths` are texts that have another place."""
    found = {name: Setting(kind) for kind, names in kinds.items() for name in names.split()}
    return found | {name: Setting("text", path) for name, path in paths.items()}


RESPONSES = _table(
    {
        "float": "temperature top_p",
        "int": "max_output_tokens max_tool_calls top_logprobs",
        "bool": "store parallel_tool_calls",
        "text": "service_tier truncation prompt_cache_key prompt_cache_retention safety_identifier user",
        "list": "include",
        "json": "reasoning text metadata tools context_management",
        "any": "tool_choice",
    },
    {"reasoning_effort": "reasoning.effort", "reasoning_summary": "reasoning.summary", "verbosity": "text.verbosity"},
)
LOCAL = RESPONSES | _table(
    {
        "float": "min_p repeat_penalty presence_penalty frequency_penalty",
        "int": "seed top_k",
        "list": "stop",
    },
    {},
)
CHAT_COMPLETIONS = _table(
    {
        "float": "temperature top_p min_p presence_penalty frequency_penalty repetition_penalty",
        "int": "max_tokens max_completion_tokens n seed top_k top_logprobs",
        "bool": "logprobs parallel_tool_calls store enable_thinking",
        "text": "reasoning_effort verbosity service_tier user reasoning_format prompt_cache_key",
        "list": "stop models",
        "json": "logit_bias response_format metadata thinking reasoning provider tools stream_options",
        "any": "tool_choice",
    },
    {},
)
ANTHROPIC = _table(
    {
        "float": "temperature top_p",
        "int": "max_tokens top_k",
        "text": "service_tier inference_geo",
        "list": "stop_sequences",
        "json": "thinking output_config metadata tool_choice cache_control mcp_servers tools context_management",
    },
    {"reasoning_effort": "output_config.effort"},
)
GEMINI = _table(
    {
        "float": "temperature top_p presence_penalty frequency_penalty",
        "int": "max_output_tokens top_k candidate_count seed logprobs",
        "bool": "store response_logprobs",
        "text": "thinking_level thinking_summaries service_tier cached_content response_mime_type media_resolution",
        "list": "stop_sequences response_modalities",
        "json": "thinking_config safety_settings labels tool_config generation_config response_schema speech_config tools",
        "any": "tool_choice",
    },
    {"reasoning_effort": "thinking_level"},
)

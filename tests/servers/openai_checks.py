"""What OpenAI refuses with a 400: malformed requests, and histories that were not sent back as they were."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from .wire import ApiError, Json

PARAMETERS = frozenset(
    """background conversation context_management include input instructions max_output_tokens max_tool_calls metadata
    model moderation parallel_tool_calls previous_response_id prompt prompt_cache_key prompt_cache_options
    prompt_cache_retention reasoning safety_identifier service_tier store stream stream_options temperature text
    tool_choice tools top_logprobs top_p truncation user""".split()  # noqa: SIM905 - 31 lines otherwise
)
ITEMS = frozenset(("message", "reasoning", "function_call", "function_call_output", "item_reference"))
PARTS = {"assistant": ("output_text", "refusal")}
USER_PARTS = ("input_text", "input_image", "input_file")


def check_request(body: Mapping[str, Any]) -> None:
    """Names, types and ranges of the parameters, and the tools."""
    for name in body:
        if name not in PARAMETERS:
            raise ApiError(400, f"Unknown parameter: '{name}'.", code="unknown_parameter", param=name)
    if "model" not in body:
        raise ApiError(400, "Missing required parameter: 'model'.", code="missing_required_parameter", param="model")
    if body.get("conversation") and body.get("previous_response_id"):
        msg = "Mutually exclusive parameters: ['conversation', 'previous_response_id']."
        raise ApiError(400, msg, code="mutually_exclusive_parameters")
    limit = body.get("max_output_tokens")
    if limit is not None and limit < 16:
        name = "max_output_tokens"
        msg = f"Invalid '{name}': integer below minimum value. Expected a value >= 16, but got {limit} instead."
        raise ApiError(400, msg, code="integer_below_min_value", param=name)
    form = (body.get("text") or {}).get("format") or {}
    if form.get("type") == "json_schema":
        _check_form(form, "text.format")
    for index, tool in enumerate(body.get("tools") or []):
        _check_tool(tool, f"tools[{index}]")


def _check_tool(tool: Json, where: str) -> None:
    if tool.get("type") != "function":
        return
    for name in ("name", "parameters"):
        if name not in tool:
            param = f"{where}.{name}"
            msg = f"Missing required parameter: '{param}'."
            raise ApiError(400, msg, code="missing_required_parameter", param=param)
    pattern = "^[a-zA-Z0-9_-]+$"
    if not re.match(pattern, tool["name"]):
        msg = f"Invalid '{where}.name': string does not match pattern. Expected a string that matches '{pattern}'."
        raise ApiError(400, msg, code="invalid_value", param=f"{where}.name")
    if tool.get("strict") and (problem := _looseness(tool["parameters"])):
        msg = f"Invalid schema for function '{tool['name']}': {problem}"
        raise ApiError(400, msg, code="invalid_function_parameters", param=f"{where}.parameters")


def _check_form(form: Json, where: str) -> None:
    for name in ("name", "schema"):
        if name not in form:
            param = f"{where}.{name}"
            raise ApiError(
                400, f"Missing required parameter: '{param}'.", code="missing_required_parameter", param=param
            )
    if not re.fullmatch(r"[a-zA-Z0-9_-]{1,64}", form["name"]):
        raise ApiError(
            400, f"Invalid '{where}.name': string does not match pattern.", code="invalid_value", param=where
        )
    if form.get("strict") and (problem := _looseness(form["schema"]) or _unknown(form["schema"])):
        raise ApiError(400, f"Invalid schema for response_format '{form['name']}': {problem}", param=where)


UNKNOWN = ("minLength", "maxLength", "default", "oneOf", "allOf", "not", "if", "uniqueItems", "patternProperties")
"""Keywords that strict mode does not permit."""


def _unknown(schema: Any) -> str | None:
    parts = schema if isinstance(schema, list) else []
    if isinstance(schema, dict):
        if found := next((key for key in UNKNOWN if key in schema), None):
            return f"'{found}' is not permitted."
        if "$ref" in schema and len(schema) > 1:
            return "$ref cannot have keywords next to it."
        named = [*schema.get("properties", {}).values(), *schema.get("$defs", {}).values()]
        parts = [*named, *(schema[key] for key in ("items", "anyOf") if key in schema)]
    return next((why for part in parts if (why := _unknown(part))), None)


def _looseness(schema: Json, path: tuple[str, ...] = ()) -> str | None:
    """Why a schema is not strict: an object must be closed and must require all that it has."""
    if schema.get("type") != "object":
        return None
    properties: dict[str, Json] = schema.get("properties", {})
    if schema.get("additionalProperties") is not False:
        return f"In context={path}, 'additionalProperties' is required to be supplied and to be false."
    if missing := sorted(set(properties) - set(schema.get("required", ()))):
        return f"In context={path}, 'required' is required to include every key in properties. Missing '{missing[0]}'."
    return next((why for name, part in properties.items() if (why := _looseness(part, (*path, name)))), None)


def normalized(value: Any) -> list[Json]:
    """The input as a list of items, each checked for its shape."""
    if isinstance(value, str):
        return [{"type": "message", "role": "user", "content": [{"type": "input_text", "text": value}]}]
    return [_checked(dict(item), f"input[{index}]") for index, item in enumerate(value or [])]


def _checked(item: Json, where: str) -> Json:
    kind = item.setdefault("type", "message")
    if kind not in ITEMS:
        raise ApiError(400, f"Invalid value: '{kind}'.", code="invalid_value", param=where)
    if kind == "message":
        allowed = PARTS.get(item["role"], USER_PARTS)
        if isinstance(item["content"], str):
            item["content"] = [{"type": allowed[0], "text": item["content"]}]
        for index, part in enumerate(item["content"]):
            if part["type"] not in allowed:
                msg = f"Invalid value: '{part['type']}'. Supported values are: {', '.join(map(repr, allowed))}."
                raise ApiError(400, msg, code="invalid_value", param=f"{where}.content[{index}]")
    prefix = {"function_call": "fc", "message": "msg", "reasoning": "rs"}.get(kind)
    if prefix and "id" in item and not str(item["id"]).startswith(prefix):
        msg = f"Invalid '{where}.id': '{item['id']}'. Expected an ID that begins with '{prefix}'."
        raise ApiError(400, msg, code="invalid_value", param=f"{where}.id")
    field = {"function_call": "arguments", "function_call_output": "output"}.get(kind)
    if field and not isinstance(item.get(field), str if kind == "function_call" else (str, list)):
        msg = f"Invalid type for '{where}.{field}': expected a string."
        raise ApiError(400, msg, code="invalid_type", param=f"{where}.{field}")
    return item


def check_calls(context: Iterable[Json]) -> None:
    """Every function call has an output, and the other way round."""
    items = list(context)
    called = [item["call_id"] for item in items if item["type"] == "function_call"]
    answered = [item["call_id"] for item in items if item["type"] == "function_call_output"]
    for call_id in answered:
        if call_id not in called:
            msg = f"No tool call found for function call output with call_id {call_id}."
            raise ApiError(400, msg, param="input")
    for call_id in called:
        if call_id not in answered:
            raise ApiError(400, f"No tool output found for function call {call_id}.", param="input")


class Issued:
    """Remembers what the server sent, and refuses what comes back altered."""

    def __init__(self, *, strict_phase: bool) -> None:
        self._items: dict[str, Json] = {}
        self._thought_of: dict[str, str] = {}
        self._stored: set[str] = set()
        self._strict_phase = strict_phase

    def remember(self, output: Sequence[Json], *, stored: bool) -> None:
        """Note the items of an answer, and which of them followed a reasoning item."""
        for index, item in enumerate(output):
            self._items[item["id"]] = item
            if stored:
                self._stored.add(item["id"])
            if index and output[index - 1]["type"] == "reasoning" and item["type"] != "reasoning":
                self._thought_of[item["id"]] = output[index - 1]["id"]

    def resolved(self, items: Sequence[Json]) -> list[Json]:
        """The items, with the ones that were only referred to by their id put in."""
        return [self._stored_item(item["id"]) if item["type"] == "item_reference" else item for item in items]

    def _stored_item(self, item_id: str) -> Json:
        if item_id not in self._stored:
            msg = f"Item with id '{item_id}' not found. Items are not persisted when `store` is set to false."
            raise ApiError(404, msg, code="item_not_found", param="input")
        return self._items[item_id]

    def check(self, items: Sequence[Json]) -> None:
        """Compare what came back with what was sent."""
        for index, item in enumerate(items):
            match item["type"]:
                case "reasoning":
                    self._check_reasoning(item, f"input[{index}]")
                case "message" if item.get("role") == "assistant":
                    self._check_phase(item, f"input[{index}]")
            thought = self._thought_of.get(item.get("id", ""))
            if thought and (index == 0 or items[index - 1].get("id") != thought):
                msg = (
                    f"Item '{item['id']}' of type '{item['type']}' was provided without its required 'reasoning' item: "
                )
                raise ApiError(400, f"{msg}'{thought}'.", param="input")

    def _check_reasoning(self, item: Json, where: str) -> None:
        sent = self._items.get(item.get("id", ""))
        blob = item.get("encrypted_content")
        if blob is None:
            self._stored_item(item.get("id", ""))
        blobs = (
            [one.get("encrypted_content") for one in self._items.values()]
            if sent is None
            else [sent["encrypted_content"]]
        )
        if blob is not None and blob not in blobs:
            msg = f"The encrypted content {blob[:4]}...{blob[-4:]} could not be verified."
            raise ApiError(400, msg, code="invalid_encrypted_content", param=where)
        if sent is not None and item.get("summary") != sent["summary"]:
            raise ApiError(400, f"Reasoning item '{item['id']}' was altered.", code="invalid_value", param=where)

    def _check_phase(self, item: Json, where: str) -> None:
        sent = self._items.get(item.get("id", ""))
        if sent is None and self._strict_phase:
            same = (one for one in self._items.values() if _text(one) == _text(item) and one.get("phase"))
            sent = next(same, None)
        if sent is not None and sent.get("phase") != item.get("phase"):
            msg = f"Invalid 'phase': expected '{sent.get('phase')}', but got '{item.get('phase')}' instead."
            raise ApiError(400, msg, code="invalid_value", param=f"{where}.phase")


def _text(item: Json) -> str | None:
    if item["type"] != "message":
        return None
    return "".join(part.get("text", "") for part in item["content"])

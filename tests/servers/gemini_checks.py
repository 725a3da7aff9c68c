"""What Gemini refuses with a 400: malformed requests, and histories whose thought signatures did not come back."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from .wire import ApiError, Json

FIELDS = ("contents", "systemInstruction", "tools", "toolConfig", "generationConfig", "safetySettings", "cachedContent")
EXTRA_FIELDS = ("model", "labels", "serviceTier", "store")
DUMMY = "skip_thought_signature_validator"
"""Documented for calls that another model made."""
SEE = "Please refer to https://ai.google.dev/gemini-api/docs/thought-signatures for more details."


def member(value: Mapping[str, Any], camel: str) -> Any:
    """A member by its name in camelCase or snake_case; Google takes both."""
    snake = re.sub(r"[A-Z]", lambda letter: f"_{letter[0].lower()}", camel)
    return value.get(camel, value.get(snake))


def check_request(body: Mapping[str, Any]) -> list[Json]:
    """Names and shapes; returns the contents, with neighbours of one role put together."""
    known = {name.lower() for name in (*FIELDS, *EXTRA_FIELDS)}
    for name in body:
        if name.replace("_", "").lower() not in known:
            raise ApiError(400, f'Invalid JSON payload received. Unknown name "{name}": Cannot find field.')
    if not body.get("contents"):
        raise ApiError(400, "* GenerateContentRequest.contents: contents is not specified")
    for tool in body.get("tools") or []:
        for declaration in member(tool, "functionDeclarations") or []:
            _check_declaration(declaration)
    turns: list[Json] = []
    for content in body["contents"]:
        role = content.get("role", "user")
        if role not in {"user", "model"}:
            raise ApiError(400, "Please use a valid role: user, model.")
        if turns and turns[-1]["role"] == role:
            turns[-1]["parts"] += content.get("parts") or []
        else:
            turns.append({"role": role, "parts": [*(content.get("parts") or [])]})
    return turns


def _check_declaration(declaration: Json) -> None:
    name = declaration.get("name", "")
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_.:-]{0,127}", name):
        raise ApiError(400, f"Invalid function name: {name!r}. Must start with a letter or an underscore.")
    if member(declaration, "parameters") and member(declaration, "parametersJsonSchema"):
        raise ApiError(400, "Only one of `parameters` and `parameters_json_schema` may be set.")


def check_calls(turns: Sequence[Json]) -> None:
    """Function calls are answered all at once, in the next turn, by name, and by id where they had one."""
    for turn, following in zip(turns, [*turns[1:], {"role": "user", "parts": []}], strict=True):
        calls = _members(turn, "functionCall")
        responses = _members(following, "functionResponse")
        if turn["role"] == "model" and len(calls) != len(responses):
            msg = "Please ensure that the number of function response parts is equal to the number of function call"
            raise ApiError(400, f"{msg} parts of the function call turn.")
        if sorted(call["name"] for call in calls) != sorted(answer["name"] for answer in responses):
            raise ApiError(400, "Please ensure that function response names match the function calls.")
        ids = {call.get("id") for call in calls}
        if any(answer.get("id") and answer["id"] not in ids for answer in responses):
            raise ApiError(400, "Please ensure that function response ids match the function calls.")
    if turns[0]["role"] == "user" and _members(turns[0], "functionResponse"):
        msg = "Please ensure that function response turn comes immediately after a function call turn."
        raise ApiError(400, msg)


def _members(turn: Json, name: str) -> list[Json]:
    return [value for part in turn["parts"] if (value := member(part, name))]


class Signatures:
    """Remembers which part each signature was on; refuses it anywhere else, and calls that come back without one."""

    def __init__(self, *, required: bool) -> None:
        self._parts: dict[bytes, Json] = {}
        self._required = required

    def remember(self, parts: Iterable[Json]) -> None:
        """Note the signed parts of an answer."""
        for part in parts:
            if "thoughtSignature" in part:
                self._parts[_decoded(part["thoughtSignature"])] = _unsigned(part)

    def check(self, turns: Sequence[Json]) -> None:
        """Every signature is known and on its part; in the current turn, no first call of a step lacks one."""
        current = max((i for i, turn in enumerate(turns) if _is_prompt(turn)), default=0)
        for index, turn in enumerate(turns):
            if turn["role"] != "model":
                continue
            for part in turn["parts"]:
                self._check_part(part)
            calls = [part for part in turn["parts"] if member(part, "functionCall")]
            if self._required and index > current and calls and not member(calls[0], "thoughtSignature"):
                name = member(calls[0], "functionCall")["name"]
                msg = "Function call is missing a thought_signature in functionCall parts. Additional data, "
                raise ApiError(400, f"{msg}function call `default_api:{name}`, position {index + 1}. {SEE}")

    def _check_part(self, part: Json) -> None:
        signature = member(part, "thoughtSignature")
        if signature is None or signature == DUMMY:
            return
        raw = _decoded(signature)
        if raw == DUMMY.encode():
            return
        if raw not in self._parts:
            raise ApiError(400, "Corrupted thought signature.")
        if self._parts[raw] != _unsigned(part):
            raise ApiError(400, "Thought signature is not valid: it belongs to another part.")


def _decoded(signature: str) -> bytes:
    """The bytes; standard and URL-safe base64 are the same to Google, and the SDK changes one into the other."""
    try:
        return base64.b64decode(signature.replace("-", "+").replace("_", "/"), validate=True)
    except binascii.Error as error:
        msg = 'Invalid value at "thought_signature" (TYPE_BYTES), Base64 decoding failed.'
        raise ApiError(400, msg) from error


def _unsigned(part: Json) -> Json:
    """What a signature covers, in one spelling."""
    if call := member(part, "functionCall"):
        return {"name": call["name"], "args": call.get("args") or {}}
    return {"text": part.get("text", "")}


def _is_prompt(turn: Json) -> bool:
    return turn["role"] == "user" and not _members(turn, "functionResponse")

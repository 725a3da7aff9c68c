"""The provider for generateContent, and what it sends. Google keeps nothing: each request carries the whole conversation.

Source: https://ai.google.dev/api/generate-content and the guides on function calling and thought signatures. What the
model itself said goes back exactly as it was received, thought signatures included: Google refuses it without them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from urllib.parse import quote

import msgspec

from ...core.events import Event, Notice, ToolResult
from ...core.history import AssistantMessage, Item, ToolOutputs, UserMessage
from ...core.turn import ToolSpec, Turn
from ..answer_schema import rewritten
from ..attachments import Attachments, Parts, no_parts
from ..fields import parsed_arguments, with_hosted_tools
from ..transport import JSON, Transport
from .files import GENERATE
from .generate_reader import Reader
from .provider import DIALECT, GeminiProvider
from .schema import inlined

__all__ = ["GenerateProvider", "contents", "request"]

BODY = frozenset(
    (
        "cachedContent",
        "labels",
        "modelArmorConfig",
        "safetySettings",
        "serviceTier",
        "store",
        "systemInstruction",
        "toolConfig",
    )
)
"""Settings that stand next to `generationConfig`; every other one goes into it."""
UNSIGNED = "skip_thought_signature_validator"
"""Google's own word for a call that has no signature: another model made it, or the signature was refused."""
NO_BACKGROUND = (
    'generateContent cannot work in the background, so asst waits for the answer. Use api = "interactions" for that.'
)


class GenerateProvider(GeminiProvider):
    """An Assistant Proxy that calls generateContent. `models` is the path under which the API has Google's models.

    `keeps_files`: whether the server has the Files API (Agent Platform has none).
    """

    def __init__(self, transport: Transport, model: str, *, models: str = "/models", keeps_files: bool = True) -> None:
        super().__init__(transport, model)
        self.attachments = Attachments(GENERATE, transport, uploads=keeps_files)
        self._models = models

    def resolve(self, turn: Turn) -> Turn:
        """See `StatelessProvider`."""
        return msgspec.structs.replace(super().resolve(turn), stream=turn.stream and not turn.background)

    async def begin(self, turn: Turn) -> Sequence[Event]:
        """See `StatelessProvider`."""
        return [Notice(NO_BACKGROUND)] if turn.background else []

    def new_reader(self) -> Reader:
        """See `StatelessProvider`."""
        settings = self.turn.settings
        config = settings.get("generationConfig")
        counts = [config.get("candidateCount") if isinstance(config, dict) else None]
        counts += [settings.get("candidateCount"), settings.get("candidate_count")]
        return Reader(several=any(count not in (None, 1) for count in counts))

    def request(self, turn: Turn, items: Sequence[Item]) -> tuple[str, JSON]:
        """See `StatelessProvider`."""
        where = f"/{turn.model}" if "/" in turn.model else f"{self._models}/{turn.model}"
        method = "streamGenerateContent?alt=sse" if turn.stream else "generateContent"
        body = request(turn, self.accepted(items), self.attachments.parts, unsigned=self.unsigned)
        return f"{quote(where, safe='/-._~@:')}:{method}", body


def request(turn: Turn, items: Iterable[Item], parts: Parts = no_parts, *, unsigned: bool = False) -> JSON:
    """The body of a request. A setting is sent only when the user set it; snake_case is understood, too."""
    body: JSON = {"contents": contents(items, parts, unsigned=unsigned)}
    if turn.instructions:
        body["systemInstruction"] = {"parts": [{"text": turn.instructions}]}
    functions: list[JSON] = (
        [{"functionDeclarations": [_declaration(tool) for tool in turn.tools]}] if turn.tools else []
    )
    config: JSON = {}
    for key, value in turn.settings.items():
        match _camel(key):
            case "tools":
                pass  # below
            case "generationConfig":
                config |= value
            case "thinkingLevel":  # these two as the Interactions API has them: the same profile serves both
                config["thinkingConfig"] = config.get("thinkingConfig", {}) | {"thinkingLevel": value}
            case "thinkingSummaries":
                shown = {"includeThoughts": value not in ("none", False)}
                config["thinkingConfig"] = config.get("thinkingConfig", {}) | shown
            case name if name in BODY:
                body[name] = value
            case name:
                config[name] = value
    body |= with_hosted_tools(functions, turn.settings)
    if turn.schema is not None:
        config |= {"responseMimeType": "application/json", "responseJsonSchema": rewritten(turn.schema, DIALECT)}
    return body | ({"generationConfig": config} if config else {})


def _declaration(tool: ToolSpec) -> JSON:
    declared: JSON = {"name": tool.name, "parametersJsonSchema": inlined(tool.parameters)}
    return declared | ({"description": tool.description} if tool.description else {})


def _camel(name: str) -> str:
    return re.sub(r"_([a-z])", lambda letter: letter[1].upper(), name)


def contents(items: Iterable[Item], attached: Parts = no_parts, *, unsigned: bool = False) -> list[JSON]:
    """The history as contents. `attached` makes parts of attachments; `unsigned`: calls without a signature are marked so."""
    turns: list[JSON] = []
    calls: list[JSON] = []
    for item in items:
        match item:
            case UserMessage(text=text, attachments=attachments):
                turns.append({"role": "user", "parts": attached(attachments) + ([{"text": text}] if text else [])})
            case AssistantMessage():
                parts = _parts(item, unsigned=unsigned)
                calls = [part["functionCall"] for part in parts if "functionCall" in part]
                if parts:  # a reply without content is refused
                    turns.append({"role": "model", "parts": parts})
            case ToolOutputs(results=results):
                turns.append({"role": "user", "parts": _responses(calls, results)})
    return turns


def _parts(message: AssistantMessage, *, unsigned: bool) -> list[JSON]:
    if isinstance(message.raw, dict) and isinstance(message.raw.get("parts"), list):
        return list(message.raw["parts"])
    parts: list[JSON] = [
        {"functionCall": {"name": c.name, "args": parsed_arguments(c.arguments)}} for c in message.calls
    ]
    if parts and unsigned:
        parts[0]["thoughtSignature"] = UNSIGNED  # the first of parallel calls carries it
    return [{"text": message.text}, *parts] if message.text else parts


def _responses(calls: Sequence[JSON], results: Sequence[ToolResult]) -> list[JSON]:
    """All results in one content, in the order of the calls; an id is sent only if the server gave one.

    The output is sent as text: as JSON, long numbers would be rounded, and a `$ref` in it would be followed.
    """
    return [
        {
            "functionResponse": {
                **{key: call[key] for key in ("id", "name") if call.get(key)},
                "response": {"output": result.output} if result.error is None else {"error": result.error},
            }
        }
        for call, result in zip(calls, results, strict=False)
    ]

"""What a vendor does differently, applied: the rows of `config/vendors.py` say what, a provider on this base need not know."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import re
from collections.abc import Iterator, Sequence
from typing import Any, Self

import msgspec

from ..config.profiles import Profile
from ..config.provider_info import ProviderInfo
from ..config.vendors import VENDORS, Quirks
from ..core.errors import AssistantError
from ..core.events import Event, Notice
from ..core.history import AssistantMessage, Item, ToolOutputs, UserMessage
from ..core.roles import SchemaSupport
from ..core.turn import Turn
from .base import StatelessProvider
from .connection import ServerOptions, http_transport, required_model
from .fields import get_object
from .transport import JSON, Transport

__all__ = ["NO_QUIRKS", "VendorProvider", "items_for", "vendor_transport"]

NO_QUIRKS = Quirks()
OUTPUT_LIMITS = ("max_tokens", "max_completion_tokens")
FORM = "Answer with JSON that fits this JSON Schema, and with nothing else:\n{}"
STOPPED = "(stopped)"
"""What the assistant said after tool results that it never read, for a server that wants it to have said something."""
NO_REASONING = {"reasoning_content": " "}
"""Of a message that another model wrote, for a server that demands some."""
DEMANDS_TURNS = re.compile(r"roles? must alternate|role \W?\w+\W? after role", re.IGNORECASE)
"""How servers (Mistral's API, chat templates) say so."""
LETTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


class VendorProvider(StatelessProvider):
    """A provider for one protocol that many vendors speak, each with its quirks. `provider` is the name of the vendor."""

    structured = SchemaSupport(recursive=True)
    formats: tuple[str, ...] = ("json_schema", "json_object")
    """In which the schema of an answer is sent, the best first: many servers know only the second one, or none."""

    def __init__(self, transport: Transport, model: str, provider: str, quirks: Quirks = NO_QUIRKS) -> None:
        super().__init__(transport, model)
        self.provider, self.quirks = provider, quirks

    @classmethod
    def of(cls, profile: Profile, info: ProviderInfo) -> Self:
        """The provider for a profile: of a vendor, or of a server about which `info` says what there is to say.

        Raises:
            NotSetUpError: the address, the key, or the model of a vendor is missing. A local server may have one model only.
        """
        vendor = VENDORS.get(profile.provider)
        model = required_model(profile) if vendor and not vendor.info.key_optional else profile.model
        quirks = vendor.quirks if vendor else NO_QUIRKS
        return cls(vendor_transport(profile, info), model, profile.provider, quirks)

    def resolve(self, turn: Turn) -> Turn:
        """See `StatelessProvider`: not streamed where the server cannot do that, and without settings that it does not take."""
        limit = self.quirks.output_limit
        taken = {name: value for name, value in turn.settings.items() if self._takes(name, value)}
        settings = {limit if limit and name in OUTPUT_LIMITS else name: value for name, value in taken.items()}
        streams = turn.stream and (self.quirks.streams_tools or not turn.tools)
        return msgspec.structs.replace(super().resolve(turn), stream=streams, settings=settings)

    async def begin(self, turn: Turn) -> Sequence[Event]:
        """See `StatelessProvider`: a notice of each setting that is left out."""
        left_out = [name for name, value in turn.settings.items() if not self._takes(name, value)]
        return [Notice(f"{self.provider} does not take this setting, so it is left out: {name}.") for name in left_out]

    def _takes(self, name: str, value: Any) -> bool:
        only = {"n": (1,), **(self.quirks.only or {})}  # of several answers, all but one would be thrown away
        return name not in only or value in only[name]

    async def recover(self, error: AssistantError, items: list[Item]) -> str | None:
        """See `StatelessProvider`: a server that demands turns is asked again with them, or in another format of the answer."""
        if self.turn.schema is not None and len(self.formats) > 1:
            from .answer_schema import refuses_schema

            if refuses_schema(self.turn, error):
                self.formats = self.formats[1:]
                return ""
        if self.quirks.alternate or not DEMANDS_TURNS.search(str(error)):
            return await super().recover(error, items)
        self.quirks = dataclasses.replace(self.quirks, alternate=True)
        return ""

    def instructions_for(self, turn: Turn) -> str:
        """The instructions, and the schema of the answer where its format has no place for it."""
        if turn.schema is None or self.formats[0] != "json_object":
            return turn.instructions if turn.instructions.strip() else ""
        return "\n\n".join(filter(str.strip, (turn.instructions, FORM.format(json.dumps(turn.schema)))))

    def settings_for(self, turn: Turn) -> JSON:
        """The settings of a body, with the `response_format` of an answer that must fit a schema."""
        if turn.schema is None:
            return turn.settings
        from .answer_schema import named_schema

        named = {"json_schema": named_schema(turn.schema)} if self.formats[0] == "json_schema" else {}
        return turn.settings | {"response_format": {"type": self.formats[0]} | named}


def vendor_transport(profile: Profile, info: ProviderInfo) -> Transport:
    """The transport to the server of a profile, as its vendor's row describes it, or else `info`.

    Raises:
        NotSetUpError: the address or the key is missing.
    """
    vendor = VENDORS.get(profile.provider)
    return http_transport(profile, profile.read(ServerOptions), vendor.info if vendor else info)


def items_for(quirks: Quirks, items: Sequence[Item]) -> Iterator[tuple[Item, JSON]]:
    """The conversation as this server takes it, and with each item the reasoning that goes back with it.

    That is what `raw` of an assistant's message has as `reasoning`, an object with the fields of a message.
    """
    newest = max((place for place, item in enumerate(items) if isinstance(item, UserMessage)), default=0)
    for place, item in enumerate(items):
        if quirks.alternate and isinstance(item, UserMessage) and place and isinstance(items[place - 1], ToolOutputs):
            yield AssistantMessage(STOPPED), {}
        reasoning: JSON = {}
        if isinstance(item, AssistantMessage):
            always, wanted = quirks.reasoning == "always", quirks.reasoning == "calls" or place > newest
            if always or (item.calls and wanted):
                reasoning = get_object(item.raw, "reasoning") or (NO_REASONING if always and item.calls else {})
        yield _with_short_ids(item, quirks.call_id) if quirks.call_id else item, reasoning


def _with_short_ids(item: Item, length: int) -> Item:
    match item:
        case AssistantMessage(calls=calls):
            renamed = (msgspec.structs.replace(call, call_id=_short(call.call_id, length)) for call in calls)
            return msgspec.structs.replace(item, calls=tuple(renamed))
        case ToolOutputs(results=results):
            return ToolOutputs(tuple(msgspec.structs.replace(r, call_id=_short(r.call_id, length)) for r in results))
    return item


def _short(call_id: str, length: int) -> str:
    """An id of so many letters and digits; for the same id, always the same one."""
    if re.fullmatch(rf"[a-zA-Z0-9]{{{length}}}", call_id):
        return call_id
    number = int.from_bytes(hashlib.sha256(call_id.encode()).digest(), "big")
    return "".join(LETTERS[number // len(LETTERS) ** place % len(LETTERS)] for place in range(length))

"""What both of Google's APIs have in common: a second attempt without the thought signatures that Google refused."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import msgspec

from ...core.errors import AssistantError
from ...core.history import AssistantMessage, Item
from ...core.roles import SchemaSupport
from ..answer_schema import Dialect
from ..base import StatelessProvider
from ..transport import Transport

__all__ = ["DIALECT", "GeminiProvider"]

DIALECT = Dialect(
    frozenset(("title", "format", "minimum", "maximum", "minItems", "maxItems")),
    formats=frozenset(("date-time", "date", "time")),
    references=False,
)
"""https://ai.google.dev/gemini-api/docs/structured-output, without what the Interactions API refuses."""
SIGNATURE = re.compile(r"thought[ _]?signature", re.IGNORECASE)


class GeminiProvider(StatelessProvider):
    """An Assistant Proxy for Google's models."""

    provider = "gemini"
    structured, dialect = SchemaSupport(), DIALECT

    def __init__(self, transport: Transport, model: str) -> None:
        super().__init__(transport, model)
        self.unsigned = False  # Google refused a signature: calls without one say so
        self._refused: set[bytes] = set()

    async def recover(self, error: AssistantError, items: list[Item]) -> str | None:
        """See `StatelessProvider`: once without the signatures, where Google does not accept them."""
        raws = {_key(item.raw) for item in items if isinstance(item, AssistantMessage) and item.raw is not None}
        if not SIGNATURE.search(str(error)) or (self.unsigned and raws <= self._refused):
            return await super().recover(error, items)
        self.unsigned = True
        self._refused |= raws
        return "Google refused the thought signatures of this conversation; continuing without them."

    def accepted(self, items: Iterable[Item]) -> Iterable[Item]:
        """The items, without what Google refused to take back."""
        return (self._without_refused(item) for item in items) if self._refused else items

    def _without_refused(self, item: Item) -> Item:
        refused = isinstance(item, AssistantMessage) and item.raw is not None and _key(item.raw) in self._refused
        return msgspec.structs.replace(item, raw=None) if refused else item


def _key(raw: Any) -> bytes:
    return msgspec.json.encode(raw)

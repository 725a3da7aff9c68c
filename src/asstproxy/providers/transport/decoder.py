"""From the events of a stream to the API's objects: anything else is skipped, reported, or refused."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from ...core.errors import AssistantError
from ...core.redact import redact_reply, remove_secrets
from . import CUT, JSON, SKIPPED, WholeReply
from .body import decode_json, plain_words
from .failures import error_words, reported_error, sentence

__all__ = ["EventDecoder"]

DONE = b"[DONE]"
LINGER = 0.25
"""Seconds after `[DONE]` in which the stream should end: only one that was read to its end leaves its connection to the next."""
MAX_NOTES = 5
"""Different things that are reported as skipped; a stream may ping for hours."""
NOTE = 80


class EventDecoder:
    """Decodes the events of one stream from `where`. `secrets` are removed from what the server says of a failure."""

    def __init__(self, where: str, secrets: tuple[str, ...]) -> None:
        self.finished_at: float | None = None
        """When to stop reading, in the loop's time: `[DONE]` has come."""
        self._where, self._secrets = where, secrets
        self._noted: set[bytes] = set()

    def decode(self, events: Iterable[tuple[bytes, bytes]], *, cut: bool = False) -> Iterator[list[JSON]]:
        """The objects of events that arrived together, in one list; those before one that can't be read are yielded first.

        `cut`: the last event may be cut off; then it is a `CUT`.

        Raises:
            AssistantError: an event is broken, so that a part of the answer is missing.
        """
        objects: list[JSON] = []
        try:
            for name, data in events:
                objects.extend(self._objects(name, data, cut=cut))
        finally:
            if objects:
                yield objects

    def whole(self, body: bytes, *, asked: str = "a stream of events") -> list[JSON]:
        """The reply of a server that does not stream: an object, or a list of events. `asked`: what it was asked for.

        Raises:
            AssistantError: it is neither.
        """
        value = self._value(body)
        values = (
            [decode_json(line) for line in body.splitlines() if line.strip() not in (b"", DONE)]
            if value is None
            else [value]
        )
        if len(values) == 1 and isinstance(value, dict):
            return [WholeReply(value)]
        values = value if isinstance(value, list) else values  # Google's stream without `alt=sse`, or JSON lines
        objects = [one for one in values if isinstance(one, dict)]
        if objects and len(objects) == len(values):
            return objects
        if not body.strip():
            raise AssistantError("protocol", f"{self._where} sent an empty reply.", "Check base_url, or try again.")
        said = self._hidden(error_words(value) or plain_words(body))
        words = f" It answered: {redact_reply(sentence(said))}" if said else ""
        hint = "Check base_url: is it the address of this API?"
        raise AssistantError("protocol", f"{self._where} sent something other than {asked}.{words}", hint)

    def _objects(self, name: bytes, data: bytes, *, cut: bool) -> list[JSON]:
        value = self._value(data)
        if isinstance(value, dict):
            if name == b"error" and value.get("type") != "error":
                return [{"type": "error", "error": value.get("error") or value}]
            if name and not isinstance(value.get("type"), str):
                value["type"] = name.decode(errors="replace")
            return [value]
        if name == b"error":
            raise reported_error(self._hidden(error_words(value) or plain_words(data)))
        stripped = data.strip()
        if stripped == DONE:
            self.finished_at = asyncio.get_running_loop().time() + LINGER
            return []
        if stripped.startswith(b"{"):
            if cut:
                return [{"type": CUT}]
            raise AssistantError(
                "protocol",
                f"The server at {self._where} sent something other than a JSON object.",
                "Check base_url: is it the address of this API?",
            )
        if isinstance(value, list) and (objects := [one for one in value if isinstance(one, dict)]):
            return objects
        if not stripped or stripped in self._noted or len(self._noted) >= MAX_NOTES:
            return []
        self._noted.add(stripped)
        return [{"type": SKIPPED, "data": self._hidden(stripped[:NOTE].decode(errors="replace"))}]

    def _value(self, data: bytes) -> Any:
        if b'"error"' in data:  # an error message may quote the key
            data = self._hidden(data.decode(errors="replace")).encode()
        try:
            return msgspec.json.decode(data)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return decode_json(data)

    def _hidden(self, text: str) -> str:
        return remove_secrets(text, self._secrets)

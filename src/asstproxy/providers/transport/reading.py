"""Reading the body of a reply that our own HTTP client has received, or that of an SDK: from its bytes to the API's objects.

What is in a stream and is not one is skipped, reported, or refused.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Iterator
from typing import Any

import msgspec

from ...core.errors import AssistantError
from ...core.redact import redact_reply, remove_secrets
from . import CUT, JSON, SKIPPED, StreamedReply, WholeReply
from .body import BodyReader, decode_json, plain_words
from .sse import TooLargeError

__all__ = ["MAX_EVENT", "Body", "too_large"]

MAX_EVENT = 64 * 1024 * 1024
"""Bytes, decompressed, of one event or of a whole reply: several images in base64. More would take gigabytes to decode."""
DONE = b"[DONE]"
AGAIN = b"data:"
"""What gateways write in front of an event that has it already."""
LINGER = 0.25
"""Seconds after `[DONE]` in which the stream should end: only one that was read to its end leaves its connection to the next."""
MAX_NOTES = 5
"""Different things that are reported as skipped; a stream may ping for hours."""
NOTE = 80


class Body:
    """The body of one reply from `where`, in the pieces in which it arrives.

    `labelled`: its `Content-Type` says that it is a stream. `secrets` are removed from what the server says of a failure.
    """

    def __init__(
        self, pieces: AsyncIterator[bytes], *, content_type: str, where: str, secrets: tuple[str, ...] = ()
    ) -> None:
        self._pieces, self._where, self._secrets = pieces, where, secrets
        self._labelled = content_type.partition(";")[0].strip().lower() == "text/event-stream"

    async def events(self) -> AsyncGenerator[list[JSON]]:
        """The objects in it: those of its events, or the one that it is.

        Raises:
            AssistantError: it is neither, or a part of it can't be read.
            TooLargeError: an event is larger than `MAX_EVENT`.
        """
        reader, decoder = BodyReader(MAX_EVENT, labelled=self._labelled), _EventDecoder(self._where, self._secrets)
        broken: Exception | None = None
        while True:
            try:
                piece = await self._next(decoder.finished_at)
            except Exception as error:  # noqa: BLE001 - each HTTP client has its own
                broken = error  # an event whose blank line is missing arrived all the same
                break
            if piece is None:
                break
            for together in decoder.decode(reader.feed(piece)):
                yield together
        for together in decoder.decode(reader.end(), cut=True):
            yield together
        if broken is not None:
            if decoder.finished_at is None:  # after `[DONE]`, nothing is missing
                raise broken
        elif reader.kind in ("json", "words"):
            yield decoder.whole(reader.body)

    async def _next(self, until: float | None) -> bytes | None:
        """The next piece; None at the end, or when it has not ended by then."""
        try:
            if until is None:
                return await anext(self._pieces)
            async with asyncio.timeout_at(until):
                return await anext(self._pieces)
        except (StopAsyncIteration, TimeoutError):
            return None

    async def object(self, *, may_be_empty: bool = False) -> JSON:
        """The object that it is; a `StreamedReply` if it is a stream. With `may_be_empty`, nothing is an empty object.

        Raises:
            AssistantError: it is neither.
            TooLargeError: it is larger than `MAX_EVENT`.
        """
        arrived, size = list[bytes](), 0
        async for piece in self._pieces:
            arrived.append(piece)
            if (size := size + len(piece)) > MAX_EVENT:
                raise TooLargeError
        data = b"".join(arrived)
        if may_be_empty and not data.strip():
            return {}
        reader = BodyReader(MAX_EVENT, labelled=self._labelled)
        events = [*reader.feed(data), *reader.end()]
        if reader.kind == "events":
            decoded = _EventDecoder(self._where, self._secrets).decode(events, cut=True)
            return StreamedReply([event for together in decoded for event in together])
        objects = _EventDecoder(self._where, self._secrets).whole(data, asked="a JSON object")
        return objects[0] if isinstance(objects[0], WholeReply) else StreamedReply(objects)

    async def aclose(self) -> None:
        """Read no more of it."""
        if isinstance(self._pieces, AsyncGenerator):
            with contextlib.suppress(RuntimeError):  # it is being read
                await self._pieces.aclose()


def too_large(where: str) -> AssistantError:
    """The error for a `TooLargeError`."""
    message = f"{where} sent more than {MAX_EVENT // 1024**2} MB in one piece."
    return AssistantError("protocol", message, "Check base_url: is it the address of this API?")


class _EventDecoder:
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
        from .error_words import error_words, sentence

        answer = self._hidden(error_words(value) or plain_words(body))
        words = f" It answered: {redact_reply(sentence(answer))}" if answer else ""
        hint = "Check base_url: is it the address of this API?"
        raise AssistantError("protocol", f"{self._where} sent something other than {asked}.{words}", hint)

    def _objects(self, name: bytes, data: bytes, *, cut: bool) -> list[JSON]:
        while data.startswith(AGAIN):
            data = data.removeprefix(AGAIN).lstrip()
        value = self._value(data)
        if isinstance(value, dict):
            if name == b"error" and value.get("type") != "error":
                return [{"type": "error", "error": value.get("error") or value}]
            if name and not isinstance(value.get("type"), str):
                value["type"] = name.decode(errors="replace")
            return [value]
        if name == b"error":
            from .error_words import error_words
            from .failures import reported_error

            raise reported_error(self._hidden(error_words(value) or plain_words(data)))
        stripped = data.strip()
        if stripped.strip(b'"') == DONE:
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
            value = msgspec.json.decode(data)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return decode_json(data)
        return decode_json(data) if isinstance(value, str) else value

    def _hidden(self, text: str) -> str:
        return remove_secrets(text, self._secrets)

"""Packing items into the batches of a provider: a file of requests for each, within what the provider takes."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

import msgspec

from ..config.atomic import open_new
from ..core.conversation import Conversation
from ..core.deferred import defer
from ..core.errors import AssistantError
from ..core.events import Configured, Record
from ..core.turn import Turn
from ..files import read_attachment
from ..providers.batch_api import BatchApi, BatchRequests
from ..store import ulid
from ..user import UserProxy
from .item import Item
from .jobs import Job, Packed
from .journal import Attempt, BatchJournal
from .late_answers import OPTIONS, LateAssistant
from .runner import configured_for, seed

__all__ = ["Pack", "Packer"]

REQUESTS = "requests"
"""How the names of the files begin."""


class Pack:
    """The requests of one batch, while they are gathered. `job` numbers it."""

    def __init__(self, job: int, endpoint: str, folder: Path) -> None:
        self.job, self.endpoint = job, endpoint
        self.name = f"asst-{ulid.new()}"
        self.packed = Packed()
        self.size = 0
        self._path = folder / f"{REQUESTS}-{job}.jsonl"
        self._path.unlink(missing_ok=True)
        self._file: IO[bytes] = os.fdopen(open_new(self._path, os.O_WRONLY), "wb")

    def add(self, line: bytes) -> None:
        """Add a request.

        Raises:
            OSError: it can't be written.
        """
        self._file.write(line)
        self.size += len(line)

    def requests(self) -> BatchRequests:
        """The whole file.

        Raises:
            OSError: it can't be written.
        """
        self._file.flush()
        return BatchRequests(self._path, len(self.packed), self.size, self.endpoint)

    def remove(self) -> None:
        """Delete the file: it was sent, or never will be."""
        self._file.close()
        self._path.unlink(missing_ok=True)


class Packer:
    """Packs items for `api`. A pack that is full, or that a request of another model can't join, is followed by another one.

    `first`: the number of the first job. `settings` are added to those of each item.
    """

    def __init__(
        self,
        api: BatchApi,
        journal: BatchJournal,
        configured: Configured,
        folder: Path,
        *,
        first: int,
        settings: Mapping[str, Any],
    ) -> None:
        self._api, self._journal, self._folder, self._job = api, journal, folder, first
        self._configured = msgspec.structs.replace(configured, settings={**configured.settings, **settings})
        self._open: dict[tuple[str, str], Pack] = {}  # by endpoint and model
        self._full: list[Pack] = []
        self._made: list[Pack] = []

    async def add(self, item: Item, number: int, schema: Mapping[str, Any] | None) -> tuple[Attempt, list[Record]]:
        """Pack an item; its records end with an error if it can't be asked.

        Raises:
            UsageError: a file or the schema can't be sent.
            OSError: the journal or the file can't be written.
        """
        number_of_attempt = self._journal.next_attempt
        assistant = LateAssistant(self._api)
        configured = configured_for(item, self._configured, assistant.provider)
        records = seed(item, configured)
        conversation = Conversation(assistant, UserProxy(()), configured=configured, options=OPTIONS, past=records)
        conversation.subscribe(records.append, essential=True)
        packs: list[Pack] = []

        async def request(turn: Turn) -> dict[str, str]:
            path, body = await self._api.request(turn)
            pack, name = self._pack(path, body, number_of_attempt)
            packs.append(pack)
            return {"batch": pack.name, "request": name}

        files = [await read_attachment(source) for source in item.attachments]
        await defer(conversation, item.prompt, request, attachments=files, schema=schema)
        attempt = self._journal.begin(item.id, item.body)  # all lines at once: they are in the journal, or none is
        for record in records:
            attempt(record)
        if packs:
            attempt.pack(packs[0].job)
            packs[0].packed.add(attempt.number, number, attempt.begin)
        return attempt, records

    def _pack(self, path: str, body: dict[str, Any], attempt: int) -> tuple[Pack, str]:
        """Add a request to the pack that it fits into; the pack, and the name of the request in it."""
        key, limits = (path, str(body.get("model", ""))), self._api.limits
        pack = self._open.get(key)
        if pack is None:
            pack = self._open[key] = self._new(path)
        line = self._line(pack, path, body, attempt)
        if len(line) > limits.bytes:
            raise AssistantError(
                "invalid_request",
                f"The request is larger than a batch of {self._api.vendor} may be.",
                "Ask it directly.",
            )
        if len(pack.packed) >= limits.requests or pack.size + len(line) > limits.bytes:
            self._full.append(pack)
            pack = self._open[key] = self._new(path)
            line = self._line(pack, path, body, attempt)
        pack.add(line)
        return pack, Job.named(pack.name, attempt)

    def _line(self, pack: Pack, path: str, body: dict[str, Any], attempt: int) -> bytes:
        return msgspec.json.encode(self._api.line(Job.named(pack.name, attempt), path, body)) + b"\n"

    def _new(self, path: str) -> Pack:
        pack = Pack(self._job, path, self._folder)
        self._made.append(pack)
        self._job += 1
        return pack

    def full(self) -> list[Pack]:
        """The packs that are full, each once."""
        full, self._full = self._full, []
        return full

    def rest(self) -> list[Pack]:
        """All packs, each once: nothing is added any more."""
        packs = [*self._full, *(pack for pack in self._open.values() if len(pack.packed))]
        self._full, self._open = [], {}
        return packs

    def close(self) -> None:
        """Delete every file."""
        for pack in self._made:
            pack.remove()

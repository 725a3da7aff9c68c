"""A provider with batches, as a package would write it: the requests of Chat Completions, and a batch API of OpenAI's kind."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing

import asstproxy.provider as ap
from asstproxy.providers.chat_completions import connect

__all__ = ["batches", "connect"]

OVER: dict[str, ap.Missing] = {"completed": "", "expired": "expired", "cancelled": "cancelled"}


def batches(profile: ap.Profile) -> ap.BatchApi:
    """The batches of a profile."""
    return Batches(connect(profile), "Acme", profile.read(ap.PolledOptions).poll)


class Batches(ap.BatchApi):
    """A file goes in, and a file comes out."""

    limits = ap.BatchLimits(1_000, 10 * ap.MB)

    def line(self, number: str, path: str, body: ap.JSON) -> ap.JSON:
        """See `BatchApi`."""
        return {"custom_id": number, "method": "POST", "url": f"/v1{path}", "body": body}

    async def submit(
        self, name: str, requests: ap.BatchRequests, before: Callable[[ap.JSON], Awaitable[None]]
    ) -> ap.JSON:
        """See `BatchApi`."""
        with requests.file.open("rb") as content:
            _, file = await self.transport.upload("/files", {}, data={"purpose": "batch"}, files={"file": content})
        await before({})
        asked = {"input_file_id": file["id"], "endpoint": f"/v1{requests.endpoint}", "completion_window": "24h"}
        made = await self.transport.call("POST", "/batches", asked | {"metadata": {"name": name}})
        return {"id": made["id"]}

    async def find(self, name: str, token: ap.JSON) -> ap.JSON | None:
        """See `BatchApi`."""
        page = await self.transport.call("GET", "/batches?limit=100")
        found = [one for one in ap.get_objects(page, "data") if ap.get_text(one, "metadata", "name") == name]
        return {"id": found[0]["id"]} if found else None

    async def look(self, token: ap.JSON) -> ap.RemoteBatch:
        """See `BatchApi`."""
        reply = await self.transport.call("GET", f"/batches/{token['id']}")
        status = ap.get_text(reply, "status")
        return ap.RemoteBatch(status, is_over=status in OVER, missing=OVER.get(status, ""), reply=reply)

    async def results(self, batch: ap.RemoteBatch) -> AsyncGenerator[ap.BatchAnswer]:
        """See `BatchApi`."""
        async with aclosing(self.transport.lines(f"/files/{batch.reply['output_file_id']}/content")) as lines:
            async for line in lines:
                told = json.loads(line)
                yield ap.BatchAnswer(told["custom_id"], ap.get_object(told, "response", "body"))

    async def cancel(self, token: ap.JSON) -> None:
        """See `BatchApi`."""
        await self.transport.call("POST", f"/batches/{token['id']}/cancel", {})

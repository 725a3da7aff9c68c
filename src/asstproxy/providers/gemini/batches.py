"""Google's batches of generateContent: a file of requests, and a file of answers.

https://ai.google.dev/gemini-api/docs/batch-api, https://ai.google.dev/api/batch-api. Agent Platform has another API for this, which
reads from Cloud Storage or BigQuery.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import aclosing
from urllib.parse import quote

from ...config.profiles import Profile
from ...config.provider_info import BUILT_IN
from ...core.errors import AssistantError, UsageError
from ..attachments import MB
from ..batch_api import (
    BatchAnswer,
    BatchApi,
    BatchLimits,
    BatchRequests,
    Missing,
    RemoteBatch,
    created,
    not_answered,
)
from ..fields import get_index, get_object, get_objects, get_text
from ..transport import JSON
from ..transport.error_words import error_words
from ..transport.failures import refusal
from .endpoint import GeminiOptions, is_vertex
from .files import send_file
from .gemini import connect

__all__ = ["GeminiBatches", "batches"]

INFO = BUILT_IN["gemini"]
PAGES = 50
"""Of a hundred batches each, among which one is looked for."""
OVER: dict[str, Missing] = {
    "SUCCEEDED": "",
    "PARTIALLY_SUCCEEDED": "",
    "FAILED": "",
    "CANCELLED": "cancelled",
    "EXPIRED": "expired",
}
"""The last part of a state: `BATCH_STATE_…` in the API, `JOB_STATE_…` in its SDKs."""
STATUS = {1: 499, 3: 400, 4: 504, 5: 404, 7: 403, 8: 429, 9: 400, 13: 500, 14: 503, 16: 401}
"""The HTTP status of a google.rpc.Code."""


def batches(profile: Profile) -> BatchApi:
    """The batches of a profile.

    Raises:
        UsageError: its API has none.
        NotSetUpError: the key is missing, or the transport can't carry files.
    """
    options = profile.read(GeminiOptions)
    if is_vertex(options):
        raise UsageError(
            "Batches of Agent Platform need Cloud Storage or BigQuery, which asst doesn't use.",
            "Use a profile with a Gemini API key, or ask the items directly.",
        )
    if options.api == "interactions":
        raise UsageError(
            "The Interactions API has no batch API.",
            'Set api = "generate" in the profile, or ask the items directly.',
        )
    return GeminiBatches(connect(profile), INFO.vendor, options.poll)


class GeminiBatches(BatchApi):
    """`:batchGenerateContent` and `/batches`."""

    limits = BatchLimits(100_000, 2000 * MB)
    """Google limits the bytes. So many requests can be collected in one go."""

    def line(self, number: str, path: str, body: JSON) -> JSON:  # noqa: ARG002 - the path is that of the whole file
        """See `BatchApi`."""
        return {"key": number, "request": body}

    async def submit(self, name: str, requests: BatchRequests, before: Callable[[JSON], Awaitable[None]]) -> JSON:
        """See `BatchApi`: the file goes first, so that nothing is made twice if that fails."""
        with requests.file.open("rb") as content:
            file = await send_file(self.transport, f"{name}.jsonl", "application/jsonl", requests.size, content)
        await before({})
        batch = {"displayName": name, "inputConfig": {"fileName": created(file, "name")}}
        path = f"{requests.endpoint.rpartition(':')[0]}:batchGenerateContent"
        return {"batch": created(await self.transport.call("POST", path, {"batch": batch}), "name")}

    async def find(self, name: str, token: JSON) -> JSON | None:  # noqa: ARG002 - the name is enough
        """See `BatchApi`."""
        start = ""
        for _ in range(PAGES):
            page = await self.transport.call("GET", f"/batches?pageSize=100{start}")
            for batch in get_objects(page, "operations"):
                if get_text(batch, "metadata", "displayName") == name:
                    return {"batch": created(batch, "name")}
            if not (following := get_text(page, "nextPageToken")):
                break
            start = f"&pageToken={quote(following, safe='')}"
        return None

    async def look(self, token: JSON) -> RemoteBatch:
        """See `BatchApi`."""
        reply = await self.transport.call("GET", _where(token))
        state = get_text(reply, "metadata", "state").partition("_STATE_")[2]
        counts = get_object(reply, "metadata", "batchStats")
        failed = state == "FAILED" and not _responses(reply)
        return RemoteBatch(
            state,
            is_over=state in OVER,
            done=_count(counts, "successfulRequestCount"),
            failed=_count(counts, "failedRequestCount"),
            refusal=(error_words(reply.get("error")) or "it gave no reason") if failed else "",
            missing=OVER.get(state, ""),
            reply=reply,
        )

    async def results(self, batch: RemoteBatch) -> AsyncGenerator[BatchAnswer]:
        """See `BatchApi`. A batch that was cancelled or expired may have no file."""
        if file := _responses(batch.reply):
            path = f"/{quote(file, safe='/')}:download?alt=media"
            async with aclosing(self.read_lines(path)) as lines:
                async for line in lines:
                    yield self._answer(line)

    def _answer(self, line: JSON) -> BatchAnswer:
        number = get_text(line, "key")
        if reply := get_object(line, "response"):
            return BatchAnswer(number, reply)
        if error := get_object(line, "error"):
            return BatchAnswer(number, error=self._failure(error))
        return BatchAnswer(number, error=not_answered(""))

    def _failure(self, error: JSON) -> AssistantError:
        code = get_index(error, "code") or 0
        if code == 1:
            return not_answered("cancelled")
        return refusal(STATUS.get(code, code if code >= 400 else 500), {"error": error}, {}, self.vendor)

    async def cancel(self, token: JSON) -> None:
        """See `BatchApi`."""
        await self.transport.call("POST", f"{_where(token)}:cancel", {})


def _where(token: JSON) -> str:
    return f"/{quote(get_text(token, 'batch'), safe='/')}"


def _responses(reply: Mapping[str, object]) -> str:
    """The file of the answers, which both parts of an operation may name."""
    return get_text(reply, "response", "responsesFile") or get_text(reply, "metadata", "output", "responsesFile")


def _count(counts: JSON, name: str) -> int:
    """A number that Google writes as a text, as every 64-bit integer."""
    value = str(counts.get(name, ""))
    return int(value) if value.isascii() and value.isdecimal() and len(value) < 16 else 0

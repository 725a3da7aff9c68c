"""OpenAI's batch API, and that of vendors who have the same: a file of requests, and two files of answers.

https://developers.openai.com/api/docs/guides/batch, …/api-reference/batch. Output comes in any order; what failed is in a second
file. A file has requests for one model only.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from typing import TYPE_CHECKING, cast
from urllib.parse import quote

from ...config.profiles import Profile
from ...config.vendors import VENDORS
from ...core.errors import UsageError
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
from ..connection import PolledOptions
from ..fields import get_count, get_object, get_objects, get_text
from ..registry import connect, provider_info
from ..transport import JSON
from ..transport.failures import refusal, reported_error

if TYPE_CHECKING:
    from ..base import StatelessProvider

__all__ = ["OpenAIBatches", "batches"]

PAGES = 50
"""Of a hundred batches each, among which one is looked for."""
OVER: dict[str, Missing] = {"completed": "", "expired": "expired", "cancelled": "cancelled"}
MISSING: dict[str, Missing] = {"batch_expired": "expired", "batch_cancelled": "cancelled"}
"""Codes of requests that were never asked."""
MAX_REASONS = 3


def batches(profile: Profile) -> BatchApi:
    """The batches of a profile whose vendor has this API, for the Responses API or Chat Completions.

    Raises:
        UsageError: it has none.
        NotSetUpError: the key is missing, or the transport can't carry files.
    """
    info, vendor = provider_info(profile.provider), VENDORS.get(profile.provider)
    if profile.provider != "gpt" and not (vendor is not None and vendor.quirks.batches):
        raise UsageError(
            f"{info.vendor or profile.provider} has no batch API.", "Ask the items directly.", code="batch_api_missing"
        )
    provider = cast("StatelessProvider", connect(profile))
    return OpenAIBatches(provider, info.vendor or profile.provider, profile.read(PolledOptions).poll)


class OpenAIBatches(BatchApi):
    """`/files` and `/batches`."""

    limits = BatchLimits(50_000, 200 * MB)

    def line(self, number: str, path: str, body: JSON) -> JSON:
        """See `BatchApi`."""
        return {"custom_id": number, "method": "POST", "url": f"/v1{path}", "body": body}

    async def submit(self, name: str, requests: BatchRequests, before: Callable[[JSON], Awaitable[None]]) -> JSON:
        """See `BatchApi`: the file goes first, so that nothing is made twice if that fails."""
        with requests.file.open("rb") as content:
            file = {"file": (f"{name}.jsonl", content, "application/jsonl")}
            _, made = await self.transport.upload("/files", {}, data={"purpose": "batch"}, files=file)
        token = {"file": created(made)}
        await before(token)
        asked = {"input_file_id": token["file"], "endpoint": f"/v1{requests.endpoint}", "completion_window": "24h"}
        made = await self.transport.call("POST", "/batches", asked | {"metadata": {"asst": name}})
        return token | {"batch": created(made)}

    async def find(self, name: str, token: JSON) -> JSON | None:
        """See `BatchApi`: by its file, or our name in its metadata."""
        after = ""
        for _ in range(PAGES):
            page = await self.transport.call("GET", f"/batches?limit=100{after}")
            found = get_objects(page, "data")
            for batch in found:
                if name == get_text(batch, "metadata", "asst") or token.get("file") == get_text(batch, "input_file_id"):
                    return token | {"batch": created(batch)}
            if not found or page.get("has_more") is not True:
                break
            after = f"&after={quote(get_text(found[-1], 'id'), safe='')}"
        return None

    async def look(self, token: JSON) -> RemoteBatch:
        """See `BatchApi`."""
        reply = await self.transport.call("GET", self._where(token))
        status = get_text(reply, "status").lower()
        counts = get_object(reply, "request_counts")
        return RemoteBatch(
            status,
            is_over=status in OVER,
            done=get_count(counts, "completed"),
            failed=get_count(counts, "failed"),
            refusal=_refusal(reply) if status == "failed" else "",
            missing=OVER.get(status, ""),
            reply=reply,
        )

    async def results(self, batch: RemoteBatch) -> AsyncGenerator[BatchAnswer]:
        """See `BatchApi`."""
        for name in ("output_file_id", "error_file_id"):
            if file := get_text(batch.reply, name):
                async with aclosing(self.read_lines(f"/files/{quote(file, safe='')}/content")) as lines:
                    async for line in lines:
                        yield self._answer(line)

    def _answer(self, line: JSON) -> BatchAnswer:
        number, response, error = get_text(line, "custom_id"), get_object(line, "response"), line.get("error")
        status, body = get_count(response, "status_code"), get_object(response, "body")
        if response and status < 400:
            return BatchAnswer(number, body)
        if response:
            return BatchAnswer(number, error=refusal(status, body, {}, self.vendor))
        if not error:
            return BatchAnswer(number, error=not_answered(""))
        missing = MISSING.get(get_text(line, "error", "code"))
        return BatchAnswer(number, error=not_answered(missing) if missing else reported_error(error))

    async def cancel(self, token: JSON) -> None:
        """See `BatchApi`; it takes OpenAI up to ten minutes."""
        await self.transport.call("POST", f"{self._where(token)}/cancel", {})

    def _where(self, token: JSON) -> str:
        return f"/batches/{quote(get_text(token, 'batch'), safe='')}"


def _refusal(reply: JSON) -> str:
    """Why the file was refused, with the lines of it that are wrong."""
    reasons = dict[str, None]()
    for error in get_objects(reply, "errors", "data"):
        line = get_count(error, "line")
        reasons[f"line {line}: {get_text(error, 'message')}" if line else get_text(error, "message")] = None
    sentences = [reason.rstrip(".") for reason in reasons if reason]
    more = [f"and {len(sentences) - MAX_REASONS} more"] if len(sentences) > MAX_REASONS else []
    return "; ".join([*sentences[:MAX_REASONS], *more]) or "it gave no reason"

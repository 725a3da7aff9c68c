"""Anthropic's Message Batches: the requests go in one body, and their results come in one file.

https://platform.claude.com/docs/en/build-with-claude/batch-processing, …/api/messages/batches. A batch has no name of ours. So when
the reply to the request that makes it is lost, it is looked for among those that are newer than the newest one before it.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from pathlib import Path
from urllib.parse import quote

from ..config.profiles import Profile
from ..core.errors import AssistantError
from .anthropic import INFO, connect
from .attachments import MB
from .batch_api import (
    BatchAnswer,
    BatchApi,
    BatchLimits,
    BatchRequests,
    Missing,
    RemoteBatch,
    created,
    not_answered,
)
from .connection import PolledOptions
from .fields import get_count, get_object, get_objects, get_text
from .transport import JSON
from .transport.error_words import find_error
from .transport.failures import reported_error

__all__ = ["AnthropicBatches", "batches"]

OPENING, ENDING = b'{"requests":[', b"]}"
PIECE = 1 << 20
PAGE, PAGES = 100, 50
"""How many batches are looked through: pages of so many."""
OUTCOMES = ("processing", "succeeded", "errored", "canceled", "expired")
MISSING: dict[str, Missing] = {"expired": "expired", "canceled": "cancelled"}
"""Results of requests that were never asked."""


def batches(profile: Profile) -> BatchApi:
    """The batches of a profile.

    Raises:
        NotSetUpError: the key is missing.
    """
    return AnthropicBatches(connect(profile), INFO.vendor, profile.read(PolledOptions).poll)


class AnthropicBatches(BatchApi):
    """`/messages/batches`."""

    limits = BatchLimits(100_000, 256 * MB - len(OPENING) - len(ENDING))

    def line(self, number: str, path: str, body: JSON) -> JSON:  # noqa: ARG002 - there is one path only
        """See `BatchApi`."""
        return {"custom_id": number, "params": body}

    async def submit(
        self,
        name: str,  # noqa: ARG002 - the requests have it, and nothing else can
        requests: BatchRequests,
        before: Callable[[JSON], Awaitable[None]],
    ) -> JSON:
        """See `BatchApi`."""
        newest = next(iter(get_objects(await self._page(1), "data")), {})
        token = {"newest": get_text(newest, "id"), "since": get_text(newest, "created_at"), "count": requests.count}
        await before(token)
        size = len(OPENING) + requests.size - 1 + len(ENDING)
        headers = {"Content-Type": "application/json", "Content-Length": str(size)}
        _, made = await self.transport.upload("/messages/batches", headers, content=_body(requests.file))
        return {"batch": created(made)}

    async def find(self, name: str, token: JSON) -> JSON | None:
        """See `BatchApi`: among the newer batches with as many requests. The names in its results show whether it is ours.

        Raises:
            AssistantError: several may be ours, and haven't ended.
        """
        running = list[str]()
        async for batch in self._newer(token):
            if sum(get_count(batch, "request_counts", outcome) for outcome in OUTCOMES) != token.get("count"):
                continue
            number = created(batch)
            if get_text(batch, "processing_status") != "ended":
                running.append(number)
            elif await self._is_ours(number, name):
                return {"batch": number}
        if len(running) > 1:
            raise AssistantError(
                "server",
                f"{self.vendor} has {len(running)} new batches of {token['count']:,} items, and shows whose they are when"
                " they end.",
                "Run the same command again later.",
            )
        return {"batch": running[0], "unverified": name} if running else None

    async def look(self, token: JSON) -> RemoteBatch:
        """See `BatchApi`. Before the end, the API counts nothing."""
        reply = await self.transport.call("GET", self._where(token))
        status = get_text(reply, "processing_status")
        is_over = status == "ended"
        lost = is_over and not get_text(reply, "results_url")  # archived
        if lost or (is_over and not await self._is_ours(get_text(token, "batch"), get_text(token, "unverified"))):
            raise AssistantError("not_found", f"{self.vendor} no longer has the results of the batch.", "Ask again.")
        return RemoteBatch(
            status,
            is_over=is_over,
            done=get_count(reply, "request_counts", "succeeded"),
            failed=get_count(reply, "request_counts", "errored"),
            missing="cancelled" if get_text(reply, "cancel_initiated_at") else "",
            reply=reply,
        )

    async def results(self, batch: RemoteBatch) -> AsyncGenerator[BatchAnswer]:
        """See `BatchApi`."""
        async with aclosing(self._results(created(batch.reply))) as lines:
            async for line in lines:
                yield _answer(line)

    async def cancel(self, token: JSON) -> None:
        """See `BatchApi`. A batch that may be somebody else's isn't stopped."""
        if token.get("unverified"):
            raise AssistantError(
                "server",
                f"The batch {token['batch']} may not be this one: {self.vendor} shows whose it is when it ends.",
                "Cancel it at the provider if it is yours, or wait for its end.",
            )
        await self.transport.call("POST", f"{self._where(token)}/cancel", {})

    def _where(self, token: JSON) -> str:
        return f"/messages/batches/{quote(get_text(token, 'batch'), safe='')}"

    async def _page(self, size: int, after: str = "") -> JSON:
        start = f"&after_id={quote(after, safe='')}" if after else ""
        return await self.transport.call("GET", f"/messages/batches?limit={size}{start}")

    async def _newer(self, token: JSON) -> AsyncIterator[JSON]:
        """The batches that are newer than the one in the token, which may be deleted by now; the newest first."""
        after = ""
        for _ in range(PAGES):
            page = await self._page(PAGE, after)
            for batch in (found := get_objects(page, "data")):
                if get_text(batch, "id") == token.get("newest") or get_text(batch, "created_at") < token.get(
                    "since", ""
                ):
                    return
                yield batch
            if not found or page.get("has_more") is not True:
                return
            after = get_text(found[-1], "id")

    async def _is_ours(self, number: str, name: str) -> bool:
        """Whether the first result that has a name has one of ours. True if no result has, or nothing is to be verified."""
        if name:
            async with aclosing(self._results(number)) as lines:
                async for line in lines:
                    if found := get_text(line, "custom_id"):
                        return found.startswith(f"{name}-")
        return True

    def _results(self, number: str) -> AsyncGenerator[JSON]:
        return self.read_lines(f"{self._where({'batch': number})}/results")


async def _body(file: Path) -> AsyncIterator[bytes]:
    """The body that makes a batch, of a file of lines: commas stand where the lines end. JSON has no line ends inside."""
    yield OPENING
    with file.open("rb") as lines:
        piece = lines.read(PIECE)
        while piece:
            following = lines.read(PIECE)
            yield (piece if following else piece[:-1]).replace(b"\n", b",")
            piece = following
    yield ENDING


def _answer(line: JSON) -> BatchAnswer:
    number, result = get_text(line, "custom_id"), get_object(line, "result")
    match get_text(result, "type"):
        case "succeeded":
            return BatchAnswer(number, get_object(result, "message"))
        case "errored":
            error = get_object(result, "error")
            return BatchAnswer(number, error=reported_error(find_error(error) or error))
        case kind:
            return BatchAnswer(number, error=not_answered(MISSING.get(kind, "")))

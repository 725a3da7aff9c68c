"""The batch APIs of OpenAI, Anthropic and Google: what their servers check, how a batch goes on, and what its results look like.

A batch goes on when somebody looks at it: `looks` of them find it running. Its requests are then answered by the server itself, one
by one, so that the brain is asked as for any other request. Results come in another order than the requests.
"""

from __future__ import annotations

import json
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal

from .files import FormFiles, Stored
from .ids import Ids
from .routing import Route, json_object
from .wire import ApiError, Json, Reply, Request, dumps

Fate = Literal["answered", "expired", "cancelled", "lost"]
Ask = Callable[[str, Json], Awaitable[Reply]]
"""Answers one request: its path and its body."""


@dataclass
class Batch:
    """A batch at the server. `requests` are their names, paths and bodies; `made` is what the API tells of it."""

    id: str
    requests: list[tuple[str, str, Json]]
    made: Json
    looks: int = 0
    over: str = ""
    cancelled: bool = False


@dataclass
class Desk:
    """What a test says of all batches of a server, and what it sees of them.

    `looks`: how often a batch is found running. `fate`: what becomes of a request, by its body. `end`: how a batch ends. `refusal`:
    why every batch is refused. `rewrite` changes the lines of the results.
    """

    ask: Ask
    looks: int = 1
    fate: Callable[[Json], Fate] = lambda _: "answered"
    end: str = ""
    refusal: str = ""
    rewrite: Callable[[list[bytes]], list[bytes]] = lambda lines: lines
    batches: list[Batch] = field(default_factory=list)

    def batch(self, number: str) -> Batch:
        """The batch of this id."""
        for one in self.batches:
            if one.id == number:
                return one
        raise ApiError(404, f"No batch found with id '{number}'.", code=None)

    def has_ended(self, batch: Batch) -> bool:
        """Whether it is over at this look."""
        batch.looks += 1
        return bool(batch.over) or batch.cancelled or batch.looks > self.looks

    def fate_of(self, batch: Batch, body: Json) -> Fate:
        """What became of a request."""
        fate = self.fate(body)
        if fate == "answered" and batch.cancelled:
            return "cancelled"
        return "expired" if fate == "answered" and self.end == "expired" else fate

    def lines(self, lines: Sequence[Json]) -> bytes:
        """A file of results."""
        return b"".join(line + b"\n" for line in self.rewrite([dumps(line) for line in reversed(lines)]))


class FormBatches:
    """`/v1/batches` as OpenAI has it: files go in, and two come out."""

    def __init__(self, files: FormFiles, ids: Ids, ask: Ask) -> None:
        self.desk = Desk(ask)
        self._files, self._ids = files, ids

    def routes(self) -> list[Route]:
        """What to add to a server's routes."""
        one = r"/v1/batches/(\w+)"
        return [
            ("POST", "/v1/batches", self._create),
            ("GET", "/v1/batches", self._list),
            ("GET", one, self._show),
            ("POST", one + "/cancel", self._cancel),
            ("GET", r"/v1/files/(\w+)/content", self._content),
        ]

    async def _create(self, request: Request) -> Reply:
        body = json_object(request)
        file = self._files.stored.get(str(body.get("input_file_id")))
        if file is None or file.fields.get("purpose") != "batch":
            raise ApiError(400, "Invalid input_file_id: the file doesn't exist, or has another purpose.")
        if body.get("completion_window") != "24h":
            raise ApiError(400, "Invalid completion_window.")
        requests, problem = _checked(file, str(body.get("endpoint")))
        made: Json = {"object": "batch", **body, "status": "validating", "created_at": int(time.time())}
        made |= {"request_counts": {"total": 0, "completed": 0, "failed": 0}, "errors": None}
        batch = Batch(self._ids("batch"), requests, made)
        made["id"] = batch.id
        self.desk.batches.append(batch)
        if problem := problem or self.desk.refusal:
            error = {"code": "invalid_request", "message": problem, "line": 1}
            made |= {"status": "failed", "errors": {"object": "list", "data": [error]}}
            batch.over = "failed"
        return Reply.json(made)

    async def _list(self, request: Request) -> Reply:
        newest = list(reversed(self.desk.batches))
        if after := request.query.get("after"):
            newest = newest[[one.id for one in newest].index(after) + 1 :]
        size = int(request.query.get("limit", 20))
        return Reply.json(
            {"object": "list", "data": [one.made for one in newest[:size]], "has_more": size < len(newest)}
        )

    async def _show(self, _: Request, number: str) -> Reply:
        batch = self.desk.batch(number)
        ended = self.desk.has_ended(batch)
        if not batch.over and ended:
            await self._end(batch)
        elif not batch.over:
            counts = {"total": len(batch.requests), "completed": batch.looks - 1, "failed": 0}
            batch.made |= {"status": "in_progress", "request_counts": counts}
        return Reply.json(batch.made)

    async def _end(self, batch: Batch) -> None:
        good, bad = list[Json](), list[Json]()
        for name, path, body in batch.requests:
            fate = self.desk.fate_of(batch, body)
            if fate == "lost":
                continue
            head = {"id": self._ids("batch_req"), "custom_id": name}
            if fate != "answered":
                bad.append(head | {"response": None, "error": {"code": f"batch_{fate}", "message": "Not executed."}})
                continue
            reply = await self._ask(path, body)
            assert isinstance(reply.body, bytes)
            response = {"status_code": reply.status, "request_id": "r", "body": json.loads(reply.body)}
            (good if reply.status == 200 else bad).append(head | {"response": response, "error": None})
        batch.over = "cancelled" if batch.cancelled else self.desk.end or "completed"
        batch.made |= {"status": batch.over}
        batch.made["request_counts"] = {"total": len(batch.requests), "completed": len(good), "failed": len(bad)}
        for name, lines in (("output_file_id", good), ("error_file_id", bad)):
            if lines:
                batch.made[name] = file = self._ids("file")
                self._files.stored[file] = Stored("out.jsonl", "application/jsonl", self.desk.lines(lines), {})

    async def _ask(self, path: str, body: Json) -> Reply:
        try:
            return await self.desk.ask(path, body)
        except ApiError as error:
            return Reply.json({"error": {"message": error.message, "code": error.code, "type": ""}}, error.status)

    async def _cancel(self, _: Request, number: str) -> Reply:
        batch = self.desk.batch(number)
        if batch.over:
            raise ApiError(409, f"Cannot cancel a batch with status '{batch.over}'.")
        batch.cancelled = True
        batch.made["status"] = "cancelling"
        return Reply.json(batch.made)

    async def _content(self, _: Request, number: str) -> Reply:
        if number not in self._files.stored:
            raise ApiError(404, f"No such File object: {number}", code=None)
        return Reply(200, {"content-type": "application/octet-stream"}, self._files.stored[number].data)


def _checked(file: Stored, endpoint: str) -> tuple[list[tuple[str, str, Json]], str]:
    """The requests of a file, and what is wrong with them."""
    lines = [json.loads(line) for line in file.data.splitlines()]
    requests = [(line["custom_id"], line["url"], line["body"]) for line in lines]
    if len({name for name, _, _ in requests}) < len(requests):
        return requests, "Duplicate custom_id."
    if any((line["method"], line["url"]) != ("POST", endpoint) for line in lines):
        return requests, "The URL of a request differs from the endpoint of the batch."
    if len({body.get("model") for _, _, body in requests}) > 1:
        return requests, "All requests in a batch must use the same model."
    if any(body.get("stream") or body.get("background") for _, _, body in requests):
        return requests, "A request of a batch can't be streamed."
    return requests, ""

"""The batch APIs of OpenAI, Anthropic and Google: what their servers check, how a batch goes on, and what its results look like.

A batch goes on when somebody looks at it: `looks` of them find it running. Its requests are then answered by the server itself, one
by one, so that the brain is asked as for any other request. Results come in another order than the requests.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal

from .files import FormFiles, GoogleFiles, Stored
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


class MessageBatches:
    """`/v1/messages/batches` as Anthropic has it: requests in the body, results in one file, and no name for a batch."""

    def __init__(self, ids: Ids, ask: Ask) -> None:
        self.desk, self.url = Desk(ask), ""
        self._ids = ids
        self._results: dict[str, bytes] = {}

    def routes(self) -> list[Route]:
        """What to add to a server's routes."""
        one = r"/v1/messages/batches/(\w+)"
        return [
            ("POST", "/v1/messages/batches", self._create),
            ("GET", "/v1/messages/batches", self._list),
            ("GET", one, self._show),
            ("POST", one + "/cancel", self._cancel),
            ("GET", one + "/results", self._content),
        ]

    async def _create(self, request: Request) -> Reply:
        asked = json_object(request).get("requests")
        if not isinstance(asked, list) or not asked:
            raise ApiError(400, "requests: Field required")
        requests = [(str(one["custom_id"]), "/v1/messages", one["params"]) for one in asked]
        if any(not re.fullmatch("[a-zA-Z0-9_-]{1,64}", name) for name, _, _ in requests):
            raise ApiError(400, "requests.0.custom_id: String should match pattern '^[a-zA-Z0-9_-]{1,64}$'")
        if len({name for name, _, _ in requests}) < len(requests):
            raise ApiError(400, "requests: custom_id must be unique")
        if any(body.get("stream") for _, _, body in requests):
            raise ApiError(400, "requests.0.params.stream: Extra inputs are not permitted")
        if self.desk.refusal:
            raise ApiError(400, self.desk.refusal)
        return Reply.json(self.add(requests).made)

    def add(self, requests: list[tuple[str, str, Json]]) -> Batch:
        """A new batch, of this client or of another one."""
        made: Json = {"id": self._ids("msgbatch"), "type": "message_batch", "processing_status": "in_progress"}
        made |= {"created_at": datetime.now(UTC).isoformat(), "cancel_initiated_at": None, "results_url": None}
        counts = dict.fromkeys(("succeeded", "errored", "canceled", "expired"), 0)
        batch = Batch(made["id"], requests, made | {"request_counts": counts | {"processing": len(requests)}})
        self.desk.batches.append(batch)
        return batch

    async def _list(self, request: Request) -> Reply:
        newest = list(reversed(self.desk.batches))
        if after := request.query.get("after_id"):
            newest = newest[[one.id for one in newest].index(after) + 1 :]
        size = int(request.query.get("limit", 20))
        return Reply.json({"data": [one.made for one in newest[:size]], "has_more": size < len(newest)})

    async def _show(self, _: Request, number: str) -> Reply:
        batch = self.desk.batch(number)
        if self.desk.has_ended(batch) and not batch.over:
            await self.end(batch)
        return Reply.json(batch.made)

    async def end(self, batch: Batch) -> None:
        """Answer what is in it, and write the results."""
        lines, counts = list[Json](), dict.fromkeys(batch.made["request_counts"], 0)
        for name, path, body in batch.requests:
            fate = self.desk.fate_of(batch, body)
            if fate == "lost":
                continue
            result: Json = {"type": {"cancelled": "canceled"}.get(fate, fate)}
            if fate == "answered":
                reply = await self._ask(path, body)
                assert isinstance(reply.body, bytes)
                told = json.loads(reply.body)
                result = {"type": "succeeded", "message": told} | (
                    {} if reply.status == 200 else {"type": "errored", "error": told}
                )
            counts[result["type"]] += 1
            lines.append({"custom_id": name, "result": result})
        batch.over = "ended"
        self._results[batch.id] = self.desk.lines(lines)
        url = f"{self.url}/v1/messages/batches/{batch.id}/results"
        batch.made |= {"processing_status": "ended", "request_counts": counts, "results_url": url}

    async def _ask(self, path: str, body: Json) -> Reply:
        try:
            return await self.desk.ask(path, body)
        except ApiError as error:
            kind = "invalid_request_error" if error.status < 500 else "api_error"
            told = {"type": "error", "error": {"type": kind, "message": error.message}, "request_id": "r"}
            return Reply.json(told, error.status)

    async def _cancel(self, _: Request, number: str) -> Reply:
        batch = self.desk.batch(number)
        if batch.over:
            raise ApiError(400, f"Batch {number} cannot be canceled because it has ended.")
        batch.cancelled = True
        batch.made |= {"processing_status": "canceling", "cancel_initiated_at": datetime.now(UTC).isoformat()}
        return Reply.json(batch.made)

    async def _content(self, _: Request, number: str) -> Reply:
        if number not in self._results:
            raise ApiError(404, f"Batch {number} has no available results.")
        return Reply(200, {"content-type": "application/x-jsonl"}, self._results[number])


class GoogleBatches:
    """`:batchGenerateContent` and `/batches` as the Gemini Developer API has them: operations, with files of keys."""

    def __init__(self, files: GoogleFiles, ids: Ids, ask: Ask) -> None:
        self.desk = Desk(ask)
        self._files, self._ids = files, ids
        self._written: dict[str, bytes] = {}

    def routes(self) -> list[Route]:
        """What to add to a server's routes."""
        one = r"/v1beta/(batches/\w+)"
        return [
            ("POST", r"/v1beta/(models/[\w.-]+):batchGenerateContent", self._create),
            ("GET", "/v1beta/batches", self._list),
            ("GET", one, self._show),
            ("POST", one + ":cancel", self._cancel),
            ("GET", r"/v1beta/files/(\w+):download", self._content),
        ]

    async def _create(self, request: Request, model: str) -> Reply:
        asked: Json = dict(json_object(request)["batch"])  # type: ignore[call-overload]
        file = self._files.stored.get(f"{self._files.url}/v1beta/{asked['inputConfig']['fileName']}")
        if file is None or not asked.get("displayName"):
            raise ApiError(400, "Invalid batch: file or display name.")
        lines = [json.loads(line) for line in file.data.splitlines()]
        requests = [(line["key"], f"/v1beta/{model}:generateContent", line["request"]) for line in lines]
        name = f"batches/{self._ids('b')}"
        metadata: Json = {"name": name, "model": model, "displayName": asked["displayName"]}
        metadata |= {"state": "BATCH_STATE_PENDING", "batchStats": {"requestCount": str(len(requests))}}
        batch = Batch(name, requests, {"name": name, "metadata": metadata})
        self.desk.batches.append(batch)
        if self.desk.refusal:
            batch.over = "FAILED"
            metadata["state"] = "BATCH_STATE_FAILED"
            batch.made |= {"done": True, "error": {"code": 3, "message": self.desk.refusal}}
        return Reply.json(batch.made)

    async def _list(self, request: Request) -> Reply:
        newest = list(reversed(self.desk.batches))
        start, size = int(request.query.get("pageToken") or 0), int(request.query.get("pageSize") or 10)
        more: Json = {"nextPageToken": str(start + size)} if start + size < len(newest) else {}
        return Reply.json({"operations": [one.made for one in newest[start : start + size]], **more})

    async def _show(self, _: Request, name: str) -> Reply:
        batch = self.desk.batch(name)
        if self.desk.has_ended(batch) and not batch.over:
            await self._end(batch)
        elif not batch.over:
            batch.made["metadata"]["state"] = "BATCH_STATE_RUNNING"
        return Reply.json(batch.made)

    async def _end(self, batch: Batch) -> None:
        lines, good = list[Json](), 0
        for key, path, body in batch.requests:
            fate = self.desk.fate_of(batch, body)
            if fate in ("expired", "cancelled"):
                lines.append({"key": key, "error": {"code": 1, "message": "The operation was cancelled."}})
            elif fate == "answered":
                try:
                    reply = await self.desk.ask(path, body)
                except ApiError as error:
                    lines.append({"key": key, "error": {"code": 3, "message": error.message}})
                    continue
                assert isinstance(reply.body, bytes)
                lines.append({"key": key, "response": json.loads(reply.body)})
                good += 1
        batch.over = "CANCELLED" if batch.cancelled else self.desk.end.upper() or "SUCCEEDED"
        counts = {"requestCount": str(len(batch.requests)), "successfulRequestCount": str(good)}
        batch.made["metadata"] |= {"state": f"BATCH_STATE_{batch.over}", "batchStats": counts}
        batch.made["done"] = True
        if batch.over == "SUCCEEDED":
            file = self._ids("batch")
            self._written[file] = self.desk.lines(lines)
            batch.made["response"] = {"responsesFile": f"files/{file}"}
            batch.made["metadata"]["output"] = {"responsesFile": f"files/{file}"}

    async def _cancel(self, _: Request, name: str) -> Reply:
        self.desk.batch(name).cancelled = True
        return Reply.json({})

    async def _content(self, request: Request, number: str) -> Reply:
        if number not in self._written or request.query.get("alt") != "media":
            raise ApiError(404, "File not found.")
        return Reply(200, {"content-type": "application/octet-stream"}, self._written[number])

"""OpenAI's Responses API: create, stream, background, resume, cancel; state on the server; Conversations; models.

What the model says is the brain's affair. Everything else follows the published protocol, including what it refuses.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from . import sse
from .batches import FormBatches
from .brain import Brain, Output, as_brain, tokens
from .chat import complete
from .conversations import Conversation, Conversations, page
from .files import FormFiles
from .http import Server
from .ids import Ids
from .openai_checks import Issued, check_calls, check_request, normalized
from .openai_writer import Writer
from .plan import Fault
from .routing import Route, dispatch, json_object
from .runs import Background, Run
from .vendors import OPENAI
from .wire import ApiError, Json, Reply, Request, dumps

MODELS: Mapping[str, str | None] = {
    "gpt-6-luna": None,
    "gpt-6.1-terra": None,
    "gpt-6.2-sol": None,
    "gpt-6.2-astra": None,
    "gpt-4o": "2027-01-14",
    "o3": "2026-12-11",
}
"""Model ids and their shutdown dates."""


@dataclass
class Stored:
    """A response and all that led to it."""

    response: Json
    run: Run
    request: Json
    items: list[Json]
    context: list[Json]


class ResponsesServer(Server):
    """A fake api.openai.com; `contexts` holds what the model saw, per run."""

    def __init__(
        self,
        brain: Brain | Sequence[Iterable[Output]] | None = None,
        *,
        key: str = "sk-test-0123456789abcdef",
        models: Mapping[str, str | None] = MODELS,
        background: Background | None = None,
        stream_window: float = 300.0,
        strict_phase: bool = True,
        commit_on_cancel: bool = False,
        faults: Sequence[Fault] = (),
    ) -> None:
        super().__init__(faults=faults, vendor=OPENAI)
        self.brain = as_brain(brain)
        self.key = key
        self.models = models
        self.background = background or Background()
        self.stream_window = stream_window
        self.commit_on_cancel = commit_on_cancel
        self.contexts: list[list[Json]] = []
        self.responses: dict[str, Stored] = {}
        self._ids = Ids()
        self._issued = Issued(strict_phase=strict_phase)
        self.conversations = Conversations(self._ids)
        self.files = FormFiles(self._ids)
        self.batches = FormBatches(self.files, self._ids, self._ask)
        one = r"/v1/responses/(\w+)"
        self._routes: list[Route] = [
            ("POST", "/v1/responses", self._create),
            ("GET", one, self._retrieve),
            ("POST", one + "/cancel", self._cancel),
            ("DELETE", one, self._delete),
            ("GET", one + "/input_items", self._input_items),
            *self.conversations.routes(),
            *self.files.routes(),
            *self.batches.routes(),
            ("GET", "/v1/models", self._list_models),
            ("GET", r"/v1/models/([\w.-]+)", self._show_model),
            ("POST", "/v1/chat/completions", self._chat),
        ]

    @property
    def base_url(self) -> str:
        """What an OpenAI client takes as its base URL."""
        return f"{self.url}/v1"

    async def answer(self, request: Request) -> Reply:
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        if token != self.key:
            # OpenAI echoes the key with its middle masked; a client must not show even that.
            masked = f"{token[:8]}{'*' * max(0, len(token) - 12)}{token[-4:]}"
            msg = f"Incorrect API key provided: {masked}. You can find your API key at https://platform.openai.com."
            raise ApiError(401, msg, code="invalid_api_key")
        reply = await dispatch(self._routes, request)
        return replace(reply, headers={**reply.headers, "x-request-id": self._ids("req")})

    async def _ask(self, path: str, body: Json) -> Reply:
        """A request of a batch."""
        return await dispatch(self._routes, Request("POST", path, {}, {}, dumps(body)))

    async def _create(self, request: Request) -> Reply:
        body: Json = json_object(request)
        check_request(body)
        self._check_model(body["model"])
        self.files.check(body.get("input"))
        history, conversation = self._history(body)
        items = self._issued.resolved(normalized(body.get("input")))
        self._issued.check(items)
        context = [*history, *items]
        check_calls(context)
        run = Run(_number, streamed=bool(body.get("stream")))
        stored = Stored(self._new_response(body), run, body, self.conversations.with_ids(items), context)
        self.contexts.append(context)
        outputs = list(self.brain(body))
        if conversation is not None:
            conversation.locked = True
        writer = Writer(
            stored.response, self._ids, obfuscate=(body.get("stream_options") or {}).get("include_obfuscation", True)
        )

        cached = tokens(history) if history else 0
        work = self._work(stored, writer, outputs, cached)
        run.start(work, at_end=lambda: self._commit(stored, conversation))
        if body.get("background"):
            self.responses[stored.response["id"]] = stored
        if body.get("stream"):
            leave = None if body.get("background") else run.cancel
            return sse.stream(_frames(run.follow()), on_disconnect=leave)
        if not body.get("background"):
            await run.finished()
        return Reply.json(stored.response)

    async def _work(self, stored: Stored, writer: Writer, outputs: list[Output], cached: int) -> None:
        run, response, waits = stored.run, stored.response, self.background
        try:
            run.emit(writer.lifecycle("created"))
            if response["background"]:
                run.emit(writer.lifecycle("queued"))
                await run.hold(waits.queued, waits.queued_seconds)
                response["status"] = "in_progress"
            run.emit(writer.lifecycle("in_progress"))
            if response["background"]:
                await run.hold(waits.queued + waits.running, waits.running_seconds)
            async for event in writer.play(outputs, tokens(stored.context), cached):
                run.emit(event)
        except asyncio.CancelledError:
            pass  # there is no event for this: a stream that is followed just ends
        except Exception as error:  # noqa: BLE001 - reported when the test ends
            response |= {"status": "failed", "error": {"code": "server_error", "message": repr(error)}}
            self.errors.append(error)

    def _commit(self, stored: Stored, conversation: Conversation | None) -> None:
        """When an answer is over: what can be retrieved, and what the conversation remembers."""
        response = stored.response
        if response["status"] in {"queued", "in_progress"}:
            response["status"] = "cancelled"
            for item in response["output"]:
                item["status"] = "completed" if item["status"] == "completed" else "incomplete"
        whole = response["status"] in {"completed", "incomplete"} or self.commit_on_cancel
        self._issued.remember(response["output"], stored=response["store"])
        if response["store"] and (whole or response["status"] == "failed"):
            self.responses.setdefault(response["id"], stored)
        if conversation is not None:
            conversation.locked = False
            if whole:
                conversation.items += [*stored.items, *response["output"]]

    def _history(self, body: Json) -> tuple[list[Json], Conversation | None]:
        if previous := body.get("previous_response_id"):
            stored = self.responses.get(previous)
            if stored is None or not stored.response["store"]:
                msg = f"Previous response with id '{previous}' not found."
                raise ApiError(400, msg, code="previous_response_not_found", param="previous_response_id")
            return [*stored.context, *stored.response["output"]], None
        if named := body.get("conversation"):
            conversation = self.conversations.get(named if isinstance(named, str) else named["id"])
            if conversation.locked:
                raise ApiError(400, code="conversation_locked")
            return list(conversation.items), conversation
        return [], None

    def _new_response(self, body: Json) -> Json:
        named: Any = body.get("conversation")
        conversation_id = named if isinstance(named, str) or named is None else named["id"]
        return {
            "id": self._ids("resp"),
            "object": "response",
            "created_at": int(time.time()),
            "status": "queued" if body.get("background") else "in_progress",
            "background": bool(body.get("background")),
            "conversation": conversation_id and {"id": conversation_id},
            "error": None,
            "incomplete_details": None,
            "instructions": body.get("instructions"),
            "max_output_tokens": body.get("max_output_tokens"),
            "metadata": body.get("metadata") or {},
            "model": body["model"],
            "output": [],
            "parallel_tool_calls": body.get("parallel_tool_calls", True),
            "previous_response_id": body.get("previous_response_id"),
            "reasoning": body.get("reasoning") or {"effort": "medium", "summary": None},
            "store": body.get("store") is not False,
            "temperature": body.get("temperature", 1.0),
            "text": body.get("text") or {"format": {"type": "text"}},
            "tool_choice": body.get("tool_choice", "auto"),
            "tools": [{"description": None, "strict": True, **tool} for tool in body.get("tools") or []],
            "top_p": body.get("top_p", 1.0),
            "truncation": body.get("truncation", "disabled"),
            "usage": None,
        }

    def _get(self, response_id: str) -> Stored:
        if response_id not in self.responses:
            raise ApiError(404, f"Response with id '{response_id}' not found.", code=None)
        return self.responses[response_id]

    async def _retrieve(self, request: Request, response_id: str) -> Reply:
        stored = self._get(response_id)
        if request.query.get("stream") == "true":
            return self._resume(stored, int(request.query.get("starting_after", "-1")))
        reply = Reply.json(stored.response)
        stored.run.poll()  # after the snapshot: the first poll sees a queued run
        return reply

    def _resume(self, stored: Stored, after: int) -> Reply:
        if not stored.response["background"]:
            raise ApiError(404, f"Response with id '{stored.response['id']}' not found.")
        if not stored.request.get("stream"):
            raise ApiError(400, "This response cannot be streamed because it was not created with stream=true.")
        if stored.run.age > self.stream_window:
            msg = "This response can no longer be streamed because it is more than 5 minutes old."
            raise ApiError(400, msg, param="stream")
        return sse.stream(_frames(stored.run.follow(after)))

    async def _cancel(self, _: Request, response_id: str) -> Reply:
        stored = self._get(response_id)
        if not stored.response["background"]:
            raise ApiError(400, "Cannot cancel a synchronous response.")
        stored.run.cancel()
        await stored.run.until(lambda run: run.done)
        return Reply.json(stored.response)

    async def _delete(self, _: Request, response_id: str) -> Reply:
        self._get(response_id).run.cancel()
        del self.responses[response_id]
        return Reply.json({"id": response_id, "object": "response", "deleted": True})

    async def _input_items(self, request: Request, response_id: str) -> Reply:
        return page(self._get(response_id).items, request)

    def _check_model(self, model: str) -> None:
        if model not in self.models:
            msg = f"The model `{model}` does not exist or you do not have access to it."
            raise ApiError(404, msg, code="model_not_found")

    def _model(self, model: str) -> Json:
        head = {"id": model, "object": "model", "created": 1750000000, "owned_by": "system"}
        return head | {"shutdown_date": self.models[model]}

    async def _list_models(self, _: Request) -> Reply:
        return Reply.json({"object": "list", "data": [self._model(model) for model in self.models]})

    async def _show_model(self, _: Request, model: str) -> Reply:
        self._check_model(model)
        return Reply.json(self._model(model))

    async def _chat(self, request: Request) -> Reply:
        body: Json = json_object(request)
        self._check_model(str(body.get("model")))
        self.contexts.append(body.get("messages", []))
        return await complete(body, list(self.brain(body)), self._ids)


def _number(event: Json, index: int) -> None:
    event["sequence_number"] = index


async def _frames(events: AsyncIterator[Json]) -> AsyncIterator[bytes]:
    async for event in events:
        yield sse.frame(event, event["type"])

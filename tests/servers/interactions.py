"""Google's Interactions API: create, stream, background, resume, cancel; state on the server; function results."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from . import sse
from .brain import Brain, Output, tokens
from .gemini import GEMINI_MODELS, GeminiServer
from .interactions_writer import StepWriter
from .plan import Fault
from .routing import json_object
from .runs import Background, Run
from .vendors import INTERACTIONS
from .wire import ApiError, Json, Reply, Request

PARAMETERS = frozenset(
    """agent background continuation_token environment generation_config input labels model previous_interaction_id
    response_format safety_settings service_tier store stream system_instruction tools webhook_config""".split()  # noqa: SIM905
)
STEPS = frozenset(("user_input", "model_output", "thought", "function_call", "function_result"))


@dataclass
class Kept:
    """An interaction and all that led to it."""

    interaction: Json
    run: Run
    request: Json
    inputs: list[Json]
    context: list[Json]


class InteractionsServer(GeminiServer):
    """The fake Gemini with /v1beta/interactions; all its errors have the shape of that API."""

    def __init__(
        self,
        brain: Brain | Sequence[Iterable[Output]] | None = None,
        *,
        key: str = "AIza-test-0123456789",
        models: Sequence[str] = GEMINI_MODELS,
        background: Background | None = None,
        faults: Sequence[Fault] = (),
    ) -> None:
        super().__init__(brain, key=key, models=models, faults=faults, vendor=INTERACTIONS)
        self.background = background or Background()
        self.interactions: dict[str, Kept] = {}
        self._issued: dict[str, Json] = {}
        root = r"/v1(?:beta1?)?(?:/projects/[\w-]+/locations/[\w-]+)?/interactions"
        one = root + r"/(\w+)"
        self._routes += [
            ("POST", root, self._create),
            ("GET", one, self._retrieve),
            ("POST", one + "/cancel", self._cancel),
            ("DELETE", one, self._delete),
        ]

    async def _create(self, request: Request) -> Reply:
        body: Json = json_object(request)
        self._check(body, request)
        self.files.check(body)
        store, background = body.get("store") is not False, bool(body.get("background"))
        history = self._history(body)
        inputs = _steps(body.get("input"))
        self._check_steps(inputs)
        context = [*history, *inputs]
        _check_calls(context)
        self.contexts.append(context)
        outputs = list(self.brain(body))
        run = Run(_number, streamed=bool(body.get("stream")))
        kept = Kept(self._new(body), run, body, inputs, context)
        if store:
            self.interactions[kept.interaction["id"]] = kept
        summaries = (body.get("generation_config") or {}).get("thinking_summaries")
        writer = StepWriter(kept.interaction, self._ids, show_thoughts=summaries == "auto")
        cached = tokens(history) if history else 0
        run.start(self._work(kept, writer, outputs, cached), at_end=lambda: self._commit(kept))
        if body.get("stream"):
            # A stored interaction goes on without its reader, who may come back for the rest.
            return sse.stream(_frames(run.follow()), on_disconnect=None if store else run.cancel)
        if not background:
            await run.finished()
        return Reply.json(kept.interaction)

    async def _work(self, kept: Kept, writer: StepWriter, outputs: list[Output], cached: int) -> None:
        run, waits = kept.run, self.background
        try:
            run.emit(writer.lifecycle("created"))
            if kept.request.get("background"):
                await run.hold(waits.queued, waits.queued_seconds)
            kept.interaction["status"] = "in_progress"
            run.emit(writer.status_update())
            if kept.request.get("background"):
                await run.hold(waits.queued + waits.running, waits.running_seconds)
            async for event in writer.play(outputs, tokens(kept.context), cached):
                run.emit(event)
        except asyncio.CancelledError:
            kept.interaction["status"] = "cancelled"
            run.emit(writer.status_update())
        except Exception as error:  # noqa: BLE001 - reported when the test ends
            kept.interaction["status"] = "failed"
            self.errors.append(error)

    def _commit(self, kept: Kept) -> None:
        if kept.interaction["status"] in {"queued", "in_progress"}:
            kept.interaction["status"] = "cancelled"
        kept.interaction["updated"] = _now()
        for step in kept.interaction["steps"]:
            name = step.get("signature") or step.get("id")
            if name:
                self._issued[name] = step

    def _check(self, body: Json, request: Request) -> None:
        for name in body:
            if name not in PARAMETERS:
                raise ApiError(400, f"Unknown parameter '{name}'.")
        if "agent" not in body:
            self._known(str(body.get("model")), request)
        for tool in body.get("tools") or []:
            if tool.get("type") == "function" and "name" not in tool:
                raise ApiError(400, "Invalid tool: a function needs a name.")
        if found := _unsupported((body.get("response_format") or {}).get("schema")):
            raise ApiError(400, f"Unsupported keyword in response_format.schema: {found}.")
        if body.get("store") is False and (body.get("background") or body.get("previous_interaction_id")):
            raise ApiError(400, "`store=false` cannot be used with `background` or `previous_interaction_id`.")

    def _history(self, body: Json) -> list[Json]:
        if previous := body.get("previous_interaction_id"):
            kept = self._get(previous)
            if not kept.run.done:
                raise ApiError(400, "The previous interaction is still in progress.")
            return [*kept.context, *kept.interaction["steps"]]
        return []

    def _check_steps(self, steps: Sequence[Json]) -> None:
        """What is sent back by a client that keeps the history must be what it got."""
        for step in steps:
            if step["type"] == "thought" and step.get("signature") not in self._issued:
                raise ApiError(400, "Corrupted thought signature.")
            if step["type"] == "function_call":
                sent = self._issued.get(step["id"])
                if sent is not None and (sent["name"], sent["arguments"]) != (step["name"], step["arguments"]):
                    raise ApiError(400, f"Function call {step['id']} was altered.")

    def _new(self, body: Json) -> Json:
        interaction: Json = {
            "id": self._ids("v1"),
            "object": "interaction",
            "status": "queued" if body.get("background") else "in_progress",
            "created": _now(),
            "updated": _now(),
            "steps": [],
        }
        same = ("model", "agent", "previous_interaction_id", "system_instruction", "tools", "labels")
        return interaction | {name: body[name] for name in same if name in body}

    def _get(self, interaction_id: str) -> Kept:
        if interaction_id not in self.interactions:
            raise ApiError(404, f"Interaction {interaction_id} not found.")
        return self.interactions[interaction_id]

    async def _retrieve(self, request: Request, interaction_id: str) -> Reply:
        kept = self._get(interaction_id)
        if request.query.get("stream") == "true":
            after = -1
            if last := request.query.get("last_event_id"):
                numbers = {event["event_id"]: index for index, event in enumerate(kept.run.events)}
                if last not in numbers:
                    raise ApiError(400, f"Invalid last_event_id: {last}.")
                after = numbers[last]
            return sse.stream(_frames(kept.run.follow(after)))
        body = dict(kept.interaction)
        if request.query.get("include_input") == "true":
            body["input"] = kept.inputs
        kept.run.poll()  # the first poll sees a queued run
        return Reply.json(body)

    async def _cancel(self, _: Request, interaction_id: str) -> Reply:
        kept = self._get(interaction_id)
        if not kept.request.get("background"):
            raise ApiError(400, "Only background interactions can be cancelled.")
        kept.run.cancel()
        await kept.run.until(lambda run: run.done)
        return Reply.json(kept.interaction)

    async def _delete(self, _: Request, interaction_id: str) -> Reply:
        self._get(interaction_id).run.cancel()
        del self.interactions[interaction_id]
        return Reply.json({})


def _unsupported(schema: Any) -> str | None:
    """A keyword that Google is known to refuse here."""
    if isinstance(schema, list):
        return next(filter(None, map(_unsupported, schema)), None)
    if not isinstance(schema, dict):
        return None
    found = next((key for key in ("$defs", "$ref", "const", "default", "pattern") if key in schema), None)
    parts = [*schema.get("properties", {}).values(), schema.get("items"), schema.get("anyOf")]
    return found or next(filter(None, map(_unsupported, parts)), None)


def _steps(value: Any) -> list[Json]:
    """The input as steps: a string, contents, or steps already."""
    if isinstance(value, str):
        value = [{"type": "text", "text": value}]
    if not value:
        raise ApiError(400, "Missing required parameter: `input`.")
    given: list[Json] = value if isinstance(value, list) else [value]
    if all(item.get("type") not in STEPS for item in given):
        return [{"type": "user_input", "content": given}]
    for item in given:
        if item.get("type") not in STEPS:
            raise ApiError(400, f"Invalid step type: {item.get('type')}.")
    return given


def _check_calls(context: Sequence[Json]) -> None:
    called = [step["id"] for step in context if step["type"] == "function_call"]
    answered = [step["call_id"] for step in context if step["type"] == "function_result"]
    for call_id in called:
        if call_id not in answered:
            raise ApiError(400, f"Function call {call_id} has no function_result.")
    for call_id in answered:
        if call_id not in called:
            raise ApiError(400, f"function_result for an unknown call_id: {call_id}.")


def _now() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


def _number(event: Json, index: int) -> None:
    event["event_id"] = f"evt_{index + 1:04x}"


async def _frames(events: AsyncIterator[Json]) -> AsyncIterator[bytes]:
    async for event in events:
        yield sse.frame(event, event["event_type"])
    yield sse.DONE_EVENT

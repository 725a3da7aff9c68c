"""The provider for the Interactions API, and what it sends: streamed, in one reply, or in the background.

Source: https://ai.google.dev/gemini-api/docs/interactions. Google keeps the conversation, so that usually only what is
new is sent; `tools`, `system_instruction` and `generation_config` hold for one interaction and are sent with each.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterable, Sequence

import msgspec

from ...core.errors import AssistantError
from ...core.events import ActionRequired, AssistantMessageRetrieved, Event, Heartbeat, MessageIncomplete
from ...core.history import AssistantMessage, Item, ToolOutputs, UserMessage
from ...core.turn import Turn
from ..answer_schema import rewritten
from ..attachments import Attachments, Parts, no_parts
from ..background import BackgroundJob
from ..fields import parsed_arguments, with_hosted_tools
from ..stream import read_stream
from ..transport import JSON, Transport
from .files import INTERACTIONS
from .interactions_reader import Reader
from .provider import DIALECT, GeminiProvider
from .schema import inlined

__all__ = ["InteractionsProvider", "is_stored", "request", "steps"]

PATH = "/interactions"

GONE = "Google no longer has this conversation; sending the whole of it again."
BODY = frozenset(
    (
        "cached_content",
        "environment",
        "labels",
        "response_format",
        "response_mime_type",
        "response_modalities",
        "safety_settings",
        "service_tier",
        "store",
        "webhook_config",
    )
)
"""Settings that stand next to `generation_config`; every other one goes into it."""


class InteractionsProvider(GeminiProvider):
    """An Assistant Proxy that calls `POST /interactions`. `poll` is in seconds.

    `keeps_files`: whether the server has the Files API (Agent Platform has none).
    """

    reader = Reader

    def __init__(self, transport: Transport, model: str, *, poll: float = 2.0, keeps_files: bool = True) -> None:
        super().__init__(transport, model)
        self.attachments = Attachments(INTERACTIONS, transport, uploads=keeps_files)
        self._poll = poll
        self._previous: str | None = None  # the interaction that the next one continues
        self._known = 0  # how many items Google knows with it
        self._made: set[str] = set()  # interactions of this process
        self._keeps = True  # the server keeps interactions; some that speak this API don't
        self._is_announced = False  # that it doesn't, in this exchange

    async def begin(self, turn: Turn) -> Sequence[Event]:
        """See `StatelessProvider`."""
        state = turn.resume if isinstance(turn.resume, dict) and is_stored(turn) else {}
        self._is_announced = False
        same = state.get("model") == self.turn.model  # another model would refuse what this one signed
        self._previous, self._known = state.get("interaction") if same else None, len(turn.history)
        return ()

    def request(self, turn: Turn, items: Sequence[Item]) -> tuple[str, JSON]:
        """See `StatelessProvider`; a stored interaction already holds all but what is new."""
        given = steps(self.accepted(items), self.attachments.parts, self._known if self._previous else 0)
        how = {"background": True} if turn.background else {}
        # Said in either case: servers differ in what they do when it is left out.
        return PATH, request(turn, given, self._previous) | how | {"stream": turn.stream and not turn.background}

    def answer(self, items: list[Item]) -> AsyncGenerator[Event]:
        """See `StatelessProvider`; Google continues with an interaction that it stores when its stream breaks."""
        path, body = self.request(self.turn, items)
        reader = Reader()
        job = self._job(reader)
        if self.turn.background:
            return job.polled(body)
        if self.turn.stream and is_stored(self.turn):
            return read_stream(self.transport.events("POST", path, body), reader, reopen=job.reopen)
        return super().answer(items)

    def attach(self, turn: Turn) -> AsyncGenerator[Event]:
        """See `Attachable`: an interaction in the background continues without us."""
        return self.take_up(turn, "running", self._found)

    def _found(self, token: JSON) -> AsyncGenerator[Event]:
        self._previous = token.get("interaction")
        return self._job(Reader()).found(str(token["running"]))

    def _job(self, reader: Reader) -> BackgroundJob:
        return BackgroundJob(self.transport, PATH, reader, after="last_event_id", poll=self._poll)

    def annotate(self, event: Event, items: list[Item]) -> Event:
        """The event with where Google's conversation stands; so far its `resume` is the interaction's id, or the job."""
        if isinstance(event, Heartbeat) and event.resume:
            running = {"running": event.resume["id"]}
            return msgspec.structs.replace(event, resume=self._resume(self._previous) | running)
        if isinstance(event, ActionRequired | AssistantMessageRetrieved | MessageIncomplete):
            number = event.resume if is_stored(self.turn) and self._keeps else None
            if number:
                self._made.add(number)
            if isinstance(event, ActionRequired):
                self._previous, self._known = number, len(items) + 1
            return msgspec.structs.replace(event, resume=self._resume(number) or None)
        return event

    def _resume(self, interaction: str | None) -> JSON:
        return {"interaction": interaction, "model": self.turn.model} if interaction else {}

    async def recover(self, error: AssistantError, items: list[Item]) -> str | None:
        """See `StatelessProvider`: without the stored conversation, where Google no longer has it."""
        notice = await super().recover(error, items)
        if notice is None and self._previous and error.kind == "not_found" and "model" not in str(error).lower():
            self._keeps = self._previous not in self._made
            notice, self._is_announced = "" if self._is_announced else GONE, True
        if notice is not None:
            self._previous = None
        return notice


def request(turn: Turn, given: list[JSON], previous: str | None) -> JSON:
    """The body of `POST /interactions`. A setting is sent only when the user set it."""
    body: JSON = {"model": turn.model, "input": given}
    if previous:
        body["previous_interaction_id"] = previous
    if turn.instructions:
        body["system_instruction"] = turn.instructions
    functions: list[JSON] = [
        {"type": "function", "name": t.name, "description": t.description, "parameters": inlined(t.parameters)}
        for t in turn.tools
    ]
    config: JSON = {}
    for name, value in turn.settings.items():
        if name == "tools":
            continue  # below
        if name == "generation_config":
            config |= value
        elif name in BODY:
            body[name] = value
        else:
            config[name] = value
    body |= with_hosted_tools(functions, turn.settings)
    if turn.schema is not None:
        schema = rewritten(turn.schema, DIALECT)
        body["response_format"] = {"type": "text", "mime_type": "application/json", "schema": schema}
    return body | ({"generation_config": config} if config else {})


def is_stored(turn: Turn) -> bool:
    """Whether Google keeps the interaction; it does unless the user said no."""
    return turn.settings.get("store") is not False


def steps(items: Iterable[Item], parts: Parts = no_parts, start: int = 0) -> list[JSON]:
    """The history as steps, from an item on; what the model itself said goes back unchanged."""
    made: list[JSON] = []
    calls: list[JSON] = []
    for number, item in enumerate(items):
        if isinstance(item, ToolOutputs):
            new = _results(calls, item)
        elif number < start and isinstance(item, UserMessage):
            continue  # its files need not be read
        else:
            new = _step(item, parts)
            calls = [step for step in new if step.get("type") == "function_call"]
        made += new if number >= start else []
    return made


def _step(item: UserMessage | AssistantMessage, parts: Parts) -> list[JSON]:
    match item:
        case UserMessage(text=text, attachments=attachments):
            words = [{"type": "text", "text": text}] if text else []
            return [{"type": "user_input", "content": [*parts(attachments), *words]}]
        case AssistantMessage(raw={"steps": list() as raw}):
            return list(raw)
        case AssistantMessage(text=text, calls=calls):
            output: list[JSON] = [{"type": "model_output", "content": [{"type": "text", "text": text}]}] if text else []
            return output + [
                {
                    "type": "function_call",
                    "id": call.call_id,
                    "name": call.name,
                    "arguments": parsed_arguments(call.arguments),
                }
                for call in calls
            ]


def _results(calls: Sequence[JSON], outputs: ToolOutputs) -> list[JSON]:
    return [
        {
            "type": "function_result",
            "call_id": call.get("id"),
            "name": call.get("name"),
            "result": result.output if result.error is None else result.error,
            **({} if result.error is None else {"is_error": True}),
        }
        for call, result in zip(calls, outputs.results, strict=False)
    ]

"""Anthropic's Messages API: streamed or in one reply, tools, signed reasoning, paused turns; models."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence

from . import sse
from .anthropic_checks import Signed, check_calls, check_request
from .batches import MessageBatches
from .brain import Brain, Call, Fail, Incomplete, Output, Refuse, Say, Think, Wait, as_brain, tokens, words
from .files import FormFiles
from .http import Server
from .ids import Ids
from .openai_writer import paced
from .plan import Fault
from .routing import Route, dispatch, json_object
from .vendors import ANTHROPIC
from .wire import ApiError, Json, Reply, Request, dumps

CLAUDE_MODELS = ("claude-haiku-5-5", "claude-sonnet-5-5", "claude-opus-5-5", "claude-sonnet-4-6")
STOPS = {"max_output_tokens": "max_tokens", "content_filter": "refusal"}


class AnthropicServer(Server):
    """A fake api.anthropic.com; `contexts` holds what the model saw. `most` is the largest `max_tokens` of its models."""

    def __init__(
        self,
        brain: Brain | Sequence[Iterable[Output]] | None = None,
        *,
        key: str = "sk-ant-test-0123456789",
        models: Sequence[str] = CLAUDE_MODELS,
        most: int = 128_000,
        faults: Sequence[Fault] = (),
    ) -> None:
        super().__init__(faults=faults, vendor=ANTHROPIC)
        self.brain, self.key, self.models, self.most = as_brain(brain), key, models, most
        self.contexts: list[list[Json]] = []
        self.signed = Signed()
        self._ids = Ids()
        self.files = FormFiles(self._ids)
        self.batches = MessageBatches(self._ids, self._ask)
        self._paused = False
        self._routes: list[Route] = [
            ("POST", "/v1/messages", self._create),
            ("GET", "/v1/models", self._list),
            *self.files.routes(),
            *self.batches.routes(),
        ]

    @property
    def base_url(self) -> str:
        """What an Anthropic client takes as its base URL."""
        return self.url

    async def answer(self, request: Request) -> Reply:
        self.batches.url = self.url
        bearer = request.headers.get("authorization", "").removeprefix("Bearer ")
        if self.key not in (bearer, request.headers.get("x-api-key")):
            raise ApiError(401, f"invalid x-api-key: {bearer}")
        if not request.headers.get("anthropic-version"):
            raise ApiError(400, "anthropic-version: header is required")
        return await dispatch(self._routes, request)

    async def _ask(self, path: str, body: Json) -> Reply:
        """A request of a batch."""
        return await dispatch(self._routes, Request("POST", path, {}, {}, dumps(body)))

    async def _create(self, request: Request) -> Reply:
        body: Json = json_object(request)
        messages = check_request(body, prefill=self._paused)
        self.files.check(messages)
        if body["model"] not in self.models:
            raise ApiError(404, f"model: {body['model']}")
        if body["max_tokens"] > self.most:
            raise ApiError(
                400,
                f"max_tokens: {body['max_tokens']} > {self.most}, which is the maximum allowed number of output tokens for"
                f" {body['model']}",
            )
        check_calls(messages)
        self.signed.check(messages)
        self.contexts.append(messages)
        outputs = list(self.brain(body))
        content = self._content(outputs)
        self.signed.remember(content)
        stop = _stop_of(outputs)
        self._paused = stop == "pause_turn"
        start: Json = {"id": self._ids("msg"), "type": "message", "role": "assistant", "model": body["model"]}
        usage = {"input_tokens": tokens(messages), "cache_creation_input_tokens": 0, "cache_read_input_tokens": 0}
        written = {"output_tokens": tokens(str(content))}
        if body.get("stream"):
            return sse.stream(_events(start, usage, written, outputs, content, stop))
        for output in outputs:
            if isinstance(output, Wait):
                await asyncio.sleep(output.seconds)
            if isinstance(output, Fail):
                raise ApiError(500, output.message)
        end = {"content": content, "stop_reason": stop, "stop_sequence": None, "usage": usage | written}
        return Reply.json(start | end)

    def _content(self, outputs: Iterable[Output]) -> list[Json]:
        """One block for each thing that the model does."""
        content: list[Json] = []
        for output in outputs:
            match output:
                case Say(text=text) | Refuse(text=text):
                    content.append({"type": "text", "text": text})
                case Think(summary=summary, encrypted=encrypted):
                    signature = encrypted or self._ids.blob()
                    content.append({"type": "thinking", "thinking": summary, "signature": signature})
                case Call(name=name, call_id=call_id):
                    made = {"id": call_id or self._ids("toolu"), "name": name, "input": output.arguments_dict}
                    content.append({"type": "tool_use", **made})
        return content

    async def _list(self, _: Request) -> Reply:
        data = [{"type": "model", "id": name, "display_name": name, "max_tokens": self.most} for name in self.models]
        return Reply.json({"data": data, "has_more": False, "first_id": self.models[0], "last_id": self.models[-1]})


def _stop_of(outputs: Iterable[Output]) -> str:
    if reason := next((one.reason for one in outputs if isinstance(one, Incomplete)), ""):
        return STOPS.get(reason, reason)
    return "tool_use" if any(isinstance(one, Call) for one in outputs) else "end_turn"


async def _events(
    start: Json, usage: Json, written: Json, outputs: Iterable[Output], content: list[Json], stop: str
) -> AsyncIterator[bytes]:
    def frame(kind: str, **more: object) -> bytes:
        return sse.frame({"type": kind, **more}, kind)

    empty: Json = {"content": [], "stop_reason": None, "stop_sequence": None, "usage": usage | {"output_tokens": 1}}
    yield frame("message_start", message=start | empty)
    blocks, index = iter(content), 0
    for output in outputs:
        match output:
            case Wait(seconds=seconds):
                await asyncio.sleep(seconds)
            case Fail(message=message, code=code):
                kind = "api_error" if code == "server_error" else code
                yield frame("error", error={"type": kind, "message": message})
                return
            case Say() | Refuse() | Think() | Call():
                block = next(blocks)
                async for delta in _block(output, block):
                    if "content_block" in delta:
                        yield frame("content_block_start", index=index, **delta)
                        if index == 0:
                            yield frame("ping")
                    else:
                        yield frame("content_block_delta", index=index, delta=delta)
                yield frame("content_block_stop", index=index)
                index += 1
    yield frame("message_delta", delta={"stop_reason": stop, "stop_sequence": None}, usage=written)
    yield frame("message_stop")


async def _block(output: Output, block: Json) -> AsyncIterator[Json]:
    """How a block begins, then its pieces."""
    match output:
        case Say():
            yield {"content_block": {"type": "text", "text": ""}}
            async for piece in paced(output.parts(), output.pace):
                yield {"type": "text_delta", "text": piece}
        case Think(summary=summary):
            yield {"content_block": {"type": "thinking", "thinking": "", "signature": ""}}
            for piece in words(summary) if summary else ():
                yield {"type": "thinking_delta", "thinking": piece}
            yield {"type": "signature_delta", "signature": block["signature"]}
        case Call():
            yield {"content_block": block | {"input": {}}}
            for piece in words(output.arguments_json):
                yield {"type": "input_json_delta", "partial_json": piece}
        case _:
            yield {"content_block": {"type": "text", "text": ""}}
            yield {"type": "text_delta", "text": block["text"]}

"""Chat Completions, as OpenAI's servers have it: text, reasoning, tool calls; streamed or in one reply."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Sequence

from . import sse
from .brain import Call, Fail, Incomplete, Output, Refuse, Say, Think, Wait, tokens, words
from .ids import Ids
from .openai_writer import paced
from .wire import Json, Reply

FINISH = {"max_output_tokens": "length", "content_filter": "content_filter"}


async def complete(body: Json, turn: Sequence[Output], ids: Ids) -> Reply:
    """The answer to a POST /v1/chat/completions."""
    head: Json = {"id": ids("chatcmpl"), "created": int(time.time()), "model": body["model"]}
    calls = [
        {"id": part.call_id or ids("call"), "type": "function"}
        | {"function": {"name": part.name, "arguments": part.arguments_json}}
        for part in turn
        if isinstance(part, Call)
    ]
    reason = next((FINISH.get(part.reason, "stop") for part in turn if isinstance(part, Incomplete)), None)
    finish = reason or ("tool_calls" if calls else "stop")
    text = "".join(part.text for part in turn if isinstance(part, (Say, Refuse)))
    thought = "".join(part.summary or part.encrypted or "" for part in turn if isinstance(part, Think))
    prompt, completion = tokens(body.get("messages", [])), tokens(text)
    usage = {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion}
    if body.get("stream"):
        wanted = usage if (body.get("stream_options") or {}).get("include_usage") else None
        return sse.stream(_chunks(head, turn, calls, finish, wanted))
    for part in turn:
        if isinstance(part, Wait):
            await asyncio.sleep(part.seconds)
        if isinstance(part, Fail):
            return Reply.json({"error": {"code": part.code, "message": part.message}})
    message: Json = {"role": "assistant", "content": text or None, "refusal": None}
    if thought:
        message["reasoning_content"] = thought
    if calls:
        message["tool_calls"] = calls
    choice = {"index": 0, "message": message, "finish_reason": finish, "logprobs": None}
    return Reply.json(head | {"object": "chat.completion", "choices": [choice], "usage": usage})


async def _chunks(
    head: Json, turn: Sequence[Output], calls: Sequence[Json], finish: str, usage: Json | None
) -> AsyncIterator[bytes]:
    def chunk(delta: Json, finish_reason: str | None = None) -> bytes:
        choice = {"index": 0, "delta": delta, "finish_reason": finish_reason, "logprobs": None}
        return sse.frame(head | {"object": "chat.completion.chunk", "choices": [choice]})

    yield chunk({"role": "assistant", "content": ""})
    for part in turn:
        if isinstance(part, Say):
            async for piece in paced(part.parts(), part.pace):
                yield chunk({"content": piece})
        if isinstance(part, Refuse):
            yield chunk({"content": part.text})
        if isinstance(part, Think):
            yield chunk({"reasoning_content": part.summary or part.encrypted or ""})
        if isinstance(part, Wait):
            await asyncio.sleep(part.seconds)
        if isinstance(part, Fail):
            yield sse.frame({"error": {"code": part.code, "message": part.message}})
            return
    for index, call in enumerate(calls):
        whole = call["function"]
        yield chunk({"tool_calls": [{"index": index, **call, "function": whole | {"arguments": ""}}]})
        for piece in words(whole["arguments"]):
            yield chunk({"tool_calls": [{"index": index, "function": {"arguments": piece}}]})
    yield chunk({}, finish)
    if usage:
        yield sse.frame(head | {"object": "chat.completion.chunk", "choices": [], "usage": usage})
    yield sse.DONE

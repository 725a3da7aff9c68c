"""What the model says, as OpenAI's stream events and output items, in the documented order."""

from __future__ import annotations

import asyncio
import copy
import json
from collections.abc import AsyncIterator, Iterable, Sequence

from .brain import Block, Call, Fail, Incomplete, Output, Refuse, Say, Think, Wait, tokens, words
from .ids import Ids
from .wire import Json

Events = AsyncIterator[Json]


class Writer:
    """Plays one turn into a Response object; yields events that lack only their sequence number."""

    def __init__(self, response: Json, ids: Ids, *, obfuscate: bool = True) -> None:
        self.response = response
        self._output: list[Json] = response["output"]
        self._ids = ids
        self._obfuscate = obfuscate

    def lifecycle(self, kind: str) -> Json:
        """An event that carries the response as it is now."""
        return {"type": f"response.{kind}", "response": copy.deepcopy(self.response)}

    async def play(self, outputs: Iterable[Output], prompt_tokens: int, cached_tokens: int) -> Events:
        """Every event from the first item to the terminal one."""
        ending: Fail | Incomplete | None = None
        turn = list(outputs)
        for output, following in zip(turn, [*turn[1:], None], strict=False):
            match output:
                case Wait():
                    await asyncio.sleep(output.seconds)
                case Fail() | Incomplete():
                    ending = output
                    break
                case Block():
                    ending = Fail(
                        "invalid_prompt", "Invalid prompt: your prompt was flagged as violating our usage policy."
                    )
                    break
                case _:
                    cut_off = isinstance(following, Incomplete)
                    async for event in self._item(output, "incomplete" if cut_off else "completed"):
                        yield event
        self._end(ending, turn, prompt_tokens, cached_tokens)
        yield self.lifecycle(self.response["status"])

    def _end(self, ending: Fail | Incomplete | None, turn: Sequence[Output], prompt: int, cached: int) -> None:
        match ending:
            case Fail(code, message):
                self.response |= {"status": "failed", "error": {"code": code, "message": message}}
            case Incomplete(reason):
                self.response |= {"status": "incomplete", "incomplete_details": {"reason": reason}}
            case None:
                self.response["status"] = "completed"
        if not isinstance(ending, Fail):
            self.response["usage"] = usage(turn, self._output, prompt, cached)

    async def _item(self, output: Output, status: str) -> Events:
        match output:
            case Say():
                item: Json = {"id": self._ids("msg"), "type": "message", "role": "assistant", "content": []}
                if output.phase:
                    item["phase"] = output.phase
                inner = self._text(output.parts(), output.pace)
            case Refuse():
                item = {"id": self._ids("msg"), "type": "message", "role": "assistant", "content": []}
                inner = self._refusal(output.text)
            case Think():
                item = {"id": self._ids("rs"), "type": "reasoning", "summary": [], "encrypted_content": ""}
                inner = self._reasoning(output)
            case Call():
                call_id = output.call_id or self._ids("call")
                item = {"id": self._ids("fc"), "type": "function_call", "call_id": call_id, "name": output.name}
                item["arguments"] = ""
                inner = self._arguments(output)
            case _:
                raise TypeError(output)
        item["status"] = "in_progress"
        self._output.append(item)
        index = len(self._output) - 1
        yield {"type": "response.output_item.added", "output_index": index, "item": copy.deepcopy(item)}
        async for event in inner:
            yield event | {"item_id": item["id"], "output_index": index}
        item["status"] = status
        yield {"type": "response.output_item.done", "output_index": index, "item": copy.deepcopy(item)}

    async def _text(self, pieces: Iterable[str], pace: float) -> Events:
        part: Json = {"type": "output_text", "text": "", "annotations": [], "logprobs": []}
        self._output[-1]["content"].append(part)
        yield {"type": "response.content_part.added", "content_index": 0, "part": dict(part)}
        async for piece in paced(pieces, pace):
            part["text"] += piece
            delta = self._delta("response.output_text.delta", piece)
            yield delta | {"content_index": 0, "logprobs": []}
        yield {"type": "response.output_text.done", "content_index": 0, "text": part["text"], "logprobs": []}
        yield {"type": "response.content_part.done", "content_index": 0, "part": dict(part)}

    async def _refusal(self, text: str) -> Events:
        part: Json = {"type": "refusal", "refusal": ""}
        self._output[-1]["content"].append(part)
        yield {"type": "response.content_part.added", "content_index": 0, "part": dict(part)}
        for piece in words(text):
            part["refusal"] += piece
            yield self._delta("response.refusal.delta", piece) | {"content_index": 0}
        yield {"type": "response.refusal.done", "content_index": 0, "refusal": part["refusal"]}
        yield {"type": "response.content_part.done", "content_index": 0, "part": dict(part)}

    async def _reasoning(self, thought: Think) -> Events:
        item = self._output[-1]
        if thought.summary:
            part: Json = {"type": "summary_text", "text": ""}
            item["summary"].append(part)
            yield {"type": "response.reasoning_summary_part.added", "summary_index": 0, "part": dict(part)}
            async for piece in paced(words(thought.summary), thought.pace):
                part["text"] += piece
                yield self._delta("response.reasoning_summary_text.delta", piece) | {"summary_index": 0}
            yield {"type": "response.reasoning_summary_text.done", "summary_index": 0, "text": part["text"]}
            yield {"type": "response.reasoning_summary_part.done", "summary_index": 0, "part": dict(part)}
        item["encrypted_content"] = thought.encrypted or "gAAAAA" + self._ids.blob()

    async def _arguments(self, call: Call) -> Events:
        item = self._output[-1]
        text = call.arguments_json
        async for piece in paced((text[i : i + 8] for i in range(0, len(text), 8)), call.pace):
            item["arguments"] += piece
            yield self._delta("response.function_call_arguments.delta", piece)
        done = {"type": "response.function_call_arguments.done", "name": call.name}
        yield done | {"arguments": item["arguments"]}

    def _delta(self, kind: str, delta: str) -> Json:
        event: Json = {"type": kind, "delta": delta}
        # OpenAI pads deltas against traffic analysis, unless asked not to.
        return event | {"obfuscation": "x" * (16 - len(delta) % 16)} if self._obfuscate else event


async def paced(pieces: Iterable[str], pace: float) -> AsyncIterator[str]:
    """The pieces with a pause between two of them."""
    for index, piece in enumerate(pieces):
        if index and pace:
            await asyncio.sleep(pace)
        yield piece


def usage(turn: Sequence[Output], output: Sequence[Json], prompt: int, cached: int) -> Json:
    """Token counts that add up."""
    thought = sum(tokens(part.summary or "hm") for part in turn if isinstance(part, Think))
    spoken = sum(tokens(json.dumps(item)) for item in output if item["type"] != "reasoning")
    return {
        "input_tokens": prompt,
        "input_tokens_details": {"cached_tokens": min(cached, prompt), "cache_write_tokens": 0},
        "output_tokens": thought + spoken,
        "output_tokens_details": {"reasoning_tokens": thought},
        "total_tokens": prompt + thought + spoken,
    }

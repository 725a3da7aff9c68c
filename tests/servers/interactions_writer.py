"""What the model says, as the steps and stream events of the Interactions API."""

from __future__ import annotations

import asyncio
import copy
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass

from .brain import Block, Call, Fail, Incomplete, Output, Refuse, Say, Think, Wait, tokens, words
from .ids import Ids
from .openai_writer import paced
from .wire import Json

Events = AsyncIterator[Json]


@dataclass
class StepWriter:
    """Plays one turn into an interaction; yields events that lack only their `event_id`."""

    interaction: Json
    ids: Ids
    show_thoughts: bool

    @property
    def steps(self) -> list[Json]:
        """The steps so far."""
        steps: list[Json] = self.interaction["steps"]
        return steps

    def lifecycle(self, kind: str) -> Json:
        """An event that carries the interaction, without its steps."""
        names = ("id", "object", "model", "status", "created", "updated", "usage")
        head = {name: self.interaction[name] for name in names if name in self.interaction}
        return {"event_type": f"interaction.{kind}", "interaction": copy.deepcopy(head)}

    def status_update(self) -> Json:
        """An event that says the status."""
        event = {"event_type": "interaction.status_update", "interaction_id": self.interaction["id"]}
        return event | {"status": self.interaction["status"]}

    async def play(self, outputs: Iterable[Output], prompt_tokens: int, cached_tokens: int) -> Events:
        """Every event from the first step to the terminal one."""
        blocked = "The prompt was blocked."
        turn = [Fail(output.reason, blocked) if isinstance(output, Block) else output for output in outputs]
        status = "requires_action" if any(isinstance(output, Call) for output in turn) else "completed"
        for output in turn:
            match output:
                case Wait(seconds):
                    await asyncio.sleep(seconds)
                case Incomplete():
                    status = "incomplete"
                    break
                case Fail(code, message):
                    error = {"code": code, "message": message}
                    self.interaction |= {"status": "failed", "errors": [error]}
                    yield {"event_type": "error", "error": error}
                    return
                case _:
                    async for event in self._step(output):
                        yield event
        thought = sum(tokens(output.summary) for output in turn if isinstance(output, Think))
        spoken = sum(tokens(step) for step in self.steps if step["type"] != "thought")
        self.interaction |= {
            "status": status,
            "usage": {
                "total_input_tokens": prompt_tokens,
                "total_cached_tokens": cached_tokens,
                "total_thought_tokens": thought,
                "total_output_tokens": spoken,
                "total_tool_use_tokens": 0,
                "total_tokens": prompt_tokens + thought + spoken,
            },
        }
        yield self.lifecycle("completed")

    async def _step(self, output: Output) -> Events:
        index = len(self.steps)
        match output:
            case Think():
                step: Json = {"type": "thought", "summary": []}
                inner = self._thought(step, output)
            case Call():
                call_id = output.call_id or self.ids("call")
                step = {"type": "function_call", "id": call_id, "name": output.name, "arguments": {}}
                inner = self._arguments(step, output)
            case Say() | Refuse():
                step = {"type": "model_output"}
                pieces, pace = (output.parts(), output.pace) if isinstance(output, Say) else (words(output.text), 0.0)
                inner = self._text(step, pieces, pace)
            case _:
                raise TypeError(output)
        self.steps.append(step)
        yield {"event_type": "step.start", "index": index, "step": copy.deepcopy(step)}
        async for delta in inner:
            yield {"event_type": "step.delta", "index": index, "delta": delta}
        yield {"event_type": "step.stop", "index": index}

    async def _thought(self, step: Json, thought: Think) -> Events:
        if self.show_thoughts and thought.summary:
            step["summary"].append({"type": "text", "text": thought.summary})
            async for piece in paced(words(thought.summary), thought.pace):
                yield {"type": "thought_summary", "content": {"type": "text", "text": piece}}
        step["signature"] = thought.encrypted or self.ids.blob()
        yield {"type": "thought_signature", "signature": step["signature"]}

    async def _text(self, step: Json, pieces: Iterable[str], pace: float) -> Events:
        step["content"] = [{"type": "text", "text": ""}]
        async for piece in paced(pieces, pace):
            step["content"][0]["text"] += piece
            yield {"type": "text", "text": piece}

    async def _arguments(self, step: Json, call: Call) -> Events:
        text = call.arguments_json
        async for piece in paced((text[i : i + 8] for i in range(0, len(text), 8)), call.pace):
            yield {"type": "arguments_delta", "arguments": piece}
        step["arguments"] = call.arguments_dict

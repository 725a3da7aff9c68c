"""The Assistants API: assistants, threads, messages, runs, tool outputs; streamed or polled.

As OpenAI had it (openai 3.57's types), and with `oaa` as open-assistant-api has it: no last line in a stream, a run that waits for
tools announced as completed, too, a stream that ends without a word when the run fails, and none where the run began without one.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass, field

from . import sse
from .brain import Block, Brain, Call, Fail, Incomplete, Output, Refuse, Say, Think, Wait, as_brain, tokens
from .conversations import page
from .http import Server
from .ids import Ids
from .openai_writer import paced
from .plan import Fault
from .routing import Route, dispatch, json_object
from .runs import Background, Run
from .vendors import ASSISTANTS
from .wire import ApiError, Json, Reply, Request

STOPS = {"max_output_tokens": "max_completion_tokens", "content_filter": "content_filter"}
BATCH = 32
TEXT_LIMIT = 256_000
ONE_OF_A_RUN = frozenset(
    """assistant_id model instructions additional_instructions additional_messages tools max_prompt_tokens parallel_tool_calls
    max_completion_tokens tool_choice response_format truncation_strategy temperature top_p reasoning_effort metadata
    stream""".split()  # noqa: SIM905
)


@dataclass
class Thread:
    """A thread: what a client lists, and what the model sees of it, which includes calls and their results."""

    head: Json
    messages: list[Json] = field(default_factory=list)
    context: list[Json] = field(default_factory=list)


@dataclass
class Kept:
    """A run: as a client sees it, the work on it since it was last asked for, and what it was asked for."""

    head: Json
    thread: Thread
    request: Json
    run: Run
    streamed: bool


class AssistantsServer(Server):
    """A fake server with assistants; `contexts` holds what the model saw. `assistant` is the id of one that is there."""

    assistant = "asst_there"

    def __init__(
        self,
        brain: Brain | Sequence[Iterable[Output]] | None = None,
        *,
        key: str = "sk-test-0123456789abcdef",
        models: Sequence[str] = ("gpt-6-luna", "gpt-6.1-terra"),
        oaa: bool = False,
        background: Background | None = None,
        faults: Sequence[Fault] = (),
    ) -> None:
        super().__init__(faults=faults, vendor=ASSISTANTS)
        self.brain, self.key, self.models, self.oaa = as_brain(brain), key, models, oaa
        self.background = background or Background()
        self.contexts: list[list[Json]] = []
        there: Json = {"id": self.assistant, "object": "assistant", "model": models[0], "metadata": {}, "name": "there"}
        self.assistants: dict[str, Json] = {self.assistant: there | {"instructions": "", "tools": []}}
        self.threads: dict[str, Thread] = {}
        self.runs: dict[str, Kept] = {}
        self._ids = Ids()
        base, one = r"/api/v1", r"/(\w+)"
        runs = base + r"/threads/(\w+)/runs"
        self._routes: list[Route] = [
            ("GET", base + "/models", self._list_models),
            ("GET", base + "/assistants", self._list_assistants),
            ("POST", base + "/assistants", self._create_assistant),
            ("GET", base + "/assistants" + one, self._show_assistant),
            ("POST", base + "/assistants" + one, self._update_assistant),
            ("DELETE", base + "/assistants" + one, self._delete_assistant),
            ("POST", base + "/threads", self._create_thread),
            ("GET", base + "/threads" + one, self._show_thread),
            ("POST", base + r"/threads/(\w+)/messages", self._add_message),
            ("GET", base + r"/threads/(\w+)/messages", self._list_messages),
            ("POST", runs, self._create_run),
            ("GET", runs + one, self._show_run),
            ("POST", runs + one + "/submit_tool_outputs", self._submit),
            ("POST", runs + one + "/cancel", self._cancel),
        ]

    @property
    def base_url(self) -> str:
        """What a client takes as its base URL."""
        return f"{self.url}/api/v1"

    async def answer(self, request: Request) -> Reply:
        if self.key and request.headers.get("authorization") != f"Bearer {self.key}":
            raise ApiError(401)
        if request.headers.get("openai-beta") != "assistants=v2":
            raise ApiError(400, "You must provide the 'OpenAI-Beta' header to access the Assistants API.")
        return await dispatch(self._routes, request)

    # ---- models, assistants, threads, messages ---------------------------------------------------------------------------

    async def _list_models(self, _: Request) -> Reply:
        return Reply.json({"object": "list", "data": [{"id": model, "object": "model"} for model in self.models]})

    async def _list_assistants(self, request: Request) -> Reply:
        return page([*self.assistants.values()], request)

    async def _create_assistant(self, request: Request) -> Reply:
        body = json_object(request)
        if not isinstance(body.get("model"), str):
            raise ApiError(422, "model: Field required")
        _check_tools(body)
        made = {"id": self._ids("asst"), "object": "assistant", "created_at": int(time.time())} | body
        self.assistants[str(made["id"])] = made
        return Reply.json(made)

    def _assistant_of(self, number: object) -> Json:
        if number not in self.assistants:
            raise ApiError(404, f"No assistant found with id '{number}'.", code="resource_not_found")
        return self.assistants[str(number)]

    async def _show_assistant(self, _: Request, number: str) -> Reply:
        return Reply.json(self._assistant_of(number))

    async def _update_assistant(self, request: Request, number: str) -> Reply:
        body = json_object(request)
        _check_tools(body)
        return Reply.json(self._assistant_of(number) | {}) if not body else Reply.json(self._change(number, body))

    def _change(self, number: str, body: Json) -> Json:
        self.assistants[number] = self._assistant_of(number) | body
        return self.assistants[number]

    async def _delete_assistant(self, _: Request, number: str) -> Reply:
        self._assistant_of(number)
        del self.assistants[number]
        return Reply.json({"id": number, "object": "assistant.deleted", "deleted": True})

    async def _create_thread(self, request: Request) -> Reply:
        body = json_object(request)
        given = body.get("messages") or []
        if not isinstance(given, list) or len(given) > BATCH:
            raise ApiError(400, f"Invalid 'messages': array too long. Expected at most {BATCH} elements.")
        head: Json = {"id": self._ids("thread"), "object": "thread", "created_at": int(time.time()), "metadata": {}}
        thread = Thread(head)
        for message in given:
            self._add(thread, message)
        self.threads[head["id"]] = thread
        return Reply.json(head)

    def _thread_of(self, number: str) -> Thread:
        if number not in self.threads:
            raise ApiError(404, f"No thread found with id '{number}'.", code="resource_not_found")
        return self.threads[number]

    async def _show_thread(self, _: Request, number: str) -> Reply:
        return Reply.json(self._thread_of(number).head)

    def _add(self, thread: Thread, body: Json) -> Json:
        """A message of a client's."""
        text = body.get("content")
        if body.get("role") not in ("user", "assistant") or not isinstance(text, str) or not text.strip():
            raise ApiError(400, "Message content must be non-empty, and its role user or assistant.")
        if len(text) > TEXT_LIMIT:
            raise ApiError(400, f"Invalid 'content': string too long. Expected at most {TEXT_LIMIT} characters.")
        message = self._message(thread, str(body["role"]), text)
        thread.messages.append(message)
        thread.context.append({"role": body["role"], "content": text})
        return message

    def _message(self, thread: Thread, role: str, text: str, run: str | None = None) -> Json:
        part = {"type": "text", "text": {"value": text, "annotations": []}}
        head = {"id": self._ids("msg"), "object": "thread.message", "created_at": int(time.time())}
        return head | {"thread_id": thread.head["id"], "role": role, "run_id": run, "content": [part] if text else []}

    def _active(self, thread: Thread) -> str:
        """The run that the thread cannot be used during; open-assistant-api does not mind."""
        busy = ("queued", "in_progress", "requires_action", "cancelling")
        found = (one.head["id"] for one in self.runs.values() if one.thread is thread and one.head["status"] in busy)
        return "" if self.oaa else next(found, "")

    async def _add_message(self, request: Request, number: str) -> Reply:
        thread = self._thread_of(number)
        if run := self._active(thread):
            raise ApiError(400, f"Can't add messages to {number} while a run {run} is active.")
        return Reply.json(self._add(thread, json_object(request)))

    async def _list_messages(self, request: Request, number: str) -> Reply:
        wanted = request.query.get("run_id")
        return page([one for one in self._thread_of(number).messages if wanted in (None, one["run_id"])], request)

    # ---- runs ------------------------------------------------------------------------------------------------------------

    async def _create_run(self, request: Request, number: str) -> Reply:
        body, thread = json_object(request), self._thread_of(number)
        for name in body:
            if name not in ONE_OF_A_RUN:
                raise ApiError(400, f"Unknown parameter: '{name}'.")
        assistant = self._assistant_of(body.get("assistant_id"))
        _check_tools(body)
        if run := self._active(thread):
            raise ApiError(400, f"Thread {number} already has an active run {run}.")
        more = body.get("additional_messages") or []
        for message in more if isinstance(more, list) else []:
            self._add(thread, message)
        head: Json = {"id": self._ids("run"), "object": "thread.run", "thread_id": number, "status": "queued"}
        head |= {"created_at": float(int(time.time())), "expires_at": None, "last_error": None, "usage": None}
        head |= {"required_action": None, "incomplete_details": None}
        head |= {name: body.get(name) or assistant.get(name) for name in ("model", "instructions", "tools")}
        asked = head | {name: value for name, value in body.items() if name not in (*head, "additional_messages")}
        kept = Kept(
            head, thread, asked | {"background": True}, Run(_unnumbered, streamed=True), bool(body.get("stream"))
        )
        self.runs[head["id"]] = kept
        return await self._work(kept, ["created", "queued"], bool(body.get("stream")))

    def _run_of(self, thread: str, number: str) -> Kept:
        if number not in self.runs or self.runs[number].head["thread_id"] != thread:
            raise ApiError(404, f"No run found with id '{number}'.", code="resource_not_found")
        return self.runs[number]

    async def _show_run(self, _: Request, thread: str, number: str) -> Reply:
        kept = self._run_of(thread, number)
        body = dict(kept.head)
        kept.run.poll()
        return Reply.json(body)

    async def _submit(self, request: Request, thread: str, number: str) -> Reply:
        kept, body = self._run_of(thread, number), json_object(request)
        if kept.head["status"] != "requires_action":
            words = f'Runs in status "{kept.head["status"]}" do not accept tool outputs.'
            raise ApiError(404, "run_step not found or not in progress") if self.oaa else ApiError(400, words)
        wanted = [call["id"] for call in kept.head["required_action"]["submit_tool_outputs"]["tool_calls"]]
        outputs = {one["tool_call_id"]: one["output"] for one in body.get("tool_outputs", [])}  # type: ignore[attr-defined]
        if set(outputs) != set(wanted):
            raise ApiError(400, f"Expected tool outputs for call_ids {wanted}, got {[*outputs]}.")
        if any(not isinstance(output, str) for output in outputs.values()):
            raise ApiError(422, "tool_outputs.output: Input should be a valid string")
        kept.thread.context += [
            {"role": "tool", "tool_call_id": call_id, "content": outputs[call_id]} for call_id in wanted
        ]
        kept.head |= {"status": "queued", "required_action": None}
        streamed = bool(body.get("stream"))
        reply = await self._work(kept, [], streamed)
        return sse.stream(_nothing()) if self.oaa and streamed and not kept.streamed else reply

    async def _cancel(self, _: Request, thread: str, number: str) -> Reply:
        kept = self._run_of(thread, number)
        can = ("in_progress",) if self.oaa else ("in_progress", "queued", "requires_action")
        if kept.head["status"] not in can:
            raise ApiError(400, f"Cannot cancel run with status '{kept.head['status']}'.")
        kept.head["status"] = "cancelling"
        if kept.run.done:
            kept.head["status"] = "cancelled"
        kept.run.cancel()
        return Reply.json(dict(kept.head) | {"status": "cancelling"})

    async def _work(self, kept: Kept, begin: Sequence[str], streamed: bool) -> Reply:
        """Let the model go on, in a stream or not: a run is over when it waits for tools, too."""
        self.contexts.append([*kept.thread.context])
        outputs = list(self.brain(kept.request | {"messages": kept.thread.context}))
        kept.run = Run(_unnumbered, streamed=streamed)
        reply = Reply.json(dict(kept.head))
        for name in begin:
            kept.run.emit(_named(f"thread.run.{name}", kept.head))
        kept.run.start(self._play(kept, outputs), at_end=lambda: _end(kept))
        return sse.stream(self._frames(kept)) if streamed else reply

    async def _frames(self, kept: Kept) -> AsyncIterator[bytes]:
        async for event in kept.run.follow():
            yield sse.frame(event["data"], event["name"])
        if not self.oaa:
            yield sse.DONE_EVENT

    async def _play(self, kept: Kept, outputs: Sequence[Output]) -> None:
        run, head = kept.run, kept.head
        try:
            await run.hold(self.background.queued, self.background.queued_seconds)
            head["status"] = "in_progress"
            run.emit(_named("thread.run.in_progress", head))
            await run.hold(self.background.queued + self.background.running, self.background.running_seconds)
            calls: list[Json] = []
            ending: Json = {"status": "completed"}
            for index, output in enumerate(outputs):
                match output:
                    case Say() | Refuse():
                        await self._say(
                            kept, output, lost=self.oaa and any(isinstance(o, Call) for o in outputs[index:])
                        )
                    case Call(name=name):
                        function = {"name": name, "arguments": output.arguments_json}
                        calls.append(
                            {"id": output.call_id or self._ids("call"), "type": "function", "function": function}
                        )
                    case Wait(seconds=seconds):
                        await asyncio.sleep(seconds)
                    case Fail(code=code, message=message):
                        ending = {"status": "failed", "last_error": {"code": code, "message": message}}
                        break
                    case Block():
                        error = {"code": "invalid_prompt", "message": "The prompt was flagged."}
                        ending = {"status": "failed", "last_error": error}
                        break
                    case Incomplete(reason=reason):
                        details = {"reason": STOPS.get(reason, reason)}
                        ending = {"status": "incomplete", "incomplete_details": details}
                        if reason == "expired":
                            ending = {"status": "expired"}
                        break
                    case Think():
                        pass  # this API shows no reasoning
            if calls and ending["status"] == "completed":
                self._require(kept, calls)
            else:
                self._finish(kept, ending)
        except asyncio.CancelledError:
            head["status"] = "cancelled"

    async def _say(self, kept: Kept, output: Say | Refuse, *, lost: bool) -> None:
        """A message of the model's; `lost`: open-assistant-api keeps none that comes before a call."""
        run, head, text = kept.run, kept.head, output.text
        message = self._message(kept.thread, "assistant", "", head["id"])
        step: Json = {
            "id": self._ids("step"),
            "object": "thread.run.step",
            "type": "message_creation",
            "run_id": head["id"],
        }
        step["step_details"] = {"type": "message_creation", "message_creation": {"message_id": message["id"]}}
        for name in ("created", "in_progress"):
            run.emit(_named(f"thread.run.step.{name}", step))
        kept.thread.messages.append(message)
        spoken: Json = {"role": "assistant", "content": ""}
        kept.thread.context.append(spoken)
        for name in ("created", "in_progress"):
            run.emit(_named(f"thread.message.{name}", message))
        parts, pace = (output.parts(), output.pace) if isinstance(output, Say) else ([text], 0.0)
        async for piece in paced(parts, pace):
            spoken["content"] += piece
            delta = {"content": [{"index": 0, "type": "text", "text": {"value": piece, "annotations": None}}]}
            name = "thread.message.delta"
            run.emit(_named(name, {"id": message["id"], "object": name, "delta": delta}))
        if lost:
            return
        message["content"] = [{"type": "text", "text": {"value": text, "annotations": []}}]
        run.emit(_named("thread.message.completed", message))
        run.emit(_named("thread.run.step.completed", step))

    def _require(self, kept: Kept, calls: list[Json]) -> None:
        run, head = kept.run, kept.head
        step: Json = {"id": self._ids("step"), "object": "thread.run.step", "type": "tool_calls", "run_id": head["id"]}
        step["step_details"] = {"type": "tool_calls", "tool_calls": calls}
        for name in ("created", "in_progress"):
            run.emit(_named(f"thread.run.step.{name}", step))
        details = {"type": "tool_calls", "tool_calls": [{"index": n, **call} for n, call in enumerate(calls)]}
        delta = {"id": step["id"], "object": "thread.run.step.delta", "delta": {"step_details": details}}
        run.emit(_named("thread.run.step.delta", delta))
        kept.thread.context.append({"role": "assistant", "tool_calls": calls})
        action = {"type": "submit_tool_outputs", "submit_tool_outputs": {"tool_calls": calls}}
        head |= {"status": "requires_action", "required_action": action}
        run.emit(_named("thread.run.requires_action", head))
        if self.oaa:
            run.emit(_named("thread.run.completed", head))

    def _finish(self, kept: Kept, ending: Json) -> None:
        kept.head |= ending
        prompt, written = tokens(kept.thread.context[:-1]), tokens(kept.thread.context[-1:])
        usage = {"prompt_tokens": prompt, "completion_tokens": written, "total_tokens": prompt + written}
        kept.head |= {} if self.oaa else {"usage": usage}
        if not (self.oaa and ending["status"] == "failed"):
            kept.run.emit(_named(f"thread.run.{ending['status']}", kept.head))


def _named(name: str, data: Json) -> Json:
    """An event as the log has it: its data have no type."""
    return {"name": name, "data": dict(data)}


def _end(kept: Kept) -> None:
    if kept.head["status"] in ("queued", "in_progress", "cancelling"):
        kept.head["status"] = "cancelled"


def _unnumbered(_: Json, __: int) -> None:
    """Events have no number."""


async def _nothing() -> AsyncIterator[bytes]:
    for nothing in list[bytes]():
        yield nothing


def _check_tools(body: Json) -> None:
    for tool in body.get("tools") or []:
        if tool.get("type") != "function":
            continue
        if not re.fullmatch(r"[\w-]{1,64}", tool.get("function", {}).get("name", "")):
            raise ApiError(400, "Missing required parameter: 'tools[0].function.name'.")

"""`assistants`: OpenAI's Assistants API, for the servers that still have it: an assistant runs in a thread, which they keep."""

from __future__ import annotations

import contextlib
import re
from collections.abc import AsyncGenerator, Collection, Iterable, Iterator, Sequence
from typing import Any

import msgspec

import asstproxy.provider as ap

from .assistants_server import INFO, Options, connected, explain, functions, models, provision, withdraw

__all__ = ["INFO", "AssistantsProvider", "connect", "models", "provision", "withdraw"]

BATCH = 32  # messages that a thread can begin with
ENDS = ("requires_action", "completed", "incomplete", "expired", "failed", "cancelled")
INCOMPLETE = {"max_completion_tokens": "max_output_tokens", "max_prompt_tokens": "context_length"}


def connect(profile: ap.Profile, *, client: Any = None) -> AssistantsProvider:  # noqa: ARG001 - no SDK is used
    """An Assistant Proxy for this profile; `NotSetUpError` if it names no assistant, or no server that can have one."""
    transport, options = connected(profile), profile.read(Options)
    if not options.assistant_id:
        data = {"provider": profile.provider, "profile": profile.name}
        said = f"The profile '{profile.name}' has no assistant_id."
        raise ap.NotSetUpError(said, "Set assistant_id in the profile.", code="assistant_missing", data=data)
    return AssistantsProvider(transport, profile.model, options.assistant_id, options.poll)


class Reader(ap.JobReader):
    """Folds the events of a run: the answer is what this run wrote, but for the messages in `told`.

    `answered` are calls whose results the run has. What a run that was polled has written is the `rest` of its reply.
    """

    def __init__(self, thread: str, told: set[str], answered: Collection[str] = ()) -> None:
        self._thread, self._told, self._answered, self.run = thread, told, answered, ap.JSON()
        self._pieces, self._whole = dict[str, ap.TextFold](), dict[str, str]()  # by the id of a message
        self._media, self._sources = list[str](), list[ap.Source]()

    def feed(self, event: ap.JSON) -> Iterator[ap.Event]:
        if (error := ap.find_error(event)) is not None:
            raise ap.reported_error(error)
        kind = ap.get_text(event, "object") or ap.get_text(event, "type")
        if kind.startswith("thread.message"):
            yield from self._read(event, ap.get_object(event, "delta"))
        elif re.match(r"thread\.run(?!\.step)", kind):  # its status counts: some servers send it under the name of another
            self.run, self.job_id, status = event, ap.get_text(event, "id") or self.job_id, ap.get_text(event, "status")
            self.done = status in ENDS and bool(self._pieces or status != "completed")

    def _read(self, message: ap.JSON, delta: ap.JSON) -> Iterator[ap.Event]:
        content, number = ap.get_objects(delta or message, "content"), ap.get_text(message, "id")
        text = "".join(ap.get_text(part, "text", "value") or ap.get_text(part, "refusal") for part in content)
        self._media += ["an image" for part in content if "image" in ap.get_text(part, "type")]
        self._sources += ap.url_citations(ap.get_object(part, "text") for part in content)
        if not text or number in self._told:
            return
        gap = "\n\n" if self._pieces and number not in self._pieces else ""
        fold = self._pieces.setdefault(number, ap.TextFold())
        self._whole |= {} if delta else {number: text}
        if new := fold.add(text) if delta else fold.complete(text):
            yield ap.ChunkReceived(gap + new)

    def missing(self, reply: ap.JSON) -> str:
        ended, number = ap.get_text(reply, "status") in ENDS and "rest" not in reply, ap.get_text(reply, "id")
        return f"/threads/{self._thread}/messages?order=desc&limit=100&run_id={number}" if ended else ""

    def reply(self, reply: ap.JSON) -> Iterator[ap.Event]:
        list(self.feed({"object": "thread.run"} | reply))
        for message in reversed(ap.get_objects(reply, "rest", "data")):
            if (message.get("role"), message.get("run_id")) == ("assistant", self.job_id):
                list(self._read(message, {}))
        yield from self.end()

    def end(self) -> Iterator[ap.Event]:
        run, status, usage = self.run, ap.get_text(self.run, "status"), ap.get_object(self.run, "usage")
        said = self._whole if self._whole and status == "completed" else {**self._pieces, **self._whole}
        text = "\n\n".join(map(str, said.values()))
        if usage and status != "requires_action":
            yield ap.Usage(ap.get_count(usage, "prompt_tokens"), ap.get_count(usage, "completion_tokens"))
        yield from ap.cited(self._sources)
        match status:
            case "requires_action":
                calls = self._calls()
                self._told |= {*self._pieces}
                yield ap.ActionRequired(calls, text)
            case "completed":
                yield from ap.unshown(self._media, answered=bool(text))
                yield ap.AssistantMessageRetrieved(text)
            case "incomplete" | "expired":
                why = ap.get_text(run, "incomplete_details", "reason") or ap.get_text(run, "incomplete_details")
                yield ap.MessageIncomplete(text, INCOMPLETE.get(why, why or status))
            case "failed":  # some servers have one code only, and what their own server answered in the message
                error = ap.get_object(run, "last_error")
                upstream = re.match(r"Error code: (\d{3})\b", ap.get_text(error, "message"))
                raise ap.reported_error(error | {"code": upstream[1]} if upstream else error)
            case "cancelled":
                raise ap.AssistantError("interrupted", "The run was cancelled at the server.", "Ask again.")
            case _:
                raise ap.AssistantError("protocol", "The server's reply contains no run.", "Check base_url.")

    def _calls(self) -> tuple[ap.ToolCall, ...]:
        calls = ap.ToolCallBuffer()
        for number, call in enumerate(ap.get_objects(self.run, "required_action", "submit_tool_outputs", "tool_calls")):
            if (call_id := ap.get_text(call, "id")) not in self._answered:
                name, arguments = ap.get_text(call, "function", "name"), ap.get_arguments(call, "function", "arguments")
                calls.add(number, call_id, name, arguments)
        if not calls:
            raise self.refused or ap.AssistantError("protocol", "The run waits for nothing that asst knows.", "Ask again.")
        return calls.finish()


class AssistantsProvider(ap.StatelessProvider):
    """An Assistant Proxy that runs `assistant`; `poll` is in seconds. The thread's id is in `resume`."""

    provider = "assistants"

    def __init__(self, transport: ap.Transport, model: str, assistant: str, poll: float) -> None:
        super().__init__(transport, model)
        self._assistant, self._poll, self._begun, self._reader = assistant, poll, ap.Turn(""), Reader("", set())
        self._thread, self._waiting, self._told, self._resumed = "", "", set[str](), False

    async def begin(self, turn: ap.Turn) -> Sequence[ap.Event]:
        token = turn.resume if isinstance(turn.resume, dict) and turn is not self._begun else {}
        self._begun, self._thread, self._waiting, self._told = turn, ap.get_text(token, "thread"), "", set()
        self._resumed = bool(self._thread)  # if not, or if it failed, nobody knows what it contains: a new one is made
        return ()

    async def answer(self, items: list[ap.Item]) -> AsyncGenerator[ap.Event]:
        if not self._thread:
            said = messages(items[:-1] if isinstance(items[-1], ap.UserMessage) else items)
            made = ap.get_text(await self.transport.call("POST", "/threads", {"messages": said[:BATCH]}), "id")
            if not made:
                raise ap.AssistantError("protocol", "The server made no thread.", "Check base_url.")
            for message in said[BATCH:]:
                await self.transport.call("POST", f"/threads/{made}/messages", message)
            self._thread, self._waiting = made, ""
        answered = [r.call_id for r in items[-1].results] if isinstance(items[-1], ap.ToolOutputs) else []
        job, (path, body) = self._job(answered, self._waiting), self.request(self.turn, items)
        running = job.streamed(body, path) if self.turn.stream or self._waiting else job.polled(body)
        async with contextlib.aclosing(running) as events:
            async for event in events:
                yield event

    def _job(self, answered: Collection[str] = (), waiting: str = "") -> ap.BackgroundJob:
        self._reader, runs = Reader(self._thread, self._told, answered), f"/threads/{self._thread}/runs"
        return ap.BackgroundJob(self.transport, runs, self._reader, poll=self._poll, waiting=waiting)

    def request(self, turn: ap.Turn, items: Sequence[ap.Item]) -> tuple[str, ap.JSON]:
        runs, new, how = f"/threads/{self._thread}/runs", items[-1], {"stream": True} if turn.stream else {}
        if self._waiting and isinstance(new, ap.ToolOutputs):
            given = [(r.call_id, r.output if r.error is None else f"Error: {r.error}") for r in new.results]
            outputs = [{"tool_call_id": call_id, "output": output} for call_id, output in given]
            return f"{runs}/{self._waiting}/submit_tool_outputs", {"tool_outputs": outputs} | how
        said = messages([new]) if isinstance(new, ap.UserMessage) else []
        body: ap.JSON = {"assistant_id": self._assistant, "model": turn.model, "instructions": turn.instructions}
        body = {key: value for key, value in (body | {"additional_messages": said}).items() if value}
        return runs, body | how | turn.settings | ap.with_hosted_tools(functions(turn.tools), turn.settings)

    async def attach(self, turn: ap.Turn) -> AsyncGenerator[ap.Event]:
        """See `Attachable`: a run goes on without us."""
        token = turn.resume if isinstance(turn.resume, dict) else {}
        if not (run := ap.get_text(token, "run")):
            raise ap.AssistantError("interrupted", "The exchange cannot be continued.", "Ask again.")
        self._thread, self._told = ap.get_text(token, "thread"), {*token.get("told", ())}
        found = self._job().found(run, text=ap.get_count(token, "text"), in_pieces="text" in token)
        async with contextlib.aclosing(self.take_up(turn, found)) as events:
            async for event in events:
                yield event

    def annotate(self, event: ap.Event, items: list[ap.Item]) -> ap.Event:  # noqa: ARG002 - as in the base
        token: ap.JSON = {"thread": self._thread}
        if isinstance(event, ap.Heartbeat) and event.resume:
            token |= {"run": event.resume["id"], "told": sorted(self._told)}
            token |= {"text": event.resume["text"]} if self.turn.stream else {}
        elif isinstance(event, ap.ActionRequired):
            self._waiting = self._reader.job_id or ""
        elif not isinstance(event, ap.AssistantMessageRetrieved | ap.MessageIncomplete):
            return event
        return msgspec.structs.replace(event, resume=token)

    async def recover(self, error: ap.AssistantError, items: list[ap.Item]) -> str | None:  # noqa: ARG002 - as in the base
        explain(error)
        if self._waiting and ap.get_text(self._reader.run, "status") in ("", "requires_action"):
            return None  # it waits as before
        resumed, self._thread, self._resumed = self._resumed, "", False
        lost = error.kind in ("not_found", "invalid_request") and "thread" in str(error).lower()
        return "The server can't continue its thread; sending the conversation to a new one." if resumed and lost else None


def messages(items: Iterable[ap.Item]) -> list[ap.JSON]:
    """The conversation as messages of a thread: calls and results, which have no place there, in words."""
    sent, names = list[ap.JSON](), dict[str, str]()
    for item in items:
        role, said = "assistant", ""
        match item:
            case ap.UserMessage(text):
                role, said = "user", text
            case ap.AssistantMessage(text, calls):
                said, names = text, {call.call_id: f"{call.name}({call.arguments})" for call in calls}
            case ap.ToolOutputs(results):
                given = [(r.call_id, f": {r.output}" if r.error is None else f", which failed: {r.error}") for r in results]
                said = "\n".join(f"[Called {names.get(call_id, 'a function')}{result}]" for call_id, result in given)
        if sent and sent[-1]["role"] == role and said.strip():
            sent[-1]["content"] += f"\n\n{said}"
        elif said.strip():
            sent.append({"role": role, "content": said})
    return sent

"""`assistants`: OpenAI's Assistants API, for the servers that still have it: an assistant runs in a thread, which they keep."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, Collection, Iterator, Sequence
from typing import Any

import msgspec

import asstproxy.provider as ap

from . import assistants_server as server
from .assistants_server import INFO, models, provision, withdraw

__all__ = ["INFO", "AssistantsProvider", "connect", "models", "provision", "withdraw"]

ENDS = ("requires_action", "completed", "incomplete", "expired", "failed", "cancelled")
INCOMPLETE = {"max_completion_tokens": "max_output_tokens", "max_prompt_tokens": "context_length"}


def connect(profile: ap.Profile, *, client: Any = None) -> AssistantsProvider:  # noqa: ARG001 - no SDK is used
    """An Assistant Proxy for this profile; `NotSetUpError` if it names no assistant, or no server that can have one."""
    transport, poll = server.connected(profile), profile.read(server.Options).poll
    return AssistantsProvider(transport, profile.model, server.assistant_of(profile), poll)


class Reader(ap.JobReader):
    """Folds the events of a run: the answer is what this run wrote, but for the messages in `known`.

    `answered` are calls whose results the run has. What a run that was polled has written is the `rest` of its reply.
    """

    def __init__(self, thread: str, known: set[str], answered: Collection[str] = ()) -> None:
        self._thread, self._known, self._answered, self.run = thread, known, answered, ap.JSON()
        self._messages, self._media, self._sources, self._cut = ap.MessageFold(), list[str](), list[ap.Source](), ""

    def feed(self, event: ap.JSON) -> Iterator[ap.Event]:
        if (error := ap.find_error(event)) is not None:
            raise ap.reported_error(error)
        kind = ap.get_text(event, "object") or ap.get_text(event, "type")
        if kind.startswith("thread.message"):
            if new := self._read(event, ap.get_object(event, "delta")):
                yield ap.ChunkReceived(new)
        elif re.match(r"thread\.run(?!\.step)", kind):  # its status counts: some name the event after another one
            self.run, self.job_id, status = event, ap.get_text(event, "id") or self.job_id, ap.get_text(event, "status")
            self.done = status in ENDS and bool(self._messages or status != "completed")

    def _read(self, message: ap.JSON, delta: ap.JSON) -> str:
        content, number = ap.get_blocks(delta or message, "content"), ap.get_text(message, "id")
        text = "".join(map(server.text_of, content))
        self._media += ["an image" for part in content if "image" in ap.get_text(part, "type")]
        self._sources += ap.url_citations(ap.get_object(part, "text") for part in content)
        self._cut = server.cut_of(message) or self._cut
        return "" if number in self._known else self._messages.add(number, text, whole=not delta)

    def missing(self, reply: ap.JSON) -> str:
        ended, number = ap.get_text(reply, "status") in ENDS and "rest" not in reply, ap.get_text(reply, "id")
        return f"/threads/{self._thread}/messages?order=desc&limit=100&run_id={number}" if ended else ""

    def reply(self, reply: ap.JSON) -> Iterator[ap.Event]:
        list(self.feed({"object": "thread.run"} | reply))
        for message in server.written_by(self.job_id or "", ap.get_object(reply, "rest")):
            self._read(message, {})
        yield from self.end()

    def end(self) -> Iterator[ap.Event]:
        run, status, usage = self.run, ap.get_text(self.run, "status"), ap.get_object(self.run, "usage")
        if usage and status != "requires_action":
            yield ap.Usage(ap.get_count(usage, "prompt_tokens"), ap.get_count(usage, "completion_tokens"))
        text = self._messages.text(ended=status == "completed")
        match status:
            case "requires_action":
                wanted = ap.get_objects(run, "required_action", "submit_tool_outputs", "tool_calls")
                if not (calls := ap.function_calls(wanted, self._answered)):
                    raise self.refused or ap.AssistantError("protocol", "The run waits for something unknown.")
                self._known |= self._messages.ids
                yield ap.ActionRequired(calls, text)
            case "completed" if not self._cut:
                yield from ap.cited(self._sources)
                yield from ap.unshown(self._media, answered=bool(text))
                yield ap.AssistantMessageRetrieved(text)
            case "incomplete" | "expired" | "completed":
                why = ap.get_text(run, "incomplete_details", "reason") or ap.get_text(run, "incomplete_details")
                yield ap.MessageIncomplete(text, INCOMPLETE.get(why, why or self._cut or status))
            case "failed":
                raise ap.reported_error(run.get("last_error"))
            case "cancelled":
                raise ap.AssistantError("interrupted", "The run was cancelled at the server.", "Ask again.")
            case _:
                raise ap.AssistantError("protocol", "The server's reply contains no run.", "Check base_url.")


class AssistantsProvider(ap.StatefulProvider):
    """An Assistant Proxy that runs `assistant` in a thread; `poll` is in seconds."""

    provider, kept_as = "assistants", "thread"

    def __init__(self, transport: ap.Transport, model: str, assistant: str, poll: float) -> None:
        super().__init__(transport, model)
        self._assistant, self._poll, self._known, self._reader = assistant, poll, set[str](), Reader("", set())

    async def create_conversation(self, items: Sequence[ap.Item]) -> str:
        return await server.new_thread(self.transport, items)

    def ask(self, items: list[ap.Item]) -> AsyncGenerator[ap.Event]:
        answered = [r.call_id for r in items[-1].results] if isinstance(items[-1], ap.ToolOutputs) else []
        self._known = self._known if self.waiting else set()
        job, (path, body) = self._job(answered, self.waiting), self.request(self.turn, items)
        return job.streamed(body, path) if self.turn.stream or self.waiting else job.polled(body)

    def _job(self, answered: Collection[str] = (), waiting: str = "") -> ap.BackgroundJob:
        self._reader, runs = Reader(self.kept, self._known, answered), f"/threads/{self.kept}/runs"
        return ap.BackgroundJob(self.transport, runs, self._reader, poll=self._poll, waiting=waiting)

    def request(self, turn: ap.Turn, items: Sequence[ap.Item]) -> tuple[str, ap.JSON]:
        runs, new, how = f"/threads/{self.kept}/runs", items[-1], {"stream": True} if turn.stream else {}
        if self.waiting and isinstance(new, ap.ToolOutputs):
            given = [(r.call_id, r.output if r.error is None else f"Error: {r.error}") for r in new.results]
            outputs = [{"tool_call_id": call_id, "output": output} for call_id, output in given]
            return f"{runs}/{self.waiting}/submit_tool_outputs", {"tool_outputs": outputs} | how
        additional = ap.in_words([new]) if isinstance(new, ap.UserMessage) else []
        own: ap.JSON = {"model": turn.model, "instructions": turn.instructions, "additional_messages": additional}
        # Where one is empty, the assistant's own counts.
        body = {"assistant_id": self._assistant} | {key: value for key, value in own.items() if value} | how
        return runs, body | turn.settings | ap.with_hosted_tools(server.functions(turn.tools), turn.settings)

    def attach(self, turn: ap.Turn) -> AsyncGenerator[ap.Event]:
        """See `Attachable`: a run goes on without us."""
        return self.take_up(turn, "run", self._found)

    def _found(self, token: ap.JSON) -> AsyncGenerator[ap.Event]:
        self.kept, self._known = ap.get_text(token, "thread"), {*token.get("told", ())}
        return self._job().found(token["run"], text=ap.get_count(token, "text"), in_pieces="text" in token)

    def annotate(self, event: ap.Event, items: list[ap.Item]) -> ap.Event:
        if isinstance(event, ap.ActionRequired):
            self.waiting = self._reader.job_id or ""
        if not isinstance(event, ap.Heartbeat) or not event.resume:
            return super().annotate(event, items)
        token = {"thread": self.kept, "run": event.resume["id"], "told": sorted(self._known)}
        return msgspec.structs.replace(
            event, resume=token | ({"text": event.resume["text"]} if self.turn.stream else {})
        )

    def still_waits(self) -> bool:
        return ap.get_text(self._reader.run, "status") in ("", "requires_action")

    async def recover(self, error: ap.AssistantError, items: list[ap.Item]) -> str | None:
        return await super().recover(server.explain(error), items)

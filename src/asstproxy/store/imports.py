"""Importing sessions: a journal, a transcript, or the `logs.db` of llm.

A transcript has no records; they are synthesized: those that a journal of it could have had. Times within an exchange come from
its steps.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from ..config.paths import refuse_device
from ..core import events as ev
from ..core.attachment import Attachment
from ..core.codec import to_unix_time
from ..core.errors import SessionError
from ..core.script import STEPS, State
from . import ulid
from .fork import without_resume
from .recovery import each_record, read_journal, repaired
from .session_files import SessionFiles, attachments_of
from .store import Store
from .transcript import ExchangeEntry, RequestEntry, Transcript
from .transcript_file import load_transcript

__all__ = ["Imported", "import_file", "records_of_file", "synthesize_records"]

_SQLITE = b"SQLite format 3\0"


@dataclass(frozen=True, slots=True)
class Imported:
    """A session that a file holds; `is_new`: it was saved now, and was not there before."""

    session: str
    is_new: bool = True


def import_file(store: Store, path: Path) -> Iterator[Imported]:
    """Save what a file holds as new sessions, and yield each as soon as it is saved. If an id is taken, the session gets a new one.

    A database may hold many. If this ends in the middle, what was yielded is there, and the next import saves only the others.

    Raises:
        SessionError: the file can't be read, is none of the three kinds, or can't be saved.
    """
    if _start(path).startswith(_SQLITE):
        from .llm_logs import conversations

        for conversation in conversations(path):
            yield _save_once(store, conversation)
    else:
        records, files = _contents(path)
        attached = attachments_of(records)
        fill = partial(_keep_all, attached, files, SessionFiles(path)) if attached else None
        yield Imported(_save(store, records, fill=fill))


def _keep_all(
    attached: Iterable[Attachment], brought: Mapping[str, bytes], near: SessionFiles, kept: SessionFiles
) -> None:
    """Keep the bytes of these attachments that came with a session: `brought` in the transcript, or `near` the journal."""
    for one in attached:
        data = brought.get(one.sha256, b"")
        with contextlib.suppress(OSError):  # a hash that is none, a link, a file that is not there
            if not data and near.path(one).is_file():
                with near.open(one) as file:
                    data = file.read()
        if data:
            kept.keep_bytes(one, data)


def records_of_file(path: Path) -> list[ev.Record]:
    """The records of a journal or of a transcript.

    Raises:
        SessionError: the file can't be read, or is neither.
    """
    return _contents(path)[0]


def _contents(path: Path) -> tuple[list[ev.Record], dict[str, bytes]]:
    """The records of a journal or of a transcript, and the attachments that a transcript brings."""
    start = _start(path).lstrip(b"\xef\xbb\xbf \t\r\n")
    if start.startswith(b'{"seq":'):
        return list(repaired(read_journal(path).records)), {}
    transcript = load_transcript(path.read_bytes(), str(path))
    return list(synthesize_records(transcript)), transcript.files


def _start(path: Path) -> bytes:
    try:
        with refuse_device(path).open("rb") as file:
            return file.read(64)
    except OSError as error:
        raise SessionError(
            f"{path} can't be read: {error.strerror}.", "Give a session's .jsonl or .json file, or llm's logs.db."
        ) from error


def _save_once(store: Store, transcript: Transcript) -> Imported:
    """Save a conversation of another program, unless it is there already, with as many exchanges."""
    records = list(synthesize_records(transcript))
    began, count = _began(records), len(transcript.exchanges)
    first = transcript.id if ulid.is_ulid(transcript.id) else ulid.derived(began, transcript.id)
    for wanted in (first, ulid.derived(began, f"{transcript.id} {count}")):  # the second one: it has grown since
        if not store.path(wanted).exists():
            return Imported(_save(store, records, wanted))
        if _is_import_of(store, wanted, transcript.id, count):
            return Imported(wanted, is_new=False)
    return Imported(_save(store, records))


def _is_import_of(store: Store, session: str, name: str, exchanges: int) -> bool:
    try:
        opening = next(each_record(store.path(session)), None)
        is_same = opening is not None and getattr(opening.event, "forked_from", "") == name
        return is_same and store.summary(session).exchange_count >= exchanges
    except SessionError:
        return False


def _began(records: Iterable[ev.Record]) -> int:
    return max(next((int(to_unix_time(r.at) * 1000) for r in records if r.at), 0), 0)


def _save(
    store: Store,
    records: Iterable[ev.Record],
    wanted: str = "",
    *,
    fill: Callable[[SessionFiles], object] | None = None,
) -> str:
    records = list(records)
    opened = next((r.event.session for r in records if isinstance(r.event, ev.SessionOpened)), "")
    began = _began(records)
    if not began and ulid.is_ulid(opened):
        began = ulid.time_of(opened)
    copied = without_resume(records)
    return store.copy(copied, at=began, wanted=wanted or opened, forked_from=opened, fill=fill)


# ---- from a transcript -------------------------------------------------------------------------------------------------


def synthesize_records(transcript: Transcript) -> Iterator[ev.Record]:
    """Records for a transcript. They conform to the script, whatever the transcript says."""
    state = State.NEW
    for seq, (at, event) in enumerate(_events(transcript), 1):
        state = STEPS[event.type].dest if event.type in STEPS else state
        yield ev.Record(seq, at, state, event)


def _events(transcript: Transcript) -> Iterator[tuple[str, ev.Event]]:
    began = transcript.created or (transcript.exchanges[0].started if transcript.exchanges else "")
    yield began, ev.SessionOpened(transcript.id)
    yield began, ev.Configured(profile=transcript.profile, provider=transcript.provider, model=transcript.model)
    if transcript.title:
        yield began, ev.Titled(transcript.title)
    sent = 0  # exchanges that the assistant sees
    for entry in transcript.exchanges:
        yield from _exchange(entry)
        if entry.summarises:
            keep = max(sent - entry.summarises, 0)
            yield entry.updated or entry.started, ev.HistoryCompacted(entry.answer, entry.summarises, keep)
            sent = keep
        if entry.withdrawn:
            yield entry.updated or entry.started, ev.HistoryCut(sent)
        sent += not entry.withdrawn


def _exchange(entry: ExchangeEntry) -> Iterator[tuple[str, ev.Event]]:
    times = {step.state: step.at for step in reversed(entry.steps)}
    start, end = entry.started, entry.updated or entry.started
    yield start, ev.SetUserMessage(entry.user, tuple(entry.attachments), entry.schema, entry.compacts)
    yield times.get(State.STARTED, start), ev.Started(entry.provider, entry.model)
    if entry.tools:
        asked, done = times.get(State.REQUIRES_ACTION, start), times.get(State.TOOLS_EXECUTED, end)
        results = tuple(ev.ToolResult(tool.call_id, tool.output, tool.error) for tool in entry.tools)
        yield asked, ev.ActionRequired(tuple(ev.ToolCall(t.call_id, t.name, t.arguments) for t in entry.tools))
        for tool, result in zip(entry.tools, results, strict=True):
            if tool.seconds is not None:
                yield done, ev.ToolFinished(result, tool.seconds)
        yield done, ev.ToolsExecuted(results)
        yield times.get(State.TOOL_OUTPUTS_SUBMITTED, done), ev.ToolOutputsSubmitted()
    used = entry.usage
    if entry.requests:
        yield from ((end, _usage(request)) for request in entry.requests)
    elif used.input or used.output:
        yield end, ev.Usage(used.input, used.output, used.cached, used.reasoning)
    yield from ((end, event) for event in _outcome(entry))


def _usage(request: RequestEntry) -> ev.Usage:
    return ev.Usage(
        request.input,
        request.output,
        request.cached,
        request.reasoning,
        request.cache_write,
        request.cost,
        request.service_tier,
    )


def _outcome(entry: ExchangeEntry) -> Iterator[ev.Event]:
    match entry.state:
        case State.COMPLETED:
            yield ev.AssistantMessageRetrieved(entry.answer)
        case State.INCOMPLETE:
            yield ev.MessageIncomplete(entry.answer, entry.reason)
        case _:
            if entry.answer:
                yield ev.ChunkReceived(entry.answer)
            if entry.state == State.CANCELLED:
                yield ev.Cancelled()
            else:
                yield ev.ErrorOccurred("interrupted", entry.reason or "The turn did not end.")

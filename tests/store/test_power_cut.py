"""A power cut: what was synced is there after it, and nothing else is relied on."""

from __future__ import annotations

import asyncio
import os
import stat
import statistics
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from asstproxy.config.atomic import write_atomically, write_new
from asstproxy.core.conversation import Conversation
from asstproxy.core.events import AssistantMessageRetrieved, ChunkReceived, Event, Record, SetUserMessage, Started
from asstproxy.core.script import State
from asstproxy.core.turn import Turn
from asstproxy.providers.scripted import ScriptedProvider, say
from asstproxy.store.recovery import read_journal
from asstproxy.store.session import Session
from asstproxy.store.store import Store
from asstproxy.user import UserProxy


class Disk:
    """A disk that keeps only what was synced: after a power cut, a file is as long as at its last sync."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.kept: dict[int, int] = {}
        self.names: dict[Path, set[str]] = {}  # those that a folder had at its last sync
        self.failing = False
        sync = os.fsync

        def fsync(fd: int) -> None:
            if self.failing:
                raise OSError(5, "Input/output error")
            size = os.fstat(fd).st_size
            sync(fd)
            self.kept[os.fstat(fd).st_ino] = size
            if stat.S_ISDIR(os.fstat(fd).st_mode):
                folder = Path(f"/dev/fd/{fd}").resolve()
                self.names[folder] = set(os.listdir(folder))

        monkeypatch.setattr(os, "fsync", fsync)

    def cut(self, store: Store, session: str) -> list[Event]:
        """The events of a session that are left if the power fails now."""
        path = store.path(session)
        copy = path.with_name("cut.jsonl")
        copy.write_bytes(path.read_bytes()[: self.kept.get(path.stat().st_ino, 0)])
        return [record.event for record in read_journal(copy).records if isinstance(record.event, Event)]

    def has(self, path: Path, above: Path) -> bool:
        """Whether the name of a file, and those of its folders below `above`, are left if the power fails now."""
        return all(
            one.name in self.names.get(one.parent, ())
            for one in (path, *path.parents)
            if one.is_relative_to(above) and one != above
        )


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Disk:
    return Disk(monkeypatch)


async def test_the_question_is_on_the_disk_before_it_is_sent(disk: Disk) -> None:
    """When the provider is asked, a power cut loses nothing of the question."""
    store = Store()
    session = store.create()
    kept: list[list[Event]] = []

    class Provider(ScriptedProvider):
        def start_processing(self, turn: Turn) -> AsyncIterator[Event]:
            kept.append(disk.cut(store, session.id))
            return super().start_processing(turn)

    conversation = Conversation(Provider(say("yes"), say("yes")), UserProxy())
    conversation.subscribe(session, essential=True)
    await conversation.exchange("are you there?")
    assert kept[0][-1] == SetUserMessage("are you there?")
    assert isinstance(disk.cut(store, session.id)[-1], AssistantMessageRetrieved)
    session.close()


@pytest.mark.skipif(sys.platform == "win32", reason="it opens no folders")
async def test_new_names_are_on_the_disk(disk: Disk, tmp_path: Path) -> None:
    """The journal and its folders before the question is sent; a copy, an export, a config, a torn line when it is written."""
    store = Store(tmp_path / "new" / "sessions")
    session = store.create()
    seen: list[bool] = []

    class Provider(ScriptedProvider):
        def start_processing(self, turn: Turn) -> AsyncIterator[Event]:
            seen.append(disk.has(session.path, tmp_path))
            return super().start_processing(turn)

    conversation = Conversation(Provider(say("yes")), UserProxy())
    conversation.subscribe(session, essential=True)
    await conversation.exchange("are you there?")
    session.close()
    copy = store.path(store.copy(store.records(session.id), forked_from=session.id))
    write_new(tmp_path / "export.json", b"{}")
    write_atomically(tmp_path / "config" / "config.toml", b"")
    with session.path.open("ab") as file:
        file.write(b'{"seq":')
    store.open(session.id).close()
    written = [copy, tmp_path / "export.json", tmp_path / "config" / "config.toml", session.path.with_suffix(".torn")]
    assert seen == [True]
    assert [path.name for path in written if not disk.has(path, tmp_path)] == []


async def test_a_long_answer_is_on_the_disk_but_for_its_last_second(disk: Disk) -> None:
    """While an answer arrives, a power cut loses about a second of it."""
    store = Store()
    session = store.create()

    class Provider(ScriptedProvider):
        async def start_processing(self, turn: Turn) -> AsyncIterator[Event]:
            yield Started("scripted")
            while not any(isinstance(event, ChunkReceived) for event in disk.cut(store, session.id)):
                yield ChunkReceived("word ")
                await asyncio.sleep(0.02)
            yield AssistantMessageRetrieved("words")

    conversation = Conversation(Provider(), UserProxy())
    conversation.subscribe(session, essential=True)
    async with asyncio.timeout(20):
        await conversation.exchange("talk")
    session.close()


async def test_a_disk_that_breaks_is_noticed(disk: Disk) -> None:
    """A sync that fails while an answer arrives ends the exchange: nothing is shown that may not be kept."""
    session = Store().create()

    class Provider(ScriptedProvider):
        async def start_processing(self, turn: Turn) -> AsyncIterator[Event]:
            yield Started("scripted")
            disk.failing = True
            while True:
                yield ChunkReceived("word ")
                await asyncio.sleep(0.02)

    conversation = Conversation(Provider(), UserProxy())
    conversation.subscribe(session, essential=True)
    async with asyncio.timeout(20):
        with pytest.raises(OSError, match="Input/output"):
            await conversation.exchange("talk")
    disk.failing = False
    session.close()


async def test_syncing_costs_nothing_that_can_be_seen(tmp_path: Path) -> None:
    """A record is written as fast as without syncing: twice the time at the most, in one run and by turns."""

    async def seconds(session: Session) -> float:
        began = time.perf_counter()
        session(Record(2, "2026-11-28T12:00:00.000Z", State.STREAMING, ChunkReceived("word " * 200)))
        await asyncio.sleep(0)  # text is written once what came together is there
        took = time.perf_counter() - began
        await asyncio.sleep(0.01)  # longer than text waits: each record is written at once
        return took

    synced, other = Store().create(), Store(tmp_path / "other").create()
    other._journal._sync.soon = lambda: None  # type: ignore[method-assign]  # the same, without a thread
    pairs = [(await seconds(synced), await seconds(other)) for _ in range(250)]
    with_sync, without = (statistics.median(times) for times in zip(*pairs, strict=True))
    print(f"with {1e6 * with_sync:.0f} us, without {1e6 * without:.0f} us")  # noqa: T201 - a measurement: pytest -s
    assert with_sync < 2 * without + 50e-6
    synced.close()
    other.close()

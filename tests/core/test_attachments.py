"""Attachments in a conversation of a program: what is published, sent and kept."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from asstproxy import Store, UsageError, read_attachment
from asstproxy.core.conversation import Conversation
from asstproxy.core.events import SetUserMessage
from asstproxy.core.history import UserMessage
from asstproxy.core.script import State
from asstproxy.providers.scripted import ScriptedProvider, say
from asstproxy.user import UserProxy
from core.stage import Stage
from pictures import PNG


class _Seeing(ScriptedProvider):
    async def accepts(self, model: str) -> Mapping[str, int]:
        return {"image/png": 1000}


async def test_every_assistant_reads_text_files() -> None:
    """A text file is part of the text that a provider gets, now and later; the record has it as an attachment."""
    stage = Stage(say("a"), say("b"))
    file = await read_attachment(b"swordfish\n", "notes.txt")
    stage.user.send_user_message("Shorten it.", [file])
    await stage.user.get_assistant_message()
    await stage.conversation.exchange("More.")
    first, second = stage.script.turns
    assert first.text == "notes.txt:\n```\nswordfish\n```\n\nShorten it."
    assert (first.attachments, second.history[0]) == ((), UserMessage(first.text))
    event = next(record.event for record in stage.records if isinstance(record.event, SetUserMessage))
    assert (event.text, [one.name for one in event.attachments]) == ("Shorten it.", ["notes.txt"])


async def test_what_an_assistant_can_t_read_is_refused_before_anything_happens() -> None:
    """A provider that says nothing of files gets none: nothing is published or kept, and the conversation goes on."""
    stage = Stage(say("fine"))
    with pytest.raises(UsageError, match="script can't read images"):
        await stage.conversation.exchange("hi", attachments=[await read_attachment(PNG, "x.png")])
    assert not stage.records
    assert (await stage.conversation.exchange("hi")).state is State.COMPLETED


async def test_a_picture_is_kept_before_the_message_names_it(tmp_path: Path) -> None:
    """When the message is published, its bytes are on the disk already."""
    store = Store(tmp_path / "sessions")
    session = store.create()
    conversation = Conversation(_Seeing(say("a dot")), UserProxy(), files=session.files)
    there: list[bytes] = []

    def look(record: object) -> None:
        event = getattr(record, "event", None)
        if isinstance(event, SetUserMessage):
            there.extend(session.files.path(one).read_bytes() for one in event.attachments)

    conversation.subscribe(session, essential=True)
    conversation.subscribe(look)
    async for _ in conversation.stream("hi", attachments=[await read_attachment(PNG, "x.png")]):
        pass
    assert there == [PNG]
    session.close()
    assert store.remove(session.id) > len(PNG)
    assert not session.files.folder.exists()


async def test_a_message_without_words_and_files_is_empty() -> None:
    """A message needs one or the other."""
    conversation = Conversation(_Seeing(say("a dot")), UserProxy())
    with pytest.raises(UsageError, match="empty"):
        await conversation.exchange(" ")
    settled = await conversation.exchange("", attachments=[await read_attachment(PNG, "x.png")])
    assert settled.state is State.COMPLETED


async def test_files_that_can_t_be_kept_are_not_sent(tmp_path: Path) -> None:
    """If the disk does not take the bytes, no message is published: nothing is sent that cannot be saved."""
    session = Store(tmp_path / "sessions").create()
    session.files.folder.write_text("in the way")
    assistant = _Seeing(say("a dot"))
    conversation = Conversation(assistant, UserProxy(), files=session.files)
    with pytest.raises(OSError, match=r"\.files"):
        await conversation.exchange("hi", attachments=[await read_attachment(PNG, "x.png")])
    assert not assistant.turns
    session.close()

"""Files of a chat that are deleted, or can't be written, while it goes on."""

from __future__ import annotations

import shutil
from pathlib import Path

from asstproxy import Store
from asstproxy.config.paths import data_dir
from servers import ResponsesServer

from .conftest import Chat


def test_a_deleted_session_file_takes_no_message(server: ResponsesServer, chat: Chat, tmp_path: Path) -> None:
    """One error, nothing is sent; /save still writes what was said, and the end says that the session isn't saved."""
    with chat(columns=300) as terminal:
        terminal.enter("one")
        terminal.wait_for("completed")
        path = Store().path(Store().newest())
        path.unlink()
        terminal.enter("two")
        text = terminal.wait_for(
            f"Error: {path}: it was deleted while it was open.\n  Nothing is sent that can't be saved."
        )
        assert text.count("Error:") == 1
        terminal.enter(f"/save {tmp_path / 'saved.md'}")
        terminal.wait_for("Saved: ")
        terminal.enter("/quit")
        assert terminal.wait_end() == 0
        assert f"Not saved: {path} was deleted meanwhile." in terminal.text
    assert len(server.requests) == 1
    assert "You said: one" in (tmp_path / "saved.md").read_text()
    assert not path.exists()


def test_a_history_that_cannot_be_written_disturbs_nothing(chat: Chat) -> None:
    """The folder of all data is gone: no traceback; what was sent comes back with Up."""
    with chat("--no-save") as terminal:
        terminal.wait_for_prompt()
    with chat() as terminal:
        terminal.wait_for_prompt()
        shutil.rmtree(data_dir())
        terminal.enter("/undo")
        terminal.wait_for("Nothing to undo")
        terminal.wait_for_prompt()
        assert "Traceback" not in terminal.text
        terminal.type("\x1b[A")
        terminal.wait_for_prompt("/undo")

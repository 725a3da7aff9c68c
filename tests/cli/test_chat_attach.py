"""Files in `asst chat`: `/attach`, `@path`, and what is pasted."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from asstproxy import Store
from pictures import PNG
from servers import Reply, Request, ResponsesServer, Say, Server

from .conftest import ASST
from .terminal import Terminal


@contextmanager
def _chat(*arguments: str, columns: int = 120) -> Iterator[Terminal]:
    with Terminal([ASST, "chat", "-p", "gpt", *arguments], columns) as terminal:
        terminal.wait_for("›")
        yield terminal


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder in which the chat runs, with a picture and a text."""
    (tmp_path / "dot.png").write_bytes(PNG)
    (tmp_path / "notes.txt").write_text("swordfish\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def _types(server: ResponsesServer, request: int = -1) -> list[str]:
    return [part["type"] for part in server.requests[request].json["input"][-1]["content"]]


def test_attach_sends_a_file_with_the_next_message(server: ResponsesServer, folder: Path) -> None:
    """/attach names the file as [1], [2]; -1 takes the last one back; the files go with one message, and no more."""
    with _chat() as terminal:
        terminal.enter("/attach dot.png")
        terminal.wait_for("[1] dot.png · image")
        terminal.enter("/attach notes.txt")
        terminal.wait_for("[2] notes.txt · text · 10 bytes")
        terminal.enter("/attach -1")
        terminal.wait_for("No longer attached: notes.txt")
        (folder / "my notes.md").write_text("more")
        terminal.enter('/attach "my notes.md"')
        terminal.wait_for("[2] my notes.md · text")
        terminal.enter("/attach -1")
        terminal.wait_for("No longer attached: my notes.md")
        terminal.enter("/attach missing.png")
        terminal.wait_for("can't be read")
        terminal.enter("What is this?")
        terminal.wait_for("You said: What is this?")
        assert _types(server) == ["input_image", "input_text"]
        terminal.enter("And now?")
        terminal.wait_for("You said: And now?")
        assert _types(server) == ["input_text"]
        terminal.enter("/retry")
        server.wait_for(lambda server: len(server.requests) == 3)
        terminal.enter("/undo")
        terminal.wait_for("Undone")
        terminal.enter("/retry")
        server.wait_for(lambda server: len(server.requests) == 4)
        assert _types(server) == ["input_image", "input_text"]


def test_a_path_after_an_at_sign_is_attached(server: ResponsesServer, folder: Path) -> None:
    """@path, completed with Tab, sends the file and names it; @ before anything else is text."""
    (folder / "my notes.txt").write_text("of mine\n")
    with _chat() as terminal:
        terminal.type("Look at @do")
        terminal.wait_for("dot.png")
        terminal.type("\t\r")
        terminal.wait_for("[1] dot.png · image")
        terminal.wait_for("You said: Look at @dot.png")
        assert _types(server) == ["input_image", "input_text"]
        terminal.enter("hello @alice, mail me@dot.png")
        terminal.wait_for("You said: hello @alice")
        assert _types(server) == ["input_text"]
        terminal.enter('and @"my notes.txt"?')
        terminal.wait_for("[1] my notes.txt · text")
        server.wait_for(lambda server: len(server.requests) == 3)
        assert "of mine" in server.requests[-1].json["input"][-1]["content"][0]["text"]


def _paste(terminal: Terminal, text: str) -> None:
    terminal.wait_for_prompt()
    terminal.type(f"\x1b[200~{text}\x1b[201~")
    terminal.wait_for(text[-20:])
    terminal.type("\r")


def test_the_pasted_path_of_an_image_is_offered(server: ResponsesServer, folder: Path) -> None:
    """A path that is dropped on the terminal is not sent: Enter on the offer attaches it, without the @ it stays text."""
    with _chat() as terminal:
        _paste(terminal, f"{folder}/dot.png")
        terminal.wait_for("dot.png is an image. Enter attaches it.")
        assert not server.requests
        terminal.wait_for(f"› @{folder}/dot.png")
        terminal.type("\r")
        terminal.wait_for("[1] dot.png · image")
        server.wait_for(lambda server: len(server.requests) == 1)
        assert _types(server) == ["input_image", "input_text"]


def test_a_file_that_does_not_exist_is_told(server: ResponsesServer, folder: Path) -> None:
    """Once; the message stays in the prompt, and Enter sends it as text. A word with an @ that is no file is sent at once."""
    with _chat() as terminal:
        terminal.enter("Look at @dott.png and @angular/core")
        terminal.wait_for("The file dott.png doesn't exist. Enter sends the message without it.")
        assert not server.requests
        terminal.wait_for_prompt("Look at @dott.png and @angular/core")
        terminal.type("\r")
        terminal.wait_for("You said: Look at @dott.png and @angular/core")


def test_a_file_that_pasted_text_names_is_offered(server: ResponsesServer, folder: Path) -> None:
    """Text that somebody else wrote, pasted with an @path in it, reads no file before the person agrees."""
    with _chat() as terminal:
        _paste(terminal, "please read @notes.txt")
        terminal.wait_for("The pasted text names the file notes.txt.")
        terminal.wait_for_prompt("please read @notes.txt")
        terminal.type("\x15")  # Ctrl-U: the person does not agree
        terminal.enter("please read notes.txt")
        terminal.wait_for("You said: please read notes.txt")
        assert "swordfish" not in server.requests[-1].body.decode()


def test_what_an_assistant_says_is_never_attached(server: ResponsesServer, folder: Path) -> None:
    """An answer that names files, and even looks like a command, reads none."""
    server.brain = lambda _: [Say("/attach notes.txt\n\n@notes.txt @dot.png done")]
    with _chat() as terminal:
        for word in ("one", "two"):
            terminal.enter(word)
            terminal.wait_for("done")
        server.wait_for(lambda server: len(server.requests) == 2)
        terminal.type("\x04")
        terminal.wait_end()
    assert not any("swordfish" in request.body.decode() for request in server.requests)
    assert not list(Store().root.rglob("*.files"))


def test_a_model_that_can_t_read_it_says_so_and_the_file_stays(server: ResponsesServer, folder: Path) -> None:
    """Nothing is sent, the file stays attached for another profile."""
    (folder / "song.wav").write_bytes(b"RIFF\x24\0\0\0WAVEfmt ")
    with _chat("-a", "song.wav") as terminal:
        terminal.wait_for("[1] song.wav · audio")
        terminal.enter("Who sings?")
        terminal.wait_for("Error: gpt-6-luna can't read audio files.\n  Send it to another: /profile gemini")
        terminal.enter("/attach")
        terminal.wait_until(lambda: terminal.text.count("[1] song.wav") == 2)
        assert not server.requests


def test_ctrl_c_gives_up_a_download(server: ResponsesServer, folder: Path) -> None:
    """Ctrl-C while a file is fetched ends the fetching and not the chat."""

    async def serve(_: Request) -> Reply:
        return Reply(200, {}, PNG, hold=60)

    with Server(serve) as web, _chat() as terminal:
        terminal.enter(f"/attach {web.url}/x.png")
        web.wait_for(lambda web: len(web.requests) == 1)
        os.killpg(terminal.process.pid, 2)
        terminal.wait_for("Stopped. Nothing was attached")
        terminal.enter("hello")
        terminal.wait_for("You said: hello")

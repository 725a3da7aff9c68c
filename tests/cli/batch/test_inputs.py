"""What items of a batch bring along, and an input that grows."""

from __future__ import annotations

import base64
import json
from pathlib import Path

from servers import ResponsesServer, Say
from servers.wire import Json

from ..conftest import Asst
from .items import asked, lines, prompt, run, write, write_prompts

PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg=="
)


def test_what_is_added_meanwhile_is_asked_by_the_next_run(asst: Asst, server: ResponsesServer, here: Path) -> None:
    """The command says so; a line that is still being written breaks nothing."""

    def brain(request: Json) -> list[Say]:
        if prompt(request) == "n0":
            with (here / "in.jsonl").open("a") as file:
                file.write('{"prompt": "added"}\n{"prompt": "half')
        return [Say("x")]

    server.brain = brain
    prompts = write_prompts(here / "in.jsonl", 3)
    ran = run(asst)
    assert ran.code == 0, ran.err
    assert "in.jsonl has grown. Run the same command again for what was added." in ran.err
    assert sorted(asked(server)) == prompts
    with (here / "in.jsonl").open("a") as file:
        file.write('"}\n')
    ran = run(asst)
    assert (ran.code, "has grown" in ran.err) == (0, False)
    assert sorted(asked(server)[3:]) == ["added", "half"]
    assert len(lines(here / "out.jsonl")) == 5


def test_each_item_brings_its_attachments(asst: Asst, server: ResponsesServer, here: Path) -> None:
    """A text file becomes part of its message, an image goes along; the others get neither."""
    (here / "notes.txt").write_text("Ada was here.")
    (here / "pixel.png").write_bytes(PIXEL)
    write(
        here / "in.jsonl",
        {"id": "text", "prompt": "one", "attachments": ["notes.txt"]},
        {"id": "image", "prompt": "two", "attachments": ["pixel.png"]},
        {"id": "none", "prompt": "three"},
    )
    assert run(asst).code == 0
    sent = [json.dumps(request.json["input"]) for request in server.requests if request.method == "POST"]
    assert len(sent) == 3
    text, image, none = (next(one for one in sent if word in one) for word in ("one", "two", "three"))
    assert "Ada was here." in text
    assert base64.b64encode(PIXEL).decode() in image
    assert "Ada" not in image + none
    assert "input_image" not in text + none


def test_an_attachment_that_is_missing_fails_its_item(asst: Asst, server: ResponsesServer, here: Path) -> None:
    """It is named in the error of the item; the others are asked, and the exit code is 7."""
    write(here / "in.jsonl", {"prompt": "one", "attachments": ["gone.png"]}, {"prompt": "two"})
    assert run(asst).code == 7
    results = {line["id"]: line for line in lines(here / "out.jsonl")}
    assert results["2"]["state"] == "completed"
    assert results["1"]["state"] == "error"
    assert "gone.png" in results["1"]["error"]["message"]
    assert asked(server) == ["two"]
    (here / "gone.png").write_bytes(PIXEL)
    assert run(asst, "--retry-failed").code == 0


def test_halves_of_characters(asst: Asst, server: ResponsesServer, here: Path) -> None:
    """Two that were escaped are one character; one alone isn't JSON, and its line is named."""
    (here / "in.jsonl").write_text('{"prompt": "pair \\ud83d\\ude00"}\n{"prompt": "half \\ud83d"}\n')
    ran = run(asst)
    assert (ran.code, ran.err.count("\n")) == (2, 1)
    assert ran.err.startswith("asst: in.jsonl, line 2: not JSON: ")
    assert run(asst, "--on-error", "skip").code == 0
    assert asked(server) == ["pair \U0001f600"]

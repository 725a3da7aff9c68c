"""`asst ask -a`: files that go with a message, kept with the session."""

from __future__ import annotations

import base64
import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from asstproxy import Store
from pictures import MP4, PDF, PNG, WAV, png
from servers import (
    AnthropicServer,
    GeminiServer,
    InteractionsServer,
    Reply,
    Request,
    ResponsesServer,
    Say,
    Server,
    Status,
)

from .conftest import Asst

DATA = base64.b64encode(PNG).decode()


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    """A picture on disk."""
    path = tmp_path / "dot.png"
    path.write_bytes(PNG)
    return path


def _parts(server: ResponsesServer, item: int = -1) -> list[dict[str, Any]]:
    """The parts of a message in the newest request."""
    asked = [request for request in server.requests if request.path.endswith("/responses")]
    parts: list[dict[str, Any]] = asked[-1].json["input"][item]["content"]
    return parts


def _folder() -> Path:
    store = Store()
    return store.files(store.newest()).folder


def test_a_picture_goes_with_the_message_and_is_kept(asst: Asst, server: ResponsesServer, picture: Path) -> None:
    """The picture is sent before the text, named on stderr, and kept by its SHA-256 for the user only; the journal has the hash."""
    ran = asst("ask", "-p", "gpt", "-a", str(picture), "What is this?")
    assert (ran.code, ran.out) == (0, "You said: What is this?\n")
    assert f"[1] dot.png · image · {len(PNG)} bytes" in ran.err
    image, text = _parts(server)
    assert image == {"type": "input_image", "detail": "auto", "image_url": f"data:image/png;base64,{DATA}"}
    assert text == {"type": "input_text", "text": "What is this?"}
    (kept,) = _folder().iterdir()
    assert kept.read_bytes() == PNG
    assert (_folder().stat().st_mode & 0o777, kept.stat().st_mode & 0o777) == (0o700, 0o600)
    (line,) = [line for line in Store().path(Store().newest()).read_text().splitlines() if "set_user_message" in line]
    assert json.loads(line)["attachments"] == [
        {"sha256": kept.name, "media_type": "image/png", "name": "dot.png", "size": len(PNG)}
    ]


def test_the_session_works_when_the_original_is_gone(asst: Asst, server: ResponsesServer, picture: Path) -> None:
    """Continued, forked and asked again, a conversation still sends the picture after its file was deleted."""
    assert asst("ask", "-p", "gpt", "-a", str(picture), "first").code == 0
    picture.unlink()
    for arguments in (["-c", "second"], ["-c", "--fork", "third"], ["--retry"]):
        assert asst("ask", *arguments).code == 0
        assert _parts(server, 0)[0]["image_url"].endswith(DATA)
    assert _parts(server)[-1]["text"] == "third"
    first, second = Store().ids()
    one, other = (next(Store().files(session).folder.iterdir()).stat() for session in (first, second))
    assert one.st_ino == other.st_ino  # a fork costs no space
    assert asst("sessions", "rm", "--yes", second).code == 0
    assert not Store().files(second).folder.exists()
    assert asst("ask", "-c", "fourth").code == 0
    assert _parts(server, 0)[0]["image_url"].endswith(DATA)


def test_what_a_killed_fork_left_is_removed(asst: Asst, server: ResponsesServer, picture: Path) -> None:
    """A folder of files without its session, which a killed fork left an hour ago, is gone after the next fork."""
    asst("ask", "-p", "gpt", "-a", str(picture), "first")
    orphan = _folder().with_name("01ARZ3NDEKTSV4RRFFQ69G5FAV.files")
    shutil.copytree(_folder(), orphan)
    assert asst("sessions", "fork", Store().newest()).code == 0
    assert orphan.exists()
    os.utime(orphan, (1, 1))
    assert asst("sessions", "fork", Store().newest()).code == 0
    assert not orphan.exists()


@pytest.mark.parametrize("source", ["export", "journal"])
def test_an_import_elsewhere_brings_the_picture(
    asst: Asst, server: ResponsesServer, picture: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: str
) -> None:
    """A transcript with --files, or a session file with its folder, is whole in another data dir."""
    asst("ask", "-p", "gpt", "-a", str(picture), "first")
    file = tmp_path / "away" / "session.json"
    file.parent.mkdir()
    if source == "export":
        assert asst("sessions", "export", "--files", "-o", str(file)).code == 0
    else:
        journal = Store().path(Store().newest())
        file = file.parent / journal.name
        shutil.copy(journal, file)
        shutil.copytree(_folder(), file.with_suffix(".files"))
    monkeypatch.setenv("ASST_DATA_DIR", str(tmp_path / "other"))
    assert asst("sessions", "import", str(file)).code == 0
    assert next(_folder().iterdir()).stat().st_mode & 0o777 == 0o600
    assert asst("ask", "-c", "-p", "gpt", "second").code == 0
    assert _parts(server, 0)[0]["image_url"].endswith(DATA)


def test_an_import_does_not_believe_the_bytes(
    asst: Asst, server: ResponsesServer, picture: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Bytes that don't have the hash under which they come, and a hash that is a path, are not kept."""
    asst("ask", "-p", "gpt", "-a", str(picture), "first")
    asst("sessions", "export", "--files", "-o", str(tmp_path / "x.json"))
    text = (tmp_path / "x.json").read_text()
    (sha,) = (name for name in os.listdir(_folder()))
    monkeypatch.setenv("ASST_DATA_DIR", str(tmp_path / "other"))
    (tmp_path / "lie.json").write_text(text.replace(DATA, base64.b64encode(png(2)).decode()))
    (tmp_path / "path.json").write_text(text.replace(sha, "../../escaped"))
    for name in ("lie.json", "path.json"):
        assert asst("sessions", "import", str(tmp_path / name)).code == 0
        assert not _folder().exists()
    assert not list(tmp_path.rglob("*escaped*"))
    ran = asst("ask", "-c", "-p", "gpt", "second")
    assert (ran.code, "dot.png" in ran.err) == (0, True)
    assert "[dot.png (image) was attached here" in _parts(server, 0)[0]["text"]


def test_exports_show_what_was_attached(asst: Asst, server: ResponsesServer, picture: Path) -> None:
    """HTML shows the picture without the network, Markdown names it, the transcript has its hash; show and search know its name."""
    asst("ask", "-p", "gpt", "-a", str(picture), "What is this?")
    picture.unlink()
    html = asst("sessions", "export", "-f", "html").out
    assert f'<img src="data:image/png;base64,{DATA}" alt="dot.png">' in html
    assert "img-src data:;" in html
    assert "dot.png · image" in asst("sessions", "export", "-f", "md").out
    transcript = json.loads(asst("sessions", "export").out)
    assert transcript["exchanges"][0]["attachments"][0]["name"] == "dot.png"
    assert "files" not in transcript
    assert "[1] dot.png · image" in asst("sessions", "show").out
    assert "dot.png" in asst("sessions", "show", "--sequence").out
    assert "What is this?" in asst("sessions", "search", "dot.png").out
    assert asst("replay", "--check").code == 0


def test_a_message_may_be_a_file_alone(asst: Asst, server: ResponsesServer, picture: Path) -> None:
    """Without words, the file is the message, and its name the title of the session."""
    assert asst("ask", "-p", "gpt", "-a", str(picture)).code == 0
    assert [part["type"] for part in _parts(server)] == ["input_image"]
    assert "dot.png" in asst("sessions", "list").out


def test_one_byte(asst: Asst, server: ResponsesServer, tmp_path: Path) -> None:
    """The smallest file has `1 byte`."""
    (tmp_path / "answer.txt").write_text("y")
    assert "[1] answer.txt · text · 1 byte\n" in asst("ask", "-p", "gpt", "-a", str(tmp_path / "answer.txt"), "?").err


def test_a_text_file_is_text_under_its_name(asst: Asst, server: ResponsesServer, tmp_path: Path) -> None:
    """A text file becomes part of the text, with its name and a fence that its own fences don't end."""
    (tmp_path / "notes.md").write_text("# Notes\n```\ncode\n```\n")
    asst("ask", "-p", "gpt", "-a", str(tmp_path / "notes.md"), "Shorten it.")
    (part,) = _parts(server)
    assert part["text"] == "notes.md:\n````\n# Notes\n```\ncode\n```\n````\n\nShorten it."


def test_stdin_may_be_the_file(asst: Asst, server: ResponsesServer) -> None:
    """`-a -` takes stdin as a file; without it, a picture on stdin is an error that says how."""
    assert asst("ask", "-p", "gpt", "-a", "-", "What is this?", stdin=PNG).code == 0
    assert [part["type"] for part in _parts(server)] == ["input_image", "input_text"]
    ran = asst("ask", "-p", "gpt", "What is this?", stdin=PNG)
    assert (ran.code, ran.err) == (2, 'asst: Stdin is not text: it is image/png. Attach it: asst ask -a - "…"\n')


def test_several_files_and_an_address(asst: Asst, server: ResponsesServer, picture: Path, tmp_path: Path) -> None:
    """Files go in the order in which they are given; an address is fetched here."""
    (tmp_path / "spec.pdf").write_bytes(PDF)

    async def serve(_: Request) -> Reply:
        return Reply(200, {"content-type": "text/plain"}, png(3))

    with Server(serve) as web:
        ran = asst(
            "ask", "-p", "gpt", "-a", str(tmp_path / "spec.pdf"), "-a", f"{web.url}/c.png", "-a", str(picture), "x"
        )
    assert [part["type"] for part in _parts(server)] == ["input_file", "input_image", "input_image", "input_text"]
    assert _parts(server)[0]["filename"] == "spec.pdf"
    assert "[1] spec.pdf · 14 pages" in ran.err
    assert "[2] c.png · image" in ran.err


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("missing.png", None, "can't be read: No such file or directory"),
        ("empty.png", b"", "is empty"),
        ("a.zip", b"PK\3\4\x14\0\0\0\x08\0" + b"\xff" * 40, "can't be attached"),
        ("song.wav", WAV, "can't read audio files. Send it to another: -p gemini"),
        ("clip.mp4", MP4, "can't read videos. Send it to another: -p gemini"),
        ("photo.heic", b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "it reads GIF, JPEG, PNG, WEBP"),
        ("large.png", PNG + bytes(51_000_000), "too large for gpt-6-luna: 51 MB; it takes at most 50 MB"),
    ],
)
def test_a_wrong_file_is_refused_before_any_request(
    asst: Asst, server: ResponsesServer, tmp_path: Path, name: str, data: bytes | None, said: str
) -> None:
    """One line, exit 2, no request, and no session is left."""
    if data is not None:
        (tmp_path / name).write_bytes(data)
    ran = asst("ask", "-p", "gpt", "-q", "-a", str(tmp_path / name), "x")
    assert (ran.code, ran.out, len(ran.err.splitlines())) == (2, "", 1)
    assert said in ran.err
    assert not server.requests
    assert not list(Store().ids())
    assert not list(Store().root.rglob("*.files"))


def test_a_pipe_and_a_device_are_not_waited_for(asst: Asst, server: ResponsesServer, tmp_path: Path) -> None:
    """A pipe that nobody writes to, and a device without end: one line at once."""
    os.mkfifo(tmp_path / "fifo")
    for path in (tmp_path / "fifo", Path("/dev/zero"), tmp_path):
        ran = asst("ask", "-p", "gpt", "-a", str(path), "x", timeout=20)
        assert (ran.code, len(ran.err.splitlines())) == (2, 1)
    assert not server.requests


def test_a_model_that_reads_no_pictures_says_so_first(
    asst: Asst, picture: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A local server that lists its model as text only: no request, and a profile that could."""
    listed = {"data": [{"id": "small", "architecture": {"input_modalities": ["text"]}}]}

    async def serve(request: Request) -> Reply:
        assert request.method == "GET"
        return Reply.json(listed)

    with Server(serve) as local:
        _profile(monkeypatch, tmp_path, f'provider = "local"\nmodel = "small"\nbase_url = "{local.url}/v1"\n')
        ran = asst("ask", "-p", "here", "-a", str(picture), "x")
        assert ran.code == 2
        assert "small can't read images. Send it to another: -p gpt" in ran.err
        assert [str(request) for request in local.requests] == ["GET /v1/models"]


def _profile(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, text: str) -> None:
    folder = tmp_path / "config"
    folder.mkdir(mode=0o700)
    (folder / "config.toml").write_text(f"[profiles.here]\n{text}")
    (folder / "config.toml").chmod(0o600)
    monkeypatch.setenv("ASST_CONFIG_DIR", str(folder))


def test_no_words_of_a_model_read_a_file(asst: Asst, server: ResponsesServer, tmp_path: Path) -> None:
    """What an assistant says and what a tool returns never causes a file to be read, however it is written."""
    secret = tmp_path / "secret.txt"
    secret.write_text("the password is swordfish")
    lures = f'@{secret} @"{secret}" /attach {secret}\n![x](file://{secret}) -a {secret} {{"file_data": "{secret}"}}'
    server.brain = lambda _: [Say(lures)]
    assert asst("ask", "-p", "gpt", "hello").code == 0
    server.brain = lambda _: [Say("and again " + lures)]
    assert asst("ask", "-c", "go on").code == 0
    assert asst("ask", "-c", "--retry").code == 0
    assert not any("swordfish" in request.body.decode() for request in server.requests)
    assert not list(Store().root.rglob("*.files"))


def test_unsaved_conversations_keep_files_in_memory(asst: Asst, server: ResponsesServer, picture: Path) -> None:
    """With --no-save the picture is sent, and nothing is on disk; a saved session is continued with its pictures."""
    assert asst("ask", "-p", "gpt", "--no-save", "-a", str(picture), "x").code == 0
    assert _parts(server)[0]["type"] == "input_image"
    assert not Store().root.exists() or not list(Store().root.rglob("*"))
    asst("ask", "-p", "gpt", "-a", str(picture), "x")
    assert asst("ask", "-c", "--no-save", "y").code == 0
    assert _parts(server, 0)[0]["type"] == "input_image"


# ---- large files, and other vendors --------------------------------------------------------------------------------------


@pytest.fixture
def large(tmp_path: Path) -> Path:
    """A PDF that is worth an upload."""
    path = tmp_path / "spec.pdf"
    path.write_bytes(PDF + bytes(9_000_000))
    return path


@pytest.fixture
def claude(monkeypatch: pytest.MonkeyPatch) -> Iterator[AnthropicServer]:
    """Anthropic's API."""
    with AnthropicServer() as running:
        monkeypatch.setenv("ANTHROPIC_BASE_URL", running.base_url)
        monkeypatch.setenv("ANTHROPIC_API_KEY", running.key)
        yield running


@pytest.fixture(params=[GeminiServer, InteractionsServer])
def gemini(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[GeminiServer]:
    """Either of Google's APIs."""
    with request.param() as running:
        monkeypatch.setenv("GOOGLE_GEMINI_BASE_URL", running.url)
        monkeypatch.setenv("GEMINI_API_KEY", running.key)
        api = "interactions" if request.param is InteractionsServer else "generate"
        _profile(monkeypatch, tmp_path, f'provider = "gemini"\napi = "{api}"\n')
        yield running


def test_a_large_file_is_uploaded_once(asst: Asst, server: ResponsesServer, large: Path) -> None:
    """OpenAI gets a large file once for the whole session, for two days; later messages and forks name the copy."""
    assert asst("ask", "-p", "gpt", "-a", str(large), "first").code == 0
    assert asst("ask", "-c", "second").code == 0
    assert asst("ask", "-c", "--fork", "third").code == 0
    assert server.files.uploads == 1
    ((number, stored),) = server.files.stored.items()
    assert _parts(server, 0)[0] == {"type": "input_file", "file_id": number}
    assert (stored.name, stored.data, stored.fields["purpose"]) == ("spec.pdf", large.read_bytes(), "user_data")
    assert stored.fields["expires_after[seconds]"] == str(48 * 3600)
    assert (_folder() / "uploads.json").stat().st_mode & 0o777 == 0o600


def test_a_copy_that_is_gone_is_uploaded_again(asst: Asst, server: ResponsesServer, large: Path) -> None:
    """If OpenAI no longer has the file, or its time is over, it is uploaded again and the message is answered."""
    asst("ask", "-p", "gpt", "-a", str(large), "first")
    server.files.stored.clear()
    ran = asst("ask", "-c", "second")
    assert (ran.code, ran.out) == (0, "You said: second\n")
    assert server.files.uploads == 2
    uploads = _folder() / "uploads.json"
    known = json.loads(uploads.read_text())
    for kept in known.values():
        for copy in kept.values():
            copy["expires"] = 1.0
    uploads.write_text(json.dumps(known))
    assert asst("ask", "-c", "third").code == 0
    assert server.files.uploads == 3


def test_an_upload_is_repeated_or_done_without(asst: Asst, server: ResponsesServer, large: Path) -> None:
    """An upload that fails for a moment is made again; a server without a store of files gets the bytes in the request."""
    server.faults.add(Status(503, retry_after=0, on="POST /v1/files$", first=1))
    assert asst("ask", "-p", "gpt", "-a", str(large), "first").code == 0
    assert (server.files.uploads, "file_id" in _parts(server)[0]) == (1, True)
    server.faults.add(Status(404, on="POST /v1/files$"))
    assert asst("ask", "-p", "gpt", "-a", str(large), "other session").code == 0
    assert _parts(server)[0]["file_data"].endswith(base64.b64encode(large.read_bytes()).decode())


def test_a_recording_answers_the_same_files(asst: Asst, server: ResponsesServer, picture: Path, tmp_path: Path) -> None:
    """`replay:SESSION` answers a message with the files that were recorded, and no other one."""
    (tmp_path / "notes.txt").write_text("text")
    asst("ask", "-p", "gpt", "-a", str(picture), "-a", str(tmp_path / "notes.txt"), "What is this?")
    session = Store().newest()
    same = asst(
        "ask", "-p", f"replay:{session}", "-a", str(picture), "-a", str(tmp_path / "notes.txt"), "What is this?"
    )
    assert (same.code, same.out) == (0, "You said: notes.txt:\n```\ntext\n```\n\nWhat is this?\n")
    picture.write_bytes(png(2))
    other = asst("ask", "-p", f"replay:{session}", "-a", str(picture), "What is this?")
    assert (other.code, "other files are attached" in other.err) == (1, True)


def test_claude_gets_pictures_pdfs_and_large_files(
    asst: Asst, claude: AnthropicServer, picture: Path, tmp_path: Path, large: Path
) -> None:
    """Anthropic gets blocks in base64, and a large file once, by its id."""
    (tmp_path / "small.pdf").write_bytes(PDF)
    files = [word for path in (picture, tmp_path / "small.pdf", large) for word in ("-a", str(path))]
    assert asst("ask", "-p", "anthropic", *files, "x").code == 0
    assert asst("ask", "-c", "y").code == 0
    image, pdf, big, text = claude.contexts[-1][0]["content"]
    assert image == {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": DATA}}
    assert (pdf["type"], pdf["source"]["media_type"]) == ("document", "application/pdf")
    assert big["source"] == {"type": "file", "file_id": next(iter(claude.files.stored))}
    assert (text["text"], claude.files.uploads) == ("x", 1)


def test_google_gets_every_kind_of_file(
    asst: Asst, gemini: GeminiServer, picture: Path, tmp_path: Path, large: Path
) -> None:
    """Both of Google's APIs get pictures, PDF, audio and video inline, and a large file once, through the Files API."""
    (tmp_path / "song.wav").write_bytes(WAV)
    (tmp_path / "clip.mp4").write_bytes(MP4 + bytes(9_000_000))
    paths = (picture, tmp_path / "song.wav", large, tmp_path / "clip.mp4")
    assert asst("ask", "-p", "here", *[word for path in paths for word in ("-a", str(path))], "x").code == 0
    sent = str(gemini.contexts[-1][0])
    assert DATA in sent
    assert base64.b64encode(WAV).decode() in sent
    assert all(uri in sent for uri in gemini.files.stored)
    assert {one.media_type: one.data for one in gemini.files.stored.values()} == {
        "application/pdf": large.read_bytes(),
        "video/mp4": paths[-1].read_bytes(),
    }
    assert gemini.files.looks == 1  # at the video, which Google takes in first
    gemini.files.stored.clear()
    assert asst("ask", "-c", "y").code == 0
    assert gemini.files.uploads in (2, 4)  # where Google keeps the conversation, nothing is sent again


def test_a_conversation_moves_to_another_vendor_with_its_files(
    asst: Asst, server: ResponsesServer, claude: AnthropicServer, picture: Path
) -> None:
    """What GPT saw, Claude sees, though the original is gone."""
    asst("ask", "-p", "gpt", "-a", str(picture), "What is this?")
    picture.unlink()
    assert asst("ask", "-c", "-p", "anthropic", "And what do you say?").code == 0
    assert claude.contexts[-1][0]["content"][0]["source"]["data"] == DATA


def test_an_assistant_that_can_t_see_a_file_of_before_is_told_its_name(
    asst: Asst, gemini: GeminiServer, server: ResponsesServer, tmp_path: Path
) -> None:
    """A song that Gemini heard stays in the conversation with GPT as its name, and the person is told."""
    (tmp_path / "song.wav").write_bytes(WAV)
    asst("ask", "-p", "here", "-a", str(tmp_path / "song.wav"), "Who sings?")
    ran = asst("ask", "-c", "-p", "gpt", "And now?")
    assert ran.code == 0
    assert "can't read song.wav, so it gets only the name." in ran.err
    assert _parts(server, 0)[0]["text"] == "[song.wav (audio) was attached here, and you can't see it]\n\nWho sings?"


def test_chat_completions_gets_pictures_pdf_and_sound(
    asst: Asst, server: ResponsesServer, picture: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server of Chat Completions gets parts; a message without files stays plain text."""
    _profile(
        monkeypatch,
        tmp_path,
        f'provider = "chat-completions"\nmodel = "gpt-6-luna"\nbase_url = "{server.base_url}"\napi_key_env = "OPENAI_API_KEY"\n',
    )
    (tmp_path / "song.wav").write_bytes(WAV)
    (tmp_path / "spec.pdf").write_bytes(PDF)
    files = [word for path in (picture, tmp_path / "spec.pdf", tmp_path / "song.wav") for word in ("-a", str(path))]
    assert asst("ask", "-p", "here", *files, "x").code == 0
    assert asst("ask", "-c", "y").code == 0
    first, *_, last = server.requests[-1].json["messages"]
    assert first["content"] == [
        {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{DATA}"}},
        {
            "type": "file",
            "file": {
                "filename": "spec.pdf",
                "file_data": f"data:application/pdf;base64,{base64.b64encode(PDF).decode()}",
            },
        },
        {"type": "input_audio", "input_audio": {"data": base64.b64encode(WAV).decode(), "format": "wav"}},
        {"type": "text", "text": "x"},
    ]
    assert last["content"] == "y"


def test_llama_cpp_gets_a_picture_over_chat_completions(
    asst: Asst, picture: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """llama.cpp's own server, which is asked over Chat Completions, is sent a picture in that form, also in the next request."""
    listed = {"data": [{"id": "seer", "owned_by": "llamacpp", "architecture": {"input_modalities": ["text", "image"]}}]}
    answer = {"choices": [{"message": {"role": "assistant", "content": "A dot."}, "finish_reason": "stop"}]}

    async def serve(request: Request) -> Reply:
        return Reply.json(listed if request.method == "GET" else answer)

    with Server(serve) as local:
        _profile(monkeypatch, tmp_path, f'provider = "local"\nmodel = "seer"\nbase_url = "{local.url}/v1"\n')
        ran = asst("ask", "-p", "here", "--no-stream", "-a", str(picture), "What is this?")
        assert (ran.code, ran.out) == (0, "A dot.\n"), ran.err
        assert asst("ask", "-c", "--no-stream", "And now?").code == 0
        asked = [request for request in local.requests if request.method == "POST"]
    assert [request.path for request in asked] == ["/v1/chat/completions"] * 2
    for request in asked:
        assert request.json["messages"][-1 if request is asked[0] else -3]["content"] == [
            {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{DATA}"}},
            {"type": "text", "text": "What is this?"},
        ]

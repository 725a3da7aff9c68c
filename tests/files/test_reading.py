"""Reading files that a person names: any kind of wrong file is one line, and nothing hangs."""

from __future__ import annotations

import asyncio
import hashlib
import os
import socket
import threading
import zlib
from pathlib import Path

import pytest

from asstproxy import UsageError, read_attachment
from asstproxy.files.pdf_pages import count_pages
from pictures import MP4, PDF, PNG, WAV


@pytest.mark.parametrize(
    ("data", "media_type"),
    [
        (PNG, "image/png"),
        (b"\xff\xd8\xff\xe0\0\x10JFIF\0\1\1", "image/jpeg"),
        (b"GIF89a\1\0\1\0\0\0\0;", "image/gif"),
        (b"RIFF\x24\0\0\0WEBPVP8 ", "image/webp"),
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "image/heic"),
        (PDF, "application/pdf"),
        (WAV, "audio/wav"),
        (b"ID3\4\0\0\0\0\0\x23TSSE\0", "audio/mpeg"),
        (b"\xff\xf3\x84\xc4" + b"\0" * 100, "audio/mpeg"),
        (b"fLaC\0\0\0\x22" + b"\0" * 34, "audio/flac"),
        (b"\0\0\0\x20ftypM4A \0\0\2\0isom", "audio/mp4"),
        (MP4, "video/mp4"),
        (b"\0\0\0\x14ftypqt  \0\0\2\0qt  ", "video/quicktime"),
        (b"\x1aE\xdf\xa3\x9fB\x86\x81\1B\xf7\x81\1B\xf2\x81\4B\xf3\x81\x08B\x82\x84webm", "video/webm"),
        (b"name,age\nAda,36\n", "text/plain"),
        ("häße €\n".encode(), "text/plain"),
        ("häße €\n".encode("utf-16"), "text/plain"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "text/plain"),
    ],
)
async def test_the_bytes_say_what_a_file_is(tmp_path: Path, data: bytes, media_type: str) -> None:
    """The type comes from the bytes, whatever the name says."""
    path = tmp_path / "report.exe"
    path.write_bytes(data)
    read = (await read_attachment(path)).attachment
    assert (read.media_type, read.name, read.size) == (media_type, "report.exe", len(data))
    assert read.sha256 == hashlib.sha256(data).hexdigest()


def _fill(path: Path, what: str) -> None:
    match what:
        case "missing":
            pass
        case "empty":
            path.touch()
        case "folder":
            path.mkdir()
        case "fifo":
            os.mkfifo(path)
        case "socket":
            with socket.socket(socket.AF_UNIX) as bound:
                bound.bind(str(path))
        case "device":
            path.symlink_to("/dev/zero")
        case "loop":
            path.symlink_to(path)
        case "10 GB":
            with path.open("wb") as file:
                file.truncate(10 * 1000**3)
        case "archive":
            path.write_bytes(b"PK\3\4\x14\0\0\0\x08\0" + b"\xff" * 40)
        case "program":
            path.write_bytes(b"\x7fELF\2\1\1" + b"\0" * 40)
        case "latin-1":
            path.write_bytes("Grüße".encode("latin-1"))
        case "long text":
            path.write_bytes(b"words " * 2_000_000)


WRONG = {
    "missing": "can't be read: No such file",
    "empty": "is empty",
    "folder": "is a folder",
    "fifo": "is a pipe",
    "socket": "a socket, not a file",
    "device": "is a device",
    "loop": "can't be read",
    "10 GB": "is too large: 10 GB",
    "archive": "can't be attached: it is a ZIP archive",
    "program": "can't be attached: it is",
    "latin-1": "it is text in another encoding",
    "long text": "is too large: 12 MB of text",
}


@pytest.mark.parametrize("what", WRONG)
async def test_a_wrong_file_is_one_line(tmp_path: Path, what: str) -> None:
    """A file that can't be attached is an error of one line, at once: no device and no pipe is waited for."""
    path = tmp_path / "x"
    _fill(path, what)
    with pytest.raises(UsageError, match=WRONG[what]) as raised:
        await read_attachment(path)
    assert "\n" not in str(raised.value)
    assert raised.value.hint


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("", "is empty"),
        ("ftp://a/b.png", "ftp://a/b.png can't be attached"),
        ("file:///a.png", "file:///a.png can't be"),
    ],
)
async def test_a_name_that_is_no_path_is_shown_as_it_was_written(name: str, says: str) -> None:
    """An empty one is not the current folder, and other addresses than those of the web are not fetched."""
    with pytest.raises(UsageError, match=says):
        await read_attachment(name)


async def test_a_file_that_changes_while_it_is_read_is_refused(tmp_path: Path) -> None:
    """Half of an old and half of a new file is never sent."""
    path, growing, stop = tmp_path / "growing.log", threading.Event(), threading.Event()
    path.write_bytes(b"x" * 40_000_000)

    def grow() -> None:
        with path.open("ab", buffering=0) as file:
            while not stop.is_set():
                file.write(b"more\n")
                growing.set()

    writer = threading.Thread(target=grow)
    writer.start()
    try:
        await asyncio.to_thread(growing.wait)
        with pytest.raises(UsageError, match=r"changed while it was read|is too large"):
            await read_attachment(path)
    finally:
        stop.set()
        writer.join()


async def test_bytes_of_a_program_are_attached_as_they_are() -> None:
    """A program that has the bytes needs no file."""
    read = await read_attachment(PNG, "chart.png")
    assert (read.attachment.name, read.content.read()) == ("chart.png", PNG)


def test_pages_of_a_pdf_are_counted_also_in_packed_objects() -> None:
    """The number of pages is found in a plain page tree and in a compressed one; a broken PDF has none."""
    tree = b"<</Type/Pages/Kids[3 0 R]/Count 7>>"
    packed = b"%PDF-1.7\n5 0 obj<</Type/ObjStm/N 1/First 4/Filter/FlateDecode>>stream\n" + zlib.compress(tree)
    assert (count_pages(PDF), count_pages(packed), count_pages(b"%PDF-1.7\n")) == (14, 7, 0)
    assert count_pages(b"%PDF-1.7 /Type/ObjStm stream\nnot compressed") == 0

"""A power cut on a file system of its own: what its block device had at that moment is all that is left."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from asstproxy.core.events import ChunkReceived, SetUserMessage
from asstproxy.store.store import Store

from .sending import SendingServer

pytestmark = [
    pytest.mark.slow(reason="formats and mounts a file system"),
    pytest.mark.skipif(not sys.platform.startswith("linux") or os.geteuid() != 0, reason="only root can mount"),
]


@contextmanager
def mounted(image: Path) -> Iterator[Path]:
    """The folder where the image is mounted meanwhile."""
    folder = image.with_suffix("")
    folder.mkdir()
    done = subprocess.run(["mount", "-o", "loop", str(image), str(folder)], capture_output=True, check=False)
    if done.returncode:
        pytest.skip(f"nothing can be mounted here: {done.stderr.decode()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


@pytest.mark.parametrize("seconds", [0.0, 1.7, 3.1])
def test_what_the_device_has_is_the_question_and_all_but_the_last_second(
    seconds: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The image of a loop device is copied in the middle of an answer, and the copy is mounted as after a power cut."""
    image, copy = tmp_path / "disk.img", tmp_path / "copy.img"
    with image.open("wb") as file:
        file.truncate(32 << 20)
    if shutil.which("mkfs.ext4") is None:
        pytest.skip("there is no mkfs.ext4")
    subprocess.run(["mkfs.ext4", "-q", "-F", str(image)], check=True)
    with mounted(image) as disk, SendingServer() as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.base_url)
        monkeypatch.setenv("OPENAI_API_KEY", server.key)
        monkeypatch.setenv("ASST_DATA_DIR", str(disk / "data"))
        command = [sys.executable, "-m", "asstproxy", "ask", "-q", "-p", "gpt", "are you there?"]
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL) as victim:
            until = time.monotonic() + 60
            while not server.sent_at and time.monotonic() < until:
                time.sleep(0.002)
            time.sleep(seconds)
            cut = time.time()
            victim.send_signal(signal.SIGSTOP)  # the copy takes a moment
            sent = list(server.sent_at)
            shutil.copyfile(image, copy)
            victim.kill()
    with mounted(copy) as disk:
        store = Store(disk / "data" / "sessions")
        events = [record.event for record in store.records(store.newest())]
    text = "".join(event.text for event in events if isinstance(event, ChunkReceived))
    lost = cut - sent[len(text)] if len(text) < len(sent) else 0.0
    print(f"after {seconds} s: {lost:.2f} s of the answer lost")  # noqa: T201 - a measurement: pytest -s
    assert SetUserMessage("are you there?") in events
    assert lost < 1.5  # about a second, on a busy machine

"""The clipboard: of the system where a program reaches it, else of the terminal that the user sits at.

Over SSH the system's clipboard is that of the wrong machine. There the terminal is asked, with the sequence OSC 52, which most
terminals know; some ask the user, and some limit the length. tmux passes it on by itself (`load-buffer -w`).
"""

from __future__ import annotations

import base64
import os
import shutil
import subprocess
import sys
from typing import IO, NamedTuple

__all__ = ["Copied", "copy_to_clipboard"]

_PATIENCE = 3.0
"""Seconds for a clipboard program; one that waits for a display that is gone would wait forever."""


class Copied(NamedTuple):
    """Where a text went. Whether a terminal has taken it can't be known (`certain`)."""

    where: str
    certain: bool


def copy_to_clipboard(text: str, terminal: IO[str]) -> Copied:
    """Put a text on the clipboard; `terminal` is what is written to if no program can."""
    data = text.encode("utf-8", "replace")
    if not _is_remote():
        for command in _programs():
            encoded = text.encode("utf-16") if command[0] == "clip.exe" else data
            if _run(command, encoded):
                return Copied(command[0], certain=True)
    if os.environ.get("TMUX") and _run(("tmux", "load-buffer", "-w", "-"), data):
        return Copied("tmux", certain=True)
    sequence = f"\x1b]52;c;{base64.b64encode(data).decode()}\x07"
    if os.environ.get("TMUX"):  # an older one: it passes on what is wrapped for it, if it is set to
        sequence = f"\x1bPtmux;\x1b{sequence}\x1b\\"
    elif os.environ.get("STY"):
        sequence = f"\x1bP{sequence}\x1b\\"
    terminal.write(sequence)
    terminal.flush()
    return Copied("terminal", certain=False)


def _is_remote() -> bool:
    return any(os.environ.get(name) for name in ("SSH_CONNECTION", "SSH_CLIENT", "SSH_TTY"))


def _programs() -> list[tuple[str, ...]]:
    """The programs that may reach the clipboard of this machine, the likeliest first."""
    if sys.platform == "darwin":
        return [("pbcopy",)]
    programs: list[tuple[str, ...]] = []
    if os.environ.get("WAYLAND_DISPLAY"):
        programs.append(("wl-copy",))
    if os.environ.get("DISPLAY"):
        programs += [("xclip", "-selection", "clipboard"), ("xsel", "--clipboard", "--input")]
    return [*programs, ("clip.exe",)]  # of Windows, also from its subsystem for Linux


def _run(command: tuple[str, ...], data: bytes) -> bool:
    """Whether a program took the data. Its output goes nowhere: some stay in the background, and would hold a pipe open."""
    found = shutil.which(command[0])
    if found is None:
        return False
    try:
        done = subprocess.run(  # noqa: S603 - one of our own list
            [found, *command[1:]],
            input=data,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=_PATIENCE,
            check=False,
        )
    except (OSError, subprocess.SubprocessError):
        return False
    return done.returncode == 0

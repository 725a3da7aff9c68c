"""The files that go with the next message of the chat: attached with `/attach`, or named in it with `@path`.

Only what the person types at the prompt is taken. A path in pasted text, which anybody may have written, is offered first.
"""

from __future__ import annotations

import re
from collections.abc import Coroutine, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import unquote

from prompt_toolkit.completion import CompleteEvent, Completer, Completion, PathCompleter
from prompt_toolkit.document import Document

from ...config.paths import expand_home
from ...core.attachment import AttachedFile
from ...core.errors import UsageError
from ...files import read_attachment
from ..attach import attachment_lines
from ..event_loop import Signals
from .interruptible import interruptible

__all__ = ["Offer", "PathMentions", "PendingFiles", "unquoted"]

T = TypeVar("T")
_MENTION = re.compile(r'(?<!\S)@(?:"(?P<quoted>[^"\n]+)"|(?P<plain>\S+))')
_PATH = re.compile(
    r"(?<!\S)(?:'(?P<single>[^'\n]+)'|\"(?P<double>[^\"\n]+)\"|(?P<plain>(?:file:/|~?/|\.{1,2}/)(?:\\.|[^\s\\])+))(?!\S)"
)
"""A path as terminals paste one: in quotes, or with backslashes before spaces."""
_IMAGES = frozenset((".png", ".jpg", ".jpeg", ".webp", ".gif", ".heic", ".bmp", ".tif", ".tiff", ".avif"))
_DOCUMENTS = frozenset((".pdf", ".txt", ".md", ".csv", ".json", ".py", ".mp3", ".wav", ".mp4"))
_AFTER = ".,;:!?)]}'\""


def unquoted(source: str) -> str:
    """What `/attach` was given, without quotes around it, as a path with spaces has them after `@`."""
    return source[1:-1] if len(source) > 2 and source[0] == source[-1] and source[0] in "'\"" else source


class Offer(UsageError):  # noqa: N818 - a question, which is asked like an error: the message is not sent
    """Nothing was sent: the person should say whether a file is meant. `draft` is the message as it would attach it."""

    def __init__(
        self, message: str, draft: str, hint: str = "Enter attaches it. To send only its path, delete the @."
    ) -> None:
        super().__init__(message, hint)
        self.draft = draft


class PendingFiles:
    """What `/attach` has collected, and what the next message names."""

    def __init__(self, signals: Signals) -> None:
        self._signals = signals
        self._files: list[AttachedFile] = []
        self._pasted: list[str] = []
        self._offered = set[Path]()

    async def add(self, source: str) -> None:
        """Read a file or an address, to go with the next message.

        Raises:
            UsageError: it can't be read.
        """
        self._files.append(await self.interruptible(read_attachment(source)))

    async def interruptible(self, work: Coroutine[Any, Any, T]) -> T:
        """What `work` returns; Ctrl-C at the prompt gives it up.

        Raises:
            UsageError: Ctrl-C stopped it.
        """
        return await interruptible(self._signals, work)

    def put(self, files: Iterable[AttachedFile]) -> None:
        """Add files that were read already."""
        self._files += files

    def take_back(self) -> str:
        """Remove the last one; returns its name.

        Raises:
            UsageError: there is none.
        """
        if not self._files:
            raise UsageError("No file is attached.", "Attach one: /attach FILE")
        return self._files.pop().attachment.name

    def lines(self) -> list[str]:
        """A line for each file."""
        return attachment_lines([file.attachment for file in self._files])

    def clear(self) -> None:
        """The message was sent."""
        self._files.clear()
        self._pasted.clear()

    def note_paste(self, text: str) -> None:
        """Remember that this text was pasted into the present message."""
        self._pasted.append(text)

    async def collect(self, message: str) -> list[AttachedFile]:
        """The files that go with a message.

        Raises:
            Offer: the message has the path of an image without an @, pasted text names a file, or a file that is named with an @
                doesn't exist; asked once for each path.
            UsageError: a file can't be read.
        """
        mentioned = [path for path, _ in _mentions(message)]
        self._offer_image(message, mentioned)
        for path, written in _mentions(message):
            if path not in self._offered and any(written in text for text in self._pasted):
                self._offered.add(path)
                raise Offer(f"The pasted text names the file {path}.", message)
        for name in _missing(message):
            if name not in self._offered:
                self._offered.add(name)
                raise Offer(f"The file {name} doesn't exist.", message, "Enter sends the message without it.")
        named = [await interruptible(self._signals, read_attachment(path)) for path in dict.fromkeys(mentioned)]
        return [*self._files, *named]

    def _offer_image(self, message: str, mentioned: list[Path]) -> None:
        for found in _PATH.finditer(message):
            path = _pasted_path(found)
            if path is None or path in mentioned or path in self._offered or path.suffix.lower() not in _IMAGES:
                continue
            self._offered.add(path)
            start, end = found.span()
            name = f'@"{path}"' if " " in str(path) else f"@{path}"
            raise Offer(f"{path.name} is an image.", message[:start] + name + message[end:])


def _mentions(message: str) -> Iterator[tuple[Path, str]]:
    """The files that are named with an @ and exist, each with how it is written."""
    for found in _MENTION.finditer(message):
        written = found["quoted"] or found["plain"]
        for name in (written,) if found["quoted"] else (written, written.rstrip(_AFTER)):
            path = _existing(name)
            if path is not None:
                yield path, f"@{name}" if found["plain"] else f'@"{name}"'
                break


def _missing(message: str) -> Iterator[Path]:
    """What is named with an @ like a file of a common type, and doesn't exist: `@angular/core` is something else."""
    for found in _MENTION.finditer(message):
        path = Path(found["quoted"] or found["plain"].rstrip(_AFTER))
        if path.suffix.lower() in (*_IMAGES, *_DOCUMENTS) and _existing(str(path)) is None:
            yield path


def _pasted_path(found: re.Match[str]) -> Path | None:
    if plain := found["plain"]:
        plain = unquote(plain.removeprefix("file://")) if plain.startswith("file:") else re.sub(r"\\(.)", r"\1", plain)
    return _existing(plain or found["single"] or found["double"])


def _existing(name: str) -> Path | None:
    """The file of that name; None if there is none, or something other than a file."""
    with suppress(OSError, UsageError, ValueError):
        path = expand_home(name)
        if path.is_file():
            return path
    return None


class PathMentions(Completer):
    """Completes `@path` anywhere in a message, and the file of `/attach`."""

    def __init__(self) -> None:
        self._paths = PathCompleter(expanduser=True)

    def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterable[Completion]:
        """What may follow the text before the cursor."""
        before = document.text_before_cursor
        found = re.search(
            r'(?:(?<!\S)@"(?P<quoted>[^"\n]*)|(?<!\S)@(?P<plain>[^\s"]*)|^/attach +(?P<whole>[^\n]*))$', before
        )
        if found is None:
            return
        typed = next(text for text in (found["quoted"], found["plain"], found["whole"]) if text is not None)
        for one in self._paths.get_completions(Document(typed), complete_event):
            whole = typed + one.text
            if found["plain"] is not None and " " in whole:
                yield Completion(f'@"{whole}', -len(typed) - 1, display=one.display)
            else:
                yield Completion(one.text, one.start_position, display=one.display)

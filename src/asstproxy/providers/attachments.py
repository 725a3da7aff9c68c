"""Attachments on their way to an API: what it takes, in which form, and what is uploaded once instead of sent with each request."""

from __future__ import annotations

import base64
import contextlib
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import IO, Any

import msgspec

from ..core.attachment import Attachment, AttachmentStore, Upload, is_accepted, readable_size
from ..core.errors import AssistantError
from ..core.events import Notice
from ..core.history import Item, UserMessage
from ..core.turn import Turn
from .transport import JSON, Transport

__all__ = ["LARGE", "MB", "NOTHING", "AttachmentFormat", "Attachments", "Parts", "SentFile", "no_parts"]

MB = 1000**2
LARGE = 8 * MB
"""Bytes from which a file is uploaded, where the API keeps files: sent with each request of a conversation, it would cost time."""


class SentFile(msgspec.Struct, frozen=True):
    """A file as it goes into a request: by `reference`, if the provider has a copy, else with its bytes."""

    attachment: Attachment
    reference: str
    read: Callable[[], bytes]

    @property
    def data(self) -> str:
        """The bytes in base64."""
        return base64.b64encode(self.read()).decode()

    @property
    def url(self) -> str:
        """The bytes as a `data:` URL."""
        return f"data:{self.attachment.media_type};base64,{self.data}"


class AttachmentFormat(msgspec.Struct, frozen=True):
    """How an API takes files.

    `largest`: the media types that it reads, each with the most bytes of one file. `part`: a file as a part of a message.
    `inline`: the most bytes of all files in one request, before they are base64. `upload`: sends a copy to the API's store of
    files; without it, files are always sent inline.
    """

    largest: Mapping[str, int]
    part: Callable[[SentFile], JSON]
    inline: int
    upload: Callable[[Any, Attachment, IO[bytes]], Awaitable[Upload]] | None = None


Parts = Callable[[Iterable[Attachment]], list[JSON]]
"""Makes parts of a message of the files that it carries."""


def no_parts(attachments: Iterable[Attachment]) -> list[JSON]:  # noqa: ARG001 - as `Parts`
    """For messages without files."""
    return []


NOTHING = AttachmentFormat({}, lambda _: {}, 0)


class Attachments:
    """What a provider does with the attachments of one conversation after the other."""

    def __init__(self, form: AttachmentFormat, transport: Transport, *, uploads: bool = True) -> None:
        self.form, self._transport = form, transport
        self._upload = form.upload if uploads and hasattr(transport, "upload") else None
        self._store: AttachmentStore | None = None
        self._accepted: Mapping[str, int] = {}
        self._references: dict[str, str] = {}  # of what is sent by reference, by SHA-256
        self._collected: list[Attachment] | None = None
        self._renewed: set[str] = set()  # what was uploaded again in this turn
        self._announced: set[str] = set()
        self._history: Sequence[Item] = ()
        self._old: list[Attachment] = []  # of the messages in that history
        self.is_used = False
        """Whether the conversation has any."""

    @property
    def accepted(self) -> Mapping[str, int]:
        """The media types that the API reads, each with the most bytes of one file."""
        if self._upload is not None:
            return self.form.largest
        return {name: min(limit, self.form.inline) for name, limit in self.form.largest.items()}

    # ---- at the beginning of a turn ------------------------------------------------------------------------------------

    async def begin(self, turn: Turn, accepts: Callable[[str], Awaitable[Mapping[str, int]]]) -> list[Notice]:
        """Take up the attachments of a turn; says what the assistant can't see of an earlier one."""
        self._store, self._renewed = turn.files, set()
        self._references = {}
        old = self._of(turn.history)
        self.is_used = bool(old or turn.attachments)
        if not self.is_used:
            return []
        self._accepted = await accepts(turn.model)
        hidden = [one for one in old if not self._is_sent(one) and one.sha256 not in self._announced]
        self._announced |= {one.sha256 for one in hidden}
        unread = dict.fromkeys(one.name for one in hidden if not is_accepted(one, self._accepted))
        gone = dict.fromkeys(one.name for one in hidden if one.name not in unread)
        model = turn.model or "The assistant"
        return [
            *([Notice(f"{model} can't read {', '.join(unread)}, so it gets only the name.")] if unread else []),
            *([Notice(f"{', '.join(gone)}: the bytes are gone, so {model} gets only the name.")] if gone else []),
        ]

    def _of(self, history: Sequence[Item]) -> list[Attachment]:
        """Those of a history, which usually is the last one with an exchange more: only what is new is walked through."""
        known = len(self._history)
        if known > len(history) or (known and history[known - 1] is not self._history[-1]):
            known, self._old = 0, []
        self._old += [one for item in history[known:] if isinstance(item, UserMessage) for one in item.attachments]
        self._history = history
        return self._old

    def fit(self, items: Iterable[Item]) -> list[Item]:
        """The items with the attachments that can be sent; a line in the message stands for any other one."""
        if not self.is_used:
            return list(items)
        return [self._fitted(item) if isinstance(item, UserMessage) and item.attachments else item for item in items]

    def _fitted(self, message: UserMessage) -> UserMessage:
        sent = tuple(one for one in message.attachments if self._is_sent(one))
        missing = [
            f"[{one.name} ({one.kind}) was attached here, and you can't see it]"
            for one in message.attachments
            if one not in sent
        ]
        return UserMessage("\n\n".join(filter(None, [*missing, message.text])), sent)

    def _is_sent(self, attachment: Attachment) -> bool:
        if self._store is None or not is_accepted(attachment, self._accepted):
            return False
        with contextlib.suppress(OSError), self._store.open(attachment):
            return True
        return False

    # ---- in a request --------------------------------------------------------------------------------------------------

    def parts(self, attachments: Iterable[Attachment]) -> list[JSON]:
        """These files as parts of a message; the bytes are read here."""
        if self._collected is not None:
            self._collected += attachments
            return [{} for _ in attachments]
        return [self.form.part(self._sent(one)) for one in attachments]

    def _sent(self, attachment: Attachment) -> SentFile:
        def read() -> bytes:
            try:
                with self._opened(attachment) as file:
                    return file.read()
            except OSError as error:
                raise _unreadable(attachment, error) from None

        return SentFile(attachment, self._references.get(attachment.sha256, ""), read)

    def _opened(self, attachment: Attachment) -> IO[bytes]:
        if self._store is None:
            raise FileNotFoundError(attachment.name)
        return self._store.open(attachment)

    async def prepare(self, request: Callable[[], object]) -> None:
        """Upload what this request carries and is too large to be sent with each one. `request` makes it, here without bytes.

        Raises:
            AssistantError: an upload fails, or the request would be too large.
        """
        self._collected = []
        try:
            request()
            carried = {one.sha256: one for one in self._collected}
        finally:
            self._collected = None
        inline = 0
        for one in sorted(carried.values(), key=lambda one: one.size):
            is_large = one.size > LARGE or inline + one.size > self.form.inline
            if not (self._upload is not None and is_large and await self._refer(one)):
                inline += one.size
        if inline > (most := self.form.inline):
            raise AssistantError(
                "invalid_request",
                f"The files of this conversation have {readable_size(inline)}; one request takes {readable_size(most)}.",
                "Continue in a new conversation, with fewer files.",
            )

    async def _refer(self, attachment: Attachment) -> bool:
        """Have a copy at the provider, and know its reference; False if the server stores no files."""
        assert self._upload is not None  # noqa: S101 - the caller has checked it
        place, store = self._place, self._store
        known = store.upload(attachment, place) if store is not None else None
        if known is None:
            try:
                with self._opened(attachment) as file:
                    known = await self._upload(self._transport, attachment, file)
            except OSError as error:
                raise _unreadable(attachment, error) from None
            except AssistantError as error:
                if error.kind != "not_found":
                    raise
                self._upload = None  # a server that has this API in part only
                return False
            if store is not None:
                store.remember_upload(attachment, place, known)
        self._references[attachment.sha256] = known.reference
        return True

    @property
    def _place(self) -> str:
        return str(getattr(self._transport, "address", ""))

    def forget(self, error: AssistantError) -> bool:
        """Whether the provider has lost a copy that the request named: it is uploaded again, once for each turn."""
        if error.kind not in ("not_found", "invalid_request", "authentication") or self._store is None:
            return False
        lost = {
            sha: reference
            for sha, reference in self._references.items()
            if sha not in self._renewed and _short(reference) in str(error)
        }
        for sha in lost:
            del self._references[sha]
            self._renewed.add(sha)
            self._store.remember_upload(Attachment(sha, "", "", 0), self._place, None)
        return bool(lost)


def _short(reference: str) -> str:
    """The last part of an address: errors name a file by it."""
    return reference.rpartition("/")[2]


def _unreadable(attachment: Attachment, error: OSError) -> AssistantError:
    return AssistantError(
        "storage", f"{attachment.name} can't be read from the session: {error.strerror or error}.", "Attach it again."
    )

"""Reading the input of a batch: JSON lines, CSV by its header, or plain lines; one item at a time, however long it is."""

from __future__ import annotations

import csv
import itertools
import json
import os
import re
import select
import stat
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Literal, cast

import msgspec

from ..core.errors import UsageError
from .item import KEYS, Item, item_from
from .openai_lines import is_openai_line, item_from_openai

__all__ = ["BrokenItemError", "Form", "Input", "open_input"]

Form = Literal["json", "csv", "lines"]
LONGEST = 64 * 1024 * 1024
"""Bytes of one line."""


_MALFORMED = re.compile(r"JSON is malformed: (.*) \(byte (\d+)\)")
_LOOK = 0.2
"""Seconds between two looks whether to go on waiting for stdin."""
_PIECE = 1 << 20


class BrokenItemError(UsageError):
    """A line of the input can't be asked."""


class Input:
    """The input of a batch, which can be read more than once; what is appended to it meanwhile is not read.

    `name` is how messages call it. `check` completes each item (see `item.with_template`).
    """

    def __init__(self, file: IO[bytes], name: str, form: Form, check: Callable[[Item], Item]) -> None:
        self.name = name
        self._file, self._form, self._check = file, form, check
        self._size = os.fstat(file.fileno()).st_size

    @property
    def has_grown(self) -> bool:
        """Whether something was appended to it since it was opened."""
        return os.fstat(self._file.fileno()).st_size > self._size

    def items(self, skip: Callable[[BrokenItemError], None] | None = None) -> Iterator[Item]:
        """The items, from the first one. A line that can't be asked is given to `skip`.

        Raises:
            BrokenItemError: there is such a line, and no `skip`.
            UsageError: the input as a whole can't be read.
        """
        self._file.seek(0)
        for line, read in self._entries():
            try:
                try:
                    item = self._check(read())
                except BrokenItemError:
                    raise
                except UsageError as error:
                    raise self._broken(line, error) from None
            except BrokenItemError as error:
                if skip is None:
                    raise
                skip(error)
            else:
                yield item

    def _entries(self) -> Iterator[tuple[int, Callable[[], Item]]]:
        """The number of each line that has an item, and a function that reads it."""
        if self._form == "csv":
            yield from self._rows()
            return
        read = self._plain if self._form == "lines" else self._json
        for number, line in enumerate(self._lines(), 1):
            if line.strip():
                yield number, lambda line=line, number=number: read(line, number)  # type: ignore[misc]

    def _lines(self) -> Iterator[bytes]:
        """The lines up to the size that the file had. A last one without its end, in a file that grows, is still being written."""
        left, first = self._size, True
        while left > 0 and (line := self._file.readline(LONGEST)):
            if len(line) == LONGEST and not line.endswith(b"\n"):
                left -= self._skip_line()
            line, left = line[:left], left - len(line)
            if left <= 0 and not line.endswith(b"\n") and self.has_grown:
                self._size -= len(line)
                return
            yield line.removeprefix(b"\xef\xbb\xbf") if first else line
            first = False

    def _skip_line(self) -> int:
        """Read to the end of a line that is too long; how many bytes that were."""
        skipped = 0
        while piece := self._file.readline(1 << 20):
            skipped += len(piece)
            if piece.endswith(b"\n"):
                break
        return skipped

    def _broken(self, line: int, error: UsageError, column: int = 0) -> BrokenItemError:
        where = f"{self.name}, line {line}" + (f", column {column}" if column else "")
        return BrokenItemError(f"{where}: {str(error).rstrip('.')}.", error.hint, code=error.code, data=error.data)

    # ---- the three forms -----------------------------------------------------------------------------------------------

    def _json(self, line: bytes, number: int) -> Item:
        try:
            data = msgspec.json.decode(line)
        except (ValueError, RecursionError) as error:
            raise self._not_json(line, number, error) from None
        if not isinstance(data, dict):
            raise self._broken(number, _no_object("a line must be a JSON object"), 1)
        try:
            return item_from_openai(data, number) if is_openai_line(data) else item_from(data, number)
        except UsageError as error:
            before, found, _ = line.partition(f'"{error.data.get("key")}"'.encode())
            raise self._broken(number, error, len(before.decode(errors="replace")) + 1 if found else 0) from None

    def _not_json(self, line: bytes, number: int, error: Exception) -> BrokenItemError:
        if len(line) >= LONGEST:
            return self._broken(number, UsageError(f"longer than {LONGEST >> 20} MiB"))
        if isinstance(error, RecursionError):
            return self._broken(number, UsageError("the JSON is too deeply nested"))
        wrong = UsageError if line.lstrip().startswith(b"{") else _no_object
        try:
            json.loads(line.decode().rstrip())
        except json.JSONDecodeError as found:
            return self._broken(number, wrong(f"not JSON: {found.msg}"), found.colno)
        except UnicodeDecodeError as found:
            return self._broken(number, _not_utf8(), len(line[: found.start].decode()) + 1)
        except (ValueError, RecursionError):
            pass
        if (stricter := _MALFORMED.fullmatch(str(error))) is not None:  # Python's own parser takes NaN
            column = len(line[: int(stricter[2])].decode(errors="replace")) + 1
            return self._broken(number, wrong(f"not JSON: {stricter[1]}"), column)
        return self._broken(number, wrong(f"not JSON: {error}"))

    def _plain(self, line: bytes, number: int) -> Item:
        try:
            return Item(str(number), line.decode().rstrip("\r\n"), number)
        except UnicodeDecodeError as error:
            raise self._broken(number, _not_utf8(), len(line[: error.start].decode()) + 1) from None

    def _rows(self) -> Iterator[tuple[int, Callable[[], Item]]]:
        csv.field_size_limit(LONGEST)
        # Bytes that aren't UTF-8 become surrogates, so that they break their own row and no other.
        lines = (line.decode(errors="surrogateescape") for line in self._lines())
        first = next(lines, "")
        # Spreadsheets write semicolons where the comma is the decimal point.
        between = next((mark for mark in (";", "\t") if mark in first and "," not in first), ",")
        rows = csv.reader(itertools.chain([first], lines), strict=True, delimiter=between)
        try:
            header = [name.strip() for name in next(rows, [])]
            if len(set(header)) != len(header):
                raise self._broken(1, UsageError("two columns have the same name"))
            line = rows.line_num + 1
            for row in rows:
                if row:
                    yield line, lambda row=row, line=line: self._row(header, row, line)  # type: ignore[misc]
                line = rows.line_num + 1
        except csv.Error as error:
            raise self._broken(rows.line_num, UsageError(f"not CSV: {error}", "Check its quotes.")) from None

    def _row(self, header: list[str], row: list[str], line: int) -> Item:
        if len(row) != len(header):
            fields = "1 field" if len(row) == 1 else f"{len(row)} fields"
            raise self._broken(line, UsageError(f"{fields}, and the header has {len(header)}"))
        if not all(field.isascii() or _is_unicode(field) for field in row):
            raise self._broken(line, _not_utf8())
        data = {key: value for key, value in zip(header, row, strict=True) if value or key not in KEYS}
        for key in ("messages", "attachments"):
            if key in data:
                data[key] = self._json_field(key, data[key], line)
        return item_from(data, line)

    def _json_field(self, key: str, text: str, line: int) -> Any:
        try:
            return msgspec.json.decode(text)
        except (ValueError, RecursionError):
            if key == "attachments":
                return [text]
            raise self._broken(line, UsageError(f'"{key}" isn\'t JSON')) from None


def _no_object(what: str) -> UsageError:
    return UsageError(what, "Write one object on each line.", code="batch_not_objects")


def _not_utf8() -> UsageError:
    return UsageError("not UTF-8", "Convert the file.")


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _piece(stdin: IO[bytes], turn: Callable[[], None]) -> bytes:
    """The next bytes of stdin; none at its end. `turn` is called while it is silent."""
    try:
        while not select.select([stdin], [], [], _LOOK)[0]:
            turn()
    except (OSError, ValueError):  # `select` can't wait for it: a file on Windows
        return stdin.read(_PIECE)
    return os.read(stdin.fileno(), _PIECE)


@contextmanager
def open_input(
    source: str,
    check: Callable[[Item], Item],
    *,
    lines: bool,
    stdin: IO[bytes],
    turn: Callable[[], None] = lambda: None,
) -> Iterator[Input]:
    """The input of this name: a file, or `-` for stdin, which is copied into a temporary file.

    `turn` is called from time to time while stdin is waited for, and ends that by raising something.

    Raises:
        UsageError: it can't be read, or is empty.
    """
    name = "stdin" if source == "-" else source
    try:
        if source != "-" and not stat.S_ISREG(Path(source).stat().st_mode):  # to open a pipe is to wait for its writer
            raise UsageError(f"{name} is not a file.", "Name a file.", code="batch_input_not_file")
        with cast("IO[bytes]", tempfile.TemporaryFile()) if source == "-" else Path(source).open("rb") as file:
            if source == "-":
                while piece := _piece(stdin, turn):
                    file.write(piece)
                file.flush()
            if os.fstat(file.fileno()).st_size == 0:
                raise UsageError(f"{name} is empty.", "Write one item on each line.")
            form: Form = "lines" if lines else "csv" if source.lower().endswith((".csv", ".tsv")) else "json"
            yield Input(file, name, form, check)
    except OSError as error:
        if error.filename not in (source, None):
            raise
        raise UsageError(f"{name} can't be read: {error.strerror}.") from error

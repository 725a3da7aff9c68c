"""JSON-RPC messages as servers write them: one a line is the rule, and each of these has been seen in its place.

A byte-order mark, bytes of another encoding than UTF-8, a message over several lines, several messages in an array (the batch of
JSON-RPC) or without a line feed between them, control characters in a text, log lines between messages, a lone surrogate,
`"error": null` next to a result, `[]` where PHP means `{}`. What can be read is read; an answer that can't be read is an error that
quotes the line, so that nobody waits for it.
"""

from __future__ import annotations

import codecs
import json
import re
from typing import Any

from mcp.types import JSONRPCMessage, jsonrpc_message_adapter

from ..core.codec import repair_json

__all__ = ["MAX_BYTES", "MessageReader", "UnreadableAnswerError", "bare"]

MAX_BYTES = 16 * 1024 * 1024
"""Of one message: no tool needs more, and it is held in memory."""
QUOTED = 120
"""Characters of a line that a message quotes."""

MOST_TRIED = 50
"""Lines of an open message after which each is no longer tried as its last: that would take time quadratic in their number."""

_BARE = "asstproxy/bare"
_DECODER = json.JSONDecoder(strict=False)  # takes control characters in texts
_GAP = re.compile(r"[\s,\0]*")
_OPENING = re.compile(r"""\[?\s*\{\s*(?:$|["'}])|\[$""")
_STRING = re.compile(r'"(?:[^"\\]|\\.)*+(?:"|\\?\Z)', re.DOTALL)  # one without an end goes to the end: no backtracking
_ID = re.compile(r"""["']id["']\s*:\s*["']?(\d+)""")
_ANSWER = re.compile(r"""["'](?:result|error)["']\s*:""")


def bare(result: Any) -> Any:
    """The result as the server sent it: JSON-RPC allows any JSON, the SDK only objects."""
    return result[_BARE] if isinstance(result, dict) and set(result) == {_BARE} else result


class UnreadableAnswerError(Exception):
    """An answer that can't be read. `request_id`: the request that it answers, if that much could be read."""

    def __init__(self, message: str, request_id: int | None) -> None:
        super().__init__(message)
        self.request_id = request_id


class MessageReader:
    """Reads the output of a server, line by line."""

    def __init__(self, what: str = "its output", limit: int = MAX_BYTES) -> None:
        self._what, self._limit = what, limit
        self._line = 0
        self._began, self._depth, self._size, self._parts = 0, 0, 0, list[str]()
        self.other_lines = 0
        """How many lines were not (part of) a message."""
        self.first_other = ""
        """The first of them, as a phrase for a message."""

    def read(self, line: bytes) -> list[JSONRPCMessage | UnreadableAnswerError]:
        """The messages that are complete with this line."""
        self._line += 1
        text = _decoded(line).strip()
        if not text:
            return []
        alone = _messages(text.rstrip(","), strict=bool(self._parts))
        if alone:
            self._drop()
            return [*alone]
        if not self._parts and not _OPENING.match(text):
            self._other(text, self._line)
            return []
        if not self._parts:
            self._began, self._depth, self._size = self._line, 0, 0
        self._parts.append(text)
        self._size += len(text)
        bare_text = _STRING.sub("", text)
        self._depth += sum(map(bare_text.count, "{[")) - sum(map(bare_text.count, "}]"))
        if self._depth > 0 and not (text.endswith(("}", "]")) and len(self._parts) <= MOST_TRIED):
            if self._size > self._limit:
                self._drop()
            return []
        joined = "\n".join(self._parts)
        if self._depth > 0:  # a line feed within a text hides its end
            found = _messages(joined, strict=True)
            self._parts = [] if found else self._parts
            return [*found]
        self._parts = []
        return [*(_messages(joined, strict=False) or self._unreadable(joined, self._began))]

    def close(self) -> list[JSONRPCMessage | UnreadableAnswerError]:
        """What the end of the output makes of the lines that wait for the rest of their message."""
        joined, self._parts = "\n".join(self._parts), []
        return [*self._unreadable(joined, self._began)] if joined else []

    def _unreadable(self, text: str, line: int) -> list[UnreadableAnswerError]:
        phrase = self._other(text, line)
        if not _ANSWER.search(text):
            return []
        found = _ID.search(text)
        return [UnreadableAnswerError(phrase, int(found[1]) if found else None)]

    def _drop(self) -> None:
        """Lines that looked like the beginning of a message were none."""
        for number, part in enumerate(self._parts, self._began):
            self._other(part, number)
        self._parts = []

    def _other(self, text: str, line: int) -> str:
        quoted = " ".join(text.split())
        if len(quoted) > QUOTED:
            quoted = quoted[: QUOTED - 1] + "…"
        phrase = f"line {line} of {self._what} isn't a JSON-RPC message: {quoted}"
        self.other_lines += 1
        self.first_other = self.first_other or phrase
        return phrase


def _messages(text: str, *, strict: bool) -> list[JSONRPCMessage]:
    """The message, or the messages of an array. `strict`: only those that say that they are."""
    if not text.startswith(("{", "[")):
        return []
    if not strict:
        try:
            return [jsonrpc_message_adapter.validate_json(text, by_name=False)]
        except (ValueError, RecursionError):
            pass
    try:
        values = [one for value in _values(text) for one in (value if isinstance(value, list) else [value])]
        return [
            found
            for one in values
            if isinstance(one, dict) and (not strict or "jsonrpc" in one) and (found := _message(repair_json(one)))
        ]
    except (ValueError, RecursionError):
        return []


def _values(text: str) -> list[Any]:
    """The JSON values in a text: usually one; a line feed may be missing between two. If something else follows, answers count.

    Raises:
        ValueError: it does not begin with JSON.
    """
    values, at = list[Any](), 0
    while text.startswith(("{", "["), at):
        value, at = _DECODER.raw_decode(text, at)
        values.append(value)
        at = _GAP.match(text, at).end()  # type: ignore[union-attr]
    answers = [one for one in values if isinstance(one, dict) and one.keys() & {"result", "error"}]
    return values if at == len(text) else answers


def _message(value: dict[str, Any]) -> JSONRPCMessage | None:
    message = {key: value[key] for key in ("id", "method", "params", "result", "error") if key in value}
    if "error" in message and (message["error"] is None or "method" in message):
        del message["error"]
    if isinstance(message.get("id"), float) and message["id"].is_integer():
        message["id"] = int(message["id"])
    if "method" in message:
        message.pop("result", None)
        if not isinstance(message.get("params", {}), dict):
            del message["params"]
    elif "error" in message:
        message.pop("result", None)
        message["error"] = _error(message["error"])
    elif "result" in message and not isinstance(message["result"], dict):
        message["result"] = {} if message["result"] is None else {_BARE: message["result"]}
    try:
        return jsonrpc_message_adapter.validate_python({"jsonrpc": "2.0"} | message, by_name=False)
    except (ValueError, RecursionError):
        return None


def _error(error: Any) -> dict[str, Any]:
    if not isinstance(error, dict):
        error = {"message": error if isinstance(error, str) else json.dumps(error)}
    code, message = error.get("code"), error.get("message")
    whole = {} if isinstance(message, str) else {"data": error}
    return {
        "code": code if isinstance(code, int) else -32603,  # "Internal error" in JSON-RPC
        "message": message if isinstance(message, str) else "an error without a message",
    } | ({"data": error["data"]} if "data" in error else whole)


def _decoded(line: bytes) -> str:
    return line.removeprefix(codecs.BOM_UTF8).decode("utf-8", "asstproxy_windows")


def _as_windows(error: UnicodeError) -> tuple[str, int]:
    """Bytes that aren't UTF-8, as Windows writes them in the West."""
    assert isinstance(error, UnicodeDecodeError)  # noqa: S101 - the handler serves decoding only
    return error.object[error.start : error.end].decode("cp1252", "replace"), error.end


codecs.register_error("asstproxy_windows", _as_windows)

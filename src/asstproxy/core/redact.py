"""Keys and passwords are never told: not in a message, a tool's result, a log or a traceback.

The one place that knows what is secret: every key that was read (`remember`), whatever the environment calls one, and the
user in an address. Who writes something that he has not written himself (an error of a server, of a library or of a tool)
lets it go through `redact` first; `AsstError` does so by itself.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import logging

__all__ = [
    "LOUD",
    "redact",
    "redact_logs",
    "redacting_logger",
    "register_named_secrets",
    "register_secrets",
    "strip_userinfo",
]

SHORTEST = 8
"""Characters that a secret has at least: `none`, which some local servers want as their key, is a word."""
HIDDEN = "[key]"
LOUD = (
    *("httpx", "httpx2", "openai", "openai._base_client", "mcp", "mcp.client.streamable_http", "mcp.client.session"),
    *(
        f"{stack}.{part}"
        for stack in ("httpcore", "httpcore2")
        for part in ("connection", "http11", "http2", "proxy", "socks")
    ),
    "google_genai._api_client",
)
"""The loggers below us that tell addresses, headers or bodies."""

_known: set[str] = set()
_SECRET_NAME = re.compile(
    r"(?:(?:key|token|secret|credential)s?|passwd|password|passphrase|authorization|cookie|(?:^|[_-])(?:pass|pat|auth)|[_-]pwd)$",
    re.IGNORECASE,
)
"""Not `PWD` and `PATH`; `PGPASSWORD` and `apikey` are names of one word."""
_USER = re.compile(r"(?<=://)[^/\s@\"'<>]+@")
_PASSWORD = re.compile(r"(?<=://)(?:[^/\s@\"'<>:]*:[^/\s@\"'<>]+|[^/\s@\"'<>]{20,})@")
"""Not `ssh://git@host`, which a tool may have to tell; but a password, or a token in the place of a user."""
_PIECES = re.compile(r"[!-~]+")
"""What of a key a library may quote as it is: a line end or a letter that is none of ASCII comes out escaped."""


def register_secrets(*secrets: str | None) -> None:
    """Never tell these; in a header (`Bearer …`) the secret is the last word."""
    for secret in secrets:
        pieces = _PIECES.findall(secret or "")
        if pieces[:1] in (["Bearer"], ["Basic"]):
            del pieces[0]
        _known.update(piece for piece in pieces if len(piece) >= SHORTEST)


def register_named_secrets(values: Mapping[str, str]) -> None:
    """Never tell those of these values (headers, variables) whose name says that they are secret."""
    register_secrets(*(value for name, value in values.items() if _SECRET_NAME.search(name)))


def redact(text: str) -> str:
    """The text without any secret that is known, and without passwords in addresses."""
    for secret in sorted({*_known, *_of_the_environment()}, key=len, reverse=True):  # one may begin like another
        text = text.replace(secret, HIDDEN)
        if '"' in secret or "\\" in secret:  # as it stands in JSON
            text = text.replace(secret.replace("\\", "\\\\").replace('"', '\\"'), HIDDEN)
    return _PASSWORD.sub("", text)


def strip_userinfo(text: str) -> str:
    """The text without the users and passwords in its addresses."""
    return _USER.sub("", text)


def _of_the_environment() -> Iterable[str]:
    """What looks like a secret in what is named like one; `DB_PASSWORD=password` must not spoil every text with that word."""
    for name, value in os.environ.items():
        if len(value) >= SHORTEST and _SECRET_NAME.search(name):
            yield from (piece for piece in _PIECES.findall(value) if len(piece) >= SHORTEST and not _is_word(piece))


def _is_word(value: str) -> bool:
    return value.isalpha() and (value.islower() or value.isupper() or value.istitle())


# ---- logs --------------------------------------------------------------------------------------------------------------


def redacting_logger(name: str) -> logging.Logger:
    """The logger of a module of ours; what it tells is redacted, tracebacks too."""
    import logging

    found = logging.getLogger(name)
    found.addFilter(_redact_record)
    return found


def redact_logs(names: Iterable[str] = LOUD) -> None:
    """Redact what libraries log: servers send keys back, and addresses have passwords."""
    for name in names:
        redacting_logger(name)


def _redact_record(record: logging.LogRecord) -> bool:
    import logging

    try:
        told = record.getMessage()
    except Exception:  # noqa: BLE001 - wrong arguments: the handler complains of them, with a traceback that has them
        told, record.args = str(record.msg), ()
    record.msg, record.args = redact(told), ()
    if record.exc_info:
        trace: Any = record.exc_info if isinstance(record.exc_info, tuple) else None
        record.exc_text = redact(logging.Formatter().formatException(trace)) if trace else record.exc_text
        record.exc_info = None
    return True

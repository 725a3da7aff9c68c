"""Redaction: no key or password appears in a message, a tool's result, a log or a traceback.

This is the one place that defines

- what is secret: every key that was read (`register_secrets`), what the environment names a secret, a password in a URL, a
  value whose name says that it is secret (`is_secret_name`);
- the forms in which it is found (`secret_forms`);
- how it is hidden: as `[key]` in any text (`redact`), as `[hidden]` in settings that a person is shown (`redact_settings`);
- what a URL looks like in a message (`public_url`).

Text that asst did not write itself (an error of a server, of a library, of a tool) goes through `redact` before anyone sees it;
`AsstError` does that by itself.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from .secret_forms import MIN_LENGTH, find, forms_of, partial_at

if TYPE_CHECKING:
    import logging

__all__ = [
    "HIDDEN",
    "VERBOSE_LOGGERS",
    "hide_cut_end",
    "is_secret_name",
    "known_secrets",
    "public_url",
    "redact",
    "redact_logs",
    "redact_reply",
    "redact_settings",
    "redacting_logger",
    "register_named_secrets",
    "register_secrets",
    "remove_secrets",
]

HIDDEN = "[key]"
VERBOSE_LOGGERS = (
    *("httpx", "httpx2", "openai", "openai._base_client", "mcp", "mcp.client.streamable_http", "mcp.client.session"),
    *(
        f"{stack}.{part}"
        for stack in ("httpcore", "httpcore2")
        for part in ("connection", "http11", "http2", "proxy", "socks")
    ),
    "google_genai._api_client",
)
"""The loggers of libraries that log URLs, headers or bodies."""

_known: set[str] = set()
_SECRET_NAME = re.compile(
    r"(?:(?:key|token|secret|credential)s?|passwd|password|passphrase|authorization|cookie|(?:^|[_-])(?:pass|pat|auth)|[_-]pwd)"
    r"(?:[_-]?\d+)?$",
    re.IGNORECASE,
)
"""Not `PWD`, `PATH` and `api_key_env`; `PGPASSWORD` and `apikey` are names of one word."""
_SETTING = re.compile(r"""([\w-]+)(["']?\s*[=:]\s*)(\"{3}.*?\"{3}|"[^"\n]*"|'[^'\n]*')""")
"""`name = "value"`, as TOML and JSON write it."""
_PARAMETER = re.compile(r"""(?<=[?&])([\w-]+)(=)[^&#\s"'<>]+""")
"""`name=value` in the query of a URL."""
_USER = re.compile(r"(?<=://)[^/\s@\"'<>]+@")
_PASSWORD = re.compile(r"(?<=://)(?:[^/\s@\"'<>:]*:[^/\s@\"'<>]+|[^/\s@\"'<>]{20,})@")
"""Not `ssh://git@host`, which a tool may have to name; but a password, or a token instead of a user."""
_PIECES = re.compile(r"[!-~]+")
"""What a library may quote of a key as it is: a line end or a non-ASCII letter comes out escaped."""
_MASKED = re.compile(r"(?<![^\s\"'=:*])[^\s\"'=:*]*\*{3,}[^\s\"',;]*?(?=[.,;]?(?:\s|[\"']|$))")
"""A key that the server masked itself: `sk-proj-****1234`."""

# ---- what is secret ----------------------------------------------------------------------------------------------------


def register_secrets(*secrets: str | None) -> None:
    """Hide these from now on; in a header (`Bearer …`) the secret is the last word."""
    for secret in secrets:
        pieces = _PIECES.findall(secret or "")
        if pieces[:1] in (["Bearer"], ["Basic"]):
            del pieces[0]
        _known.update(piece for piece in pieces if len(piece) >= MIN_LENGTH)


def register_named_secrets(values: Mapping[str, str]) -> None:
    """Hide those of these values (headers, variables) whose name says that they are secret."""
    register_secrets(*(value for name, value in values.items() if is_secret_name(name)))


def is_secret_name(name: str) -> bool:
    """Whether a variable, a header or a setting with this name holds a secret."""
    return _SECRET_NAME.search(name) is not None


def known_secrets() -> set[str]:
    """Everything that is secret now."""
    return {*_known, *_of_the_environment()}


def _of_the_environment() -> Iterable[str]:
    """Values that look like secrets and are named like them: `DB_PASSWORD=password` must not spoil every "password"."""
    for name, value in os.environ.items():
        if len(value) >= MIN_LENGTH and is_secret_name(name):
            yield from (piece for piece in _PIECES.findall(value) if len(piece) >= MIN_LENGTH and not _is_word(piece))


def _is_word(value: str) -> bool:
    return value.isalpha() and (value.islower() or value.isupper() or value.istitle())


# ---- how it is hidden --------------------------------------------------------------------------------------------------


def redact(text: str) -> str:
    """The text without any known secret, and without passwords in URLs."""
    return _PASSWORD.sub("", remove_secrets(text, known_secrets()))


def remove_secrets(text: str, secrets: Iterable[str]) -> str:
    """The text, which may be JSON, without these secrets only, in any of their forms; what is too short to be one stays."""
    known = [form for secret in secrets for form in forms_of(secret)]
    done = 0
    parts: list[str] = []
    for begin, end in find(text, known) if known else ():
        parts += (text[done:begin], HIDDEN)
        done = end
    return "".join((*parts, text[done:])) if parts else text


def hide_cut_end(text: str, secrets: Iterable[str] | None = None) -> str:
    """The text without the beginning of a secret at its end: somebody has cut the text within the secret."""
    known = known_secrets() if secrets is None else secrets
    at = partial_at(text, [form for secret in known for form in forms_of(secret)], MIN_LENGTH)
    return text if at == len(text) else text[:at] + HIDDEN


def redact_reply(text: str, limit: int = 1000) -> str:
    """What a server says about a failure: redacted, without the visible ends of masked keys, at most `limit` characters."""
    text = _MASKED.sub(HIDDEN, hide_cut_end(redact(text))[: 4 * limit])
    return text if len(text) <= limit else f"{text[:limit]}…"


def redact_settings(text: str) -> str:
    """Settings as a person is shown them: redacted, without users in URLs and without values that are named like secrets."""

    def hidden(found: re.Match[str]) -> str:
        name, separator = found.groups()[:2]
        in_url = found.re is _PARAMETER
        if not is_secret_name(name) or (name == "key" and not in_url):  # `"key": "missing"` says whether there is one
            return found[0]
        return name + separator + ("[hidden]" if in_url else '"[hidden]"')

    return _PARAMETER.sub(hidden, _SETTING.sub(hidden, _USER.sub("", redact(text))))


def public_url(url: str) -> str:
    """A URL without user, password, query and fragment, however malformed it is."""
    scheme, mark, rest = url.partition("://") if "://" in url else ("", "", url)
    rest = re.split(r"[?#]", rest, maxsplit=1)[0]
    host, slash, path = rest.partition("/")
    return f"{scheme}{mark}{host.rpartition('@')[2]}{slash}{path}"


# ---- logs --------------------------------------------------------------------------------------------------------------


def redacting_logger(name: str) -> logging.Logger:
    """The logger of one of our modules; its messages and tracebacks are redacted."""
    import logging

    found = logging.getLogger(name)
    found.addFilter(_redact_record)
    return found


def redact_logs(names: Iterable[str] = VERBOSE_LOGGERS) -> None:
    """Redact what libraries log: servers send keys back, and URLs have passwords."""
    for name in names:
        redacting_logger(name)


def _redact_record(record: logging.LogRecord) -> bool:
    import logging

    try:
        message = record.getMessage()
    except Exception:  # noqa: BLE001 - wrong arguments: the handler would report them, with a traceback that has them
        message, record.args = str(record.msg), ()
    record.msg, record.args = redact(message), ()
    if record.exc_info:
        trace: Any = record.exc_info if isinstance(record.exc_info, tuple) else None
        record.exc_text = redact(logging.Formatter().formatException(trace)) if trace else record.exc_text
        record.exc_info = None
    return True

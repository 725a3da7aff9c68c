"""Failures as `AssistantError`: HTTP statuses, the vendors' error bodies, broken connections."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Any

from ...core.errors import AssistantError, Kind
from ...core.redact import redact_reply
from ..gemini.failures import CLOUD, GOOGLE_CODES, google_meaning, retry_delay

__all__ = ["broken_connection", "failure", "refusal", "reported_error"]

_KINDS: dict[int, tuple[Kind, bool, str]] = {  # status: kind, whether a retry may help, what to do
    400: ("invalid_request", False, "The request does not suit this model or server."),
    401: ("authentication", False, "Check the key: the server did not accept it."),
    403: ("authentication", False, "The key is not allowed to do this."),
    404: ("not_found", False, "Check the model's name and base_url."),
    408: ("timeout", True, "Try again."),
    409: ("server", True, "Try again."),
    413: ("context_length", False, "Send less, or start a new conversation."),
    422: ("invalid_request", False, "The request does not suit this model or server."),
    429: ("rate_limit", True, "Wait a little, then try again."),
}
LONG = "The conversation is longer than the model's context. Start a new one{}."
"""A hint; only OpenAI's API can leave out the middle by itself."""
_CODES: dict[str, tuple[Kind, bool, str]] = {  # the vendors' codes are more precise than the status
    "insufficient_quota": ("quota", False, "The account has no credit left. Check its billing."),
    "billing_hard_limit_reached": ("quota", False, "The account has reached its limit. Check its billing."),
    "conversation_locked": ("server", True, "Another process is using this conversation."),
    "context_length_exceeded": (
        "context_length",
        False,
        LONG.format(", or set truncation = 'auto'"),
    ),
    "exceed_context_size_error": (  # llama.cpp
        "context_length",
        False,
        LONG.format(", or give the model a larger context (n_ctx)"),
    ),
    "rate_limit_exceeded": ("rate_limit", True, "Wait a little, then try again."),
    "server_error": ("server", True, "The provider failed. Try again."),
    "invalid_api_key": ("authentication", False, "Check the key: the server did not accept it."),
    "model_not_found": ("not_found", False, "Check the model's name."),
    **dict.fromkeys(
        ("invalid_prompt", "bio_policy", "misalignment_policy_violation"),
        ("content", False, "The provider refuses this message. Rephrase it."),
    ),
    **GOOGLE_CODES,
}


VAGUE = ("server_error", "internal_error")
"""Codes that are less precise than a status."""
_TOO_LONG = re.compile(
    r"context (length|size|window).{0,80}(exceed|only)|(exceed|maximum|longer).{0,80}(context (length|size|window)|model length)"
    r"|token count.*exceed|exceeds the maximum number of tokens|(prompt|string|input) (is )?too long|^request too large",
    re.IGNORECASE | re.DOTALL,
)
"""How servers without a code for it word it: vLLM, LM Studio, Google, proxies."""
YEAR = 365 * 86_400.0
SAID = 1_000
"""Characters of a server's message that are searched for what it means."""
_NUMBER = re.compile(r"\d+(\.\d*)?", re.ASCII)


def refusal(status: int, body: Any, headers: Mapping[str, str], where: str) -> AssistantError:
    """The error for an HTTP reply that is not a success. `body` is the decoded JSON, or None."""
    body = body[0] if isinstance(body, list) and body else body  # Google's, when it refuses a stream
    error = body.get("error", body) if isinstance(body, dict) else {}
    error = error if isinstance(error, dict) else {"message": str(error)}
    words = str(error.get("message") or error.get("detail") or "")
    words = (
        "" if words.lstrip().startswith("<") else words
    )  # a web page, which google-genai passes on, explains nothing
    told = [str(error.get(name) or "") for name in ("code", "type")]
    kind, retryable, hint = _KINDS.get(status, ("server", status >= 500, "The provider failed. Try again later."))
    if 300 <= status < 400:
        kind, hint = "protocol", "Check base_url: the server redirects to another address."
    if code := next((one for one in told if one in _CODES and not (one in VAGUE and status in _KINDS)), ""):
        kind, retryable, hint = _CODES[code]
    kind, retryable, hint = _too_long(words, kind) or (kind, retryable, hint)
    kind, retryable, hint = google_meaning(status, error, where) or (kind, retryable, hint)
    said = f"{where} answered {status}" + (f": {redact_reply(words)}" if words else ".")
    if headers.get("x-should-retry") == "false":  # OpenAI's servers know; its SDK obeys as well
        retryable = False
    asked = _retry_after(headers)
    asked = retry_delay(error) if asked is None else asked
    return AssistantError(kind, said, hint, retryable=retryable, retry_after=asked)


def failure(code: str, message: str) -> AssistantError:
    """The error for a code and a message that a server reports; some (OGX) give an HTTP status as the code."""
    status = _KINDS.get(
        400 if code == "invalid_request_error" else int(code) if len(code) == 3 and code.isdecimal() else 0
    )
    kind, retryable, hint = _CODES.get(code) or status or ("server", False, "The provider failed. Try again.")
    kind, retryable, hint = _too_long(message, kind) or (kind, retryable, hint)
    said = redact_reply(message or code or "The provider failed.")
    return AssistantError(kind, said, hint, retryable=retryable)


def reported_error(error: Any) -> AssistantError:
    """The error for what a server reports inside an answer: an object with `code` or `type` and `message`, or only words."""
    error = error if isinstance(error, dict) else {"message": error}
    message = error.get("message")
    return failure(str(error.get("code") or error.get("type") or ""), message if isinstance(message, str) else "")


def _too_long(words: str, kind: Kind) -> tuple[Kind, bool, str] | None:
    """The meaning of a message that says that the conversation is too long; None if it does not."""
    vague = kind in ("invalid_request", "server", "rate_limit")
    return ("context_length", False, LONG.format("")) if vague and _TOO_LONG.search(words[:SAID]) else None


def broken_connection(error: Exception, where: str) -> AssistantError:
    """The error for a connection that failed, by the name of the HTTP library's exception (the same in httpx and httpx2)."""
    name = type(error).__name__
    if name in ("ConnectError", "ConnectTimeout"):
        return AssistantError(
            "connection",
            f"Cannot connect to {where}: {_reason(error)}.",
            f"Is the server running, and the network up? Check {'location' if CLOUD in where else 'base_url'}.",
            retryable=True,
        )
    if name.endswith("Timeout"):
        return AssistantError("timeout", f"{where} was silent for too long.", "Try again.", retryable=False)
    if name in ("InvalidURL", "UnsupportedProtocol", "LocalProtocolError"):
        return AssistantError(
            "invalid_request", f"{where} can't be reached: {_reason(error)}.", "Check base_url and the key."
        )
    if name == "TooManyRedirects":
        return AssistantError("protocol", f"{where} redirects in a circle.", "Check base_url.")
    if name == "SSEError":
        return AssistantError("protocol", f"{where} does not stream events: {_reason(error)}", "Check base_url.")
    return AssistantError("connection", f"The connection to {where} broke: {_reason(error)}.", "Try again.")


def _reason(error: Exception) -> str:
    return str(error).rstrip(".") or type(error).__name__


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds that the server asks us to wait: `retry-after-ms`, or `retry-after` in seconds or as a date (RFC 9110).

    None for a time in the past: a server whose clock is slow would make us repeat the request at once, again and again.
    """
    for name, seconds in (("retry-after-ms", _milliseconds), ("retry-after", _seconds)):
        try:
            asked = seconds(headers[name])
        except (KeyError, ValueError, TypeError, OverflowError):
            continue
        if asked > 0:
            return min(asked, YEAR)
    return None


def _milliseconds(given: str) -> float:
    return _number(given) / 1000


def _seconds(given: str) -> float:
    try:
        return _number(given)
    except ValueError:
        date = parsedate_to_datetime(given)
    # A date without a zone is in GMT, as every date in HTTP; Python would read it as local time.
    return (date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp() - time.time()


def _number(given: str) -> float:
    if not _NUMBER.fullmatch(given.strip()):  # float() also takes "inf", "nan" and "1_000"
        raise ValueError(given)
    return float(given)

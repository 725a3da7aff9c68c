"""What an object says of a failure: whether it reports one, and in which words. Each server has its own shape for it."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping
from typing import Any

__all__ = ["error_words", "find_error", "is_remark", "sentence"]


def find_error(event: Mapping[str, Any]) -> Any:
    """What an object reports as a failure, for `reported_error`; None if it reports none."""
    error = event.get("error")
    if isinstance(error, dict) and not any(error.values()):  # some servers write out every field of every answer
        error = None
    if isinstance(error, str | list | dict) and error:
        return error
    if error or event.get("type") == "error" or event.get("object") == "error" or set(event) == {"detail"}:
        return {key: value for key, value in event.items() if key != "error"}
    if (details := event.get("base_resp")) and isinstance(details, dict) and details.get("status_code"):  # MiniMax
        return {"code": details["status_code"], "message": details.get("status_msg")}
    return dict(event) if _fails(event) and is_remark(event) else None


def is_remark(event: Mapping[str, Any]) -> bool:
    """Whether an object consists of what frameworks and gateways say of a failure, and has words."""
    return event.keys() <= _REMARK and bool(error_words(dict(event)))


def _fails(event: Mapping[str, Any]) -> bool:
    """Whether an object says that something has failed."""
    if event.get("success") is False or event.get("ok") is False or event.keys() & FAILURES:
        return True
    codes = [str(event.get(name)) for name in ("code", "status", "statusCode", "status_code")]
    return any(one.lower() in _FAILED or (len(one) == 3 and one.isdecimal() and one >= "400") for one in codes)


FAILURES = {"errors", "error_message", "errorMessage", "exception", "fault"}
"""The presence of one of these alone says that something has failed."""
_FAILED = ("error", "failed", "failure", "fail")


def error_words(error: Any, depth: int = 4) -> str:
    """A server's own words for a failure, in whichever shape: text, an object (FastAPI's `detail`, too), a list of them."""
    match error:
        case str():
            return "" if error.lstrip().startswith("<") else " ".join(error.split())  # a web page explains nothing
        case list() if depth:
            return "; ".join(dict.fromkeys(filter(None, (error_words(one, depth - 1) for one in error[:MAX_REASONS]))))
        case dict() if depth:
            found = (error_words(error.get(name), depth - 1) for name in _WORDS)
            place = error.get("loc")  # FastAPI: which field is wrong
            path = ".".join(str(one) for one in place if isinstance(one, str | int)) if isinstance(place, list) else ""
            words = next(filter(None, found), "")
            if behind := _passed_on(error.get("metadata")):
                return f"{words.rstrip('.')}: {behind}" if words else behind
            return f"{path}: {words}" if path and words else words
    return ""


def _passed_on(metadata: Any) -> str:
    """What the server behind OpenRouter said, whose own words are only that it failed."""
    raw = metadata.get("raw") if isinstance(metadata, dict) else None
    if isinstance(raw, str) and raw.lstrip().startswith("{"):
        with contextlib.suppress(ValueError, RecursionError):
            raw = json.loads(raw)
    return error_words(raw, 3)


_WORDS = (
    *("message", "detail", "msg", "error", "errors", "error_description", "title", "reason"),
    *("Message", "error_message", "error_msg", "fault", "faultstring", "details", "data"),
    *("errorMessage", "errmsg", "err_msg", "exception", "description", "Error"),
)
"""Where servers put their words, the best place first."""
_REMARK = frozenset(
    (*_WORDS, "code", "status", "statusCode", "status_code", "success", "ok", "type", "instance", "path", "timestamp")
)
_REMARK |= {"error_code", "errcode", "request_id", "requestId", "trace_id"}
"""All that such an object may have."""
MAX_REASONS = 5


def sentence(words: str) -> str:
    """The words with a full stop, if they end with no punctuation: what we add must not run into them."""
    words = words.rstrip()
    return f"{words}." if words and words[-1] not in ".!?…" else words

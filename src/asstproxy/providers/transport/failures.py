"""Failures as `AssistantError`: HTTP statuses, the vendors' error bodies, broken connections."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Any

from ...core.errors import AssistantError, Kind
from ...core.redact import public_url, redact, redact_reply
from .error_words import error_words, find_error, is_remark, sentence

__all__ = [
    "API_MISSING",
    "REFUSED_KEY",
    "broken_connection",
    "failure",
    "name_key",
    "refusal",
    "refused_reply",
    "reported_error",
]

REFUSED_KEY = "Check the key: the server did not accept it."
"""A hint. Where it is known which key was sent, that says more."""
_KINDS: dict[int, tuple[Kind, bool, str]] = {  # status: kind, whether a retry may help, what to do
    400: ("invalid_request", False, "The model or the server doesn't accept this request."),
    401: ("authentication", False, REFUSED_KEY),
    402: ("quota", False, "The account's balance does not cover this. Check its billing."),
    403: ("authentication", False, "The key is not allowed to do this."),
    404: ("not_found", False, "Check the model's name and base_url."),
    408: ("timeout", True, "Try again."),
    409: ("server", True, "Try again."),
    413: ("context_length", False, "Send less, or start a new conversation."),
    422: ("invalid_request", False, "The model or the server doesn't accept this request."),
    429: ("rate_limit", True, "Wait a little, then try again."),
}
LONG = "The conversation is longer than the model's context. Start a new one{}."
"""A hint; only OpenAI's API can leave out the middle on its own."""
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
    "invalid_api_key": ("authentication", False, REFUSED_KEY),
    **dict.fromkeys(
        ("model_not_found", "model_not_available", "model_not_supported", "model_decommissioned", "invalid_model"),
        ("not_found", False, "Check the model's name."),
    ),
    "DeploymentNotFound": ("not_found", False, "Check the model: at Azure it is the name of your deployment."),
    "InvalidApiKey": ("authentication", False, REFUSED_KEY),
    **dict.fromkeys(
        ("invalid_prompt", "bio_policy", "misalignment_policy_violation"),
        ("content", False, "The provider refuses this message. Rephrase it."),
    ),
    **{  # Anthropic's types of errors
        name: _KINDS[status]
        for name, status in {
            "authentication_error": 401,
            "billing_error": 402,
            "permission_error": 403,
            "not_found_error": 404,
            "conflict_error": 409,
            "request_too_large": 413,
            "rate_limit_error": 429,
            "enforced_spend_limit_reached": 402,
            "contract_spend_limit_reached": 402,
        }.items()
    },
    **dict.fromkeys(("api_error", "timeout_error"), ("server", True, "The provider failed. Try again.")),
    "overloaded_error": ("server", True, "The provider is overloaded. Try again later."),
    "authentication_error": _KINDS[401],
    "permission_denied": _KINDS[403],
}


_RESPONSES = (
    "This server doesn't seem to have the Responses API here. Check base_url: it often ends in /v1. If the server speaks"
    ' Chat Completions, use a profile with provider = "chat-completions".'
)
_ASSISTANTS = "This server doesn't seem to have the Assistants API. Check base_url: it often ends in /v1 or /api/v1."
_APIS = {  # paths that a server which has the API always has
    "/responses": _RESPONSES,
    "/conversations": 'This server doesn\'t seem to keep Conversations. Set history = "client" in the profile.',
    "/interactions": 'This server doesn\'t seem to have the Interactions API. Set api = "generate" in the profile.',
    "/messages": "This server doesn't seem to have Anthropic's Messages API. Check base_url.",
    **dict.fromkeys(("/assistants?limit=1", "/threads"), _ASSISTANTS),
    "/chat/completions": "This server doesn't seem to speak Chat Completions here. Check base_url: it often ends in /v1.",
}
API_MISSING = "api_missing"
"""The code of an error: the server has no such path. Its data has `base_url`."""
VAGUE = ("server_error", "internal_error", "api_error")
"""Codes that are less precise than a status."""
_TOO_LONG = re.compile(
    r"context (length|size|window).{0,80}(exceed|only)|(exceed|maximum|longer).{0,80}(context (length|size|window)|model length)"
    r"|token count.*exceed|exceeds the maximum number of tokens|(prompt|string|input) (is )?too long|^request too large",
    re.IGNORECASE | re.DOTALL,
)
"""How servers without a code for it word it: vLLM, LM Studio, Google, proxies."""
_NO_MONEY = re.compile(
    r"insufficient[ _](account )?(balance|credits?|funds)|(balance|credits?) (is|are) (too low|exhausted)",
    re.IGNORECASE,
)
_NO_MODEL = re.compile(
    r"(invalid|unknown|unrecognized|no such|nonexistent|not a valid) model\b(?! (output|response|parameter|setting))"
    r"|\bmodel:?( id| name)?( [\"'`]?[^\s\"'`]+[\"'`]?)? (does not exist|doesn't exist|not exist|(is |was )?not (found|known)"
    r"|has been (decommissioned|retired|removed))|unexpected model name",
    re.IGNORECASE,
)
_NO_KEY = re.compile(
    r"\b(incorrect|invalid|missing|malformed|expired|wrong|no)( \w+){0,2} (api|virtual|access|secret)[ _-]?(key|token)\b"
    r"|api[ _-]?key (is |was )?(not valid|not found|invalid|missing|required|incorrect|expired)|authentication (failed|error)",
    re.IGNORECASE,
)
"""How servers say with the status 400 what others say with 404 and 401."""
_ENDPOINT = re.compile(r"(/chat/completions|/responses|/messages)(/v1(beta)?)?$")
"""The end of an address that somebody has copied from a page with the whole URL of a request."""
_UPSTREAM = re.compile(r"Error code: (\d{3}) - ")
"""How the openai package reports a server's answer: servers that use the package pass this on as a failure of their own."""
YEAR = 365 * 86_400.0
SEARCHED = 1_000
"""Characters of a server's message that are searched for what it means."""
_NUMBER = re.compile(r"\d+(\.\d*)?", re.ASCII)


def refusal(status: int, body: Any, headers: Mapping[str, str], where: str, path: str = "") -> AssistantError:
    """The error for an HTTP reply that is not a success, to a request for this path. `body` is the decoded JSON, or None."""
    words = error_words(body)
    if isinstance(body, list):  # Google's, when it refuses a stream
        body = next((one for one in body if isinstance(one, dict)), {})
    error = body.get("error", body) if isinstance(body, dict) else {}
    error = error if isinstance(error, dict) else {"message": words}
    details = error.get("details")  # Anthropic's, which are more precise than its types
    codes = [_code(details.get("error_code"))] if isinstance(details, dict) else []
    codes += [_code(error.get(name)) for name in ("code", "type")]
    kind, retryable, hint = _KINDS.get(status, ("server", status >= 500, "The provider failed. Try again later."))
    if 300 <= status < 400:
        target = public_url(headers.get("location", ""))
        kind, hint = "protocol", f"Check base_url: the server redirects to {target or 'another address'}."
    known = (_meaning_of_code(one, path) for one in codes if not (one in VAGUE and status in _KINDS))
    kind, retryable, hint = next(filter(None, known), (kind, retryable, hint))
    kind, retryable, hint = _meaning_of(words, kind) or (kind, retryable, hint)
    missing = status in (404, 405, 501) and path in _APIS and not re.search("model|deployment", words, re.IGNORECASE)
    if missing:
        kind, retryable, hint = "not_found", False, _APIS[path]
    if status in (404, 405) and (copied := _ENDPOINT.search(where)):
        missing, hint = False, f"Check base_url: leave out {copied[1]}."
    from ..gemini.failures import google_meaning, retry_delay

    kind, retryable, hint = google_meaning(status, error, where) or (kind, retryable, hint)
    message = f"{where} answered {status}" + (f": {redact_reply(sentence(words))}" if words else ".")
    if headers.get("x-should-retry") == "false":  # OpenAI's servers know; its SDK obeys as well
        retryable = False
    asked = _retry_after(headers)
    asked = retry_delay(error) if asked is None else asked
    more: Any = {"code": API_MISSING, "data": {"base_url": where}} if missing else {}
    return AssistantError(kind, message, hint, retryable=retryable, retry_after=asked, **more)


def name_key(error: AssistantError, key_hint: str) -> None:
    """Let an error that is about the key say which key that is, and where keys come from; once is enough."""
    if error.kind != "authentication" or not key_hint or key_hint in error.hint:
        return
    key_hint = redact(key_hint)
    which, _, page = key_hint.partition(", or create one")
    if page and page.rpartition(" ")[2] in error.hint:
        key_hint = f"{which}."
    if key_hint not in error.hint:
        error.hint = key_hint if error.hint == REFUSED_KEY else f"{error.hint} {key_hint}"


def failure(code: str, message: str) -> AssistantError:
    """The error for a code and a message that a server reports; some (OGX) give an HTTP status as the code."""
    if code in VAGUE and (upstream := _UPSTREAM.match(message)):
        code = upstream[1]
    status = _KINDS.get(
        400 if code == "invalid_request_error" else int(code) if len(code) == 3 and code.isdecimal() else 0
    )
    kind, retryable, hint = _meaning_of_code(code) or status or ("server", False, "The provider failed. Try again.")
    kind, retryable, hint = _meaning_of(message, kind) or (kind, retryable, hint)
    message = redact_reply(sentence(message or code or "The provider failed"))
    if message.endswith(" failed."):
        hint = hint.removeprefix("The provider failed. ")
    return AssistantError(kind, message, hint, retryable=retryable)


def refused_reply(reply: Mapping[str, Any]) -> AssistantError | None:
    """The error for a whole reply with the status of a success that isn't an answer of any API, but words; None: it may be one."""
    return reported_error(find_error(reply) or dict(reply)) if is_remark(reply) else None


def reported_error(error: Any) -> AssistantError:
    """The error for what a server reports inside an answer: an object with `code` or `type` and `message`, or only words."""
    details = error if isinstance(error, dict) else {}
    code = _code(details.get("code")) or _code(details.get("type"))
    return failure("" if code == "error" else code, error_words(error))


def _code(value: Any) -> str:
    return str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""


def _meaning_of_code(code: str, path: str = "") -> tuple[Kind, bool, str] | None:
    """What a vendor's code means, if it is known; `path`: of the API that sent it."""
    from ..gemini.failures import GOOGLE_CODES

    if path.startswith("/interactions"):  # others have some of these codes, too, and their own hints
        return GOOGLE_CODES.get(code) or _CODES.get(code)
    return _CODES.get(code) or GOOGLE_CODES.get(code)


def _meaning_of(words: str, kind: Kind) -> tuple[Kind, bool, str] | None:
    """What a server's words mean, where its status or code is vague: the conversation is too long, or the account is empty."""
    if kind not in ("invalid_request", "server", "rate_limit"):
        return None
    if re.match(r"\W*No connected db\.", words, re.IGNORECASE):  # LiteLLM without a database: it knows one key only
        return _KINDS[401]
    if "invalid model name" in words[:SEARCHED].lower():  # LiteLLM, with any status
        return _CODES["model_not_found"]
    if kind == "invalid_request" and _NO_KEY.search(words[:SEARCHED]):
        return _KINDS[401]
    if kind == "invalid_request" and _NO_MODEL.search(words[:SEARCHED]):
        return _CODES["model_not_found"]
    if _TOO_LONG.search(words[:SEARCHED]):
        return "context_length", False, LONG.format("")
    return _KINDS[402] if _NO_MONEY.search(words[:SEARCHED]) else None


def broken_connection(
    error: Exception, where: str, *, answered: bool = True, proxy: tuple[str, str] | None = None
) -> AssistantError:
    """The error for a connection that failed, by the name of the HTTP library's exception (the same in httpx and httpx2).

    `answered`: the answer had begun, or it is not known whether it had. `proxy`: the one between, in words, and what names it.
    """
    name = type(error).__name__
    if proxy and (name == "ProxyError" or (name in ("ConnectError", "ConnectTimeout") and not _is_tls(error))):
        shown, source = proxy
        refused = name == "ProxyError"
        what = (
            f"{shown[:1].upper()}{shown[1:]} gives no connection to {where}"
            if refused
            else f"Cannot connect to {shown}"
        )
        hint = f"Is it the right proxy, and is it running? Correct or unset {source}; NO_PROXY names hosts to ask directly."
        return AssistantError("connection", f"{what}: {_reason(error)}.", hint, retryable=not refused)
    if _has(error, lambda one: type(one).__name__ == "SSLCertVerificationError"):
        return AssistantError(
            "connection",
            f"The certificate of {where} is not trusted: {_reason(error)}.",
            "Check base_url. If the server is right, name its certificate in SSL_CERT_FILE.",
        )
    if name in ("ConnectError", "ConnectTimeout"):
        from ..gemini.failures import CLOUD

        return AssistantError(
            "connection",
            f"Cannot connect to {where}: {_reason(error)}.",
            f"Is the server running, and the network up? Check {'location' if CLOUD in where else 'base_url'}.",
            retryable=True,
        )
    if name.endswith("Timeout") and name not in ("WriteTimeout", "PoolTimeout"):
        return AssistantError("timeout", f"{where} was silent for too long.", "Try again.", retryable=False)
    if name in ("InvalidURL", "UnsupportedProtocol", "LocalProtocolError"):
        return AssistantError(
            "invalid_request", f"{where} can't be reached: {_reason(error)}.", "Check base_url and the key."
        )
    if name == "TooManyRedirects":
        return AssistantError("protocol", f"{where} redirects in a circle.", "Check base_url.")
    if name == "DecodingError":
        said = f"{where} sent a body that can't be decompressed: {_reason(error)}."
        return AssistantError("protocol", said, "Check base_url, or try again.")
    if name == "SSEError":
        return AssistantError("protocol", f"{where} does not stream events: {_reason(error)}", "Check base_url.")
    when = "" if answered else " before the answer began"
    # What was not sent whole can't have been received. After that, it is unknown, and a second request may be charged, too.
    unsent = name in ("WriteError", "WriteTimeout", "PoolTimeout")
    message = f"The connection to {where} broke{when}: {_reason(error)}."
    return AssistantError("connection", message, "Try again.", retryable=unsent)


def _is_tls(error: BaseException) -> bool:
    """Whether encryption failed, so that the connection itself was made."""
    return _has(error, lambda one: type(one).__module__ == "ssl")


def _has(error: BaseException | None, wanted: Callable[[BaseException], bool]) -> bool:
    """Whether this error, or one that caused it, is wanted."""
    while error is not None:
        if wanted(error):
            return True
        error = error.__cause__ or error.__context__
    return False


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

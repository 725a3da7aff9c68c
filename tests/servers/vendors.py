"""How each vendor writes an error, an error in the middle of a stream, and an event nobody has heard of."""

from __future__ import annotations

import email.utils
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from .wire import ApiError, Json, Reply

Shape = Literal["flat", "nested"]


@dataclass(frozen=True)
class Vendor:
    """One vendor's dialect."""

    name: str
    error: Callable[[ApiError], Json]
    type_key: str | None
    """The member that names an event's type, if events have one."""

    def refusal(self, problem: ApiError, *, as_date: bool = False) -> Reply:
        """The HTTP answer for a problem; `as_date` writes Retry-After as an HTTP date."""
        headers = {"x-request-id": "req_refused"}
        if problem.retry_after is not None:
            seconds = problem.retry_after
            date = email.utils.formatdate(time.time() + seconds, usegmt=True)
            headers["retry-after"] = date if as_date else f"{seconds:g}"
        return Reply.json(self.error(problem), problem.status, headers)

    def error_event(self, problem: ApiError, shape: Shape) -> Json:
        """The same problem in the middle of a stream."""
        if shape == "nested":
            body = self.error(problem)
            return {"event_type": "error", **body} if self.name == "interactions" else body
        if self.name == "anthropic":
            return self.error(problem)
        if self.name == "assistants":  # the event's name says what it is
            return {name: self.error(problem)["error"][name] for name in ("code", "message", "type")}
        error = self.error(problem)["error"]
        flat = {"code": error["code"], "message": error["message"], "param": error.get("param")}
        return {self.type_key or "type": "error", **flat}

    def unknown_event(self) -> Json:
        """An event of a later version of the API."""
        if self.type_key is None:
            return {"brandNewField": {"text": "from the future"}}
        return {self.type_key: "response.brand_new", "delta": "from the future"}


# status -> (type, code, message)
_OPENAI: dict[int, tuple[str, str | None, str]] = {
    400: ("invalid_request_error", None, "Invalid request."),
    401: ("invalid_request_error", "invalid_api_key", "Incorrect API key provided."),
    403: ("request_forbidden", "unsupported_country_region_territory", "Country, region, or territory not supported"),
    404: ("invalid_request_error", "model_not_found", "The model does not exist or you do not have access to it."),
    408: ("server_error", None, "Request timed out."),
    409: ("invalid_request_error", "conflict", "The resource was updated by another request."),
    413: ("invalid_request_error", None, "Request too large."),
    422: ("invalid_request_error", None, "Unprocessable entity."),
    429: ("requests", "rate_limit_exceeded", "Rate limit reached for requests per min (RPM): Limit 3, Used 3."),
    500: ("server_error", None, "The server had an error while processing your request. Sorry about that!"),
    503: ("service_unavailable", None, "The engine is currently overloaded, please try again later."),
    529: ("overloaded_error", None, "Overloaded"),
}
_OPENAI_CODES = {
    "insufficient_quota": (
        "insufficient_quota",
        "You exceeded your current quota, please check your plan and billing details.",
    ),
    "conversation_locked": (
        "invalid_request_error",
        "Another process is currently operating on this conversation. Please retry in a few seconds.",
    ),
}


def _openai(problem: ApiError) -> Json:
    kind, code, message = _OPENAI.get(problem.status, ("api_error", None, "Error"))
    if problem.code in _OPENAI_CODES:
        kind, message = _OPENAI_CODES[problem.code]
    if problem.message is not None:
        message, code = problem.message, None
    code = problem.code or code
    return {"error": {"message": message, "type": kind, "param": problem.param, "code": code}}


# status -> (google.rpc.Code, message)
_GOOGLE: dict[int, tuple[str, str]] = {
    400: ("INVALID_ARGUMENT", "Request contains an invalid argument."),
    401: ("UNAUTHENTICATED", "Request had invalid authentication credentials."),
    403: ("PERMISSION_DENIED", "The caller does not have permission"),
    404: ("NOT_FOUND", "Requested entity was not found."),
    408: ("DEADLINE_EXCEEDED", "The request timed out."),
    409: ("ABORTED", "The operation was aborted."),
    413: ("INVALID_ARGUMENT", "Request payload size exceeds the limit: 20971520 bytes."),
    422: ("INVALID_ARGUMENT", "Unprocessable entity."),
    429: ("RESOURCE_EXHAUSTED", "You exceeded your current quota, please check your plan and billing details."),
    499: ("CANCELLED", "The operation was cancelled."),
    500: ("INTERNAL", "An internal error has occurred. Please retry."),
    503: ("UNAVAILABLE", "The model is overloaded. Please try again later."),
    504: ("DEADLINE_EXCEEDED", "The request timed out."),
    529: ("UNAVAILABLE", "Overloaded"),
}


def _gemini(problem: ApiError) -> Json:
    status, message = _GOOGLE.get(problem.status, ("UNKNOWN", "Unknown error."))
    error: Json = {"code": problem.status, "message": problem.message or message, "status": problem.code or status}
    details = [*problem.details, *(_quota_details(problem.retry_after) if problem.status == 429 else [])]
    if details:
        error["details"] = details
    return {"error": error}


def _quota_details(retry_after: float | None) -> list[Json]:
    metric = "generativelanguage.googleapis.com/generate_content_free_tier_requests"
    violation = {"quotaMetric": metric, "quotaId": "GenerateRequestsPerMinutePerProject", "quotaValue": "10"}
    details: list[Json] = [{"@type": "type.googleapis.com/google.rpc.QuotaFailure", "violations": [violation]}]
    if retry_after is not None:
        delay = f"{math.ceil(retry_after)}s" if retry_after >= 1 else f"{retry_after:g}s"
        details.append({"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": delay})
    return details


_INTERACTIONS = {
    400: "invalid_request",
    401: "authentication_error",
    403: "permission_denied",
    404: "not_found",
    429: "too_many_requests",
    500: "internal_error",
    503: "service_unavailable",
}


def _interactions(problem: ApiError) -> Json:
    message: Any = problem.message or _GOOGLE.get(problem.status, ("", "Unknown error."))[1]
    return {"error": {"message": message, "code": problem.code or _INTERACTIONS.get(problem.status, "internal_error")}}


# status -> (type, message)
_ANTHROPIC: dict[int, tuple[str, str]] = {
    400: ("invalid_request_error", "Invalid request."),
    401: ("authentication_error", "invalid x-api-key"),
    402: ("billing_error", "Your account has no payment method."),
    403: ("permission_error", "Your API key does not have permission to use the specified resource."),
    404: ("not_found_error", "model: unknown"),
    409: ("conflict_error", "The resource was changed."),
    413: ("request_too_large", "Request exceeds the maximum allowed number of bytes."),
    429: ("rate_limit_error", "This request would exceed your account's rate limit. Please try again later."),
    500: ("api_error", "Internal server error"),
    504: ("timeout_error", "The request timed out."),
    529: ("overloaded_error", "Overloaded"),
}


def _anthropic(problem: ApiError) -> Json:
    kind, message = _ANTHROPIC.get(
        problem.status, ("invalid_request_error" if problem.status < 500 else "api_error", "Error")
    )
    error: Json = {"type": kind, "message": problem.message or message}
    if problem.code:
        error["details"] = {"error_code": problem.code}
    return {"type": "error", "error": error, "request_id": "req_refused"}


ANTHROPIC = Vendor("anthropic", _anthropic, "type")
OPENAI = Vendor("openai", _openai, "type")
ASSISTANTS = Vendor("assistants", _openai, "type")
GEMINI = Vendor("gemini", _gemini, None)
INTERACTIONS = Vendor("interactions", _interactions, "event_type")

"""What Google's error bodies say beyond the HTTP status: reasons, quotas, and how long to wait.

Source: https://cloud.google.com/apis/design/errors (google.rpc.Status, ErrorInfo, RetryInfo, QuotaFailure). The
Interactions API has its own codes for the same.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from ...core.errors import Kind

__all__ = ["CLOUD", "GOOGLE_CODES", "LOGIN", "google_meaning", "retry_delay"]

CLOUD = "-aiplatform.googleapis.com"
"""The end of a location's host name; the name of an unknown location can't be resolved."""
LOGIN = "Run: gcloud auth application-default login"
NEW_KEY = "Google no longer accepts keys of the old kind; create a new one at https://aistudio.google.com/apikey."
ACCESS = (
    "Check project and location, that the API is on (gcloud services enable aiplatform.googleapis.com), and that you "
    "may use it (role roles/aiplatform.user)."
)

Meaning = tuple[Kind, bool, str]

GOOGLE_CODES: dict[str, Meaning] = {  # the Interactions API's codes
    "authentication_error": ("authentication", False, NEW_KEY),
    "permission_denied": ("authentication", False, NEW_KEY),
    "not_found": ("not_found", False, "Check the model's name."),
    "invalid_request": ("invalid_request", False, "The model or the server doesn't accept this request."),
    "too_many_requests": ("rate_limit", True, "Wait a little, then try again."),
    "internal_error": ("server", True, "The provider failed. Try again."),
    "service_unavailable": ("server", True, "The provider failed. Try again."),
}
_REASONS: dict[str, Meaning] = {  # ErrorInfo.reason
    "API_KEY_INVALID": ("authentication", False, NEW_KEY),
    "API_KEY_SERVICE_BLOCKED": ("authentication", False, NEW_KEY),
    "API_KEY_HTTP_REFERRER_BLOCKED": ("authentication", False, "The key must not be used from here."),
    "API_KEY_IP_ADDRESS_BLOCKED": ("authentication", False, "The key must not be used from here."),
    "ACCESS_TOKEN_EXPIRED": ("authentication", False, LOGIN),
    "SERVICE_DISABLED": ("authentication", False, ACCESS),
    "CONSUMER_INVALID": ("authentication", False, ACCESS),
    "IAM_PERMISSION_DENIED": ("authentication", False, ACCESS),
    "BILLING_DISABLED": ("quota", False, "Check the billing of the Google Cloud project."),
}
_BAD_KEY = re.compile(r"API key (not valid|expired|not found)", re.IGNORECASE)  # a 400, and in one API without a reason
_NONE = re.compile(r"limit: 0\b")  # this model has no free tier
_PER_DAY = "This quota is renewed every day at midnight Pacific time. Or choose another model, or switch on billing."


def google_meaning(status: int, error: dict[str, Any], where: str) -> Meaning | None:
    """The meaning of an error in Google's format; None if the status is enough, or the format is another one."""
    if _BAD_KEY.search(str(error.get("message"))):
        return "authentication", False, NEW_KEY
    if not isinstance(error.get("status"), str):
        return None
    reasons = (str(detail.get("reason")) for detail in _details(error, "ErrorInfo"))
    known = next((_REASONS[reason] for reason in reasons if reason in _REASONS), None)
    if known is not None or status == 400:
        return known or _invalid(error)
    if status in (401, 403):
        cloud = LOGIN if status == 401 else ACCESS
        return "authentication", False, cloud if "/projects/" in where else NEW_KEY
    if status == 404:
        return "not_found", False, _missing(where)
    daily = any("PerDay" in str(quota.get("quotaId")) for quota in _quotas(error))
    spent = status == 429 and (daily or _NONE.search(str(error.get("message"))))
    return ("quota", False, _PER_DAY) if spent else None


def _invalid(error: dict[str, Any]) -> Meaning | None:
    if error["status"] == "FAILED_PRECONDITION":
        return "invalid_request", False, "Gemini may not be available in your region, or only with billing switched on."
    return None


def _quotas(error: dict[str, Any]) -> list[dict[str, Any]]:
    violations = (v for detail in _details(error, "QuotaFailure") for v in detail.get("violations") or ())
    return [violation for violation in violations if isinstance(violation, dict)]


def _missing(where: str) -> str:
    hint = "Check the model's name. It may have been shut down"
    return f"{hint}, or not be available in this location." if "/projects/" in where else f"{hint}."


def retry_delay(error: dict[str, Any]) -> float | None:
    """Seconds that Google asks us to wait (`RetryInfo.retryDelay`, as in `17s`)."""
    for detail in _details(error, "RetryInfo"):
        given = re.fullmatch(r"(\d+(?:\.\d+)?)s", str(detail.get("retryDelay")))
        if given:
            return float(given[1])
    return None


def _details(error: dict[str, Any], kind: str) -> Iterator[dict[str, Any]]:
    details = error.get("details")
    for detail in details if isinstance(details, list) else ():
        if isinstance(detail, dict) and str(detail.get("@type")).endswith(f"google.rpc.{kind}"):
            yield detail

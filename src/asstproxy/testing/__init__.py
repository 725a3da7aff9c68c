"""The suite of tests that every provider passes, yours too: see `ProviderContract` and docs/providers.md."""

from __future__ import annotations

import sys

if "pytest" in sys.modules:  # its failures say more if it may rewrite the assertions; nothing here needs it
    import pytest

    _PARTS = ("answers", "client", "conversations", "failures", "harness", "schemas", "stopping", "tools")
    pytest.register_assert_rewrite(*(f"asstproxy.testing.{name}" for name in _PARTS))

from .backend import (
    Backend,
    Calls,
    CutOff,
    ErrorInAnswer,
    Failure,
    Filtered,
    Hang,
    Length,
    RateLimited,
    ReceivedRequest,
    Reply,
    Signed,
    Text,
)
from .client import ProviderClient
from .contract import ProviderContract
from .harness import tasks_left
from .http_backend import HttpBackend, HttpRequest, HttpResponse

__all__ = [
    "Backend",
    "Calls",
    "CutOff",
    "ErrorInAnswer",
    "Failure",
    "Filtered",
    "Hang",
    "HttpBackend",
    "HttpRequest",
    "HttpResponse",
    "Length",
    "ProviderClient",
    "ProviderContract",
    "RateLimited",
    "ReceivedRequest",
    "Reply",
    "Signed",
    "Text",
    "tasks_left",
]

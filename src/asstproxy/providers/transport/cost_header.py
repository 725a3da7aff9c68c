"""The cost of a request in a header of its reply (LiteLLM's proxy: https://docs.litellm.ai/docs/proxy/response_headers)."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping

from . import JSON

__all__ = ["with_cost"]

HEADER = "x-litellm-response-cost"


def with_cost(reply: JSON, headers: Mapping[str, str]) -> JSON:
    """The reply, with the cost of the header in its `usage`, where the other servers put it.

    A streamed reply has no such header: it is sent before the answer exists.
    """
    usage = reply.get("usage")
    if HEADER in headers and isinstance(usage, dict):
        with contextlib.suppress(ValueError):
            usage.setdefault("cost", float(headers[HEADER]))
    return reply

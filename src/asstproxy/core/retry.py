"""Patience: how long an assistant is waited for, and whether a request that failed is sent again."""

from __future__ import annotations

import math
import random
import time
from dataclasses import dataclass

from .errors import AssistantError

__all__ = ["RetryBudget", "RetryPolicy"]


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How long to wait for an assistant, and how often to ask. All times are in seconds.

    `heartbeat`: of silence after which a heartbeat is said. `attempts`: requests in all, for each request of an exchange.
    `delay`: before the second attempt, doubled each time, with jitter. `longest`: one wait at the most; a provider that
    asks for a longer one is not asked again. `total`: what an exchange may spend on waiting and asking again, all its
    requests together.
    """

    heartbeat: float = 2.0
    attempts: int = 4
    delay: float = 0.5
    longest: float = 60.0
    total: float = 120.0

    def pause(self, attempt: int) -> float:
        """Seconds after an attempt, when the provider does not say: exponential, with jitter."""
        return min(self.delay * 2.0 ** (attempt - 1), self.longest) * random.uniform(0.75, 1.0)  # noqa: S311 - jitter


class RetryBudget:
    """What one exchange has spent of its patience, in seconds."""

    def __init__(self, patience: RetryPolicy) -> None:
        self.patience = patience
        self.spent = 0.0
        self._began = time.monotonic()

    def begin(self) -> None:
        """An attempt begins."""
        self._began = time.monotonic()

    def wait(self, attempt: int, error: AssistantError) -> float:
        """Seconds until the request is sent again, after an attempt (the first is 1) that failed.

        Raises:
            AssistantError: it is not sent again, since that cannot help or takes too long.
        """
        if attempt > 1:
            self.spent += time.monotonic() - self._began
        patience, asked = self.patience, error.retry_after
        if asked is not None and not asked >= 0:  # a provider's nonsense, NaN included
            asked = None
        if not error.retryable or attempt >= patience.attempts:
            raise error
        delay = patience.pause(attempt) if asked is None else asked
        if delay > patience.longest or self.spent + delay > patience.total:
            raise error if asked is None else _too_long(error, asked, patience)
        self.spent += delay
        return delay


def _too_long(error: AssistantError, asked: float, patience: RetryPolicy) -> AssistantError:
    return AssistantError(
        error.kind,
        f"{str(error).rstrip('.')}; it asks us to wait {_time(asked)}.",
        f"By itself asst waits {_time(patience.longest)} at a time, {_time(patience.total)} in all: try again then.",
        retry_after=asked,
    )


def _time(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.3g} s"
    return f"{math.ceil(seconds / 60)} min" if seconds < 7200 else f"{seconds / 3600:.3g} h"

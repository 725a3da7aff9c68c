"""Retries: whether a request that failed is sent again, and after how long."""

from __future__ import annotations

import math
import random
import time
from dataclasses import dataclass

from .errors import AssistantError

__all__ = ["RetryBudget", "RetryPolicy"]


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How often a request is sent, and how long to wait in between. All times are in seconds.

    `attempts`: requests in all, for each request of an exchange. `delay`: wait before the second attempt; it doubles each
    time, with jitter. `max_delay`: upper bound for one wait; when a provider asks for a longer one, the exchange fails.
    `max_elapsed`: upper bound for the time that one exchange spends on waiting and asking again, all its requests together.
    """

    attempts: int = 4
    delay: float = 0.5
    max_delay: float = 60.0
    max_elapsed: float = 120.0

    def backoff(self, attempt: int) -> float:
        """Seconds to wait after an attempt when the provider does not say: exponential, with jitter."""
        return min(self.delay * 2.0 ** (attempt - 1), self.max_delay) * random.uniform(0.75, 1.0)  # noqa: S311 - jitter


class RetryBudget:
    """What one exchange has spent on retries, in seconds."""

    def __init__(self, policy: RetryPolicy) -> None:
        self.policy = policy
        self.spent = 0.0
        self._began = time.monotonic()

    def start_attempt(self) -> None:
        """Start the clock: the time of a failed attempt counts, but for the first one."""
        self._began = time.monotonic()

    def next_delay(self, attempt: int, error: AssistantError) -> float:
        """Seconds until the request is sent again, after an attempt (the first is 1) that failed.

        Raises:
            AssistantError: another attempt cannot help, or would take too long.
        """
        if attempt > 1:
            self.spent += time.monotonic() - self._began
        policy, requested = self.policy, error.retry_after
        if requested is not None and not requested >= 0:  # a provider's nonsense, NaN included
            requested = None
        if not error.retryable or attempt >= policy.attempts:
            raise error
        delay = policy.backoff(attempt) if requested is None else requested
        if delay > policy.max_delay or self.spent + delay > policy.max_elapsed:
            raise error if requested is None else _too_long(error, requested, policy)
        self.spent += delay
        return delay


def _too_long(error: AssistantError, requested: float, policy: RetryPolicy) -> AssistantError:
    return AssistantError(
        error.kind,
        f"{str(error).rstrip('.')}; it asks us to wait {_duration(requested)}.",
        f"Automatic retries wait at most {_duration(policy.max_delay)} at a time, {_duration(policy.max_elapsed)} in all."
        " Try again later.",
        retry_after=requested,
    )


def _duration(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.3g} s"
    return f"{math.ceil(seconds / 60)} min" if seconds < 7200 else f"{seconds / 3600:.3g} h"

"""How long to wait before a failed request is sent again."""

from __future__ import annotations

import contextlib
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asstproxy.core.errors import AssistantError
from asstproxy.core.retry import RetryBudget, RetryPolicy

seconds = st.floats(0, 1e6)
nonsense = st.sampled_from([math.nan, math.inf, -math.inf, -1.0])
asked = st.none() | seconds | nonsense
policies = st.builds(
    RetryPolicy,
    attempts=st.integers(1, 30),
    delay=st.floats(0, 100),
    max_delay=st.floats(0, 200),
    max_elapsed=st.floats(0, 500),
)


def failed(retry_after: float | None = None, *, retryable: bool = True) -> AssistantError:
    return AssistantError("server", "No.", retryable=retryable, retry_after=retry_after)


@given(policy=policies, wishes=st.lists(asked, min_size=30, max_size=30))
def test_waits_keep_to_their_limits(policy: RetryPolicy, wishes: list[float | None]) -> None:
    """No wait exceeds max_delay, all together stay within max_elapsed, and the attempts are counted."""
    retries, waits = RetryBudget(policy), []
    with contextlib.suppress(AssistantError):
        for attempt, wish in enumerate(wishes, 1):
            retries.start_attempt()
            waits.append(retries.next_delay(attempt, failed(wish)))
    assert len(waits) < policy.attempts
    assert all(0 <= wait <= policy.max_delay for wait in waits)
    assert sum(waits) <= policy.max_elapsed


@given(wish=st.floats(0, 60), attempt=st.integers(1, 3))
def test_the_providers_wish_is_followed_to_the_letter(wish: float, attempt: int) -> None:
    """Within the limits the wait is what the provider asked for."""
    assert RetryBudget(RetryPolicy()).next_delay(attempt, failed(wish)) == wish


@given(wish=st.one_of(st.none(), seconds, nonsense))
def test_what_cannot_help_is_never_waited_for(wish: float | None) -> None:
    """Not even when the provider names a time."""
    with pytest.raises(AssistantError, match="No"):
        RetryBudget(RetryPolicy()).next_delay(1, failed(wish, retryable=False))


@given(wish=st.one_of(st.floats(60, 1e9, exclude_min=True), st.just(math.inf)))
def test_a_wait_that_is_too_long_is_told(wish: float) -> None:
    """The error keeps its kind and says what was asked for and what the limit is."""
    with pytest.raises(AssistantError) as caught:
        RetryBudget(RetryPolicy()).next_delay(
            1, AssistantError("rate_limit", "Slow down.", retryable=True, retry_after=wish)
        )
    assert (caught.value.kind, caught.value.retryable) == ("rate_limit", False)
    assert str(caught.value).startswith("Slow down; it asks us to wait ")
    assert "60 s at a time" in caught.value.hint


def test_delays_double_with_jitter_up_to_a_limit() -> None:
    """Many clients of one provider do not come back at the same moment."""
    policy = RetryPolicy(attempts=12, delay=0.5, max_delay=8.0)
    for attempt in range(1, 12):
        pauses = {policy.backoff(attempt) for _ in range(20)}
        full = min(0.5 * 2 ** (attempt - 1), 8.0)
        assert len(pauses) > 1
        assert all(0.75 * full <= pause <= full for pause in pauses)

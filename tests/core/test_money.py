"""Amounts as they are written, and costs as they add up."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asstproxy.core.money import Cost, dollars


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        (0, "free"), (0.00001, "<$0.0001"), (0.0001, "$0.0001"), (0.00021, "$0.0002"), (0.001, "$0.0010"), (0.00994, "$0.0099"),
        (0.00996, "$0.010"), (0.018, "$0.018"), (0.0994, "$0.099"), (0.0996, "$0.10"), (0.42, "$0.42"), (12.5, "$12.50"),
        (1234.567, "$1,234.57"), (Decimal("0.76"), "$0.76"),
    ],
)  # fmt: skip
def test_an_amount_has_the_digits_that_matter(amount: float, text: str) -> None:
    """As screens write it: never $0, and never a digit that says nothing."""
    assert dollars(amount) == text


@given(st.decimals(Decimal("0.0001"), 10**6, places=7))
def test_a_written_amount_is_near_the_real_one(amount: Decimal) -> None:
    """It is off by less than a half of its last digit, which is two per cent at most from a tenth of a cent on."""
    written = Decimal(dollars(amount).replace("$", "").replace(",", ""))
    assert abs(written - amount) <= max(amount * Decimal("0.05"), Decimal("0.00005"))


@pytest.mark.parametrize(
    ("cost", "text"),
    [
        (Cost(), ""),
        (Cost(local=2), "local"),
        (Cost(unknown=1), "price unknown"),
        (Cost(unknown=1, local=1), "price unknown"),
        (Cost(Decimal("0.76"), priced=3), "$0.76"),
        (Cost(Decimal("0.76"), priced=3, unknown=1, local=1), "$0.76 + unknown"),
        (Cost(priced=1), "free"),
    ],
)
def test_an_unknown_price_is_never_nothing(cost: Cost, text: str) -> None:
    """Known, unknown and local costs are told apart in a sum."""
    assert str(cost) == text
    assert bool(cost) == bool(text)


costs = st.builds(Cost, st.decimals(0, 100, places=6), *[st.integers(0, 5)] * 3)


@given(costs, costs, costs)
def test_costs_add_up_in_any_order(one: Cost, two: Cost, three: Cost) -> None:
    """Addition is what it is for numbers."""
    assert (one + two) + three == one + (two + three) == (three + two) + one
    assert one + Cost() == one

"""Money: what requests cost, and how it is written. An unknown price is never 0."""

from __future__ import annotations

from decimal import Decimal

import msgspec

__all__ = ["Cost", "dollars"]

_SMALLEST = Decimal("0.0001")
_DIGITS = ((Decimal("0.0995"), 2), (Decimal("0.00995"), 3))
"""From which amount on there are so few digits: as soon as rounding leads there."""


def dollars(amount: Decimal | float) -> str:
    """An amount in US dollars: `$12.50`, `$0.42`, `$0.018`, `$0.0002`, `<$0.0001`; `free` for nothing."""
    amount = Decimal(str(amount))  # what is written 0.0001 is not less than that
    if amount <= 0:
        return "free"
    if amount < _SMALLEST:
        return "<$0.0001"
    digits = next((digits for limit, digits in _DIGITS if amount >= limit), 4)
    return f"${amount:,.{digits}f}"


class Cost(msgspec.Struct, frozen=True):
    """What some requests cost: `usd` for those whose price is known, and how many there are of each kind."""

    usd: Decimal = Decimal(0)
    priced: int = 0
    unknown: int = 0
    local: int = 0

    def __add__(self, other: Cost) -> Cost:
        return Cost(
            self.usd + other.usd, self.priced + other.priced, self.unknown + other.unknown, self.local + other.local
        )

    def __bool__(self) -> bool:
        """Whether there was any request."""
        return bool(self.priced or self.unknown or self.local)

    def __str__(self) -> str:
        """`$0.018`, `local`, `price unknown`, `$0.76 + unknown`; empty without a request."""
        if self.priced:
            return dollars(self.usd) + (" + unknown" if self.unknown else "")
        return "price unknown" if self.unknown else "local" if self.local else ""

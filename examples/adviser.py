"""A tool that needs no network, for the picture in the README and for trying out:

asst chat -t examples/adviser.py
"""

from __future__ import annotations


def buy_or_sell(symbol: str, price: float) -> str:
    """Decide whether to buy or sell a stock at the given price (a toy: it looks at the number of cents).

    Args:
        symbol: The stock's ticker symbol.
        price: The price of one share.
    """
    return f"{'buy' if round(price * 100) % 2 == 0 else 'sell'} {symbol} (a toy's opinion, not advice)"

"""The stock tools of the pilot: the latest price of a stock, and a toy that says buy or sell.

Prices come from Yahoo Finance through `yfinance` (extra `stocks`). It is set, for the whole process, to raise its errors: otherwise
an unknown symbol and a missing network look the same.
"""

from __future__ import annotations

import os
import random
import re
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import Field

from . import ToolError, tool

__all__ = ["Advice", "StockPrice", "buy_or_sell", "get_stock_price", "seed"]

SEED = "ASST_STOCKS_SEED"
"""The environment variable that makes the toy's advice repeatable."""
TOY = "This is a toy: the advice is random. Do not invest by it."

_SYMBOL = re.compile(r"[A-Z0-9.^=-]{1,20}")
_seed: str | None = None


@dataclass(frozen=True, slots=True)
class StockPrice:
    """The latest close of a stock. `time` is when it was traded or, if that isn't known, the day."""

    symbol: str
    close: float
    currency: str
    time: datetime | date


@dataclass(frozen=True, slots=True)
class Advice:
    """The toy's advice."""

    symbol: str
    price: float
    advice: Literal["buy", "sell"]
    note: str = TOY


@tool(read_only=True)
def get_stock_price(symbol: str) -> StockPrice:
    """Get the latest closing price of a stock.

    Args:
        symbol: The ticker symbol, for example AAPL or SAP.DE.
    """
    symbol = _checked(symbol)
    try:
        import yfinance as yf
    except ImportError:
        raise ToolError("Stock prices need the package yfinance: pip install 'asstproxy[stocks]'.") from None
    yf.config.debug.hide_exceptions = False
    try:
        ticker = yf.Ticker(symbol)
        closes = ticker.history(period="5d", auto_adjust=False)["Close"].dropna()
        about = ticker.get_history_metadata()
    except Exception as error:
        raise _explained(symbol, error) from error
    if closes.empty:
        raise ToolError(_unknown(symbol))
    return StockPrice(
        symbol, round(float(closes.iloc[-1]), 4), str(about.get("currency") or "unknown"), _time(closes, about)
    )


def _time(closes: Any, about: Any) -> datetime | date:
    day: datetime = closes.index[-1].to_pydatetime()
    traded = about.get("regularMarketTime")
    if isinstance(traded, int | float):
        traded = datetime.fromtimestamp(traded, day.tzinfo)
    return traded if isinstance(traded, datetime) and traded.date() == day.date() else day.date()


def _explained(symbol: str, error: Exception) -> ToolError:
    """An error of yfinance, or of the HTTP library below it, as a helpful message."""
    name = type(error).__name__
    status = getattr(getattr(error, "response", None), "status_code", None) or 0
    if name == "YFRateLimitError" or status in (429, 999):
        return ToolError("Yahoo Finance refuses more requests from here for now. Try again in a few minutes.")
    if name in ("YFPricesMissingError", "YFTzMissingError", "YFTickerMissingError") or status == 404:
        return ToolError(_unknown(symbol))
    # yfinance 1.7 without curl_cffi raises this in its own handler when the network fails.
    stumbled = isinstance(error, AttributeError) and "DNSError" in str(error)
    if stumbled or (isinstance(error, OSError) and not isinstance(error, ValueError) and not status):
        return ToolError("Yahoo Finance can't be reached: is there a network? The price is unknown.")
    return ToolError(f"Yahoo Finance gave no usable answer ({name}). The price is unknown.")


def _unknown(symbol: str) -> str:
    return (
        f"Yahoo Finance has no price for '{symbol}'. Check the symbol; outside the USA it has a suffix, as in SAP.DE."
    )


@tool(read_only=True)
def buy_or_sell(symbol: str, price: Annotated[float, Field(gt=0, allow_inf_nan=False)]) -> Advice:
    """Say whether to buy or to sell a stock at this price. It is a toy: the advice is random.

    Args:
        symbol: The ticker symbol, for example AAPL or SAP.DE.
        price: The price of one share.
    """
    symbol = _checked(symbol)
    chosen = _seed if _seed is not None else os.environ.get(SEED)
    generator = random.Random(None if chosen is None else f"{chosen} {symbol} {price}")  # noqa: S311 - a toy
    return Advice(symbol, price, generator.choice(("buy", "sell")))


def seed(value: object) -> None:
    """Make the toy's advice repeatable; None makes it random again."""
    global _seed  # noqa: PLW0603 - there is one toy
    _seed = None if value is None else str(value)


def _checked(symbol: str) -> str:
    symbol = symbol.strip().upper()
    if not _SYMBOL.fullmatch(symbol):
        raise ToolError(f"'{symbol[:40]}' isn't a ticker symbol, such as AAPL.")
    return symbol

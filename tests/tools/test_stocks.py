"""The stock tools: prices from a server that answers as Yahoo does, errors in words that help, and the toy."""

from __future__ import annotations

import http.server
import json
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import urlsplit

import pytest

from asstproxy.tools import Outcome, run_tool, stocks
from asstproxy.tools.loading import find_tools

CLOSE = 1_763_758_800  # Friday, 2025-11-21, 16:00 in New York
DAY = 86_400


async def call(name: str, **arguments: Any) -> Outcome:
    """The outcome of one of the two tools."""
    tool = next(tool for tool in find_tools(["stocks"]) if tool.name == name)
    return await run_tool(tool, json.dumps(arguments))


def test_the_two_functions_of_the_pilot() -> None:
    """Their names and parameters are those that the pilot's assistant knows; nobody is asked about them."""
    price, advice = find_tools(["stocks"])
    assert (price.name, [*price.parameters["properties"]]) == ("get_stock_price", ["symbol"])
    assert (advice.name, [*advice.parameters["properties"]]) == ("buy_or_sell", ["symbol", "price"])
    assert {price.approval, advice.approval} == {"never"}


class Yahoo(http.server.BaseHTTPRequestHandler):
    """A proxy behind which all the world is Yahoo's chart API."""

    answers: ClassVar[dict[str, tuple[int, bytes]]] = {}

    def do_GET(self) -> None:
        symbol = urlsplit(self.path).path.rpartition("/")[2]
        status, body = self.answers.get(symbol, (404, error("Not Found", "No data found, symbol may be delisted")))
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_CONNECT(self) -> None:
        self.send_error(502)  # the cookie, which is fetched over TLS and is not needed

    def log_message(self, *_: object) -> None:
        """Be quiet."""


def error(code: str, description: str) -> bytes:
    """What the API says instead of prices."""
    return json.dumps({"chart": {"result": None, "error": {"code": code, "description": description}}}).encode()


def chart(closes: list[float | None], traded: int = CLOSE, currency: str = "USD") -> bytes:
    """Daily prices, the last one of today."""
    times = [CLOSE - (len(closes) - 1 - n) * DAY for n in range(len(closes))]
    meta = {
        "currency": currency,
        "symbol": "AAPL",
        "instrumentType": "EQUITY",
        "regularMarketTime": traded,
        "gmtoffset": -18000,
        "timezone": "EST",
        "exchangeTimezoneName": "America/New_York",
        "priceHint": 2,
        "dataGranularity": "1d",
        "range": "5d",
        "validRanges": ["1d", "5d", "1mo"],
    }
    columns = dict.fromkeys(("open", "high", "low", "close"), closes) | {"volume": [1000] * len(closes)}
    result = {
        "meta": meta,
        "timestamp": times,
        "indicators": {"quote": [columns], "adjclose": [{"adjclose": closes}]},
    }
    return json.dumps({"chart": {"result": [result], "error": None}}).encode()


@pytest.fixture
def yahoo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, tuple[int, bytes]]]:
    """What it answers, by symbol. All requests of yfinance go there, by its own proxy setting."""
    yf = pytest.importorskip("yfinance")
    import yfinance.base
    import yfinance.scrapers.history
    import yfinance.scrapers.quote

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Yahoo)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    monkeypatch.setattr(Yahoo, "answers", {})
    for module in (yfinance.base, yfinance.scrapers.history):
        monkeypatch.setattr(module, "_BASE_URL_", "http://yahoo.test")  # TLS ends at a proxy that is no Yahoo
    monkeypatch.setattr(yfinance.scrapers.quote, "_QUOTE_SUMMARY_URL_", "http://yahoo.test/v10")
    yf.set_tz_cache_location(str(tmp_path))
    yf.config.network.proxy = f"http://127.0.0.1:{server.server_port}"
    yield Yahoo.answers
    yf.config.network.proxy = "http://127.0.0.1:9"
    server.shutdown()
    server.server_close()


pytestmark = pytest.mark.filterwarnings("ignore")  # yfinance and what it stands on have their own ways


async def test_the_latest_close_with_currency_and_time(yahoo: dict[str, tuple[int, bytes]]) -> None:
    """Days without a price are skipped; a symbol may be written in any case."""
    yahoo["AAPL"] = (200, chart([270.5, 271.49]))
    outcome = await call("get_stock_price", symbol=" aapl ")
    assert outcome.error is None, outcome
    assert json.loads(outcome.output) == {
        "symbol": "AAPL",
        "close": 271.49,
        "currency": "USD",
        "time": "2025-11-21T16:00:00-05:00",
    }


async def test_the_day_when_the_time_is_another_s(yahoo: dict[str, tuple[int, bytes]]) -> None:
    """The time of the last trade is told only with the price of its day."""
    yahoo["SAP.DE"] = (200, chart([200.0, 210.12, None], currency="EUR"))
    outcome = await call("get_stock_price", symbol="SAP.DE")
    assert json.loads(outcome.output) == {
        "symbol": "SAP.DE",
        "close": 210.12,
        "currency": "EUR",
        "time": "2025-11-20",
    }


@pytest.mark.parametrize(
    ("symbol", "answer", "words"),
    [
        ("NOPE", None, "Yahoo Finance has no price for 'NOPE'. Check the symbol; outside the USA it has a suffix"),
        ("NONE", (200, chart([None, None])), "Yahoo Finance has no price for 'NONE'."),
        ("MANY", (429, b"Too Many Requests"), "Yahoo Finance refuses more requests from here for now."),
        ("DOWN", (200, b"<html>Will be right back"), "Yahoo Finance gave no usable answer"),
        ("HALF", (200, b"{"), "Yahoo Finance gave no usable answer"),
        ("FAIL", (500, b"oops"), "Yahoo Finance gave no usable answer"),
    ],
)
async def test_errors_are_told_in_words_that_help(
    yahoo: dict[str, tuple[int, bytes]], symbol: str, answer: tuple[int, bytes] | None, words: str
) -> None:
    """Whose fault it is, and what to do. (yfinance remembers answers, so each case has a symbol of its own.)"""
    if answer is not None:
        yahoo[symbol] = answer
    outcome = await call("get_stock_price", symbol=symbol)
    assert str(outcome.error).startswith(words), outcome


async def test_no_network(yahoo: dict[str, tuple[int, bytes]]) -> None:
    """It is not taken for an unknown symbol, and does not take long."""
    import yfinance as yf

    yf.config.network.proxy = "http://127.0.0.1:9"
    began = time.monotonic()
    outcome = await call("get_stock_price", symbol="AAPL")
    assert outcome.error == "Yahoo Finance can't be reached: is there a network? The price is unknown."
    assert time.monotonic() - began < 20


@pytest.mark.parametrize("symbol", ["", "two words", "../x", "A" * 21, "ä"])
@pytest.mark.parametrize("name", ["get_stock_price", "buy_or_sell"])
async def test_what_is_no_symbol_is_not_asked_for(name: str, symbol: str) -> None:
    """The assistant is shown one that is."""
    arguments = {"symbol": symbol} | ({"price": 1} if name == "buy_or_sell" else {})
    assert "isn't a ticker symbol, such as AAPL." in str((await call(name, **arguments)).error)


async def test_without_yfinance_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """The toy works without it."""
    monkeypatch.setitem(sys.modules, "yfinance", None)
    assert "pip install 'asstproxy[stocks]'" in str((await call("get_stock_price", symbol="AAPL")).error)
    assert (await call("buy_or_sell", symbol="AAPL", price=1)).error is None


async def test_the_adviser_is_a_toy_and_says_so() -> None:
    """It is random, and the same again when it is told to."""
    advice = json.loads((await call("buy_or_sell", symbol="aapl", price=271.49)).output)
    assert advice["note"] == "This is a toy: the advice is random. Do not invest by it."
    assert (advice["symbol"], advice["price"]) == ("AAPL", 271.49)
    assert {stocks.buy_or_sell("AAPL", 1.0).advice for _ in range(100)} == {"buy", "sell"}


def test_the_toy_can_be_seeded(monkeypatch: pytest.MonkeyPatch) -> None:
    """By the program or by the environment; what it says depends on what it is asked."""

    def said() -> str:
        return "".join(stocks.buy_or_sell("AAPL", float(price)).advice[0] for price in range(1, 99))

    assert said() != said()
    stocks.seed(1)
    first = said()
    assert set(first) == {"b", "s"}
    assert said() == first
    stocks.seed(2)
    assert said() != first
    stocks.seed(None)
    monkeypatch.setenv("ASST_STOCKS_SEED", "1")
    assert said() == first


@pytest.mark.parametrize("price", [0, -1, "cheap", None])
async def test_a_price_is_a_positive_number(price: Any) -> None:
    """What is none is for the assistant to mend."""
    assert "price: Input should be" in str((await call("buy_or_sell", symbol="AAPL", price=price)).error)

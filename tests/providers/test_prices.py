"""What requests cost: the table of genai-prices, the user's own prices, what servers say."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from functools import cache

import pytest
from genai_prices import Usage, calc_price
from hypothesis import given
from hypothesis import strategies as st

from asstproxy.config.prices import prices_file
from asstproxy.core.errors import NotSetUpError
from asstproxy.core.money import Cost
from asstproxy.core.script import State
from asstproxy.providers.prices import PriceTable, steps
from asstproxy.store.transcript import ExchangeEntry, RequestEntry

AT = "2026-11-28T12:00:00.000+00:00"
LUNA = RequestEntry(AT, provider="gpt", model="gpt-6-luna", input=1_000_000, output=1_000_000)


@cache
def shared() -> PriceTable:
    """One table for all examples: it remembers what it has looked up."""
    return PriceTable()


def own(text: str) -> PriceTable:
    """The prices with this `prices.toml`."""
    prices_file().parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    prices_file().write_text(text)
    return PriceTable()


def usd(request: RequestEntry, count: int = 1, prices: PriceTable | None = None) -> Decimal:
    """The price, which must be known."""
    cost = (prices or PriceTable()).cost(request, count)
    assert cost.priced == count
    return cost.usd


def entry(provider: str, model: str, read: int, written: int, **more: object) -> RequestEntry:
    """A request of that time."""
    return RequestEntry(AT, provider=provider, model=model, input=read, output=written, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("request_", "price"),
    [
        (entry("gpt", "gpt-6-luna", 10_000, 1_000), "0.0015"),  # 0.10 and 0.50 for a million
        (entry("gpt", "gpt-6-luna", 10_000, 1_000, cached=10_000), "0.0006"),  # 0.01 from the cache
        (entry("gpt", "gpt-6-luna", 10_000, 1_000, cache_write=10_000), "0.00175"),  # 0.125 into it
        (
            entry("gpt", "gpt-6-luna", 10_000, 1_000, reasoning=900),
            "0.0015",
        ),  # reasoning is output, and not counted twice
        (entry("anthropic", "claude-haiku-4-5", 10_000, 1_000), "0.015"),  # 1 and 5
        (entry("gemini", "gemini-2.5-flash", 10_000, 1_000), "0.0055"),  # 0.30 and 2.50
        (entry("groq", "llama-3.3-70b-versatile", 10_000, 1_000), "0.00669"),  # 0.59 and 0.79
    ],
)
def test_each_kind_of_token_has_its_price(request_: RequestEntry, price: str) -> None:
    """Read, read from the cache, written to the cache, written: as the vendors' pages have it."""
    assert usd(request_) == Decimal(price)


def test_the_price_is_that_of_the_requests_date() -> None:
    """A model that became cheaper cost what it cost then; a batch costs the half."""
    o3 = {"provider": "gpt", "model": "o3", "input": 1_000_000, "output": 0}
    before = usd(RequestEntry("2025-05-01T00:00:00+00:00", **o3))  # type: ignore[arg-type]
    after = usd(RequestEntry("2025-07-01T00:00:00+00:00", **o3))  # type: ignore[arg-type]
    assert [before, after] == [Decimal(10), Decimal(2)]
    tier = {**o3, "model": "gpt-5", "input": 10_000}
    assert usd(RequestEntry(AT, service_tier="batch", **tier)) * 2 == usd(RequestEntry(AT, **tier))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("provider", "model"),
    [
        ("gpt", "gpt-of-next-year"), ("chat-completions", "gpt-6-luna"), ("nvidia", "gpt-6-luna"), ("scripted", "m"), ("", ""),
        ("gemini", ""),
    ],
)  # fmt: skip
def test_an_unknown_model_or_server_has_an_unknown_price(provider: str, model: str) -> None:
    """A server that nobody knows isn't priced as the vendor whose model it names."""
    assert PriceTable().cost(entry(provider, model, 10, 10)) == Cost(unknown=1)
    assert PriceTable().rates(provider, model) == (None, None, None)


@pytest.mark.parametrize("provider", ["local", "ollama", "vllm", "llama-server", "replay"])
def test_a_model_on_this_machine_is_local(provider: str) -> None:
    """It costs nothing, and is not called free."""
    assert PriceTable().cost(entry(provider, "any", 10, 10)) == Cost(local=1)


def test_what_the_server_says_wins() -> None:
    """OpenRouter's `usage.cost`: over the table, and over the user's own prices; 0 is a price."""
    prices = own('[openrouter]\n"*" = { input = 1, output = 1 }\n')
    assert usd(entry("openrouter", "openai/gpt-5", 10, 10, cost=0.25), prices=prices) == Decimal("0.25")
    assert usd(entry("openrouter", "x/free", 10, 10, cost=0.0), prices=prices) == 0


def test_own_prices_are_by_profile_provider_and_model() -> None:
    """The nearest one counts: the profile's, the provider's, then that of `*`; a model's own before `*`."""
    prices = own(
        '[mine]\n"big" = { input = 3, output = 6, cached = 1, cache_write = 4 }\n'
        '[vllm]\n"*" = { input = 1, output = 2 }\nsmall = { input = 0, output = 0 }\n'
        '["*"]\n"gpt-6-luna" = { input = 7, output = 7 }\n'
    )
    million = {"input": 1_000_000, "output": 1_000_000}
    for profile, provider, model, more, price in [
        ("mine", "vllm", "big", {}, 9),
        ("mine", "vllm", "big", {"cached": 500_000}, 8),
        ("mine", "vllm", "big", {"cache_write": 1_000_000}, 10),
        ("other", "vllm", "big", {}, 3),
        ("mine", "vllm", "small", {}, 0),
        ("gpt", "gpt", "gpt-6-luna", {}, 14),
    ]:
        assert usd(RequestEntry(AT, profile, provider, model, **(million | more)), prices=prices) == price, model  # type: ignore[arg-type]
    assert prices.cost(entry("chat-completions", "x", 1, 1)) == Cost(unknown=1)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("[vllm]\n\nx = { input = -1, output = 1 }\n", "line 3"),
        ("[vllm]\nx = { input = 1 }\n", "line 2"),
        ('[vllm]\nx = { input = 1, output = "2" }\n', "line 2"),
        ("[vllm]\nx = { input = 1, output = 2, per = 3 }\n", "line 2"),
        ("[vllm]\nx = { inptu = 1, output = 2 }\n", 'line 2: unknown key "inptu", at vllm.x.'),
        ("[vllm]\nx = { input = nan, output = 2 }\n", "line 2"),
        ("[vllm\n", "line 1"),
        ("vllm = 3\n", "line 1"),
    ],
)
def test_an_error_in_own_prices_has_its_line(text: str, line: str) -> None:
    """One line that names the file, the line and what is expected."""
    with pytest.raises(NotSetUpError) as raised:
        own(text)
    assert f"{prices_file()}, {line}" in str(raised.value)


def test_an_answer_without_reported_tokens_has_an_unknown_price() -> None:
    """A server that counts nothing is not free; a request that failed at once cost nothing."""
    table = PriceTable()
    answered = ExchangeEntry("q", "a", State.COMPLETED, AT, AT, provider="gpt", model="gpt-6-luna")
    failed = ExchangeEntry("q", "", State.ERROR, AT, AT, provider="gpt", model="gpt-6-luna")
    local = ExchangeEntry("q", "a", State.COMPLETED, AT, AT, provider="local", model="m")
    assert [str(table.cost_of(one)) for one in (answered, failed, local)] == ["price unknown", "", "local"]


sizes = st.integers(1, 400_000) | st.sampled_from(
    [32_000, 32_001, 128_000, 128_001, 200_000, 200_001, 272_000, 272_001]
)


@given(
    st.sampled_from(
        [
            ("gpt", "openai", "gpt-6-luna"),
            ("gemini", "google", "gemini-2.5-pro"),
            ("deepseek", "deepseek", "deepseek-chat"),
        ]
    ),
    sizes,
    st.integers(0, 10_000),
    st.floats(0, 1),
    st.datetimes(datetime(2025, 1, 1), datetime(2026, 11, 28), timezones=st.just(UTC)),  # noqa: DTZ001 - hypothesis wants it so
)
def test_a_request_costs_what_the_table_says(
    model: tuple[str, str, str], read: int, written: int, cached: float, when: datetime
) -> None:
    """At every size, date and hour, to the last digit that matters: what is remembered of the table is the table."""
    hit = int(read * cached)
    request = RequestEntry(when.isoformat(), provider=model[0], model=model[2], input=read, output=written, cached=hit)
    usage = Usage(input_tokens=read, output_tokens=written, cache_read_tokens=hit)
    price = calc_price(usage, model[2], provider_id=model[1], genai_request_timestamp=when).total_price
    assert abs(shared().cost(request).usd - price) <= price * Decimal("1e-20")


@given(st.lists(st.tuples(sizes, sizes, st.floats(0, 1), st.floats(0, 1)), min_size=1, max_size=6))
def test_requests_of_one_size_class_may_be_added_up(requests: list[tuple[int, int, float, float]]) -> None:
    """What `asst usage` sums costs exactly what the requests cost one by one, for models whose price depends on the size, too."""
    table, bounds = PriceTable(), steps()
    for model in ("gpt-6-luna", "gpt-4o"):
        groups: dict[int, list[RequestEntry]] = {}
        for read, written, cached, stored in requests:
            hit = int(read * cached)
            one = entry("gpt", model, read, written, cached=hit, cache_write=int((read - hit) * stored))
            groups.setdefault(sum(read > bound for bound in bounds), []).append(one)
        together = Decimal(0)
        for group in groups.values():
            total = {
                name: sum(getattr(one, name) for one in group) for name in ("input", "output", "cached", "cache_write")
            }
            together += table.cost(RequestEntry(AT, provider="gpt", model=model, **total), len(group)).usd
        single = sum((table.cost(one).usd for group in groups.values() for one in group), Decimal(0))
        assert abs(together - single) <= single * Decimal("1e-12")

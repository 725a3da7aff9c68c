"""A request that could make a run cost too much is not sent."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asstproxy.config.prices import prices_file
from asstproxy.core.attachment import Attachment
from asstproxy.core.conversation import Conversation
from asstproxy.core.errors import AssistantError, UsageError
from asstproxy.core.events import (
    ActionRequired,
    AssistantMessageRetrieved,
    ChunkReceived,
    Configured,
    MessageIncomplete,
    ToolCall,
    Usage,
)
from asstproxy.core.history import UserMessage
from asstproxy.core.mediator import conform
from asstproxy.core.retry import RetryPolicy
from asstproxy.core.roles import AcceptsAttachments
from asstproxy.core.turn import Options, Turn
from asstproxy.providers.budget import LONGEST_ANSWER, SHORTEST_ANSWER, Budget, within_budget
from asstproxy.providers.scripted import ScriptedProvider, say
from asstproxy.user import UserProxy


class Luna(ScriptedProvider):
    """gpt-6-luna: $0.10 for a million tokens in, $0.50 for a million out."""

    provider = "gpt"

    def __init__(self, *replies: Any) -> None:
        super().__init__(*replies, model="gpt-6-luna")


def used(read: int, written: int, text: str = "ok", **more: Any) -> list[Any]:
    """A reply that reports these tokens."""
    return [ChunkReceived(text), Usage(read, written, **more), AssistantMessageRetrieved(text)]


def lookup() -> str:
    """Look it up."""
    return "found"


async def hold(
    assistant: Any, *messages: str, settings: dict[str, Any] | None = None, tools: bool = False
) -> list[Any]:
    """The events that settled these exchanges."""
    user = UserProxy([lookup] if tools else [])
    configured = Configured("gpt", "gpt", "gpt-6-luna", settings=settings or {})
    conversation = Conversation(
        assistant, user, configured=configured, options=Options(retry=RetryPolicy(attempts=2, delay=0.001))
    )
    records: list[Any] = []
    conversation.subscribe(records.append)
    settled = [(await conversation.exchange(message)).event for message in messages]
    assert not list(conform(records))
    return settled


async def test_the_real_cost_takes_the_place_of_the_reservation() -> None:
    """10,000 tokens in and 1,000 out cost 0.0015, whatever was reserved; a cost that the server says counts instead."""
    budget = Budget(1.0)
    await hold(within_budget(Luna(used(10_000, 1_000), used(1, 1, cost=0.25)), budget, "gpt"), "hi", "again")
    assert budget.spent == Decimal("0.2515")


async def test_a_request_that_could_pass_the_limit_is_not_sent() -> None:
    """The exchange is incomplete; the reason says what it could cost, what is spent, and the limit."""
    luna = Luna(used(10_000, 1_000), say("never"))
    settled = await hold(
        within_budget(luna, Budget(0.002), "gpt"), "hi", "again", settings={"max_output_tokens": 2_000}
    )
    assert isinstance(settled[0], AssistantMessageRetrieved)
    assert settled[1] == MessageIncomplete(
        "", "max_cost: the next request could cost $0.0010; the limit is $0.0020, and $0.0015 of it is spent"
    )
    assert len(luna.turns) == 1


async def test_a_long_message_counts_before_it_is_sent() -> None:
    """Three megabytes are about a million tokens, which is 20 cents: above 272,000 each costs twice as much."""
    luna = Luna(say("never"))
    (settled,) = await hold(within_budget(luna, Budget(0.05), "gpt"), "x" * 3_000_000)
    assert settled.reason.startswith(
        "max_cost: the next request could cost $0.20; the limit is $0.050, and nothing is spent"
    )
    assert not luna.turns


async def test_files_count_before_they_are_sent() -> None:
    """An image as many tokens as no API counts for one, in the message and in the history; what may be attached stays the same."""
    png = Attachment("0" * 64, "image/png", "a.png", 500)

    class Seeing(Luna):
        async def accepts(self, _: str) -> dict[str, int]:
            return {"image/png": 1000}

    luna = Seeing(say("never"))
    assistant = within_budget(luna, Budget(0.002), "gpt")
    assert isinstance(assistant, AcceptsAttachments)
    assert await assistant.accepts("gpt-6-luna") == {"image/png": 1000}
    turn = Turn("look", history=(UserMessage("before", (png,)),), attachments=(png,))
    events = [event async for event in assistant.start_processing(turn)]
    assert isinstance(events[-1], MessageIncomplete)
    assert not luna.turns
    assert [e async for e in assistant.start_processing(Turn("look", attachments=(png,)))][
        -1
    ] == AssistantMessageRetrieved("never")


async def test_an_answer_without_a_limit_gets_one() -> None:
    """As long as the rest of the money buys, within bounds; a limit of the user's own stays."""
    for limit, most in [(10.0, LONGEST_ANSWER), (0.001, 2_000), (0.00052, 1_040)]:
        luna = Luna(say("ok"))
        await hold(within_budget(luna, Budget(limit), "gpt"), "hi")
        sent = luna.turns[0].settings["max_output_tokens"]
        assert most - 10 < sent <= most
    luna = Luna(say("ok"))
    await hold(within_budget(luna, Budget(1.0), "gpt"), "hi", settings={"max_output_tokens": 77})
    assert luna.turns[0].settings == {"max_output_tokens": 77}


async def test_tool_rounds_are_reserved_one_by_one() -> None:
    """What the first round wrote is input of the second; there is money left for it, or the exchange ends with what it has."""
    call = [Usage(1_000, 200), ActionRequired((ToolCall("c", "lookup", "{}"),), "Let me look.")]
    luna = Luna(call, used(1_300, 20))
    assert isinstance(
        (await hold(within_budget(luna, Budget(0.01), "gpt"), "hi", tools=True))[0], AssistantMessageRetrieved
    )
    dear = [Usage(1_000, 200, cost=0.0095), ActionRequired((ToolCall("c", "lookup", "{}"),), "Let me look.")]
    luna = Luna(dear, used(1_300, 20))
    (settled,) = await hold(within_budget(luna, Budget(0.01), "gpt"), "hi", tools=True)
    assert settled.reason.startswith("max_cost: ")
    assert not luna.results


async def test_an_answer_without_a_report_costs_what_was_reserved() -> None:
    """So that a server that counts nothing can't be asked forever."""
    budget = Budget(0.01)
    luna = Luna(*[say("ok")] * 99)
    settled = await hold(within_budget(luna, budget, "gpt"), *["hi"] * 20, settings={"max_output_tokens": 4_000})
    assert len(luna.turns) == 4  # of a little more than 0.002 each
    assert isinstance(settled[-1], MessageIncomplete)
    assert Decimal("0.008") < budget.spent <= Decimal("0.01")


async def test_a_request_that_failed_at_once_costs_nothing() -> None:
    """A 401, or two attempts; a failure in the middle of an answer costs what was reserved."""
    budget = Budget(1.0)
    luna = Luna([AssistantError("server", "x", retryable=True)], [AssistantError("quota", "x")])
    await hold(within_budget(luna, budget, "gpt"), "hi")
    assert (float(budget.spent), len(luna.turns)) == (0.0, 2)
    luna = Luna([ChunkReceived("Well"), AssistantError("connection", "cut")])
    await hold(within_budget(luna, budget, "gpt"), "hi", settings={"max_output_tokens": 1_000})
    assert Decimal("0.0005") < budget.spent < Decimal("0.0006")


async def test_a_local_model_is_never_stopped() -> None:
    """It costs nothing, and no limit is set for its answers."""

    class Local(ScriptedProvider):
        provider = "local"

    local, budget = Local(*[used(9_000_000, 1_000_000)] * 3), Budget(0.0001)
    await hold(within_budget(local, budget, "local"), "a", "b", "c")
    assert (len(local.turns), dict(local.turns[0].settings), float(budget.spent)) == (3, dict[str, Any](), 0.0)


def test_an_unknown_price_is_refused_until_it_is_given() -> None:
    """A limit that can't be kept is not promised; `prices.toml` makes it possible."""
    luna = Luna()
    luna.model = "gpt-of-next-year"
    with pytest.raises(UsageError, match="price of gpt-of-next-year is unknown") as raised:
        within_budget(luna, Budget(1.0), "gpt")
    assert (raised.value.code, raised.value.data["file"]) == ("price_unknown", str(prices_file()))
    prices_file().parent.mkdir(mode=0o700)
    prices_file().write_text('[gpt]\n"gpt-of-next-year" = { input = 1, output = 2 }\n')
    assert within_budget(luna, Budget(1.0), "gpt").model == "gpt-of-next-year"


def test_a_provider_whose_answers_have_no_limit_is_refused() -> None:
    """Without a limit of the answer there is no bound to reserve."""
    prices_file().parent.mkdir(mode=0o700)
    prices_file().write_text('[scripted]\n"*" = { input = 1, output = 2 }\n')
    with pytest.raises(UsageError) as raised:
        within_budget(ScriptedProvider(), Budget(1.0), "mine")
    assert raised.value.code == "cost_unlimited"


@pytest.mark.parametrize("limit", [0.0, -1.0, float("nan"), float("inf")])
def test_a_limit_is_a_positive_amount(limit: float) -> None:
    """Anything else is wrong usage."""
    with pytest.raises(UsageError):
        Budget(limit)


requests = st.lists(st.tuples(st.integers(1, 3_000), st.integers(1, 500), st.booleans()), max_size=12)


@given(requests, st.floats(0.0005, 0.02))
async def test_the_limit_is_never_passed(tokens: list[tuple[int, int, bool]], limit: float) -> None:
    """Whatever is asked and answered within the limits that were sent, what is spent stays within the budget."""
    budget = Budget(limit)
    luna = Luna(*[used(read // 3 + 1, written) if told else say("ok") for read, written, told in tokens])
    conversation = Conversation(within_budget(luna, budget, "gpt"), UserProxy())
    for read, _, _ in tokens:
        await conversation.exchange("x" * read)
        assert budget.spent <= budget.limit
    assert all(SHORTEST_ANSWER <= turn.settings["max_output_tokens"] <= LONGEST_ANSWER for turn in luna.turns)

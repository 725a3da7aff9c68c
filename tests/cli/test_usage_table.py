"""`asst usage`, `--cost`, `--max-cost`, `/usage`: what it cost."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from asstproxy import Store
from asstproxy.config.paths import cache_dir
from asstproxy.config.prices import prices_file
from asstproxy.core import events as ev
from asstproxy.core.script import STEPS, State
from asstproxy.store.short_ids import short_ids
from servers import Call, ResponsesServer, Say, Script

from .conftest import ASST, Asst
from .terminal import Terminal
from .test_settings_option import write_profiles

NOW = datetime.now(UTC)


def saved(*turns: tuple[str, str, str, ev.Usage | None], days: float = 0.0, answer: str = "ok") -> str:
    """A session in which these answered (profile, provider, model) and reported that, so many days ago; its id."""
    at = (NOW - timedelta(days=days)).isoformat(timespec="milliseconds")
    events: list[ev.Event] = []
    for profile, provider, model, usage in turns:
        events += [ev.Configured(profile, provider, model), ev.SetUserMessage("hi"), ev.Started(provider, model)]
        events += [usage] if usage is not None else []
        events.append(ev.AssistantMessageRetrieved(answer) if answer else ev.ErrorOccurred("server", "x"))
    state, records = State.NEW, []
    for number, event in enumerate(events, 2):
        state = STEPS[event.type].dest if event.type in STEPS else state
        records.append(ev.Record(number, at, state, event))
    began = int(datetime.fromisoformat(at).timestamp() * 1000)
    return Store().copy(records, forked_from="", at=began)


def rows(asst: Asst, *arguments: str) -> dict[str, dict[str, Any]]:
    """What `asst usage --json` prints, by its first column; with the total."""
    ran = asst("usage", "--json", *arguments)
    assert (ran.code, ran.err) == (0, ""), ran.err
    printed = json.loads(ran.out)
    return {str(next(iter(row.values()))): row for row in printed["rows"]} | {"Total": printed["total"]}


LUNA = ("gpt", "gpt", "gpt-6-luna")
LOCAL = ("local", "local", "SmolLM2-135M")
MINE = ("mine", "chat-completions", "my-server")


def test_the_table_is_that_of_the_screens(asst: Asst) -> None:
    """By model: turns, tokens and cost, with what is local and what is unknown, and a total."""
    saved((*LUNA, ev.Usage(1_000_000, 1_000_000)), (*LUNA, ev.Usage(82_400, 39_112)))
    saved((*LOCAL, ev.Usage(4_100, 2_220)))
    saved((*MINE, ev.Usage(2_000, 640)), (*MINE, None))
    with Terminal([ASST, "usage"], 80) as terminal:
        assert terminal.wait_end() == 0
        lines = [line.split(None, 1) for line in terminal.text.splitlines() if line.strip()]
        assert max(len(line) for line in terminal.text.splitlines()) <= 80
    assert [(name, " ".join(rest.split())) for name, rest in lines[:-1]] == [
        ("Model", "Turns Tokens in Tokens out Cost"),
        ("gpt-6-luna", "2 1,082,400 1,039,112 $0.98"),
        ("SmolLM2-135M", "1 4,100 2,220 local"),
        ("my-server", "2 2,000 640 price unknown"),
        ("Total", "5 1,088,500 1,041,972 $0.98 + unknown"),
    ]


def test_a_pipe_gets_fields_with_tabs_and_no_zero_for_unknown(asst: Asst) -> None:
    """Name, turns, tokens in and out, US dollars or nothing, requests of unknown price."""
    saved((*LUNA, ev.Usage(10_000, 1_000)))
    saved((*MINE, ev.Usage(2_000, 640)))
    assert asst("usage").out == "gpt-6-luna\t1\t10000\t1000\t0.001500\t0\nmy-server\t1\t2000\t640\t\t1\n"
    found = rows(asst)
    assert found["my-server"]["cost"] == {"usd": None, "unknown_requests": 1, "text": "price unknown"}
    assert found["Total"]["cost"] == {"usd": 0.0015, "unknown_requests": 1, "text": "$0.0015 + unknown"}
    assert "model" not in found["Total"]


def test_it_adds_up_by_what_is_asked_for(asst: Asst) -> None:
    """By profile, day (of the user's time zone, the newest first) and session."""
    old = saved((*LUNA, ev.Usage(10, 10)), days=3)
    new = saved(("work", "gpt", "gpt-6-luna", ev.Usage(20, 20)), (*LOCAL, ev.Usage(30, 30)))
    assert {key: row["input_tokens"] for key, row in rows(asst, "--by", "profile").items()} == {
        "gpt": 10, "work": 20, "local": 30, "Total": 60,
    }  # fmt: skip
    days = [row for row in rows(asst, "--by", "day") if row != "Total"]
    assert days == [(NOW - timedelta(days=ago)).astimezone().date().isoformat() for ago in (0, 3)]
    assert {key: row["turns"] for key, row in rows(asst, "--by", "session").items()} == {new: 2, old: 1, "Total": 3}
    with Terminal([ASST, "usage", "--by", "session"], 80) as terminal:
        assert terminal.wait_end() == 0
        assert f"{short_ids(Store(), [new])[new]} · hi" in terminal.text


def test_a_wide_list_of_sessions_has_model_tokens_and_cost() -> None:
    """From 110 columns on: known prices as money, a local model as such, an unknown price as such, never as nothing."""
    for one in ((*LUNA, ev.Usage(100_000, 100_000)), (*LOCAL, ev.Usage(30, 1_000)), (*MINE, ev.Usage(5, 5))):
        saved(one)
    shown = {}
    for columns in (109, 110):
        with Terminal([ASST, "sessions", "list"], columns) as terminal:
            terminal.wait_end()
            shown[columns] = [line.split() for line in terminal.text.splitlines()]
    assert shown[109][0] == ["Id", "When", "Title", "Profile", "Turns", "State"]
    header, *rows_ = shown[110][:4]
    assert header == ["Id", "When", "Title", "Profile", "Model", "Turns", "Tokens", "Cost", "State"]
    assert {tuple(row[-4:]) for row in rows_} == {
        ("gpt-6-luna", "1", "200,000", "$0.060"),
        ("SmolLM2-135M", "1", "1,030", "local"),
        ("1", "10", "price", "?"),
    }


def test_since_looks_at_the_turns(asst: Asst) -> None:
    """An age or a day; a session that began before counts with what came after."""
    saved((*LUNA, ev.Usage(10, 10)), days=40)
    saved((*LUNA, ev.Usage(20, 20)), days=1)
    assert rows(asst, "--since", "30d")["Total"]["input_tokens"] == 20
    assert rows(asst)["Total"]["input_tokens"] == 30
    ran = asst("usage", "--since", "tomorrow")
    assert (ran.code, ran.out, len(ran.err.splitlines())) == (2, "", 1)
    assert asst("usage", "--since", "1h").err == "No turn since then.\n"


def test_the_price_is_that_of_the_day_and_the_size(asst: Asst) -> None:
    """Large requests of a model with steps in its price cost more each, and are not mixed with small ones."""
    many = [(*LUNA, ev.Usage(200_000, 1_000))] * 3
    saved(*many)
    small = rows(asst)["Total"]["cost"]["usd"]
    assert small == pytest.approx(3 * (0.02 + 0.0005))
    saved((*LUNA, ev.Usage(600_000, 1_000)))
    assert rows(asst)["Total"]["cost"]["usd"] - small > 0.06 + 0.0005


def test_a_server_that_says_its_price_wins(asst: Asst) -> None:
    """The journal has it, and the sum of both kinds adds up."""
    saved(("x", "openrouter", "openai/gpt-5", ev.Usage(10, 10, cost=0.5)), (*LUNA, ev.Usage(10_000, 1_000)))
    assert rows(asst)["Total"]["cost"]["usd"] == pytest.approx(0.5015)


def test_own_prices_apply_to_what_was_asked_before(asst: Asst, server: ResponsesServer) -> None:
    """Money is computed when it is read: a price that is added later counts at once; an error in it is one line."""
    saved((*MINE, ev.Usage(1_000_000, 0)))
    assert rows(asst)["Total"]["cost"]["usd"] is None
    prices_file().parent.mkdir(mode=0o700, exist_ok=True)
    prices_file().write_text('[mine]\n"*" = { input = 0.25, output = 1 }\n')
    assert rows(asst)["Total"]["cost"]["text"] == "$0.25"
    prices_file().write_text('[mine]\n"*" = { input = 0.25 }\n')
    for command in (["usage"], ["ask", "-p", "gpt", "--cost", "hi"], ["models", "gpt"]):
        ran = asst(*command)
        assert (ran.code, ran.out, len(ran.err.splitlines())) == (3, "", 1)
        assert f"{prices_file()}, line 2" in ran.err


def test_turns_that_failed_or_were_undone_count_as_they_were_paid(asst: Asst) -> None:
    """A turn that is no longer sent was paid all the same; one that failed at once has no cost."""
    session = saved((*LUNA, ev.Usage(10_000, 1_000)))
    opened = Store().open(session)
    opened(ev.Record(99, NOW.isoformat(timespec="milliseconds"), State.COMPLETED, ev.HistoryCut(0)))
    opened.close()
    saved((*LUNA, None), answer="")
    total = rows(asst)["Total"]
    assert (total["turns"], total["cost"]["text"]) == (2, "$0.0015")


def test_a_fork_counts_only_what_is_its_own(asst: Asst, server: ResponsesServer) -> None:
    """What was copied was paid once."""
    asst("ask", "-p", "gpt", "one")
    before = rows(asst)["Total"]
    asst("ask", "-c", "--fork", "two")
    after = rows(asst)
    assert after["Total"]["turns"] == 2
    assert len(list(Store().ids())) == 2
    forked = rows(asst, "--by", "session")[Store().newest()]
    assert forked["turns"] == 1
    assert after["Total"]["input_tokens"] == before["input_tokens"] + forked["input_tokens"]


def test_an_export_brings_its_tokens_back(asst: Asst, server: ResponsesServer, tmp_path: Path) -> None:
    """Round trip through JSON: the same tokens and cost, request by request."""
    asst("ask", "-p", "gpt", "hi")
    before = rows(asst)["Total"]
    file = tmp_path / "session.json"
    file.write_text(asst("sessions", "export").out)
    asst("sessions", "rm", Store().newest(), "--yes")
    assert asst("usage").err.startswith("No turn yet.")
    assert asst("sessions", "import", str(file)).code == 0
    assert rows(asst)["Total"] == before


def test_the_index_is_only_a_cache(asst: Asst) -> None:
    """Deleted, damaged or of an older asst: the figures are the same; a session that is gone is gone."""
    saved((*LUNA, ev.Usage(10, 10)))
    gone = saved((*LUNA, ev.Usage(5, 5)), days=400)
    expected = rows(asst)
    index = cache_dir() / "index.sqlite3"
    for spoil in (index.unlink, lambda: index.write_bytes(b"x" * 100), lambda: _make_old(index)):
        spoil()
        assert rows(asst) == expected
    Store().remove(gone)
    assert rows(asst)["Total"]["input_tokens"] == 10


def _make_old(index: Path) -> None:
    with sqlite3.connect(index) as db:
        db.execute("PRAGMA user_version = 2")


def test_old_transcripts_have_one_request_for_each_turn(asst: Asst) -> None:
    """Those of an asst that kept no list of requests count with their sums."""
    session = saved((*LUNA, ev.Usage(10_000, 1_000)))
    Store().open(session).close()  # which writes its transcript
    transcript = Store().path(session).with_suffix(".json")
    values = json.loads(transcript.read_bytes())
    assert values["exchanges"][0].pop("requests")
    transcript.write_text(json.dumps(values, indent=2))
    assert rows(asst)["Total"]["cost"]["text"] == "$0.0015"


# ---- one answer --------------------------------------------------------------------------------------------------------


def _lines(err: str) -> Sequence[str]:
    return err.splitlines()


def test_cost_is_a_line_on_stderr(asst: Asst, server: ResponsesServer, tmp_path: Path) -> None:
    """State, time, tokens, cost and tools, also with `-q`; stdout is the answer."""
    tool = tmp_path / "tools.py"
    tool.write_text('def price() -> str:\n    """The price."""\n    return "4"\n')
    server.brain = Script([Call("price", {})], [Say("It is 4.")])
    ran = asst("ask", "-p", "gpt", "-q", "--cost", "-t", str(tool), "--yes", "hi")
    assert ran.out == "It is 4.\n"
    state, _, tokens, cost, tools = _lines(ran.err)[-1].split(" · ")
    assert (state, cost, tools) == ("completed", "<$0.0001", "1 tool")
    usage = Store().transcript(Store().newest()).exchanges[0].usage
    assert tokens == f"{usage.input:,} → {usage.output:,} tokens"


def test_a_request_that_failed_costs_nothing_whatever_answered_before(asst: Asst) -> None:
    """Where the price is unknown, only the requests that used tokens have an unknown cost."""
    saved((*MINE, ev.Usage(8, 3)))
    saved((*MINE, None), answer="")
    row = rows(asst)["my-server"]
    assert (row["turns"], row["cost"]["unknown_requests"]) == (2, 1)


def test_cost_in_json_only_when_asked_for(asst: Asst, server: ResponsesServer) -> None:
    """A number of dollars, and the same in words."""
    result = json.loads(asst("ask", "-p", "gpt", "--json", "--cost", "hi").out)
    usage = result["usage"]
    assert result["cost"]["usd"] == pytest.approx((usage["input"] * 0.1 + usage["output"] * 0.5) / 1e6)
    assert "cost" not in json.loads(asst("ask", "-p", "gpt", "--json", "hi").out)


def test_max_cost_ends_a_run(asst: Asst, server: ResponsesServer, tmp_path: Path) -> None:
    """Exit 4 and one line with the estimate, what is spent, and the limit; nothing was sent."""
    ran = asst("ask", "-p", "gpt", "-q", "--max-cost", "0.0001", "hi")
    assert (ran.code, ran.out, server.requests) == (4, "", [])
    assert ran.err == (
        "asst: Cut short: the next request could cost $0.0005; the limit is $0.0001, and nothing is spent.\n"
    )
    assert asst("replay", "--check").code == 0
    assert asst("ask", "-p", "gpt", "--max-cost", "0.01", "hi").code == 0
    assert server.requests[-1].json["max_output_tokens"] == 8192


def test_max_cost_of_a_profile(asst: Asst, server: ResponsesServer) -> None:
    """`max_cost` in a profile holds unless the option says otherwise."""
    write_profiles("[profiles.gpt]\nmax_cost = 0.0001\n")
    assert asst("ask", "-p", "gpt", "hi").code == 4
    assert asst("ask", "-p", "gpt", "--max-cost", "1", "hi").code == 0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--max-cost", "0", "hi"], "positive amount"),
        (["--max-cost", "-1", "hi"], "positive amount"),
        (["--max-cost", "nan", "hi"], "positive amount"),
        (["--max-cost", "1", "-m", "gpt-of-next-year", "hi"], "or leave out --max-cost."),
    ],
)
def test_max_cost_that_cannot_be_kept_is_wrong_usage(
    asst: Asst, server: ResponsesServer, arguments: list[str], words: str
) -> None:
    """Exit 2, one line, no request, no session."""
    ran = asst("ask", "-p", "gpt", *arguments)
    assert (ran.code, ran.out, len(ran.err.splitlines()), server.requests) == (2, "", 1, [])
    assert words in ran.err
    assert not list(Store().ids())


def test_chat_has_usage(server: ResponsesServer) -> None:
    """`/usage` adds up the session by model."""
    with Terminal([ASST, "chat", "-p", "gpt"], 80) as terminal:
        terminal.wait_for("›")
        terminal.enter("hi")
        terminal.wait_for("tokens")
        terminal.enter("/usage")
        text = terminal.wait_for("Total")
        assert "Tokens out" in text
        assert "<$0.0001" in text

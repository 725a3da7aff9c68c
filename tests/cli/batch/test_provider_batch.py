"""`asst batch --provider-batch`, `fetch` and `cancel`, run in this process, against local servers that have a batch API."""

from __future__ import annotations

import json
import os
import shutil
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from asstproxy.cli.main import run as command
from servers import Cut, Fail, ResponsesServer, Say, Status
from servers.vendor import VendorServer
from servers.wire import Json, Reply, Request

from ..conftest import Ran

Batch = Callable[..., Ran]


@pytest.fixture(scope="module")
def api() -> Iterator[ResponsesServer]:
    """One server for all tests of this module; each finds it as new."""
    with ResponsesServer() as running:
        yield running


@pytest.fixture
def server(api: ResponsesServer, monkeypatch: pytest.MonkeyPatch) -> ResponsesServer:
    """OpenAI's API."""
    fresh = ResponsesServer()
    api.brain, api.batches, api.files = fresh.brain, fresh.batches, fresh.files
    api.batches.desk.ask = api._ask
    api._routes = [route for route in api._routes if "batches" not in route[1] and "files" not in route[1]]
    api._routes += [*api.files.routes(), *api.batches.routes()]
    api.faults.clear()
    api.requests.clear()
    monkeypatch.setenv("OPENAI_BASE_URL", api.base_url)
    monkeypatch.setenv("OPENAI_API_KEY", api.key)
    return api


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, and profiles that look often."""
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    config = Path(os.environ["ASST_CONFIG_DIR"])
    config.mkdir()
    (config / "config.toml").write_text('[profiles.gpt]\nprovider = "gpt"\npoll = 0.01\n')
    return folder


@pytest.fixture
def asst(capsys: pytest.CaptureFixture[str]) -> Batch:
    """`asst batch` with these arguments."""

    def run(*arguments: str) -> Ran:
        before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
        try:
            code = command(["batch", *arguments])
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
        told = capsys.readouterr()
        return Ran(code, told.out, told.err)

    return run


def _write(path: Path, *items: Any) -> None:
    path.write_text("".join(f"{json.dumps(item)}\n" for item in items))


def _results(path: Path) -> dict[str, Json]:
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    found = {line["id"]: line for line in lines}
    assert len(found) == len(lines)
    return found


RUN = ("in.jsonl", "-o", "out.jsonl", "-p", "gpt", "--provider-batch")


def _prompt(body: Json) -> str:
    return str(body["input"][-1]["content"][0]["text"])


def test_items_are_answered_at_half_the_price(asst: Batch, server: ResponsesServer, here: Path) -> None:
    """Results in any order are matched by their ids; each costs half of what it costs directly, and can be looked at."""
    _write(here / "in.jsonl", *({"id": f"i {n}", "prompt": f"n{n}", "system": "S"} for n in range(4)))
    ran = asst(*RUN)
    assert ran.code == 0, ran.err
    assert "Sent 4 items to OpenAI as a batch." in ran.err
    results = _results(here / "out.jsonl")
    assert {key: one["answer"] for key, one in results.items()} == {f"i {n}": f"You said: n{n}" for n in range(4)}
    assert asst("in.jsonl", "-o", "direct.jsonl", "-p", "gpt").code == 0
    direct = _results(here / "direct.jsonl")
    assert [results[key]["cost"] * 2 for key in sorted(results)] == [direct[key]["cost"] for key in sorted(direct)]
    assert not list((here / "out.jsonl.asst").glob("requests-*"))
    made = server.batches.desk.batches[0].made
    assert (made["endpoint"], made["metadata"]["asst"][:5]) == ("/v1/responses", "asst-")
    before = len(server.requests)
    assert asst(*RUN).code == 0
    assert len(server.requests) == before


def test_the_estimate_is_halved(asst: Batch, server: ResponsesServer, here: Path) -> None:
    """--dry-run reckons with the price of the batch API, and sends nothing."""
    _write(here / "in.jsonl", *({"prompt": "x" * 4000} for _ in range(50)))
    direct = json.loads(asst("in.jsonl", "-o", "out.jsonl", "-p", "gpt", "--dry-run").out)["cost"]
    assert json.loads(asst(*RUN, "--dry-run").out)["cost"] == pytest.approx(direct / 2, rel=0.01)
    assert not server.requests


def test_failed_expired_and_lost_items_are_asked_directly(asst: Batch, server: ResponsesServer, here: Path) -> None:
    """Each says why it has no answer; --retry-failed without --provider-batch asks them."""
    fates: Json = {"n1": "expired", "n2": "lost"}
    server.batches.desk.fate = lambda body: fates.get(_prompt(body), "answered")
    server.brain = lambda body: [Fail("invalid_prompt", "No.") if _prompt(body) == "n3" else Say(_prompt(body))]
    _write(here / "in.jsonl", *({"prompt": f"n{n}"} for n in range(5)))
    ran = asst(*RUN)
    assert ran.code == 7
    assert "Ask those 3 directly: the same command with --retry-failed, without --provider-batch" in ran.err
    results = _results(here / "out.jsonl")
    assert {key: (one["error"] or {}).get("message") for key, one in results.items()} == {
        "1": None,
        "2": "The batch expired before this was asked.",
        "3": "The batch has no result for this.",
        "4": "No.",
        "5": None,
    }
    server.brain = lambda body: [Say(_prompt(body))]
    assert asst(*RUN[:-1], "--retry-failed").code == 0
    assert {one["answer"] for one in _results(here / "out.jsonl").values()} == {f"n{n}" for n in range(5)}
    assert len(server.batches.desk.batches) == 1


def test_doubled_unknown_and_broken_results_are_left_out(asst: Batch, server: ResponsesServer, here: Path) -> None:
    """The first result of an item counts; the others are counted in a line."""

    def rewrite(lines: list[bytes]) -> list[bytes]:
        doubled = lines[0].replace(b"You said", b"Again")
        unknown = lines[0].replace(b'"custom_id":"asst-', b'"custom_id":"other-')
        return [*lines, doubled, unknown, b"{garbage", b"[1]", b'{"custom_id":7}', b"", lines[1]]

    server.batches.desk.rewrite = rewrite
    _write(here / "in.jsonl", *({"prompt": f"n{n}"} for n in range(3)))
    ran = asst(*RUN)
    assert ran.code == 0
    assert "OpenAI sent 6 results twice, unreadable, or of no item here. They are left out." in ran.err
    assert {one["answer"] for one in _results(here / "out.jsonl").values()} == {f"You said: n{n}" for n in range(3)}


@pytest.mark.parametrize(
    "fault",
    [
        Status(429, retry_after=0.05, first=2, on="GET /v1/batches/"),
        Status(503, first=2, on="GET /v1/batches/"),
        Cut(first=1, on="GET /v1/batches/"),
        Status(500, first=1, on="POST /v1/batches$"),
        Status(429, retry_after=0.05, first=1, on="POST /v1/files"),
        Cut(first=1, on="POST /v1/batches$"),
        Cut(byte=700, first=1, on="content"),
        Status(500, first=1, on="content"),
    ],
    ids=str,
)
def test_failures_that_pass_are_lived_through(asst: Batch, server: ResponsesServer, here: Path, fault: Any) -> None:
    """While sending, looking and downloading; the provider makes one batch, and each item has one line."""
    server.faults.add(fault)
    _write(here / "in.jsonl", *({"prompt": f"n{n}"} for n in range(6)))
    ran = asst(*RUN)
    assert ran.code == 0, ran.err
    assert len(server.batches.desk.batches) == 1
    assert len(_results(here / "out.jsonl")) == 6


def test_a_refused_batch_is_one_line(asst: Batch, server: ResponsesServer, here: Path) -> None:
    """Nothing of it was asked; `cancel` drops it, and the same command sends the items again."""
    server.batches.desk.refusal = "The model is not available in batches."
    _write(here / "in.jsonl", {"prompt": "x"})
    ran = asst(*RUN)
    assert ran.code == 1
    assert ran.err.splitlines()[-1] == (
        "asst: OpenAI refused the batch: line 1: The model is not available in batches. No item was answered. Drop it, so"
        " that its items are asked again: asst batch cancel out.jsonl"
    )
    assert asst("cancel", "out.jsonl").code == 0
    server.batches.desk.refusal = ""
    assert asst(*RUN).code == 0
    assert len(_results(here / "out.jsonl")) == 1


def test_a_wrong_key_sends_nothing(asst: Batch, server: ResponsesServer, here: Path) -> None:
    """It is one line without the key; with the right one the same command sends all."""
    _write(here / "in.jsonl", {"prompt": "x"})
    os.environ["OPENAI_API_KEY"] = "sk-other-0123456789abcdef"
    ran = asst(*RUN)
    assert (ran.code, ran.err.count("\n"), "0123456789abcdef" in ran.err) == (1, 1, False)
    os.environ["OPENAI_API_KEY"] = server.key
    assert asst(*RUN).code == 0
    assert len(server.batches.desk.batches) == 1


def test_fetch_collects_what_is_done_without_waiting(asst: Batch, server: ResponsesServer, here: Path) -> None:
    """Ctrl-C leaves the batch at the provider; `fetch` needs only OUT, and exits 4 until everything is there."""
    server.batches.desk.looks = 3
    _write(here / "in.jsonl", *({"prompt": f"n{n}"} for n in range(3)))
    _interrupt_at(server, "GET /v1/batches/")
    ran = asst(*RUN)
    assert ran.code == 130
    assert "Collect the 3 at the provider: asst batch fetch out.jsonl" in ran.err
    server.batches.desk.looks += 1  # the one above
    state = json.loads(asst("status", "out.jsonl", "--json").out)
    assert (state["state"], state["sent"], state["batches"][0]["state"]) == ("stopped", 3, "sent")
    direct = asst(*RUN[:-1])
    assert (direct.code, "Collect the 3 at the provider" in direct.err) == (0, True)
    (here / "in.jsonl").unlink()
    assert [asst("fetch", "out.jsonl").code for _ in range(4)] == [4, 4, 4, 0]
    assert len(_results(here / "out.jsonl")) == 3
    assert not [one for one in server.requests if one.path == "/v1/responses"]


def test_a_cancelled_batch_keeps_what_was_answered(asst: Batch, server: ResponsesServer, here: Path) -> None:
    """`cancel` stops it at the provider; `fetch` says of each item that it was cancelled."""
    server.batches.desk.looks = 100
    _write(here / "in.jsonl", *({"prompt": f"n{n}"} for n in range(3)))
    _interrupt_at(server, "GET /v1/batches/")
    asst(*RUN)
    assert asst("cancel", "out.jsonl").err == (
        "Cancelled. Collect what was answered by now: asst batch fetch out.jsonl\n"
    )
    assert asst("fetch", "out.jsonl").code == 7
    errors = {one["error"]["message"] for one in _results(here / "out.jsonl").values()}
    assert errors == {"The batch was cancelled before this was asked."}


def test_requests_are_split_by_model_and_by_size(
    asst: Batch, server: ResponsesServer, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A batch has one model, and no more requests than the API takes; --ordered writes all of them in order."""
    from asstproxy.providers.batch_api import BatchLimits
    from asstproxy.providers.openai.batches import OpenAIBatches

    monkeypatch.setattr(OpenAIBatches, "limits", BatchLimits(3, 10_000_000))
    models = ("gpt-4o", "o3")
    _write(here / "in.jsonl", *({"prompt": f"n{n}", "model": models[n % 2]} for n in range(10)))
    ran = asst(*RUN, "--ordered")
    assert ran.code == 0, ran.err
    assert sorted(len(one.requests) for one in server.batches.desk.batches) == [2, 2, 3, 3]
    assert list(_results(here / "out.jsonl")) == [str(n) for n in range(1, 11)]


def test_one_item_is_one_item(asst: Batch, server: ResponsesServer, here: Path) -> None:
    """What is sent, what is left to ask and what failed, where each is a single one."""
    _write(here / "in.jsonl", {"prompt": "n0"}, {"prompt": "n1"})
    ran = asst(*RUN, "--limit", "1")
    assert "Sent 1 item to OpenAI as a batch.\n" in ran.err
    assert "\n  Ask the last one: the same command\n" in ran.err
    server.batches.desk.fate = lambda _: "expired"
    assert "\n  Ask the one that failed directly: the same command with --retry-failed" in asst(*RUN).err


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (("-t", "math"), "A provider's batch makes one request for each item, so it can't run tools."),
        (("--background",), "--background has no effect on a provider's batch."),
        (("--rpm", "5", "--tpm", "5"), "--rpm and --tpm have no effect on a provider's batch."),
        (("-p", "deepseek", "-m", "x"), "DeepSeek has no batch API."),
        (("-p", "local"), "has no batch API."),
        (("--max-cost", "0.000001"), "The batch could cost"),
    ],
)
def test_what_it_cannot_do_is_refused_in_a_line(
    asst: Batch, server: ResponsesServer, here: Path, more: tuple[str, ...], said: str
) -> None:
    """Before anything is sent."""
    os.environ["DEEPSEEK_API_KEY"] = "sk-deep-0123456789abcdef"
    _write(here / "in.jsonl", {"prompt": "x"})
    ran = asst(*RUN, *more)
    assert said in ran.err
    assert ran.code == (4 if more[0] == "--max-cost" else 2)
    assert not server.requests


def test_the_cost_limit_limits_the_answers(asst: Batch, server: ResponsesServer, here: Path) -> None:
    """Where it suffices for short ones, each request says how long its answer may be."""
    _write(here / "in.jsonl", {"prompt": "x"})
    assert asst(*RUN, "--max-cost", "1").code == 0
    assert server.batches.desk.batches[0].requests[0][2]["max_output_tokens"] == 8192


def test_a_schema_and_attachments(asst: Batch, server: ResponsesServer, here: Path) -> None:
    """Data that fits is in `data`, what doesn't fit fails without a correction; a file goes with its request."""
    server.brain = lambda body: [Say('{"n": 4}' if "good" in str(body["input"]) else '{"n": "x"}')]
    (here / "a.png").write_bytes(b"\x89PNG\r\n\x1a\n" + b"\0" * 40)
    _write(here / "in.jsonl", {"prompt": "good", "attachments": ["a.png"]}, {"prompt": "bad"})
    ran = asst(*RUN, "--schema", "n int")
    assert ran.code == 7, ran.err
    results = _results(here / "out.jsonl")
    assert results["1"]["data"] == {"n": 4}
    assert (results["2"]["state"], results["2"]["reason"]) == ("incomplete", "schema")
    sent = [body for _, _, body in server.batches.desk.batches[0].requests]
    assert sent[0]["text"]["format"]["type"] == "json_schema"
    assert sent[0]["input"][0]["content"][0]["type"] == "input_image"
    _write(here / "other.jsonl", {"prompt": "x"}, {"prompt": "y", "attachments": ["gone.png"]})
    before = len(server.requests)
    assert asst("other.jsonl", "-o", "o.jsonl", "-p", "gpt", "--provider-batch").code == 2
    assert len(server.requests) == before


def test_a_vendor_of_chat_completions(asst: Batch, here: Path) -> None:
    """A vendor whose row says so has the same API for Chat Completions."""
    speaks = ("chat/completions", "files", r"files/\w+/content", "batches", r"batches/\w+")
    with VendorServer(speaks=speaks, prefix="/v1") as groq:
        config = Path(os.environ["ASST_CONFIG_DIR"]) / "config.toml"
        config.write_text(f'[profiles.groq]\nprovider = "groq"\nbase_url = "{groq.base_url}"\npoll = 0.01\n')
        os.environ["GROQ_API_KEY"] = groq.key
        _write(here / "in.jsonl", {"prompt": "x"})
        ran = asst("in.jsonl", "-o", "out.jsonl", "-p", "groq", "-m", "gpt-4o", "--provider-batch")
        assert ran.code == 0, ran.err
        assert groq.batches.desk.batches[0].made["endpoint"] == "/v1/chat/completions"
    assert _results(here / "out.jsonl")["1"]["answer"] == "You said: x"


# ---- killed between any two steps --------------------------------------------------------------------------------------


def _interrupt_at(server: ResponsesServer, step: str) -> None:
    """Ctrl-C when this request arrives, once."""
    answer, left = server.answer, [1]

    async def interrupt(request: Request) -> Reply:
        if left and str(request).startswith(step):
            left.clear()
            os.kill(os.getpid(), signal.SIGINT)
        return await answer(request)

    server.answer = interrupt  # type: ignore[method-assign]


STEPS = ("POST /v1/files", "POST /v1/batches", "GET /v1/batches/", "GET /v1/files/")


@pytest.mark.parametrize("arrives", [True, False])
@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("how", ["run", "fetch"])
def test_a_kill_at_any_step_pays_nothing_twice(
    asst: Batch, server: ResponsesServer, here: Path, step: str, arrives: bool, how: str
) -> None:
    """From what was on the disk when a request went out, with or without its arrival, the batch is made once."""
    _write(here / "in.jsonl", *({"prompt": f"n{n}"} for n in range(4)))
    snapshot, answer, left = here / "snapshot", server.answer, [1]

    async def die(request: Request) -> Reply:
        if left and str(request).startswith(step):
            left.clear()
            seen = shutil.ignore_patterns("progress*")  # written meanwhile, and not needed
            shutil.copytree(here / "out.jsonl.asst", snapshot / "out.jsonl.asst", ignore=seen)
            shutil.copy(here / "out.jsonl", snapshot)
            if arrives:
                await answer(request)
            os.kill(os.getpid(), signal.SIGINT)
            return Reply(sever="eof")
        return await answer(request)

    server.answer = die  # type: ignore[method-assign]
    asst(*RUN)
    assert not left
    shutil.rmtree(here / "out.jsonl.asst")
    shutil.copytree(snapshot, here, dirs_exist_ok=True)
    if how == "fetch" and step.startswith("GET"):
        for _ in range(2):
            asst("fetch", "out.jsonl")
    assert asst(*RUN).code == 0
    results = _results(here / "out.jsonl")
    assert {one["answer"] for one in results.values()} == {f"You said: n{n}" for n in range(4)}
    assert len(server.batches.desk.batches) == 1


# ---- a law -------------------------------------------------------------------------------------------------------------


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(count=st.integers(1, 6), chosen=st.lists(st.integers(0, 8), max_size=12))
def test_any_file_of_results_gives_each_item_one_line(
    asst: Batch, server: ResponsesServer, here: Path, count: int, chosen: list[int]
) -> None:
    """In whatever order they come, missing, twice or with others between: each item once, with its own answer or a failure."""
    kept = set[bytes]()

    def rewrite(lines: list[bytes]) -> list[bytes]:
        known = [*lines, b"no", b"{}", b'{"custom_id":"asst-x-1"}']
        kept.update(one := [known[place % len(known)] for place in chosen])
        return one

    server.batches.desk.rewrite = rewrite
    for path in here.glob("out.jsonl*"):
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    _write(here / "in.jsonl", *({"prompt": f"n{n}"} for n in range(count)))
    asst(*RUN)
    results = _results(here / "out.jsonl")
    assert sorted(results) == sorted(str(n + 1) for n in range(count))
    for number in range(count):
        answer, said = results[str(number + 1)], f"You said: n{number}"
        has_result = any(f'"{said}"'.encode() in line for line in kept)
        assert answer["answer"] == (said if has_result else "")
        assert (answer["error"] is None) == has_result

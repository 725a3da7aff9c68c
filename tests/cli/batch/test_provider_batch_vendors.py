"""`asst batch --provider-batch` with each API that has batches: what a person sees is the same; what the APIs do isn't."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from asstproxy.providers.anthropic_batches import AnthropicBatches
from asstproxy.providers.batch_api import BatchLimits
from asstproxy.providers.gemini.batches import GeminiBatches
from asstproxy.providers.openai.batches import OpenAIBatches
from servers import Cut, ResponsesServer, Say, Status
from servers.anthropic import AnthropicServer
from servers.batches import Batch, Desk, Fate, FormBatches, GoogleBatches, MessageBatches
from servers.gemini import GeminiServer
from servers.wire import ApiError, Json, Reply, Request

from ..conftest import Ran
from ..in_process import asst_here

AnyServer = ResponsesServer | AnthropicServer | GeminiServer
AnyBatches = FormBatches | MessageBatches | GoogleBatches


@dataclass
class Vendor:
    """An API with batches, its server and its profile. `create`, `look`, `result`: how its requests begin."""

    name: str
    profile: str
    server: AnyServer
    batches: AnyBatches
    create: str
    look: str
    result: str

    @property
    def desk(self) -> Desk:
        """What a test says of its batches, and sees of them."""
        return self.batches.desk


VENDORS = ("gpt", "anthropic", "gemini")


@pytest.fixture
def vendor(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, here: Path) -> Iterator[Vendor]:
    """The API that the test is run with; its profile looks often."""
    with ExitStack() as running:
        made: Vendor
        match name := request.param:
            case "gpt":
                gpt = running.enter_context(ResponsesServer())
                made = Vendor(
                    "OpenAI", name, gpt, gpt.batches, "POST /v1/batches", "GET /v1/batches/", "GET /v1/files/"
                )
            case "anthropic":
                claude = running.enter_context(AnthropicServer())
                path = "/v1/messages/batches"
                made = Vendor("Anthropic", name, claude, claude.batches, f"POST {path}", f"GET {path}/", f"GET {path}/")
            case _:
                google = running.enter_context(GeminiServer())
                create, files = "POST /v1beta/models/", "GET /v1beta/files/"
                made = Vendor("Google", name, google, google.batches, create, "GET /v1beta/batches/", files)
        monkeypatch.setenv(
            {"gpt": "OPENAI", "anthropic": "ANTHROPIC", "gemini": "GEMINI"}[name] + "_API_KEY", made.server.key
        )
        address = made.server.url if name != "gpt" else made.server.base_url  # type: ignore[union-attr]
        profile = f'[profiles.{name}]\nprovider = "{name}"\nbase_url = "{address}"\npoll = 0.01\n'
        (Path(os.environ["ASST_CONFIG_DIR"]) / "config.toml").write_text(profile)
        yield made


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder."""
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    Path(os.environ["ASST_CONFIG_DIR"]).mkdir()
    return folder


def each(*names: str) -> pytest.MarkDecorator:
    """Run a test with these vendors."""
    return pytest.mark.parametrize("vendor", names or VENDORS, indirect=True)


def asst(*arguments: str) -> Ran:
    """`asst batch` with these arguments, in this process."""
    handler = signal.getsignal(signal.SIGINT)
    try:
        return asst_here("batch", *arguments)
    finally:
        signal.signal(signal.SIGINT, handler)


def run(vendor: Vendor, *more: str) -> Ran:
    """Send, wait and collect."""
    return asst("in.jsonl", "-o", "out.jsonl", "-p", vendor.profile, "--provider-batch", *more)


def write(count: int, **more: Any) -> None:
    """The input: `n0`, `n1` …"""
    lines = [json.dumps({"id": f"i {n}", "prompt": f"n{n}", **more}) for n in range(count)]
    Path("in.jsonl").write_text("".join(f"{line}\n" for line in lines))


def results(path: str = "out.jsonl") -> dict[str, Json]:
    """The output, in which each id is there once."""
    lines = [json.loads(line) for line in Path(path).read_text().splitlines()]
    found = {line["id"]: line for line in lines}
    assert len(found) == len(lines)
    return found


def answers() -> dict[str, str]:
    """Who was answered what."""
    return {number: one["answer"] for number, one in results().items() if not one["error"]}


def echoed(count: int) -> dict[str, str]:
    """What the servers answer by themselves."""
    return {f"i {n}": f"You said: n{n}" for n in range(count)}


def by_prompt(fates: Mapping[str, Fate]) -> Callable[[Json], Fate]:
    """What becomes of a request, by the prompt in it."""
    return lambda body: next((fate for key, fate in fates.items() if f'"{key}"' in json.dumps(body)), "answered")


def at(vendor: Vendor, step: str, do: Callable[[Request], Any], skip: int = 0) -> None:
    """Once, when the request comes that begins so: `do`, and what it returns instead of the answer, if anything."""
    answer, left = vendor.server.answer, [skip + 1]

    async def answered(request: Request) -> Reply:
        if left[0] and str(request).startswith(step):
            left[0] -= 1
            if not left[0] and isinstance(said := do(request), Reply):
                return said
        return await answer(request)

    vendor.server.answer = answered  # type: ignore[method-assign]


def interrupt(_: Request) -> None:
    """Ctrl-C."""
    os.kill(os.getpid(), signal.SIGINT)


# ---- what is the same for all ------------------------------------------------------------------------------------------


@each()
def test_items_cost_half_in_the_output_and_in_status(vendor: Vendor) -> None:
    """Each answer is matched by its name, and its cost is half of what it costs directly; `status` has the sum."""
    write(4)
    ran = run(vendor)
    assert ran.code == 0, ran.err
    assert f"Sent 4 items to {vendor.name} as a batch." in ran.err
    assert answers() == echoed(4)
    state = json.loads(asst("status", "out.jsonl", "--json").out)
    assert (state["state"], state["done"], state["batches"][0]["state"]) == ("ended", 4, "collected")
    assert asst("in.jsonl", "-o", "direct.jsonl", "-p", vendor.profile).code == 0
    costs = [results(path)[f"i {n}"]["cost"] for path in ("out.jsonl", "direct.jsonl") for n in range(4)]
    assert all(costs)
    assert [cost * 2 for cost in costs[:4]] == pytest.approx(costs[4:])
    assert state["cost"] == pytest.approx(sum(costs[:4]))


@each()
def test_expired_and_lost_items_say_so(vendor: Vendor) -> None:
    """Of items that the provider didn't ask, each has its reason; the same command without the batch asks them."""
    fate: Fate = "cancelled" if vendor.profile == "gemini" else "expired"  # its file has no other word
    vendor.desk.fate = by_prompt({"n1": fate, "n2": "lost"})
    write(4)
    assert run(vendor).code == 7
    told = {key: one["error"]["message"] for key, one in results().items() if one["error"]}
    assert told == {
        "i 1": f"The batch {'was ' * (fate == 'cancelled')}{fate} before this was asked.",
        "i 2": "The batch has no result for this.",
    }
    assert asst("in.jsonl", "-o", "out.jsonl", "-p", vendor.profile, "--retry-failed").code == 0
    assert answers() == echoed(4)


@each("gpt", "gemini")
def test_a_batch_that_expired_as_a_whole(vendor: Vendor) -> None:
    """Its items fail with this reason, whether there is a file of results or not."""
    vendor.desk.end = "expired"
    write(3)
    assert run(vendor).code == 7
    assert {one["error"]["message"] for one in results().values()} == {"The batch expired before this was asked."}


@each()
def test_a_failed_request_has_the_words_of_the_api(vendor: Vendor) -> None:
    """One item whose request the API refuses doesn't harm the others."""
    answer = vendor.desk.ask

    async def ask(path: str, body: Json) -> Reply:
        if '"n1"' in json.dumps(body):
            raise ApiError(400, "This request is not fine.")
        return await answer(path, body)

    vendor.desk.ask = ask
    write(3)
    assert run(vendor).code == 7
    error = results()["i 1"]["error"]
    assert error["kind"] == "invalid_request"
    assert error["message"].endswith("This request is not fine.")
    assert answers() == {key: text for key, text in echoed(3).items() if key != "i 1"}


@each()
def test_fetch_collects_without_waiting(vendor: Vendor) -> None:
    """Ctrl-C leaves the batch at the provider; `fetch` exits 4 until it has ended, and needs only OUT."""
    vendor.desk.looks = 2
    write(3)
    at(vendor, vendor.look, interrupt)
    assert run(vendor).code == 130
    vendor.desk.looks = 4
    Path("in.jsonl").unlink()
    codes = [asst("fetch", "out.jsonl").code for _ in range(6)]
    assert codes[0] == 4
    assert codes[-1] == 0
    assert answers() == echoed(3)


@each()
def test_cancel_stops_it_at_the_provider(vendor: Vendor) -> None:
    """`fetch` then says of each item that it was cancelled, and the same command asks them in a new batch."""
    vendor.desk.looks = 100
    write(3)
    at(vendor, vendor.look, interrupt)
    run(vendor)
    assert asst("cancel", "out.jsonl").code == 0
    assert vendor.desk.batches[0].cancelled
    assert asst("fetch", "out.jsonl").code == 7
    assert {one["error"]["message"] for one in results().values()} == {"The batch was cancelled before this was asked."}
    vendor.desk.looks = 0
    assert run(vendor, "--retry-failed").code == 0
    assert answers() == echoed(3)


@each()
@pytest.mark.parametrize("arrives", [True, False])
def test_a_lost_answer_to_the_request_that_makes_it(vendor: Vendor, arrives: bool) -> None:
    """The connection breaks there: whether the batch was made or not, there is one in the end."""
    write(3)
    original = vendor.server.answer

    async def cut(request: Request) -> Reply:
        if str(request).startswith(vendor.create) and not cuts:
            cuts.append(1)
            if arrives:
                await original(request)
            return Reply(sever="eof")
        return await original(request)

    cuts: list[int] = []
    vendor.server.answer = cut  # type: ignore[method-assign]
    ran = run(vendor)
    assert ran.code == 0, ran.err
    assert cuts
    assert len(vendor.desk.batches) == 1
    assert answers() == echoed(3)


@each("anthropic", "gemini")
@pytest.mark.parametrize("arrives", [True, False])
def test_a_kill_while_it_is_made(vendor: Vendor, here: Path, arrives: bool) -> None:
    """From what was on the disk when the request went out, the next run finds it, or sends it once."""
    write(3)
    original, kills = vendor.server.answer, list[int]()

    async def die(request: Request) -> Reply:
        if str(request).startswith(vendor.create) and not kills:
            kills.append(1)
            seen = shutil.ignore_patterns("progress*")  # written meanwhile, and not needed
            shutil.copytree(here / "out.jsonl.asst", here / "then" / "out.jsonl.asst", ignore=seen)
            shutil.copy(here / "out.jsonl", here / "then")
            if arrives:
                await original(request)
            os.kill(os.getpid(), signal.SIGINT)
            return Reply(sever="eof")
        return await original(request)

    vendor.server.answer = die  # type: ignore[method-assign]
    run(vendor)
    shutil.rmtree(here / "out.jsonl.asst")
    shutil.copytree(here / "then", here, dirs_exist_ok=True)
    ran = run(vendor)
    assert ran.code == 0, ran.err
    assert len(vendor.desk.batches) == 1
    assert ("doesn't have it, so they are to be sent again" in ran.err) != arrives
    assert answers() == echoed(3)


@each("anthropic", "gemini")
def test_failures_that_pass_are_lived_through(vendor: Vendor) -> None:
    """429 and 5xx while a batch is sent, looked at and collected: one batch, and each item once."""
    create = vendor.create.removesuffix("/")
    vendor.server.faults.add(Status(429, retry_after=0.05, first=1, on=create))
    vendor.server.faults.add(Status(503, first=2, on=vendor.look))
    vendor.server.faults.add(Status(500, first=1, on="results|download"))
    write(3)
    ran = run(vendor)
    assert ran.code == 0, ran.err
    assert len(vendor.desk.batches) == 1
    assert answers() == echoed(3)


@each("anthropic", "gemini")
def test_a_refused_batch_is_one_line(vendor: Vendor) -> None:
    """Nothing is left at the provider, and the same command sends the items once it may."""
    vendor.desk.refusal = "The model is not available in batches."
    write(2)
    ran = run(vendor)
    assert ran.code == 1
    assert "The model is not available in batches. " in ran.err.splitlines()[-1]
    assert asst("cancel", "out.jsonl").code == 0
    vendor.desk.refusal = ""
    assert run(vendor).code == 0
    assert answers() == echoed(2)


@each("gpt", "gemini")
def test_results_that_are_gone(vendor: Vendor, here: Path) -> None:
    """Young ones are waited for; those of an old batch were deleted, and their items fail."""
    write(2)
    at(vendor, vendor.look, interrupt)
    run(vendor)
    server, fine = vendor.server, vendor.server.answer

    async def gone(request: Request) -> Reply:
        if "content" in request.path or "download" in request.path:
            raise ApiError(404, "No such file.", code=None)
        return await fine(request)

    server.answer = gone  # type: ignore[method-assign]
    vendor.desk.looks = 0
    ran = asst("fetch", "out.jsonl")
    assert ran.code == 1
    assert f"{vendor.name} doesn't find the results of the batch of" in ran.err
    journal = next(path for path in (here / "out.jsonl.asst").iterdir() if b'{"job":' in path.read_bytes())
    journal.write_bytes(re.sub(rb'("at":")2\d{3}-\d\d', rb"\g<1>2024-01", journal.read_bytes()))
    ran = asst("fetch", "out.jsonl")
    assert ran.code == 7
    assert f"{vendor.name} has deleted results of the batch of 2024-01" in ran.err
    server.answer = fine  # type: ignore[method-assign]
    assert asst("in.jsonl", "-o", "out.jsonl", "-p", vendor.profile, "--retry-failed").code == 0
    assert answers() == echoed(2)


@each()
def test_it_is_found_among_hundreds(vendor: Vendor) -> None:
    """On a later page of the list, behind batches of others that came after it."""
    original, cuts = vendor.server.answer, list[int]()

    async def cut(request: Request) -> Reply:
        if str(request).startswith(vendor.create) and not cuts:
            cuts.append(1)
            await original(request)
            vendor.desk.batches.extend(_others(vendor, 250))
            return Reply(sever="eof")
        return await original(request)

    vendor.server.answer = cut  # type: ignore[method-assign]
    write(3)
    ran = run(vendor)
    assert ran.code == 0, ran.err
    assert answers() == echoed(3)
    assert len(vendor.desk.batches) == 251


def _others(vendor: Vendor, count: int) -> Iterator[Batch]:
    """Batches of others, of another size and with other names."""
    for number in range(count):
        made = json.loads(json.dumps(vendor.desk.batches[0].made))
        made |= {"id": f"batch_{number}", "name": f"batches/b_{number}", "input_file_id": "file_x", "metadata": {}}
        made["request_counts"] = {"processing": 4}
        yield Batch(made["name"] if vendor.profile == "gemini" else made["id"], [], made)


@each()
def test_data_and_files(vendor: Vendor) -> None:
    """Data that fits its schema is in `data`, and a file goes with its request."""
    vendor.server.brain = lambda _: [Say('{"n": 4}')]
    Path("a.png").write_bytes(b"\x89PNG\r\n\x1a\n" + b"\0" * 40)
    write(2, attachments=["a.png"])
    ran = run(vendor, "--schema", "n int")
    assert ran.code == 0, ran.err
    assert [one["data"] for one in results().values()] == [{"n": 4}, {"n": 4}]
    bodies = [json.dumps(body) for _, _, body in vendor.desk.batches[0].requests]
    assert all("iVBORw0KGgo" in body and '"properties"' in body for body in bodies)


# ---- Anthropic ---------------------------------------------------------------------------------------------------------


def _foreign(batches: AnyBatches, count: int, name: str = "other") -> Batch:
    """A batch that somebody else made."""
    assert isinstance(batches, MessageBatches)
    body = {"model": "claude-haiku-5-5", "max_tokens": 9, "messages": [{"role": "user", "content": "x"}]}
    return batches.add([(f"{name}-{n}", "/v1/messages", body) for n in range(count)])


def _lose_the_answer(vendor: Vendor, *, arrives: bool, foreign: int = 0) -> None:
    """The connection breaks when the batch is made, and somebody else makes one at that time."""
    original, cuts = vendor.server.answer, list[int]()

    async def cut(request: Request) -> Reply:
        if str(request) == vendor.create and not cuts:
            cuts.append(1)
            if arrives:
                await original(request)
            if foreign:
                _foreign(vendor.batches, foreign)
            return Reply(sever="eof")
        return await original(request)

    vendor.server.answer = cut  # type: ignore[method-assign]


@each("anthropic")
def test_batches_of_others_are_left_alone(vendor: Vendor) -> None:
    """Those from before, and those with another number of requests, aren't taken for ours."""
    for _ in range(3):
        _foreign(vendor.batches, 3)
    _lose_the_answer(vendor, arrives=True, foreign=4)
    write(3)
    assert run(vendor).code == 0
    assert answers() == echoed(3)
    assert len(vendor.desk.batches) == 5


@each("anthropic")
def test_a_like_batch_of_somebody_else_is_told_apart_by_its_end(vendor: Vendor) -> None:
    """Two new batches of one size: asst waits until their results show whose they are, and sends nothing twice."""
    vendor.desk.looks = 1000
    _lose_the_answer(vendor, arrives=True, foreign=3)
    write(3)
    ran = run(vendor)
    assert ran.code == 1
    assert "Anthropic has 2 new batches of 3 items, and shows whose they are when they end." in ran.err
    vendor.desk.looks = 0
    _end(vendor)
    assert run(vendor).code == 0
    assert answers() == echoed(3)
    assert len(vendor.desk.batches) == 2


def _end(vendor: Vendor) -> None:
    """All batches of the server end now."""
    import asyncio

    assert isinstance(vendor.batches, MessageBatches)
    for batch in vendor.desk.batches:
        asyncio.run(vendor.batches.end(batch))


@each("anthropic")
def test_a_batch_of_somebody_else_is_neither_collected_nor_cancelled(vendor: Vendor) -> None:
    """When ours wasn't made, and theirs has its size: it isn't stopped, nor are its results taken, and ours is sent again."""
    vendor.desk.looks = 1000
    _lose_the_answer(vendor, arrives=False, foreign=2)
    write(2)
    at(vendor, vendor.look, interrupt)
    assert run(vendor).code == 130
    ran = asst("cancel", "out.jsonl")
    assert ran.code == 1
    assert "may not be this one: Anthropic shows whose it is when it ends." in ran.err
    assert not vendor.desk.batches[0].cancelled
    _end(vendor)
    assert "Anthropic doesn't have the batch" in run(vendor).err
    assert asst("cancel", "out.jsonl").code == 0
    vendor.desk.looks = 0
    assert run(vendor).code == 0
    assert answers() == echoed(2)
    assert len(vendor.desk.batches) == 2


@each("anthropic")
def test_the_body_is_valid_at_every_size(vendor: Vendor, monkeypatch: pytest.MonkeyPatch) -> None:
    """Requests are split by their bytes, and each body is one JSON document, also where pieces of it meet."""
    monkeypatch.setattr("asstproxy.providers.anthropic_batches.PIECE", 100)
    monkeypatch.setattr(AnthropicBatches, "limits", BatchLimits(100, 700))
    write(12, system="Line\nfeed")
    ran = run(vendor)
    assert ran.code == 0, ran.err
    made = [request for request in vendor.server.requests if str(request) == vendor.create]
    assert len(made) > 3
    assert all(len(request.body) <= 700 + 15 for request in made)
    assert sum(len(request.json["requests"]) for request in made) == 12
    assert answers() == echoed(12)


# ---- Gemini ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ('api = "interactions"', 'The Interactions API has no batch API. Set api = "generate" in the profile'),
        (
            'vertex = true\nproject = "p"',
            "Batches of Agent Platform need Cloud Storage or BigQuery, which asst doesn't use.",
        ),
        ('transport = "sdk"', ""),
    ],
)
def test_what_gemini_has_no_batches_for(here: Path, monkeypatch: pytest.MonkeyPatch, more: str, said: str) -> None:
    """It is refused in one line, before anything is sent."""
    monkeypatch.setenv("GEMINI_API_KEY", "AIza-test-0123456789")
    profile = f'[profiles.gemini]\nprovider = "gemini"\nbase_url = "http://127.0.0.1:9"\n{more}\n'
    (Path(os.environ["ASST_CONFIG_DIR"]) / "config.toml").write_text(profile)
    write(1)
    ran = asst("in.jsonl", "-o", "out.jsonl", "-p", "gemini", "--provider-batch")
    assert ran.code != 0
    assert said in ran.err
    assert ran.err.count("\n") == 1
    assert not (here / "out.jsonl").exists()


# ---- a provider of a package, and a queue next to it --------------------------------------------------------------------


def test_a_package_s_provider_has_batches(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`batches` in its module, over `asstproxy.provider` alone, is all that --provider-batch needs."""
    package = here / "acme-1.0.dist-info"
    package.mkdir()
    (package / "METADATA").write_text("Metadata-Version: 2.1\nName: acme\nVersion: 1.0\n")
    (package / "entry_points.txt").write_text("[asstproxy.providers]\nacme = providers.batch_provider:connect\n")
    monkeypatch.syspath_prepend(str(here))
    with ResponsesServer() as server:
        monkeypatch.setenv("ACME_KEY", server.key)
        lines = ["[profiles.acme]", 'provider = "acme"', 'model = "gpt-4o"', 'api_key_env = "ACME_KEY"', "poll = 0.01"]
        text = "\n".join([*lines, f'base_url = "{server.base_url}"', ""])
        (Path(os.environ["ASST_CONFIG_DIR"]) / "config.toml").write_text(text)
        write(3)
        ran = asst("in.jsonl", "-o", "out.jsonl", "-p", "acme", "--provider-batch")
        assert ran.code == 0, ran.err
        assert "Sent 3 items to Acme as a batch." in ran.err
        assert answers() == echoed(3)


@each("gpt")
def test_a_database_for_other_batches_is_no_obstacle(vendor: Vendor, monkeypatch: pytest.MonkeyPatch) -> None:
    """With ASST_QUEUE set, a batch at its provider goes there; only --queue together with it is refused."""
    monkeypatch.setenv("ASST_QUEUE", "postgresql://nobody@127.0.0.1:9/none")
    vendor.desk.looks = 100
    write(2)
    at(vendor, vendor.look, interrupt)
    assert run(vendor).code == 130
    assert json.loads(asst("status", "out.jsonl", "--json").out)["sent"] == 2
    assert asst("cancel", "out.jsonl").code == 0
    assert asst("fetch", "out.jsonl").code == 7
    ran = run(vendor, "--queue", "postgresql://nobody@127.0.0.1:9/none")
    assert (ran.code, ran.err) == (
        2,
        "asst: --queue can't be combined with --provider-batch. Leave one of them out.\n",
    )


# ---- the cost limit ----------------------------------------------------------------------------------------------------


@each("anthropic", "gemini")
def test_the_cost_limit_limits_the_answers(vendor: Vendor) -> None:
    """Each request says how long its answer may be; where even short ones could cost more, nothing is sent."""
    write(2)
    ran = run(vendor, "--max-cost", "0.000001")
    assert ran.code == 4
    assert "Nothing was sent." in ran.err
    assert not vendor.server.requests
    assert run(vendor, "--max-cost", "1").code == 0
    bodies = [body for _, _, body in vendor.desk.batches[0].requests]
    limits = [body.get("max_tokens") or body["generationConfig"]["maxOutputTokens"] for body in bodies]
    assert limits == [8192, 8192]


# ---- a partial file of errors, and requests split by their bytes -------------------------------------------------------


@each("gpt")
def test_an_error_file_that_is_cut_off(vendor: Vendor) -> None:
    """What both files have is taken over once: after the break, the same file is read again from its beginning."""
    vendor.desk.fate = by_prompt({"n1": "expired", "n3": "expired"})
    write(5)
    vendor.server.faults.add(Cut(byte=40, first=1, on="content"))
    at(vendor, vendor.result, lambda _: Reply(sever="reset"), skip=2)
    ran = run(vendor)
    assert ran.code == 7, ran.err
    assert {key for key, one in results().items() if one["error"]} == {"i 1", "i 3"}
    assert answers() == {key: text for key, text in echoed(5).items() if key not in ("i 1", "i 3")}


@each("gpt")
def test_an_error_file_that_is_incomplete(vendor: Vendor) -> None:
    """Items that are in neither file say that there is no result for them."""
    vendor.desk.fate = by_prompt({"n1": "expired", "n2": "expired"})
    vendor.desk.rewrite = lambda lines: [line for line in lines if b"batch_expired" not in line or b'-2"' in line]
    write(3)
    assert run(vendor).code == 7
    told = {key: one["error"]["message"] for key, one in results().items() if one["error"]}
    assert told == {
        "i 1": "The batch expired before this was asked.",
        "i 2": "The batch has no result for this.",
    }


@each("gpt", "gemini")
def test_requests_are_split_by_their_bytes(vendor: Vendor, monkeypatch: pytest.MonkeyPatch) -> None:
    """No file is larger than the API takes; a request that is larger alone fails by itself."""
    api = {"gpt": OpenAIBatches, "gemini": GeminiBatches}[vendor.profile]
    monkeypatch.setattr(api, "limits", BatchLimits(100, 1000))
    write(20)
    with Path("in.jsonl").open("a") as file:
        file.write(json.dumps({"id": "large", "prompt": "x" * 1000}) + "\n")
    assert run(vendor).code == 7
    assert "The request is larger than a batch of" in results()["large"]["error"]["message"]
    assert answers() == echoed(20)
    assert len(vendor.desk.batches) > 2
    sent = [file.data for file in vendor.server.files.stored.values() if b"You said" not in file.data]
    assert len(sent) == len(vendor.desk.batches)
    assert all(len(data) <= 1000 for data in sent)

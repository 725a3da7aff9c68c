"""`asst batch`, run as a shell runs it, against a local server."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import random
import re
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from servers import Background, Call, Fail, Incomplete, ResponsesServer, Say, Status, Wait
from servers.wire import Json

from ..conftest import ASST, Asst
from .items import asked, prompt, run, write

Start = Callable[[Sequence[str]], subprocess.Popen[bytes]]


def _results(path: Path) -> dict[str, Json]:
    """The lines of an output by their ids, each of which occurs once."""
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    found = {line.get("custom_id") or line["id"]: line for line in lines}
    assert len(found) == len(lines)
    return found


def test_every_item_gets_one_line(asst: Asst, server: ResponsesServer, here: Path) -> None:
    """Answers come with id, state, usage, cost and seconds; what is said at the end goes to stderr."""
    write(here / "in.jsonl", {"prompt": "one"}, {"id": "b", "prompt": "two", "system": "Be brief."})
    ran = run(asst)
    assert (ran.code, ran.out) == (0, "")
    assert ran.err.startswith("2 done · ")
    results = _results(here / "out.jsonl")
    assert results["1"]["answer"] == "You said: one"
    assert results["b"]["state"] == "completed"
    assert results["b"]["usage"]["input"] > 0
    assert 0 < results["b"]["cost"] < 0.01
    assert results["b"]["seconds"] >= 0
    assert "Be brief." in [request.json.get("instructions") for request in server.requests]


def test_the_same_command_again_asks_nothing_twice(asst: Asst, server: ResponsesServer, here: Path) -> None:
    """What has a result stays; what was added to the input is asked."""
    write(here / "in.jsonl", {"prompt": "one"}, {"prompt": "two"})
    assert run(asst).code == 0
    write(here / "in.jsonl", {"prompt": "one"}, {"prompt": "two"}, {"prompt": "three"})
    assert run(asst).code == 0
    assert sorted(asked(server)) == ["one", "three", "two"]
    assert len(_results(here / "out.jsonl")) == 3


def test_a_limit_is_for_one_run(asst: Asst, server: ResponsesServer, here: Path) -> None:
    """--limit asks so many, and the next run goes on with the next ones."""
    write(here / "in.jsonl", *({"prompt": f"n{number}"} for number in range(5)))
    ran = run(asst, "--limit", "2")
    assert ran.code == 0
    assert ran.err.startswith("2 done · 3 not asked · ")
    assert ran.err.endswith("\n  Ask the other 3: the same command\n")
    assert run(asst, "--limit", "2").code == 0
    assert sorted(asked(server)) == ["n0", "n1", "n2", "n3"]


def test_a_changed_item_is_refused(asst: Asst, server: ResponsesServer, here: Path) -> None:
    """The same id with another text is an error, and nothing is sent."""
    write(here / "in.jsonl", {"id": "a", "prompt": "one"})
    run(asst)
    write(here / "in.jsonl", {"id": "a", "prompt": "other"}, {"id": "b", "prompt": "new"})
    ran = run(asst)
    assert ran.code == 2
    assert ran.err == (
        'asst: The item "a" was asked with another text before. Give it a new id, or choose another output file.\n'
    )
    assert asked(server) == ["one"]


def test_an_output_of_another_input_is_refused(asst: Asst, server: ResponsesServer, here: Path) -> None:
    """So is a file that no batch wrote; both stay as they are."""
    write(here / "in.jsonl", {"id": "a", "prompt": "one"})
    run(asst)
    before = (here / "out.jsonl").read_bytes()
    write(here / "in.jsonl", {"id": "b", "prompt": "two"})
    ran = run(asst)
    assert ran.code == 2
    assert 'out.jsonl belongs to another input: its item "a" isn\'t in in.jsonl.' in ran.err
    assert (here / "out.jsonl").read_bytes() == before
    (here / "notes.txt").write_text("mine\n")
    ran = asst("batch", "in.jsonl", "-o", "notes.txt", "-p", "gpt")
    assert (ran.code, "no batch wrote it" in ran.err) == (2, True)
    assert (here / "notes.txt").read_text() == "mine\n"
    assert not (here / "notes.txt.asst").exists()


def test_failed_items_are_asked_again_on_request(asst: Asst, server: ResponsesServer, here: Path) -> None:
    """They exit 7; --retry-failed replaces their lines and leaves the others alone."""
    write(here / "in.jsonl", {"prompt": "good"}, {"prompt": "bad"}, {"prompt": "cut"})
    fails = True

    def brain(request: Json) -> list[Any]:
        asked = prompt(request)
        if fails and asked == "bad":
            return [Fail("invalid_prompt", "No.")]
        return [Say("half"), Incomplete()] if fails and asked == "cut" else [Say(asked)]

    server.brain = brain
    ran = run(asst)
    assert ran.code == 7
    assert ran.err.endswith("\n  Ask those 2 again: the same command with --retry-failed\n")
    results = _results(here / "out.jsonl")
    assert results["2"]["state"] == "error"
    assert results["2"]["error"]["message"]
    assert (results["3"]["state"], results["3"]["reason"]) == ("incomplete", "max_output_tokens")
    assert run(asst).code == 7
    fails = False
    before = len(asked(server))
    assert run(asst, "--retry-failed").code == 0
    assert sorted(asked(server)[before:]) == ["bad", "cut"]
    assert {one["answer"] for one in _results(here / "out.jsonl").values()} == {"good", "bad", "cut"}


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('{"prompt": "x"', "in.jsonl, line 2, column 15: not JSON: Expecting ',' delimiter."),
        ('{"prompt": "ä", "x": NaN}', "in.jsonl, line 2, column 22: not JSON: invalid character."),
        ('["x"]', "in.jsonl, line 2, column 1: a line must be a JSON object. For lines of text: --lines"),
        ('{"id": "b", "prompt": 3}', 'in.jsonl, line 2, column 13: "prompt" must be text.'),
        ('{"id": "b"}', 'in.jsonl, line 2: it has neither "prompt" nor "messages".'),
        ('{"prompt": "x", "sytem": "y"}', 'in.jsonl, line 2: unknown key "sytem". Did you mean "system"?'),
        ('{"messages": [{"role": "assistant", "content": "x"}]}', 'line 2, column 2: "messages" must end with'),
        ('{"id": "a", "prompt": "y"}', 'in.jsonl, line 2: the id "a" is that of line 1, too.'),
    ],
)
def test_a_broken_line_is_named_and_nothing_is_sent(
    asst: Asst, server: ResponsesServer, here: Path, line: str, said: str
) -> None:
    """Its number and column are told, and no file is made."""
    (here / "in.jsonl").write_text(f'{{"id": "a", "prompt": "x"}}\n{line}\n')
    ran = run(asst)
    assert ran.code == 2
    assert said in ran.err
    assert ran.err.count("\n") == 1
    assert not server.requests
    assert [path.name for path in here.iterdir()] == ["in.jsonl"]


def test_broken_lines_are_skipped_on_request(asst: Asst, server: ResponsesServer, here: Path) -> None:
    """--on-error skip names them, and asks the others."""
    (here / "in.jsonl").write_text('{"prompt": "x"}\nno\n{"prompt": "y"}\n')
    ran = run(asst, "--on-error", "skip")
    assert ran.code == 0
    assert "in.jsonl, line 2, column 1: not JSON: Expecting value. Skipped." in ran.err
    assert sorted(_results(here / "out.jsonl")) == ["1", "3"]


def test_an_empty_input_is_an_error(asst: Asst, server: ResponsesServer, here: Path) -> None:
    """Of no bytes, of blank lines, one that isn't there, and a pipe that nobody writes to."""
    (here / "in.jsonl").write_text("")
    assert run(asst).err == "asst: in.jsonl is empty. Write one item on each line.\n"
    (here / "in.jsonl").write_text("\n\n")
    assert run(asst).err == "asst: in.jsonl has no items. Write one item on each line.\n"
    (here / "in.jsonl").unlink()
    assert run(asst).err == "asst: in.jsonl can't be read: No such file or directory.\n"
    os.mkfifo(here / "in.jsonl")
    assert run(asst).err == "asst: in.jsonl is not a file. Pipe it in, and name it -\n"


@pytest.mark.parametrize("out", [".", "..", "/", "folder", "missing/out.jsonl"])
def test_an_output_that_cannot_be_a_file(asst: Asst, server: ResponsesServer, here: Path, out: str) -> None:
    """A folder, and a file in none: one line and exit 2, before anything is asked; nor is there a batch to look at."""
    (here / "folder").mkdir()
    write(here / "in.jsonl", {"prompt": "x"})
    ran = asst("batch", "in.jsonl", "-o", out, "-p", "gpt")
    assert (ran.code, ran.err) == (2, f"asst: {out} can't be written. Choose a file in a folder that exists.\n")
    ran = asst("batch", "status", out)
    assert (ran.code, ran.err) == (2, f"asst: No batch writes {out}. Name the file that was given to -o.\n")
    assert not server.requests
    assert sorted(path.name for path in here.iterdir()) == ["folder", "in.jsonl"]


def test_without_a_key_nothing_is_made(
    asst: Asst, server: ResponsesServer, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The key is missed before anything is sent or written."""
    monkeypatch.delenv("OPENAI_API_KEY")
    write(here / "in.jsonl", {"prompt": "x"})
    ran = run(asst)
    assert ran.code == 3
    assert not server.requests
    assert [path.name for path in here.iterdir()] == ["in.jsonl"]


def test_a_wrong_key_stops_the_batch(asst: Asst, server: ResponsesServer, here: Path) -> None:
    """After the first refusals; with the right key, all items are asked."""
    write(here / "in.jsonl", *({"prompt": f"n{number}"} for number in range(50)))
    key, server.key = server.key, "sk-other-0123456789abcdef"
    ran = run(asst, "--concurrency", "2")
    assert ran.code == 1
    assert len(server.requests) <= 4
    server.key = key
    assert run(asst).code == 0
    assert len(_results(here / "out.jsonl")) == 50


def test_csv_and_lines_and_stdin(asst: Asst, server: ResponsesServer, here: Path) -> None:
    """A header names the keys, whatever separates them, quoted line ends included; --lines takes text; - is stdin."""
    (here / "in.csv").write_text('id,prompt,other\na,"two\nlines",1\nb,three,2\n')
    assert asst("batch", "in.csv", "-o", "csv.jsonl", "-p", "gpt").code == 0
    assert {key: one["answer"] for key, one in _results(here / "csv.jsonl").items()} == {
        "a": "You said: two\nlines",
        "b": "You said: three",
    }
    (here / "semicolons.csv").write_text('id;prompt\n"a;b";"1,5 or 2;5?"\n')
    (here / "tabs.tsv").write_text("id\tprompt\na\t1,5?\n")
    assert asst("batch", "semicolons.csv", "-o", "2.jsonl", "-p", "gpt").code == 0
    assert asst("batch", "tabs.tsv", "-o", "3.jsonl", "-p", "gpt").code == 0
    assert _results(here / "2.jsonl")["a;b"]["answer"] == "You said: 1,5 or 2;5?"
    assert _results(here / "3.jsonl")["a"]["answer"] == "You said: 1,5?"
    ran = asst("batch", "-", "--lines", "-o", "lines.jsonl", "-p", "gpt", stdin="first\n\nthird\n")
    assert ran.code == 0
    assert sorted(_results(here / "lines.jsonl")) == ["1", "3"]


def test_openai_lines_in_and_out(asst: Asst, server: ResponsesServer, here: Path) -> None:
    """Bodies of both APIs are asked with their settings; the output is as the batch API writes it."""
    chat = {"messages": [{"role": "system", "content": "S"}, {"role": "user", "content": "hi"}], "temperature": 0.5}
    write(
        here / "in.jsonl",
        {"custom_id": "c", "method": "POST", "url": "/v1/chat/completions", "body": {"model": "gpt-4o", **chat}},
        {"custom_id": "r", "method": "POST", "url": "/v1/responses", "body": {"model": "gpt-4o", "input": "yo"}},
    )
    assert run(asst, "--format", "openai").code == 0
    results = _results(here / "out.jsonl")
    assert results["c"]["response"]["status_code"] == 200
    body = results["c"]["response"]["body"]
    assert body["choices"][0]["message"] == {"role": "assistant", "content": "You said: hi"}
    assert body["usage"]["total_tokens"] == body["usage"]["prompt_tokens"] + body["usage"]["completion_tokens"]
    assert results["r"]["error"] is None
    sent = next(request.json for request in server.requests if prompt(request.json) == "hi")
    assert (sent["model"], sent["instructions"], sent["temperature"]) == ("gpt-4o", "S", 0.5)
    ran = run(asst)
    assert ran.code == 2
    assert "The lines of out.jsonl have the form openai. Add --format openai, or choose another output:" in ran.err


def test_messages_bring_their_history(asst: Asst, server: ResponsesServer, here: Path) -> None:
    """Earlier messages are sent with the last one, and the item conforms to the script."""
    said = [("user", "I am Ada."), ("assistant", "Hello Ada."), ("user", "Who am I?")]
    write(here / "in.jsonl", {"messages": [{"role": role, "content": text} for role, text in said]})
    assert run(asst).code == 0
    contents = [item["content"] for item in server.requests[0].json["input"]]
    assert [one if isinstance(one, str) else one[0]["text"] for one in contents] == [text for _, text in said]
    assert asst("replay", "--check", "out.jsonl#1").out.startswith("All ")


def test_an_item_can_be_looked_at_like_a_session(asst: Asst, server: ResponsesServer, here: Path) -> None:
    """`sessions show OUT#ID` and `replay --check` read it; `sessions list` stays empty."""
    write(here / "in.jsonl", {"id": "a/b", "prompt": "one"})
    run(asst)
    shown = asst("sessions", "show", "out.jsonl#a/b")
    assert "You said: one" in shown.out
    assert json.loads(asst("sessions", "show", "--json", "out.jsonl#a/b").out)["exchanges"][0]["user"] == "one"
    assert asst("replay", "--check", "out.jsonl#a/b").code == 0
    assert json.loads(asst("sessions", "list", "--json").out) == []
    missing = asst("sessions", "show", "out.jsonl#c")
    assert (missing.code, 'has not asked an item "c"' in missing.err) == (5, True)


def test_a_template_gets_its_variables_from_the_items(asst: Asst, server: ResponsesServer, here: Path) -> None:
    """Columns fill it, -P fills what they don't; an item that lacks one is named before anything is sent."""
    (here / "t.md").write_text("---\nsystem: Answer in {{lang}}.\n---\nDescribe {{city}}.\n")
    (here / "in.csv").write_text("city,country\nBonn,DE\nGraz,AT\n")
    run = ("batch", "in.csv", "-o", "out.jsonl", "-p", "gpt", "-T", "./t.md")
    ran = asst(*run)
    assert ran.code == 2
    assert 'in.csv, line 2: The template "t" needs a value for lang' in ran.err
    assert not server.requests
    assert asst(*run, "-P", "lang=English").code == 0
    assert sorted(asked(server)) == ["Describe Bonn.", "Describe Graz."]
    assert server.requests[0].json["instructions"] == "Answer in English."


def test_dry_run_sends_nothing(asst: Asst, server: ResponsesServer, here: Path) -> None:
    """It shows the first request, the count and the estimated cost."""
    write(here / "in.jsonl", {"prompt": "one"}, {"prompt": "two"})
    ran = run(asst, "--dry-run")
    assert ran.code == 0
    shown = json.loads(ran.out)
    assert (shown["items"], shown["first"]["prompt"], shown["first"]["model"]) == (2, "one", "gpt-6-luna")
    assert shown["cost"] > 0
    assert not server.requests
    assert not (here / "out.jsonl").exists()


def test_ordered_output_is_in_the_order_of_the_input(asst: Asst, server: ResponsesServer, here: Path) -> None:
    """Also when the first answer comes last."""
    server.brain = lambda request: [Wait(0.5 if prompt(request) == "n0" else 0.0), Say("x")]
    write(here / "in.jsonl", *({"prompt": f"n{number}"} for number in range(20)))
    assert run(asst, "--ordered").code == 0
    assert list(_results(here / "out.jsonl")) == [str(number) for number in range(1, 21)]


def test_the_cost_limit_stops_before_it_is_passed(asst: Asst, server: ResponsesServer, here: Path) -> None:
    """Exit code 4; the results that there are cost less, and a higher limit goes on."""
    write(here / "in.jsonl", *({"prompt": f"n{number}"} for number in range(40)))
    limits = ("--concurrency", "2", "-O", "max_output_tokens=100")
    ran = run(asst, "--max-cost", "0.0003", *limits)
    assert ran.code == 4
    assert "Stopped at the cost limit" in ran.err
    results = _results(here / "out.jsonl")
    assert 0 < len(results) < 40
    assert sum(one["cost"] for one in results.values()) <= 0.0003
    assert run(asst, "--max-cost", "1", *limits).code == 0
    assert len(_results(here / "out.jsonl")) == 40


def test_a_refusal_pauses_all(asst: Asst, server: ResponsesServer, here: Path) -> None:
    """After a 429 with Retry-After nobody asks before that time, and every item is answered."""
    times: list[float] = []

    def brain(_: Json) -> list[Any]:
        times.append(time.monotonic())
        return [Say("x")]

    server.brain = brain
    server.faults.add(Status(429, retry_after=1.0, first=1))
    write(here / "in.jsonl", *({"prompt": f"n{number}"} for number in range(30)))
    assert run(asst, "--concurrency", "4").code == 0
    assert len(_results(here / "out.jsonl")) == 30
    gaps = [after - before for before, after in itertools.pairwise(times)]
    assert max(gaps) > 0.8
    assert gaps.index(max(gaps)) < 5


def _wait_for(what: Callable[[], bool]) -> None:
    until = time.monotonic() + 20
    while not what():
        assert time.monotonic() < until
        time.sleep(0.02)


def test_ctrl_c_finishes_what_is_in_flight(start: Start, server: ResponsesServer, asst: Asst, here: Path) -> None:
    """It exits 130 and says how to go on; a second process is told meanwhile."""
    server.brain = lambda _: [Wait(1.5), Say("x")]
    write(here / "in.jsonl", *({"prompt": f"n{number}"} for number in range(20)))
    process = start(["batch", "in.jsonl", "-o", "out.jsonl", "-p", "gpt", "--concurrency", "3"])
    _wait_for(lambda: len(server.requests) == 3)
    other = run(asst)
    assert other.code == 5
    assert "out.jsonl is being written by" in other.err
    state = json.loads(asst("batch", "status", "out.jsonl", "--json").out)
    assert (state["state"], state["items"]) == ("running", 20)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=20)
    assert process.returncode == 130
    assert re.search(rb"Finishing what is in flight \(\d\)\. Ctrl-C again stops it\.", err)
    assert re.search(rb"\n  Ask the other \d+: the same command\n$", err)
    results = len(_results(here / "out.jsonl"))
    assert results == len(server.requests)
    assert json.loads(asst("batch", "status", "out.jsonl", "--json").out)["done"] == results


def test_a_killed_batch_loses_nothing(start: Start, server: ResponsesServer, asst: Asst, here: Path) -> None:
    """After kill -9 the next run writes what was received, and asks the rest; each item has one line."""
    server.brain = lambda request: [Wait(int(prompt(request)[1:]) % 7 / 50), Say(prompt(request))]
    write(here / "in.jsonl", *({"prompt": f"n{number}"} for number in range(150)))
    process = start(["batch", "in.jsonl", "-o", "out.jsonl", "-p", "gpt", "--concurrency", "8"])
    _wait_for(lambda: len(server.requests) >= 40)
    process.kill()
    process.wait()
    for pipe in (process.stdout, process.stderr):
        assert pipe is not None
        pipe.close()
    with (here / "out.jsonl").open("a") as out:
        out.write('{"id": "torn')
    assert run(asst).code == 0
    results = _results(here / "out.jsonl")
    assert {key: one["answer"] for key, one in results.items()} == {str(n + 1): f"n{n}" for n in range(150)}
    assert len(server.requests) <= 150 + 8


def test_an_item_in_flight_is_fetched_and_not_paid_twice(
    start: Start, server: ResponsesServer, asst: Asst, here: Path
) -> None:
    """With --background, what a killed process left at the provider is taken up by its response id."""
    server.background = Background(running_seconds=1.0)
    write(here / "in.jsonl", *({"prompt": f"n{number}"} for number in range(6)))
    more = ("--background", "--concurrency", "6")
    process = start(["batch", "in.jsonl", "-o", "out.jsonl", "-p", "gpt", *more])
    journal = here / "out.jsonl.asst/journal.jsonl"
    _wait_for(journal.exists)
    _wait_for(lambda: journal.read_bytes().count(b'"resume"') >= 6)
    process.kill()
    process.communicate()
    assert run(asst, *more).code == 0
    assert len(_results(here / "out.jsonl")) == 6
    assert len([one for one in server.requests if one.method == "POST"]) == 6


def test_a_full_disk_is_one_line(asst: Asst, server: ResponsesServer, here: Path) -> None:
    """Nothing torn is in the output, and with room again the batch goes on."""
    write(here / "in.jsonl", *({"prompt": f"n{number}"} for number in range(60)))
    limited = f"ulimit -f 8; trap '' XFSZ; {ASST} batch in.jsonl -o out.jsonl -p gpt -q"
    done = subprocess.run(["bash", "-c", limited], capture_output=True, text=True, check=False, env=os.environ)
    assert done.returncode == 1
    assert done.stderr.count("\n") <= 2
    assert "File too large" in done.stderr
    assert run(asst).code == 0
    assert len(_results(here / "out.jsonl")) == 60


def test_status_of_what_is_no_batch(asst: Asst, here: Path) -> None:
    """It names the file."""
    ran = asst("batch", "status", "out.jsonl")
    assert (ran.code, ran.err) == (2, "asst: No batch writes out.jsonl. Name the file that was given to -o.\n")


def test_tools_run_with_yes(asst: Asst, server: ResponsesServer, here: Path) -> None:
    """An item's answer may take rounds of tool calls; the usage is that of all of them."""
    (here / "t.py").write_text(
        'def twice(n: int) -> int:\n    """Double n.\n\n    Args:\n        n: a number\n    """\n    return 2 * n\n'
    )

    def brain(request: Json) -> list[Any]:
        last = request["input"][-1]
        return (
            [Say(f"It is {last['output']}.")]
            if last.get("type") == "function_call_output"
            else [Call("twice", {"n": 21})]
        )

    server.brain = brain
    write(here / "in.jsonl", {"prompt": "21 twice?"})
    ran = run(asst, "-t", "./t.py:twice", "--yes")
    assert ran.code == 0, ran.err
    assert _results(here / "out.jsonl")["1"]["answer"] == "It is 42."


def test_with_a_schema_the_results_are_data(asst: Asst, server: ResponsesServer, here: Path) -> None:
    """Data that fits is in `data`; what doesn't, after one correction, is a failed item."""

    def brain(request: Json) -> list[Any]:
        return [Say('{"n": 4}' if "good" in str(request["input"]) else '{"n": "four"}')]

    server.brain = brain
    write(here / "in.jsonl", {"prompt": "good"}, {"prompt": "bad"})
    assert run(asst, "--schema", "n int", "--max-cost", "1").code == 7
    results = _results(here / "out.jsonl")
    assert results["1"]["data"] == {"n": 4}
    assert "answer" not in results["1"]
    assert (results["2"]["state"], results["2"]["reason"]) == ("incomplete", "schema")
    sent = next(request.json for request in server.requests if "good" in str(request.json["input"]))
    assert sent["text"]["format"]["type"] == "json_schema"
    ran = run(asst, "--schema", "n str")
    assert (ran.code, "asst: out.jsonl was begun with another schema. Use the same options" in ran.err) == (2, True)


def test_ordered_output_stays_in_order_when_failed_items_are_asked_again(
    asst: Asst, server: ResponsesServer, here: Path
) -> None:
    """The line of a failed item is replaced at its place, and the lines after it keep what they had."""
    fails = True
    server.brain = lambda request: [
        Fail("invalid_prompt", "No.") if fails and prompt(request) in ("n2", "n5") else Say(prompt(request))
    ]
    write(here / "in.jsonl", *({"prompt": f"n{number}"} for number in range(8)))
    assert run(asst, "--ordered").code == 7
    fails = False
    assert run(asst, "--ordered", "--retry-failed").code == 0
    results = _results(here / "out.jsonl")
    assert [one["answer"] for one in results.values()] == [f"n{number}" for number in range(8)]
    assert list(results) == [str(number) for number in range(1, 9)]
    assert len(server.requests) == 10


def test_a_provider_that_is_down_stops_the_batch(asst: Asst, server: ResponsesServer, here: Path) -> None:
    """After 25 failures in a row the rest is not asked: it waits for the next run."""
    server.faults.add(Status(404, message="The model does not exist."))
    write(here / "in.jsonl", *({"prompt": f"n{number}"} for number in range(100)))
    ran = run(asst, "--concurrency", "2")
    assert ran.code == 7
    assert "25 items in a row failed, the last one with:" in ran.err
    assert 25 <= len(_results(here / "out.jsonl")) <= 27


@pytest.mark.slow("8 kills, each some seconds into a run")
def test_kills_at_random_moments_pay_nothing_twice(
    start: Start, server: ResponsesServer, asst: Asst, here: Path
) -> None:
    """No item is lost or written twice, and none is asked again once its provider has told its response id."""
    server.background = Background(running_seconds=1.0)
    write(here / "in.jsonl", *({"prompt": f"n{number}"} for number in range(48)))
    more = ("--background", "--concurrency", "16")
    for _ in range(8):
        process = start(["batch", "in.jsonl", "-o", "out.jsonl", "-p", "gpt", *more])
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(random.uniform(1.0, 4.0))  # noqa: S311 - a moment
        process.kill()
        process.communicate()
    assert run(asst, *more).code == 0
    assert sorted(map(int, _results(here / "out.jsonl"))) == list(range(1, 49))
    journal = [json.loads(line) for line in (here / "out.jsonl.asst/journal.jsonl").read_text().splitlines()[1:]]
    begun = {line["attempt"]: line["begin"]["id"] for line in journal if "begin" in line}
    known = {line["attempt"] for line in journal if "resume" in line}
    last = {item: attempt for attempt, item in begun.items()}
    assert not [attempt for attempt, item in begun.items() if attempt in known and last[item] != attempt]
    asked = [prompt(request.json) for request in server.requests if request.method == "POST"]
    unknown = [attempt for attempt, item in begun.items() if last[item] != attempt]
    assert len(asked) - 48 <= len(unknown)

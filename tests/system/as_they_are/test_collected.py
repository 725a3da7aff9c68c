"""Streams and replies that were collected from other servers (tests/fixtures/cases): the command, and what a script sees of it.

Each is answered by `asst ask` as a shell runs it. An answer is whole, or stderr and the exit code say that it is not.
"""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from forked import asst_command
from forked.asst_command import ASST

from .case_server import CaseServer

CASES = Path(__file__).parents[2] / "fixtures" / "cases"
HELLO, SUM = "Hello there\n", "The sum is 3.\n"


@dataclass(frozen=True)
class Case:
    """`files`: the answers, in their order. `told`: words of the only line on stderr; `calls`: the arguments with which the
    tool `add` ran.
    """

    files: tuple[str, ...]
    out: str
    code: int = 0
    told: tuple[str, ...] = ()
    calls: tuple[dict[str, int], ...] = ()

    def __str__(self) -> str:
        return self.files[0]


def whole(name: str, out: str = HELLO) -> Case:
    return Case((name,), out)


def fails(name: str, *told: str, out: str = "") -> Case:
    return Case((name,), out, 1, told)


def runs(name: str, *calls: dict[str, int], before: str = "") -> Case:
    return Case((name, f"{name.partition('/')[0]}/ok.sse"), before, calls=calls or ({"a": 1, "b": 2},))


def with_sum(case: Case) -> Case:
    return replace(case, out=case.out + (SUM if case.files[0].startswith("responses") else HELLO))


TABLE = [
    fails("anthropic/429-spend.http", "Monthly limit reached.", "billing"),
    with_sum(runs("anthropic/args-in-pieces.sse")),
    with_sum(runs("anthropic/args-whole.sse")),
    fails("anthropic/cut.sse", "broke off", out=HELLO),
    fails("anthropic/error-mid.sse", "Overloaded.", out="Hello \n"),
    with_sum(runs("anthropic/ids-doubled.sse", {"a": 1, "b": 2}, {"a": 5, "b": 6})),
    whole("anthropic/json-instead-of-stream.http"),
    whole("anthropic/no-block-start.sse"),
    whole("anthropic/no-event-names.sse"),
    whole("anthropic/no-message-stop.sse"),
    whole("anthropic/ok.sse"),
    Case(("anthropic/refusal-empty.sse",), "", 4, ("content filter",)),
    Case(("anthropic/thinking-only.sse",), "", told=("without an answer", "only reasoning")),
    whole("anthropic/unknown-events.sse"),
    whole("anthropic/usage-null.sse"),
    fails("chat-completions/200-error.http", "no such model m"),
    fails("chat-completions/402.http", "Insufficient credits.", "billing"),
    fails("chat-completions/422-detail.http", "body.frobnicate: Extra inputs are not permitted."),
    fails("chat-completions/500-streamed.http", "Error processing stream start."),
    with_sum(runs("chat-completions/args-in-pieces.sse")),
    with_sum(runs("chat-completions/args-object.sse")),
    with_sum(runs("chat-completions/args-whole.sse")),
    fails("chat-completions/calls-announced-only.sse", "no answer"),
    whole("chat-completions/comments.sse"),
    whole("chat-completions/content-list.sse"),
    whole("chat-completions/ctype-text-plain.sse"),
    fails("chat-completions/cut.sse", "broke off", out=HELLO),
    fails("chat-completions/cut-with-done.sse", "broke off", out=HELLO),
    whole("chat-completions/empty-choices-first.sse"),
    fails("chat-completions/error-mid.sse", "The engine crashed.", out="Hello \n"),
    fails("chat-completions/error-with-a-choice.sse", "Provider returned error.", out="Hello \n"),
    Case(("chat-completions/filter.sse",), HELLO, 4, ("content filter",)),
    whole("chat-completions/finish-eos.sse"),
    whole("chat-completions/finish-every-chunk.sse"),
    with_sum(runs("chat-completions/function-call.sse")),
    with_sum(runs("chat-completions/ids-missing-two.sse", {"a": 1, "b": 2}, {"a": 5, "b": 6})),
    with_sum(runs("chat-completions/interleaved.sse", {"a": 1, "b": 2}, {"a": 5, "b": 6})),
    whole("chat-completions/json-instead-of-stream.http"),
    Case(("chat-completions/length.sse",), HELLO, 4, ("length limit",)),
    with_sum(runs("chat-completions/name-and-id-repeated.sse")),
    whole("chat-completions/no-done.sse"),
    whole("chat-completions/no-final-blank.sse"),
    with_sum(runs("chat-completions/no-index.sse", {"a": 1, "b": 2}, {"a": 5, "b": 6})),
    fails("chat-completions/nothing-in-it.http", "no answer"),
    whole("chat-completions/null-filled.sse"),
    whole("chat-completions/ok.sse"),
    whole("chat-completions/reasoning-content.sse"),
    Case(("chat-completions/reasoning-only.sse",), "", told=("without an answer", "only reasoning")),
    whole("chat-completions/refusal.sse"),
    with_sum(runs("chat-completions/stop-with-calls.sse")),
    whole("chat-completions/think-tags.sse"),
    whole("chat-completions/usage-with-a-choice.sse"),
    whole("gemini/ok.sse"),
    with_sum(runs("gemini/args-string.sse")),
    fails("gemini/error-mid-string.sse", "backend gone", out="Hel\n"),
    whole("gemini/finish-every-chunk.sse", "w0 w1 w2 w3 w4 w5 w6 w7 end\n"),
    whole("gemini/finish-intermediate.sse", "The result is 42.\n"),
    Case(("gemini/inline.sse",), "", told=("no text", "an image")),
    whole("gemini/no-final-blank.sse"),
    whole("gemini/single-json.http"),
    whole("gemini/usage-strings.sse", "Hi\n"),
    fails("responses/200-error-json.http", "no such model m"),
    fails("responses/400-text.http", "model m is not loaded"),
    fails("responses/402.http", "Insufficient Balance.", "billing"),
    with_sum(runs("responses/args-double.sse")),
    with_sum(runs("responses/args-object.sse")),
    with_sum(runs("responses/args-only-delta.sse")),
    with_sum(runs("responses/call-ids-missing-two.sse", {"a": 1, "b": 2}, {"a": 5, "b": 6})),
    whole("responses/completed-status-null.sse", "Hello\n"),
    whole("responses/content-string.http"),
    whole("responses/content-string.sse"),
    whole("responses/ctype-text-plain.sse"),
    whole("responses/data-null.sse"),
    whole("responses/delta-null.sse"),
    fails("responses/error-string.sse", "model crashed.", out="Hel\n"),
    whole("responses/final-item-only.sse"),
    whole("responses/json-instead-of-stream.http"),
    with_sum(runs("responses/name-empty-in-done.sse")),
    whole("responses/no-final-blank.sse"),
    whole("responses/no-type.sse"),
    whole("responses/ok.sse", SUM),
    with_sum(runs("responses/output-misses-call.sse", before="Let me add.\n\n")),
    Case(("responses/reasoning-only.sse",), "", told=("without an answer", "only reasoning")),
    whole("responses/uni.sse", "naïve 😀 日本 😀 end\n"),
    whole("responses/usage-odd.sse", "Hi\n"),
]


def ask(
    case: Case, folder: Path, *options: str, **environment: str
) -> tuple[subprocess.CompletedProcess[bytes], list[object]]:
    """Run the command against a server that answers with the files; returns the bodies of its requests, too."""
    (folder / "add.py").write_text('def add(a: int, b: int) -> int:\n    """Add two numbers."""\n    return a + b\n')
    with CaseServer(*((CASES / name).read_bytes() for name in case.files)) as server:
        kind = case.files[0].partition("/")[0]
        profile = {"provider": {"responses": "gpt"}.get(kind, kind), "model": "m", "api_key_env": "TEST_KEY"}
        profile["base_url"] = server.url + ("/v1beta" if kind == "gemini" else "/v1")
        (folder / "config").mkdir(exist_ok=True)
        text = "\n".join(f"{key} = {json.dumps(value)}" for key, value in profile.items())
        (folder / "config" / "config.toml").write_text(f"[profiles.p]\n{text}\n")
        own = {f"ASST_{kind.upper()}_DIR": str(folder / kind) for kind in ("config", "data", "cache")}
        tools = ["-t", "./add.py"] if case.calls else ["--no-tools"]
        done = asst_command.run(
            [ASST, "ask", "-p", "p", *tools, "--yes", *options, "hi"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=60,
            check=False,
            cwd=folder,
            env=own
            | {"PATH": os.environ["PATH"], "HOME": str(folder), "TEST_KEY": "sk-0123456789abcdef"}
            | environment,
        )
        return done, list(server.bodies)


def arguments_of(bodies: list[object]) -> list[object]:
    """The arguments of the calls that the last request tells the server of."""
    found: list[object] = []

    def walk(value: object) -> None:
        if isinstance(value, dict):
            if value.get("type") == "function_call":
                found.append(json.loads(value["arguments"]))
            elif isinstance(value.get("functionCall"), dict):
                found.append(value["functionCall"]["args"])
            elif isinstance(value.get("function"), dict) and "arguments" in value["function"]:
                found.append(json.loads(value["function"]["arguments"]))
            elif value.get("type") == "tool_use":
                found.append(value["input"])
            for one in value.values():
                walk(one)
        elif isinstance(value, list):
            for one in value:
                walk(one)

    walk(bodies[-1])
    return found


@pytest.mark.parametrize("case", TABLE, ids=str)
def test_what_a_script_sees(case: Case, tmp_path: Path) -> None:
    """Stdout, the exit code, the words on stderr, and the tools that ran."""
    done, bodies = ask(case, tmp_path, "-q")
    err = done.stderr.decode()
    assert (done.stdout.decode(), done.returncode) == (case.out, case.code), err
    assert len(err.splitlines()) == bool(case.told), err
    for words in case.told:
        assert words in err
    assert arguments_of(bodies) == list(case.calls)
    assert "None" not in json.dumps(bodies)


def test_every_collected_file_is_in_the_table() -> None:
    """No case lies there without a claim about it."""
    files = {str(path.relative_to(CASES)) for path in CASES.glob("*/*")}
    assert files == {case.files[0] for case in TABLE}


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])
def test_any_encoding_of_stdout(encoding: str, tmp_path: Path) -> None:
    """A surrogate pair in two pieces is one character, and stdout escapes what its encoding lacks."""
    done, _ = ask(whole("responses/uni.sse"), tmp_path, "-q", PYTHONIOENCODING=encoding, PYTHONUTF8="0")
    assert done.returncode == 0
    assert done.stdout == "naïve 😀 日本 😀 end\n".encode(encoding, "backslashreplace")


@pytest.mark.parametrize("name", ["responses/reasoning-only.sse", "gemini/inline.sse"])
def test_notices_in_every_output(name: str, tmp_path: Path) -> None:
    """On stderr in a pipe, and in a field of `--json`; `--events` has the event as well."""
    case = whole(name)
    plain, _ = ask(case, tmp_path)
    told = plain.stderr.decode().splitlines()[-1].removeprefix("asst: ")
    assert "answer" in told
    as_json, _ = ask(case, tmp_path, "--json")
    result = json.loads(as_json.stdout)
    assert (result["answer"], result["state"], result["notices"]) == ("", "completed", [told])
    assert told in as_json.stderr.decode()
    as_events, _ = ask(case, tmp_path, "--events")
    events = [json.loads(line) for line in as_events.stdout.splitlines()]
    assert [event["text"] for event in events if event["type"] == "notice"] == [told]
    assert told in as_events.stderr.decode()


def test_what_was_skipped_stands_in_the_events(tmp_path: Path) -> None:
    """`data: null` is noted once, for `--events` alone."""
    done, _ = ask(whole("responses/data-null.sse"), tmp_path, "--events")
    events = [json.loads(line) for line in done.stdout.splitlines()]
    assert [event["text"] for event in events if event["type"] == "skipped"] == ["null"]
    assert len(done.stderr.splitlines()) == 1  # who answers

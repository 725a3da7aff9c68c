"""Kill -9 at random moments: of an embedded batch, and of one of two workers. The server keeps responses (`--background`)."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import time
from pathlib import Path

import psycopg
from batch_setting import ASST, Setting, timed, write_items

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from servers import Background, ResponsesServer, Say

__all__ = ["kill_batches", "kill_workers"]

BATCH = (ASST, "batch", "in.jsonl", "-o", "out.jsonl", "-p", "gpt", "-q", "--background")


def kill_batches(setting: Setting, rounds: int, count: int = 400) -> None:
    """An embedded batch is killed in each round; the last run finishes."""
    with ResponsesServer(lambda _: [Say("ok")], background=Background(running_seconds=0.3)) as server:
        write_items(setting.folder / "in.jsonl", count)
        setting.clear()
        argv, env, killed = [*BATCH, "--concurrency", "16"], _env(setting, server), 0
        for _ in range(rounds):
            process = subprocess.Popen(argv, env=env, cwd=setting.folder)
            try:
                process.wait(random.uniform(0.5, 2.0))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
                killed += 1
        timed(argv, env, setting.folder)
        known = _asked_again_though_known(setting.folder / "out.jsonl.asst" / "journal.jsonl")
        _row(setting, f"kill -9 of the batch, {killed} of {rounds} rounds hit", count, server, known)


def kill_workers(setting: Setting, rounds: int, count: int = 400) -> None:
    """One of two workers is killed in each round, and another one is started in its place."""
    if not setting.queue:
        return
    with ResponsesServer(lambda _: [Say("ok")], background=Background(running_seconds=1.0)) as server:
        write_items(setting.folder / "in.jsonl", count)
        setting.clear()
        env = {**_env(setting, server), "ASST_QUEUE": setting.queue}
        timed([*BATCH, "--no-follow"], env, setting.folder)
        argv = [ASST, "batch", "work", "-p", "gpt", "-q", "--concurrency", "8"]

        def start() -> subprocess.Popen[bytes]:
            return subprocess.Popen(argv, env=env, cwd=setting.folder, stderr=subprocess.DEVNULL)

        workers, killed = [start(), start()], 0
        try:
            for _ in range(rounds):
                time.sleep(random.uniform(1.0, 3.0))
                killed += _state(env, setting.folder)["in_flight"] > 0
                victim = random.randrange(2)
                workers[victim].kill()
                workers[victim].wait()
                workers[victim] = start()
            taken_over = _taken_over(setting.queue)
            timed(list(BATCH), env, setting.folder)
            doubts = _state(env, setting.folder)["maybe_twice"]
        finally:
            for worker in workers:
                worker.terminate()
                worker.wait()
        what = f"kill -9 of one of two workers, {killed} of {rounds} rounds hit"
        _row(setting, what, count, server, max(_again(server) - doubts, 0), f"; taken over after {taken_over:.0f} s")


def _env(setting: Setting, server: ResponsesServer) -> dict[str, str]:
    return {**setting.env(server.base_url), "OPENAI_API_KEY": server.key}


def _state(env: dict[str, str], folder: Path) -> dict[str, int]:
    said = subprocess.run(
        [ASST, "batch", "status", "out.jsonl", "--json"], env=env, cwd=folder, capture_output=True, check=True
    )
    state: dict[str, int] = json.loads(said.stdout)
    return state


def _taken_over(address: str) -> float:
    """Seconds until nothing is in flight at a worker whose last heartbeat is older than this call."""
    began = time.monotonic()
    with psycopg.connect(address, autocommit=True) as connection:
        now = connection.execute("SELECT clock_timestamp()").fetchone()
        while connection.execute(
            "SELECT 1 FROM asst.procrastinate_jobs AS job LEFT JOIN asst.procrastinate_workers AS worker"
            " ON worker.id = job.worker_id WHERE status = 'doing' AND coalesce(last_heartbeat, '-infinity') <= %s LIMIT 1",
            now,
        ).fetchone():
            time.sleep(0.1)
    return time.monotonic() - began


def _asked_again_though_known(journal: Path) -> int:
    """How many attempts knew the id of their response, and were followed by another attempt at the item."""
    marks = [json.loads(line) for line in journal.read_text().splitlines()[1:]]
    begun = {mark["attempt"]: mark["begin"]["id"] for mark in marks if "begin" in mark}
    known = {mark["attempt"] for mark in marks if "resume" in mark}
    last = {item: attempt for attempt, item in begun.items()}
    return sum(attempt in known and last[item] != attempt for attempt, item in begun.items())


def _again(server: ResponsesServer) -> int:
    """How many requests asked what another one had asked."""
    asked = [json.dumps(request.json["input"]) for request in server.requests if request.method == "POST"]
    return len(asked) - len(set(asked))


def _row(setting: Setting, what: str, count: int, server: ResponsesServer, wrong: int, more: str = "") -> None:
    """`wrong`: items that were asked again though it was known how to fetch the answer, or without saying so."""
    ids = [json.loads(line)["id"] for line in (setting.folder / "out.jsonl").read_text().splitlines()]
    lost, twice = count - len(set(ids)), len(ids) - len(set(ids))
    figures = f"{count} items; {_again(server)} asked again whose request was on its way{more}"
    setting.row(what, figures, f"{lost} lost, {twice} twice in OUT, {wrong} paid twice", "0, 0, 0")

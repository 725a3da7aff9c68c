"""Batches through Postgres: submitting, two workers, collecting."""

from __future__ import annotations

import subprocess

import psycopg
from batch_setting import ASST, Setting, timed

__all__ = ["collecting", "sharing"]


def sharing(setting: Setting) -> None:
    """100,000 lines into Postgres, then 2,000 items without latency, which two workers ask."""
    if not setting.queue:
        return
    queue = ("--queue", setting.queue)
    wall, cpu, memory = setting.asst(100_000, 0.0, *queue, "--no-follow")
    setting.row(
        "100,000 lines into Postgres",
        f"{wall:.1f} s ({cpu:.1f} s of CPU), {memory:.0f} MiB",
        f"{wall:.1f} s",
        "≤ 12 s",
    )
    env = setting.env(setting.server.url(0.0))
    timed([ASST, "batch", "cancel", "out.jsonl", *queue], env, setting.folder)
    argv = [ASST, "batch", "work", *queue, "-p", "gpt", "-q", "--concurrency", "16"]
    workers = [subprocess.Popen(argv, env=env, cwd=setting.folder, stderr=subprocess.DEVNULL) for _ in range(2)]
    try:
        setting.asst(50, 0.0, *queue)  # they are up
        empty = setting.asst(1, 0.0, *queue)[0]
        wall, _, _ = setting.asst(2000, 0.0, *queue)
    finally:
        for worker in workers:
            worker.terminate()
            worker.wait()
    setting.row(
        "no latency through Postgres, two workers",
        f"2,000 items in {wall:.1f} s with submitting and collecting; one item {empty:.1f} s",
        f"{2000 / wall:.0f}/s",
        "≥ 150/s",
    )


def collecting(setting: Setting) -> None:
    """The peak of who collects 10,000 and 200,000 answers, of 2 KB each with their records."""
    if not setting.queue:
        return
    figures = []
    for count in (10_000, 200_000):
        setting.asst(count, 0.0, "--queue", setting.queue, "--no-follow")
        _answer_all(setting.queue)
        argv = [ASST, "batch", "in.jsonl", "-o", "out.jsonl", "-p", "gpt", "-q", "--queue", setting.queue]
        wall, _, memory = timed(argv, setting.env(setting.server.url(0.0)), setting.folder)
        with (setting.folder / "out.jsonl").open("rb") as out:
            assert sum(1 for _ in out) == count
        figures.append((count, wall, memory))
    few, many = figures
    setting.row(
        "collecting from Postgres: peak memory",
        " · ".join(f"{count:,} answers {memory:.0f} MiB, {wall:.1f} s" for count, wall, memory in figures),
        f"{many[2] - few[2]:+.0f} MiB",
        "constant, but for 50 bytes a line",
    )


def _answer_all(address: str) -> None:
    """Let every item that waits have an answer, as if workers had asked."""
    answer = "word " * 200
    records = (
        '{"seq":1,"at":"2026-11-29T08:00:00.000Z","state":"new","event":{"type":"notice","text":"' + answer + '"}}\n'
    )
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute(
            "UPDATE asst.batch_item SET state = 1, records = %s, result = convert_to(format("
            '\'{"id":"%%s","state":"completed","answer":"%%s"}\', id, %s::text), \'UTF8\') WHERE state = 0',
            (records.encode(), answer),
        )
        connection.execute("DELETE FROM asst.procrastinate_jobs")

"""The loops that people write instead of `asst batch`."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from batch_setting import Setting, timed, write_items

__all__ = ["by_asyncio", "by_inspect", "by_xargs"]

RAW = Path(__file__).parent / "raw"


def by_asyncio(setting: Setting, count: int, seconds: float, width: int) -> tuple[float, float, float]:
    """The asyncio script on httpx2, which keeps nothing: its seconds, seconds of CPU and peak MiB."""
    write_items(setting.folder / "in.jsonl", count)
    url = setting.server.url(seconds)
    argv = [sys.executable, str(RAW / "batch_loop.py"), url, "in.jsonl", "loop.jsonl", str(width)]
    return timed(argv, setting.env(url), setting.folder)


def by_xargs(setting: Setting, llm: str) -> None:
    """`xargs -P8 llm`, 40 items, next to `asst batch` over as many; nothing without `llm`."""
    if not llm:
        return
    home = setting.folder / "llm"
    home.mkdir(exist_ok=True)
    url = setting.server.url(0.0)
    (home / "extra-openai-models.yaml").write_text(f"- model_id: stub\n  model_name: stub\n  api_base: {url}\n")
    env = {**setting.env(url), "LLM_USER_PATH": str(home)}
    command = f"seq 40 | xargs -P8 -I% {Path(llm).absolute()} -m stub 'Question %'"
    wall, cpu, _ = timed(["bash", "-c", command], env, setting.folder)
    ours, our_cpu, _ = setting.asst(40, 0.0, "--concurrency", "8")
    setting.row(
        "40 items, 8 at a time, with start and end",
        f"asst {ours:.1f} s ({our_cpu:.1f} s of CPU) · `xargs -P8 llm` {wall:.1f} s ({cpu:.1f})",
        f"{wall / ours:.0f} times as fast",
        "",
    )


def by_inspect(setting: Setting, python: str) -> None:
    """inspect_ai, 500 items without latency, 32 at a time; nothing without it."""
    if not python:
        return
    count, url = 500, setting.server.url(0.0)
    argv = [python, str(RAW / "batch_inspect.py"), url, str(count), "32", str(setting.folder / "inspect")]
    env = {**setting.env(url), "LITELLM_LOCAL_MODEL_COST_MAP": "True"}
    done = subprocess.run(argv, env=env, cwd=setting.folder, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr[-500:])
    alone = float(done.stdout.split()[-1])
    wall, cpu, memory = timed(argv, env, setting.folder)
    ours, our_cpu, our_memory = setting.asst(count, 0.0, "--concurrency", "32")
    setting.row(
        f"{count} items without latency, with start and end",
        f"asst {ours:.1f} s ({our_cpu:.1f} s of CPU, {our_memory:.0f} MiB) · inspect_ai {wall:.1f} s ({cpu:.1f} s,"
        f" {memory:.0f} MiB), {count / alone:.0f}/s once it runs",
        f"{wall / ours:.0f} times as fast",
        "",
    )

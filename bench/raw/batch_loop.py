"""The asyncio script that people write: `python batch_loop.py URL IN OUT WIDTH`. It keeps nothing and retries nothing."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

import httpx2


async def main(url: str, source: str, out: str, width: str) -> None:
    """Ask every line, so many at a time."""
    gate = asyncio.Semaphore(int(width))
    with Path(out).open("w") as file:  # noqa: ASYNC230 - as people write it
        async with httpx2.AsyncClient(headers={"Authorization": "Bearer sk-bench"}, timeout=60) as client:

            async def ask(item: dict[str, str]) -> None:
                async with gate:
                    reply = await client.post(f"{url}/responses", json={"model": "stub", "input": item["prompt"]})
                reply.raise_for_status()
                file.write(
                    json.dumps({"id": item["id"], "answer": reply.json()["output"][-1]["content"][0]["text"]}) + "\n"
                )

            await asyncio.gather(*(ask(json.loads(line)) for line in Path(source).read_text().splitlines()))


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))

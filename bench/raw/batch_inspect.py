"""The same with inspect_ai: `python batch_inspect.py URL COUNT WIDTH FOLDER`; prints the seconds of its evaluation alone."""

from __future__ import annotations

import sys
import time

from inspect_ai import Task
from inspect_ai import eval as evaluate
from inspect_ai.dataset import MemoryDataset, Sample
from inspect_ai.model import get_model
from inspect_ai.solver import generate


def main(url: str, count: int, width: int, folder: str) -> None:
    """Ask so many questions, `width` at a time; its log goes to the folder."""
    model = get_model("openai/gpt-4o", base_url=url, api_key="sk-bench", responses_api=False)
    samples = [Sample(id=f"item-{number}", input=f"Question {number}: how many?") for number in range(count)]
    task = Task(dataset=MemoryDataset(samples), solver=generate())
    began = time.monotonic()
    logs = evaluate(
        task, model=model, max_connections=width, max_samples=width, display="none", log_dir=folder, score=False
    )
    if logs[0].status != "success" or len(logs[0].samples or ()) != count:
        raise SystemExit(f"inspect_ai: {logs[0].status}, {logs[0].error}")
    print(time.monotonic() - began)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4])

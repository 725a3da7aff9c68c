"""What holds for every test of the core: when it is over, no task of it is left."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncIterator

import pytest


@pytest.fixture(autouse=True)
def _no_task_is_left(request: pytest.FixtureRequest) -> None:
    if inspect.iscoroutinefunction(request.function):  # a loop for every other test would take half of their time
        request.getfixturevalue("_tidy_loop")


@pytest.fixture
async def _tidy_loop() -> AsyncIterator[None]:
    yield
    left = asyncio.all_tasks() - {asyncio.current_task()}
    assert not left, f"tasks are left over: {left}"

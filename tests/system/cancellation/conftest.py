"""What holds for every test of stopping."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from cli.conftest import asst, start  # noqa: F401 - fixtures
from servers import ResponsesServer

from .ways import KEY


@pytest.fixture(autouse=True)
def _key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEST_KEY", KEY)


@pytest.fixture
def server() -> Iterator[ResponsesServer]:
    """OpenAI, for `asst -p gpt`."""
    with ResponsesServer() as running:
        os.environ["OPENAI_BASE_URL"], os.environ["OPENAI_API_KEY"] = running.base_url, running.key
        yield running

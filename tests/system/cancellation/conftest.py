"""What holds for every test of stopping."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from cli.conftest import asst, start  # noqa: F401 - fixtures
from servers import ResponsesServer

from .ways import KEY


@pytest.fixture(autouse=True)
def _key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEST_KEY", KEY)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[ResponsesServer]:
    """OpenAI, for `asst -p gpt`."""
    with ResponsesServer() as running:
        monkeypatch.setenv("OPENAI_BASE_URL", running.base_url)
        monkeypatch.setenv("OPENAI_API_KEY", running.key)
        yield running

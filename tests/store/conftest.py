"""The API that the command `asst` talks to in these tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from servers import ResponsesServer


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[ResponsesServer]:
    """A server for the profile `gpt`; it repeats what it is told."""
    with ResponsesServer() as running:
        monkeypatch.setenv("OPENAI_BASE_URL", running.base_url)
        monkeypatch.setenv("OPENAI_API_KEY", running.key)
        monkeypatch.setenv("ASST_PROFILE", "gpt")
        yield running

"""The key that every exchange here sends."""

from __future__ import annotations

import pytest

from .streams import KEY


@pytest.fixture(autouse=True)
def _key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEST_KEY", KEY)

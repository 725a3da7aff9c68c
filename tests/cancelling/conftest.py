"""What holds for every test of stopping."""

from __future__ import annotations

import pytest

from .ways import KEY


@pytest.fixture(autouse=True)
def _key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEST_KEY", KEY)

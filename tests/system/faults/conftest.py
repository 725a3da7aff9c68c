"""The key that every server here wants, and the ways whose package is not installed."""

from __future__ import annotations

import pytest

pytest.register_assert_rewrite("system.faults.rig")

from .ways import KEY, Way  # noqa: E402 - after the line that it needs


@pytest.fixture(autouse=True)
def _key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEST_KEY", KEY)


@pytest.fixture(autouse=True)
def _package(request: pytest.FixtureRequest) -> None:
    way = getattr(request.node, "callspec", None) and request.node.callspec.params.get("way")
    if isinstance(way, Way) and way.missing:
        pytest.skip(f"{way.missing} is not installed")

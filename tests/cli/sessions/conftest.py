"""The API that the command `asst` talks to in these tests."""

from __future__ import annotations

from store.conftest import server

__all__ = ["server"]
